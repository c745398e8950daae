"""`agent run` between a webcam that is unplugged and programs that watch, on a real kernel."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from vm.build import SHARE

from calibration.background import still
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.motion import Motion, expression
from runtime.engines.builtin import BuiltinEngine
from tests.devices.guest.run import FPS, SIDE

pytestmark = [pytest.mark.devices, pytest.mark.timeout(2700)]


@pytest.fixture(scope="module")
def report(guest, prepared):
    return guest("run", 1800)


@pytest.fixture(scope="module")
def portrait(portrait_png):
    return prepare_portrait(read_photo(portrait_png), (SIDE, SIDE))


@pytest.fixture(scope="module")
def mouth(portrait):
    """How far the mouth of a picture is open: 0 as in the photo, 1 as when the jaw is open by 0.7."""
    engine = BuiltinEngine()
    avatar = engine.prepare(portrait)
    shut, wide = (engine.render(avatar, Motion(0, expression(jawOpen=jaw))).astype(float) for jaw in (0.0, 0.7))
    moved = np.abs(wide - shut).max(2) > 60

    def opening(picture):
        along = (wide - shut)[moved]
        return float(((picture - shut)[moved] * along).sum() / (along * along).sum())

    return opening


def seen(name):
    """The pictures that a program read, RGB."""
    frames = np.fromfile(SHARE / "run" / name, np.uint8).reshape(-1, SIDE * 3 // 2, SIDE)
    return np.array([cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420) for frame in frames])


def psnr_db(a, b):
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def test_the_portrait_is_held_until_the_engine_draws(report, portrait):
    held = seen("held.yuv")
    assert psnr_db(held[-1], still(portrait)) > 40
    assert all(picture.std() < 1 or psnr_db(picture, still(portrait)) > 40 for picture in held), "grey or the portrait"


@pytest.mark.parametrize("reader", ["rest.yuv", "opencv.yuv"])
def test_every_program_sees_the_portrait_in_its_colours(report, portrait, reader):
    picture = seen(reader)[-1]
    assert picture.shape == (SIDE, SIDE, 3)
    assert psnr_db(picture, portrait.image) > 22
    light = [
        cv2.resize(image, (4, 4), interpolation=cv2.INTER_AREA).astype(float) for image in (picture, portrait.image)
    ]
    assert np.abs(light[0] - light[1]).max() < 12


def test_every_program_gets_the_pictures_at_the_rate_of_the_run(report):
    times_s = report["opencv"]["times_s"]
    rates = {
        "v4l2-ctl": report["v4l2"]["frames"] / report["v4l2"]["seconds"],
        "opencv": (len(times_s) - 6) / (times_s[-1] - times_s[5]),
    }
    for program, fps in rates.items():
        assert 0.4 * report["agent"]["fps_rendered"] < fps < 1.6 * FPS, (program, rates)


def test_it_lives(report):
    pictures = seen("rest.yuv")
    assert np.mean([(a != b).any() for a, b in pairwise(pictures)]) > 0.5


def test_a_webcam_that_is_unplugged_is_noticed_long_before_opencv_gives_up_by_itself_and_freed(report):
    assert report["noticed_s"] < 8  # OpenCV's own patience is 10 s; an emulated machine may be slow
    assert "freed_s" in report


def test_without_the_webcam_the_portrait_idles_and_with_it_it_follows_again(report, mouth):
    opening = {name: mouth(seen(f"{name}.yuv")[-1]) for name in ("rest", "follows", "idles", "follows_again")}
    assert opening["rest"] < 0.3
    assert opening["follows"] > 0.5
    assert opening["idles"] < 0.3
    assert opening["follows_again"] > 0.5


def test_a_webcam_that_comes_back_under_another_number_is_used_again(report):
    said = [line for _, line in report["said"]]
    assert "camera 11 (Webcam) gives no more pictures: waiting for it to come back" in "".join(said)
    assert "camera 12 (Webcam) is back" in "".join(said)


def test_an_interrupt_ends_the_run_cleanly(report):
    assert report["status"] == 0


def test_the_rate_of_the_webcam_is_reported(report):
    assert 0.5 < report["agent"]["camera_fps"] < 6
