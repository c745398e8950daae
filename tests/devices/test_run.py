"""`agent run` between a webcam that is unplugged and programs that watch, on a real kernel."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from vm.build import SHARE

from calibration.background import still
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from tests.devices.guest.run import FPS, SIDE

pytestmark = [pytest.mark.devices, pytest.mark.timeout(2700)]


@pytest.fixture(scope="module")
def portrait(portrait_png):
    return prepare_portrait(read_photo(portrait_png), (SIDE, SIDE))


def seen(name):
    """The pictures that a program read, RGB."""
    frames = np.fromfile(SHARE / "run" / name, np.uint8).reshape(-1, SIDE * 3 // 2, SIDE)
    return np.array([cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420) for frame in frames])


def psnr_db(a, b):
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def test_the_portrait_is_held_until_the_engine_draws(run_report, portrait):
    expected = cv2.cvtColor(cv2.cvtColor(still(portrait), cv2.COLOR_RGB2YUV_I420), cv2.COLOR_YUV2RGB_I420)
    held = seen("held.yuv")
    assert (held[-1] == expected).all()
    assert all(np.ptp(picture) <= 2 or (picture == expected).all() for picture in held), "grey or the portrait"


@pytest.mark.parametrize("reader", ["rest.yuv", "opencv.yuv"])
def test_every_program_sees_the_portrait_in_its_colours(run_report, portrait, reader):
    picture = seen(reader)[-1]
    assert picture.shape == (SIDE, SIDE, 3)
    assert psnr_db(picture, portrait.image) > 22
    light = [
        cv2.resize(image, (4, 4), interpolation=cv2.INTER_AREA).astype(float) for image in (picture, portrait.image)
    ]
    assert np.abs(light[0] - light[1]).max() < 12


def test_every_program_gets_the_pictures_at_the_rate_of_the_run(run_report):
    times_s = run_report["opencv"]["times_s"]
    rates = {
        "v4l2-ctl": run_report["v4l2"]["frames"] / run_report["v4l2"]["seconds"],
        "opencv": (len(times_s) - 6) / (times_s[-1] - times_s[5]),
    }
    for program, fps in rates.items():
        assert 0.4 * run_report["agent"]["fps_rendered"] < fps < 1.6 * FPS, (program, rates)


def test_it_lives(run_report):
    pictures = seen("rest.yuv")
    assert np.mean([(a != b).any() for a, b in pairwise(pictures)]) > 0.5


def test_a_webcam_that_is_unplugged_is_noticed_long_before_opencv_gives_up_by_itself_and_freed(run_report):
    assert run_report["noticed_s"] < 8  # OpenCV's own patience is 10 s; an emulated machine may be slow
    assert "freed_s" in run_report


def test_it_lives_on_without_the_webcam(run_report):
    pictures = seen("idles.yuv")
    assert np.mean([(a != b).any() for a, b in pairwise(pictures)]) > 0.5


def test_a_webcam_that_comes_back_is_used_again(run_report):
    said = [line for _, line in run_report["said"]]
    assert "agent: warning: camera 11 (Webcam) gives no more pictures: waiting for it to come back" in said
    assert "agent: warning: camera 11 (Webcam) is back" in said
    assert "mended_s" in run_report


def test_an_interrupt_ends_the_run_cleanly(run_report):
    assert run_report["status"] == 0


def test_the_rate_of_the_webcam_is_reported(run_report):
    assert 0.5 < run_report["agent"]["camera_fps"] < 6
