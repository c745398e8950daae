"""What Chromium's getUserMedia makes of the virtual camera, fed by `agent run` and by the sink alone."""

import numpy as np
import pytest
from vm.build import SHARE

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from tests.devices.guest.card import card
from tests.devices.guest.run import FPS, SIDE

pytestmark = [pytest.mark.devices, pytest.mark.timeout(2700)]

BORNE_FPS = 2
"""That an emulated processor draws beside a browser."""


def seen(name):
    """A picture of Chromium's, RGB."""
    rgba = np.fromfile(SHARE / "run" / f"{name}.rgba", np.uint8)
    return rgba.reshape(SIDE, SIDE, 4)[..., :3].astype(float)


@pytest.mark.parametrize("feeder", ["chromium", "card"])
def test_the_camera_that_is_fed_is_the_only_one_and_listed_by_its_name(run_report, feeder):
    opened = run_report[feeder]["open"]
    assert opened["cameras"] == [opened["label"]]
    assert opened["label"].startswith("Avatar")


def test_the_portrait_is_seen_and_lives(run_report, portrait_png):
    portrait = prepare_portrait(read_photo(portrait_png), (SIDE, SIDE)).image
    pictures = [seen("avatar1"), seen("avatar2")]
    for picture in pictures:
        assert 10 * np.log10(255**2 / np.mean((picture - portrait) ** 2)) > 20
    assert (pictures[0] != pictures[1]).any()


def test_pictures_of_a_run_arrive_at_about_its_rate(run_report):
    held = 2  # a second, of a picture that is not followed by another one in time
    frames = run_report["chromium"]["frames"]
    assert 0.4 * BORNE_FPS < frames["count"] / frames["seconds"] < 1.6 * (FPS + held)


def test_colours_arrive_in_their_places(run_report):
    middles = np.arange(SIDE // 8, SIDE, SIDE // 4)
    there, sent = seen("card2")[middles][:, middles], card(SIDE).astype(int)[middles][:, middles]
    assert np.abs(there - sent).max() <= 6


def test_pictures_arrive_at_the_rate_at_which_they_are_sent(run_report):
    frames = run_report["card"]["frames"]
    assert (frames["width"], frames["height"]) == (SIDE, SIDE)
    assert 0.4 * FPS < frames["count"] / frames["seconds"] < 1.6 * FPS
