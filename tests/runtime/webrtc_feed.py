"""A WebRTC output that is fed as a run feeds it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.sinks import Sink
from runtime.sinks.webrtc import WebRtc
from runtime.sound import Sound
from runtime.transports.ice import IcePolicy

SIZE = (128, 96)
CLOCK = MonotonicClock()
HERE = IcePolicy()


def open_sink(
    viewers: int = 2, sound: bool = True, say: Callable[[str], None] = print, policy: IcePolicy = HERE, token: str = ""
) -> WebRtc:
    return WebRtc(
        SIZE,
        25,
        port=0,
        policy=policy,
        viewers=viewers,
        sound=sound,
        status=lambda: {"who": "Ada"},
        say=say,
        token=token,
        clock=CLOCK,
        metrics=Metrics(),
    )


@contextmanager
def feeding(sink: Sink, image: Callable[[], np.ndarray]) -> Iterator[None]:
    """25 pictures a second, and a tone."""
    stop = threading.Event()

    def feed() -> None:
        start_ns, k = CLOCK.now_ns(), 0
        while CLOCK.wait_until(start_ns + k * 40_000_000, stop):
            now_ns = CLOCK.now_ns()
            sink.send(Picture(image(), Motion(now_ns), now_ns))
            tone = 0.3 * np.sin(2 * np.pi * 500 * (np.arange(640) + 640 * k) / 16_000)
            sink.hear(Sound(tone.astype(np.float32)[:, None], 16_000, start_ns + k * 40_000_000))
            k += 1

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


def coloured(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), colour, np.uint8)
