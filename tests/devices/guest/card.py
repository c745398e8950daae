"""Inside the virtual machine: the sink alone, fed with a picture whose every pixel is known."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.virtual_camera import VirtualCamera


def card(side: int) -> np.ndarray:
    """Sixteen patches of different colours, RGB."""
    levels = np.array([(r, g, b) for r in (40, 220) for g in (30, 120, 200, 240) for b in (60, 210)], np.uint8)
    return levels.reshape(4, 4, 3).repeat(side // 4, 0).repeat(side // 4, 1)


@contextmanager
def shown_card(side: int, fps: int) -> Iterator[None]:
    """The first free camera shows it until the end of the block."""
    camera, ended = VirtualCamera((side, side), fps), threading.Event()
    picture = Picture(card(side), Motion(0), 0)

    def feed() -> None:
        while not ended.wait(1 / fps):
            camera.send(picture)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        ended.set()
        feeder.join()
        camera.close()
