"""What stands behind the person, at rest and when the head has gone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from calibration.background import on_background
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.backdrop import Backdrop
from models.matte import fill_background
from models.portrait import Portrait
from models.topology import CHIN, FOREHEAD_TOP


@pytest.fixture(scope="module")
def portrait(portrait_png) -> Portrait:
    return prepare_portrait(read_photo(portrait_png), (256, 256))


def seen(portrait, behind):
    """The person at rest over what stands behind."""
    edge, scale = portrait.person_margin * portrait.person_scale, portrait.person_scale
    height, width = portrait.matte.shape
    person = portrait.person[edge : edge + height * scale, edge : edge + width * scale].astype(np.float32)
    person = cv2.resize(person, (width, height), interpolation=cv2.INTER_AREA)
    return person[..., :3] + behind * (1 - person[..., 3:] / 255)


def test_at_rest_the_photo_is_seen_beside_the_person_and_through_soft_edges(portrait):
    behind = Backdrop(portrait, portrait.background).behind(0.0, 0.0)
    free = portrait.matte == 0
    np.testing.assert_array_equal(behind[free], portrait.image[free])
    assert (portrait.background[free] != portrait.image[free]).any()
    soft = (portrait.matte > 0.01) & (portrait.matte < 0.9)
    with_photo, with_plate = (np.abs(seen(portrait, b) - portrait.image)[soft] for b in (behind, portrait.background))
    assert np.mean(with_photo) < 1 < np.mean(with_plate)


def test_at_rest_the_photo_is_seen_beside_head_and_shoulders_too(portrait_png):
    near = prepare_portrait(read_photo(portrait_png), (256, 256), framing="head")
    behind, free = Backdrop(near, near.background).behind(0.0, 0.0), near.matte == 0
    np.testing.assert_array_equal(behind[free], near.image[free])


def test_a_head_that_has_gone_leaves_nothing_behind_and_comes_back(portrait):
    backdrop = Backdrop(portrait, portrait.background)
    rest = backdrop.behind(0.0, 0.0).copy()
    np.testing.assert_array_equal(backdrop.behind(20.0, 20.0), portrait.background)
    between = backdrop.behind(3.0, 3.0)
    assert (between != portrait.background).any() and (between != rest).any()
    np.testing.assert_array_equal(backdrop.behind(0.0, 0.0), rest)


def test_around_a_torso_that_keeps_still_the_photo_stays(portrait):
    backdrop = Backdrop(portrait, portrait.background)
    rest = backdrop.behind(0.0, 0.0).copy()
    turned = backdrop.behind(20.0, 0.0).copy()
    chin, crown = (int(portrait.landmarks[i, 1]) for i in (CHIN, FOREHEAD_TOP))
    band = (rest != portrait.background).any(2)
    assert band[:chin].any() and band[2 * chin - crown :].any()
    np.testing.assert_array_equal(turned[:crown], portrait.background[:crown])
    np.testing.assert_array_equal(turned[2 * chin - crown :], rest[2 * chin - crown :])
    np.testing.assert_array_equal(backdrop.behind(0.0, 20.0)[:crown], rest[:crown])


def test_a_small_gap_in_the_person_does_not_tell_what_is_behind(portrait):
    wall, hair = (170, 175, 190), (40, 30, 30)
    matte = np.zeros((256, 256), np.float32)
    matte[96:, 40:216] = 1
    photo = np.full((256, 256, 3), wall, np.uint8)
    photo[matte > 0] = hair
    matte[200:222, 90:112] = 0  # shows hair all the same
    behind = fill_background(photo, matte, portrait.landmarks)
    assert np.abs(behind[200:222, 160:200].astype(int) - wall).max() < 8
    np.testing.assert_array_equal(behind[209:213, 99:103], photo[209:213, 99:103])


def test_what_is_filled_in_around_head_and_body_meets_without_an_edge(portrait):
    matte = np.zeros((256, 256), np.float32)
    matte[:, 40:216] = 1
    photo = np.random.default_rng(0).integers(150, 250, (256, 256, 3), np.uint8)  # too restless to tell strays
    photo[:, 36:220] = 60  # beside the matte too: seen below, where photo is left as near as that, not above
    behind = fill_background(photo, matte, portrait.landmarks)[:, 37].astype(int)
    chin = round(float(portrait.landmarks[CHIN, 1]))
    assert behind[: chin // 2].mean() - behind[2 * chin :].mean() > 40
    assert np.abs(np.diff(behind, axis=0)).max() < 25


@pytest.mark.parametrize("choice", ["#204060", "blur"])
def test_another_background_is_shown_as_it_is(portrait, choice):
    other = on_background(portrait, choice)
    np.testing.assert_array_equal(Backdrop(other, other.background).behind(0.0, 0.0), other.background)


def test_a_person_that_fills_the_picture_has_no_band(portrait):
    full = replace(portrait, matte=np.ones_like(portrait.matte), person=np.full_like(portrait.person, 255))
    np.testing.assert_array_equal(Backdrop(full, portrait.background).behind(0.0, 0.0), portrait.background)
