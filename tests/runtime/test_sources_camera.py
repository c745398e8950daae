"""The camera on real OpenCV captures (of files): colours, newest wins, coming back, lists and messages."""

import logging
import os
import threading
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from models.errors import AgentError, InputError
from runtime.clock import FakeClock
from runtime.sources.camera import Camera, Opened, open_capture
from runtime.sources.devices import Device, Devices
from tests.warned import warned

ME = Device(0, "me")
RED, BLUE = (250, 10, 20), (20, 10, 250)
START_NS = 123


def write_clip(path: Path, colour: tuple[int, int, int]) -> Path:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        image = np.full((48, 64, 3), colour, np.uint8)
        for _ in range(3):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode(None))
    return path


class Plug:
    """Opens one clip after the other; None is a camera that is unplugged at that moment."""

    def __init__(self, *clips: Path | None) -> None:
        self._clips = list(clips)
        self.opened = 0

    def __call__(self, wanted: str | Device) -> Opened:
        clip = self._clips[self.opened] if self.opened < len(self._clips) else None
        self.opened += 1
        if clip is None:
            raise InputError(f"no camera '{wanted}'")
        return ME, cv2.VideoCapture(str(clip))


def test_a_camera_that_was_unplugged_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    red, blue = write_clip(tmp_path / "red.avi", RED), write_clip(tmp_path / "blue.avi", BLUE)
    with caplog.at_level(logging.WARNING, "runtime.sources.camera"):
        camera = Camera("me", FakeClock(START_NS), Plug(red, None, None, blue))
        frame = next(frame for frame in camera if frame.pts_ns > START_NS)
        camera.close()
    assert np.abs(frame.image.astype(int) - BLUE).max() < 12  # RGB, through JPEG
    assert frame.pts_ns == START_NS + 1_500_000_000  # two tries in vain, half a second apart
    messages = warned(caplog, "runtime.sources.camera")
    assert messages[:2] == [
        "camera 0 (me) gives no more pictures: waiting for it to come back",
        "camera 0 (me) is back",
    ]


def test_frames_are_rgb_and_stamped_and_older_ones_replaced(tmp_path: Path) -> None:
    plug = Plug(write_clip(tmp_path / "red.avi", RED))
    camera = Camera("me", FakeClock(START_NS), plug)
    while plug.opened < 2:  # all three pictures have been read by then
        threading.Event().wait(0.001)
    frame = next(iter(camera))
    assert np.abs(frame.image.astype(int) - RED).max() < 12
    assert frame.pts_ns == START_NS
    assert camera.lost == 2
    camera.close()


def test_close_ends_the_iterator_and_the_thread() -> None:
    class Absent(Plug):
        def __call__(self, wanted: str | Device) -> Opened:
            self.opened += 1
            if self.opened == 1:
                return ME, cv2.VideoCapture()
            raise InputError("still gone")

    camera = Camera("me", FakeClock(), Absent())
    assert any(thread.name == "camera" for thread in threading.enumerate())
    got: list[object] = []
    waiting = threading.Thread(target=lambda: got.extend(camera), daemon=True)
    waiting.start()
    camera.close()
    camera.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert got == []
    assert not any(thread.name == "camera" for thread in threading.enumerate())


@pytest.mark.parametrize("failure", [cv2.error("OpenCV(4.10) error:\n> broken\n"), OSError("broken")])
def test_a_camera_that_breaks_is_told_to_the_reader(failure: Exception) -> None:
    class Broken:
        def grab(self) -> bool:
            return True

        def retrieve(self) -> Any:
            raise failure

        def get(self, what: int) -> float:
            return 30.0

        def release(self) -> None:
            pass

    camera = Camera("me", FakeClock(START_NS), lambda wanted: (ME, Broken()))
    with pytest.raises(AgentError, match=r"^camera 0 \(me\) failed: .*broken") as caught:
        list(camera)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is failure
    camera.close()


def test_a_camera_that_cannot_be_reopened_for_an_unknown_reason_is_told_to_the_reader() -> None:
    captures = iter([cv2.VideoCapture()])
    camera = Camera("me", FakeClock(), lambda wanted: (ME, next(captures)))
    with pytest.raises(AgentError, match=r"^camera 0 \(me\) failed: StopIteration$"):
        list(camera)
    camera.close()


def test_an_unknown_camera_is_named_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"no camera 'no such thing'; found (none|: \d)") as caught:
        open_capture("no such thing")
    assert "\n" not in str(caught.value)


class Silent:
    """A capture that opens and never gives a picture."""

    def isOpened(self) -> bool:  # noqa: N802  # OpenCV's name
        return True

    def grab(self) -> bool:
        return False

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((48, 64, 3), np.uint8)

    def get(self, what: int) -> float:
        return 0.0

    def set(self, what: int, value: float) -> bool:
        return True

    def release(self) -> None:
        pass


class Webcam(Silent):
    """A capture with or without MJPEG that gives pictures at a rate, its first one after some tries."""

    def __init__(self, clock: FakeClock, rate_fps: float = 30, mjpeg: bool = True, late: int = 0) -> None:
        self._clock, self._period_ns, self._mjpeg, self._late = clock, round(1e9 / rate_fps), mjpeg, late
        self.settings: dict[int, float] = {}
        self.grabs = 0

    def grab(self) -> bool:
        self.grabs += 1
        self._clock.advance(self._period_ns)
        return self.grabs > self._late

    def set(self, what: int, value: float) -> bool:
        if what == cv2.CAP_PROP_FOURCC and not self._mjpeg:
            return False
        self.settings[what] = value
        return True

    def get(self, what: int) -> float:
        return self.settings.get(what, 0.0)


def opened(webcam: Webcam, monkeypatch: pytest.MonkeyPatch) -> Opened:
    monkeypatch.setattr("runtime.sources.camera.list_cameras", lambda: Devices((ME,)))
    monkeypatch.setattr(cv2, "VideoCapture", lambda number, api: webcam)
    return open_capture("me")


@pytest.mark.parametrize(("mjpeg", "size"), [(True, (1280, 720)), (False, (640, 480))])
def test_large_pictures_are_asked_for_as_mjpeg_only(
    mjpeg: bool, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    webcam = Webcam(FakeClock(), mjpeg=mjpeg)
    opened(webcam, monkeypatch)
    asked = webcam.settings[cv2.CAP_PROP_FRAME_WIDTH], webcam.settings[cv2.CAP_PROP_FRAME_HEIGHT]
    assert (asked, webcam.settings[cv2.CAP_PROP_FPS]) == (size, 30)


def test_a_camera_may_need_some_seconds_for_its_first_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    device, capture = opened(Webcam(FakeClock(), late=4), monkeypatch)
    assert (device, capture.grab()) == (ME, True)
    with pytest.raises(InputError, match=r"^camera 0 \(me\) gives no picture: close the program that uses it$"):
        opened(Webcam(FakeClock(), late=5), monkeypatch)


def test_opencv_waits_a_second_for_a_picture_not_ten() -> None:
    assert os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] == "1"


@pytest.mark.parametrize(("rate_fps", "is_low"), [(30, False), (20, False), (10, True)])
def test_the_rate_is_measured_and_said_once_when_it_is_low(
    rate_fps: float, is_low: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock(START_NS)
    webcam = Webcam(clock, rate_fps)
    capture = opened(webcam, monkeypatch)
    with caplog.at_level(logging.WARNING, "runtime.sources.camera"):
        camera = Camera("me", clock, lambda wanted: capture)
        while webcam.grabs < 20 * rate_fps:
            next(iter(camera))
        camera.close()
    assert camera.rate_fps == pytest.approx(rate_fps, abs=0.2)
    line = f"camera 0 (me) gives {rate_fps} pictures a second, not 30: more light or another USB port may help"
    said = warned(caplog, "runtime.sources.camera")
    assert said == ([line] if is_low else [])


def test_a_driver_that_hangs_does_not_hang_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.sources.camera._JOIN_S", 0.05)
    hangs, freed = threading.Event(), threading.Event()

    class Hanging(Silent):
        def grab(self) -> bool:
            hangs.set()
            return freed.wait(60) and False

    camera = Camera("me", FakeClock(), lambda wanted: (ME, Hanging()))
    assert hangs.wait(20)
    camera.close()
    assert list(camera) == []
    freed.set()


def test_a_device_path_opens_that_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = Devices((Device(0, "First", "/dev/video0"), Device(2, "Second", "/dev/video2")))
    monkeypatch.setattr("runtime.sources.camera.list_cameras", lambda: cameras)
    opened: list[int] = []
    monkeypatch.setattr(cv2, "VideoCapture", lambda number, api: opened.append(number) or Silent())
    with pytest.raises(InputError, match=r"camera 2 \(Second\) gives no picture"):
        open_capture("/dev/video2")
    with pytest.raises(InputError, match=r"no camera '/dev/video1'; found: 0 = First, 2 = Second"):
        open_capture("/dev/video1")
    assert opened == [2]
