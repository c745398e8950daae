"""What Chromium's getUserMedia makes of a real `agent run`, on a real kernel."""

import numpy as np
import pytest
from vm.build import SHARE

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from tests.devices.guest.browser_run import FPS
from tests.devices.guest.run import SIDE

pytestmark = [pytest.mark.devices, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def report(guest, prepared):
    return guest("browser_run", 1200)


@pytest.fixture(scope="module")
def pictures(report):
    shape = (SIDE, SIDE, 4)
    files = (SHARE / "browser_run" / f"picture{number}.rgba" for number in (1, 2))
    return [np.fromfile(file, np.uint8).reshape(shape)[..., :3].astype(float) for file in files]


def test_the_avatar_is_the_only_camera(report):
    assert report["open"]["cameras"] == [report["open"]["label"]]
    assert report["open"]["label"].startswith("Avatar")


def test_the_portrait_is_seen_and_lives(pictures, portrait_png):
    portrait = prepare_portrait(read_photo(portrait_png), (SIDE, SIDE)).image
    for picture in pictures:
        assert 10 * np.log10(255**2 / np.mean((picture - portrait) ** 2)) > 20
    assert (pictures[0] != pictures[1]).any()


def test_pictures_arrive_at_about_the_rate_of_the_run(report):
    held = 2  # a second, of a picture that is not followed by another one in time
    assert 0.4 * FPS < report["frames"]["count"] / report["frames"]["seconds"] < 1.6 * (FPS + held)


def test_an_interrupt_ends_the_run_cleanly(report):
    assert report["status"] == 0
