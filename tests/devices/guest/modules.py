"""Inside the virtual machine: the sink on both versions of v4l2loopback. Writes /mnt/modules/report.json."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import cv2
import numpy as np

from models.errors import AgentError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.virtual_camera import VirtualCamera
from runtime.sinks.virtual_camera_device import free_virtual_cameras, why_invisible
from tests.devices.guest.loopback import SHARE, feeder, is_camera, load, read_raw, unload, until

FOLDER = SHARE / "modules"
SIZE = (256, 128)
COUNT = 12
LABELS = {10: "Avatar", 11: "Second"}


def pictures() -> list[np.ndarray]:
    """Noise, so that no two bytes may change places."""
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8) for _ in range(8)]


def opening(device: str | None = None, size: tuple[int, int] = SIZE) -> tuple[VirtualCamera | None, str]:
    """The sink, or what the agent would say."""
    try:
        return VirtualCamera(size, 10, device), ""
    except AgentError as error:
        return None, str(error)


@contextmanager
def fed(camera: VirtualCamera) -> Iterator[None]:
    """Ten pictures a second; the first is there when the block begins."""
    ended, shown = threading.Event(), [Picture(image, Motion(0), 0) for image in pictures()]

    def feed() -> None:
        for picture in cycle(shown):
            if ended.wait(0.1):
                return
            camera.send(picture)

    camera.send(shown[-1])
    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def exact(frames: np.ndarray) -> int:
    """How many I420 frames are, byte for byte, pictures that were sent; the first may be the sink's grey one."""
    grey = np.full((SIZE[1], SIZE[0], 3), 48, np.uint8)
    sent = {cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420).tobytes() for image in pictures()}
    first = frames[0].tobytes() == cv2.cvtColor(grey, cv2.COLOR_RGB2YUV_I420).tobytes()
    return first + sum(frame.tobytes() in sent for frame in frames)


def read_v4l2(number: int) -> int:
    file = FOLDER / "frames.yuv"
    read_raw(number, COUNT, file)
    return exact(np.fromfile(file, np.uint8).reshape(-1, SIZE[0] * SIZE[1] * 3 // 2))


def read_opencv(number: int) -> int:
    capture = cv2.VideoCapture(number, cv2.CAP_V4L2)
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    frames = [capture.read()[1] for _ in range(COUNT)]
    capture.release()
    return exact(np.array([np.asarray(frame).reshape(-1) for frame in frames]))


def exclusive(module: str) -> dict[str, Any]:
    """As the README loads it."""
    load(module, LABELS)
    report: dict[str, Any] = {"camera before": is_camera(10)}
    first, _ = opening()
    assert first is not None
    report["first"], report["free then"] = first._device.device, free_virtual_cameras()
    report["camera while fed"] = is_camera(10)
    with fed(first):
        report |= {"v4l2-ctl": read_v4l2(10), "opencv": read_opencv(10)}
        second, _ = opening()
        assert second is not None
        report["second"] = second._device.device
        report["all fed"], report["named and fed"] = opening()[1], opening("Avatar")[1]
    second.close()
    report["other size while watched"] = watched(first)
    first.close()
    again, refusal = opening("/dev/video10")
    if again is not None:
        with fed(again):
            report["v4l2-ctl again"] = read_v4l2(10)
        again.close()
    report |= {"again": again is not None, "refusal": refusal}
    unload()
    return report


def watched(camera: VirtualCamera) -> str:
    """What is said when a camera is opened at another size while a program still watches it; frees the camera."""
    words = ["v4l2-ctl", "-d", "/dev/video10", "--stream-mmap", "--stream-to=/dev/null"]
    reader = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with fed(camera):
            time.sleep(2)
        camera.close()
        other, refusal = opening("/dev/video10", (64, 64))
        if other is not None:
            other.close()
    finally:
        reader.kill()
        reader.wait()
    return refusal


def shared(module: str) -> dict[str, Any]:
    """Without exclusive_caps: a device is camera and output at once, and takes several feeders if it is let."""
    load(module, LABELS, exclusive=False)
    np.save(FOLDER / "feed.npy", np.zeros((SIZE[1] * 3 // 2, SIZE[0]), np.uint8))
    with feeder(10, FOLDER / "feed.npy"):
        until(lambda: free_virtual_cameras() == ["/dev/video11"], "the feeder is seen")
        camera, _ = opening()
        report = {"beside a feeder": camera._device.device if camera else "", "named": opening("Avatar")[1]}
        if camera:
            camera.close()
    report["invisible"] = why_invisible("/dev/video10")
    unload()
    return report


def main() -> None:
    report: dict[str, Any] = {"no module": opening()[1]}
    examined: dict[str, Callable[[str], dict[str, Any]]] = {"exclusive": exclusive, "shared": shared}
    try:
        for module in ("old", "new"):
            for name, examine in examined.items():
                report[f"{module} {name}"] = examine(module)
    finally:
        (FOLDER / "report.json").write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
