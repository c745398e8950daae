"""What Chromium's getUserMedia makes of the virtual camera, on a real kernel."""

import numpy as np
import pytest
from vm.build import SHARE

from tests.devices.guest.browser import FPS, SIDE, card

pytestmark = [pytest.mark.devices, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def report(guest):
    return guest("browser", 1200)


def test_the_camera_that_is_fed_is_listed_by_its_name(report):
    assert report["open"]["cameras"] == [report["open"]["label"]]
    assert report["open"]["label"].startswith("Avatar")


def test_colours_arrive_in_their_places(report):
    rgba = np.fromfile(SHARE / "browser" / "picture.rgba", np.uint8)
    picture = rgba.reshape(SIDE, SIDE, 4)[..., :3].astype(int)
    middles = np.arange(SIDE // 8, SIDE, SIDE // 4)
    there, sent = picture[middles][:, middles], card().astype(int)[middles][:, middles]
    assert np.abs(there - sent).max() <= 6


def test_pictures_arrive_at_the_rate_at_which_they_are_sent(report):
    frames = report["frames"]
    assert (frames["width"], frames["height"]) == (SIDE, SIDE)
    assert 0.4 * FPS < frames["count"] / frames["seconds"] < 1.6 * FPS
