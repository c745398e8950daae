"""Inside the virtual machine: Chromium watches the sink. Writes report.json and picture.rgba into /mnt/browser."""

import json
import threading

import numpy as np

from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.virtual_camera import VirtualCamera
from tests.devices.guest.chromium import browser
from tests.devices.guest.loopback import SHARE, load

FOLDER = SHARE / "browser"
SIDE, FPS = 256, 5


def card() -> np.ndarray:
    """Sixteen patches of different colours, RGB."""
    levels = np.array([(r, g, b) for r in (40, 220) for g in (30, 120, 200, 240) for b in (60, 210)], np.uint8)
    return levels.reshape(4, 4, 3).repeat(SIDE // 4, 0).repeat(SIDE // 4, 1)


def main() -> None:
    load("new", {10: "Avatar", 11: "Unfed"})
    camera, ended = VirtualCamera((SIDE, SIDE), FPS), threading.Event()
    picture = Picture(card(), Motion(0), 0)

    def feed() -> None:
        while not ended.wait(1 / FPS):
            camera.send(picture)

    feeder = threading.Thread(target=feed)
    with browser(FOLDER / "chromium.log") as watcher:
        watcher.wait_for("loaded")
        feeder.start()
        try:
            watcher.look()
            report = {"open": watcher.wait_for("open"), "frames": watcher.wait_for("frames", 2)}
            (FOLDER / "picture.rgba").write_bytes(watcher.picture)
        finally:
            ended.set()
            feeder.join()
            (FOLDER / "told.json").write_text(json.dumps(watcher.told))
    camera.close()
    (FOLDER / "report.json").write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
