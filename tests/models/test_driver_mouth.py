"""The driver's own mouth in the bundled portrait."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from models.motion import Motion, MouthPatch, expression
from models.skin import cheek_colour
from models.topology import INNER_LIPS

OPEN = Motion(0, expression(mouthNeutral=1, jawOpen=1))
BLUE = (20, 30, 200)


def patch(colour, skin, weight=1.0):
    """A mouth of one colour, an ellipse; black around."""
    t = np.pi - np.arange(20) / 20 * 2 * np.pi
    lips = np.stack([40 + 35 * np.cos(t), 24 - 18 * np.sin(t)], 1).astype(np.float32)
    pixels = np.zeros((48, 80, 3), np.uint8)
    cv2.fillPoly(pixels, [lips.astype(np.int32)], colour)
    return MouthPatch(pixels, lips, np.asarray(skin, np.float32), weight)


@pytest.fixture(scope="module")
def cheek(portrait):
    return cheek_colour(portrait.image, portrait.landmarks)


@pytest.fixture(scope="module")
def lips(avatar):
    """Distance of each pixel of `OPEN` from the inner lips, positive between them."""
    contour = avatar._puppet.shape(OPEN).vertices[INNER_LIPS, :2]
    mask = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(mask, [np.round(contour).astype(np.int32)], 1)
    return cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)


def test_it_fills_what_is_between_the_lips_and_nothing_else(avatar, cheek, lips):
    painted, shown = avatar.render(OPEN), avatar.render(replace(OPEN, mouth=patch(BLUE, cheek)))
    assert np.abs(shown[lips > 3].astype(int) - BLUE).max() <= 2, "the blank around the patch is not seen"
    assert np.array_equal(shown[lips < -4], painted[lips < -4])


def test_its_colours_are_those_of_the_portraits_light(avatar, cheek, lips):
    def middle(skin):
        image = avatar.render(replace(OPEN, mouth=patch((100, 80, 60), skin)))
        return image[lips > 3].mean(0)

    assert np.allclose(middle(cheek), (100, 80, 60), atol=2)
    darker_driver = middle(cheek / 2)
    assert np.all(darker_driver > 1.2 * middle(cheek)), "who sits in less light is lit up"
    assert np.all(darker_driver < 2.0 * middle(cheek))
    assert np.allclose(middle(np.ones(3)), (200, 160, 120), atol=4), "twice at most"
    reddish = middle(cheek * (1.0, 0.7, 0.7))
    assert reddish[1] / reddish[0] > 1.1 * 80 / 100


def test_it_comes_in_gradually_and_with_no_weight_it_is_the_painted_one(avatar, cheek):
    shown = [avatar.render(replace(OPEN, mouth=patch(BLUE, cheek, weight))) for weight in np.linspace(0, 1, 11)]
    assert np.array_equal(shown[0], avatar.render(OPEN))
    steps = [np.abs(b.astype(int) - a).max() for a, b in pairwise(shown)]
    whole = np.abs(shown[-1].astype(int) - shown[0]).max()
    assert whole > 60
    assert max(steps) < 0.15 * whole


def test_it_replaces_the_photos_own_open_mouth(avatar, portrait, cheek):
    rest = Motion(0)
    mask = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(mask, [np.round(portrait.landmarks[INNER_LIPS, :2]).astype(np.int32)], 1)
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    assert inside.any()
    shown = avatar.render(replace(rest, mouth=patch(BLUE, cheek)))
    assert np.abs(shown[inside].astype(int) - BLUE).mean() < 40
    assert np.abs(avatar.render(rest)[inside].astype(int) - BLUE).mean() > 80


def test_closed_lips_hide_it(avatar, cheek):
    closed = Motion(0, expression(mouthNeutral=1))
    assert np.array_equal(avatar.render(replace(closed, mouth=patch(BLUE, cheek))), avatar.render(closed))
