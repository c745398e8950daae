"""A dark figure before a wall: strands and what hangs before it join the matte, the wall and its shadows do not."""

import cv2
import numpy as np
import pytest

from models.blur import wide_blur
from models.thin_parts import strays, with_thin_parts

WALL, HAIR, GOLD = (170, 175, 190), (40, 30, 30), (230, 200, 40)
SIZE = 512


@pytest.fixture
def matte():
    disc = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(disc, (256, 300), 120, 255, -1)
    return cv2.GaussianBlur(disc, (0, 0), 1.0).astype(np.float32) / 255


@pytest.fixture
def wall():
    grain = np.random.default_rng(0).normal(0, 1.0, (SIZE, SIZE, 3))
    return np.clip(np.float64(WALL) + grain, 0, 255)


def photo(matte, wall):
    return np.clip(wall + (np.float64(HAIR) - wall) * matte[..., None] + 0.5, 0, 255).astype(np.uint8)


def background(matte, wall):
    """Its estimate, and where it is hidden."""
    hidden = cv2.dilate((matte > 0.02).astype(np.uint8), np.ones((25, 25))) > 0
    return np.where(hidden[..., None], np.float32(WALL), wall).astype(np.float32), hidden


def refine(image, matte, wall):
    return with_thin_parts(image, matte, *background(matte, wall))


def strand(canvas):
    """A hair that stands off from the figure's upper right, within the reach of what is looked at."""
    cv2.line(canvas, (325, 200), (350, 212), HAIR, 2, cv2.LINE_AA)
    return canvas


def test_a_strand_that_stands_off_is_the_persons(matte, wall):
    image = strand(photo(matte, wall))
    out = refine(image, matte, wall)
    assert matte[208:210, 343].max() < 0.05
    assert out[205:213, 343].max() > 0.6
    assert np.all(out >= matte)
    assert np.abs(out - matte)[:150].max() == 0, "nothing far from it"


def test_a_plain_outline_is_left_as_it_is(matte, wall):
    assert np.abs(refine(photo(matte, wall), matte, wall) - matte).max() < 0.1


def test_a_shadow_on_the_wall_is_no_part_of_the_person(matte, wall):
    shadow = cv2.GaussianBlur(cv2.dilate(matte, np.ones((31, 31))), (0, 0), 5.0)[..., None]
    out = refine(photo(matte, wall * (1 - 0.5 * shadow)), matte, wall)
    assert np.mean(out - matte > 0.2) < 0.0005


def test_before_a_restless_background_nothing_is_guessed(matte, wall):
    busy = wall.copy()
    busy[np.indices((SIZE, SIZE)).sum(0) // 12 % 2 == 0] = (90, 60, 50)
    image = strand(photo(matte, busy))
    assert np.array_equal(refine(image, matte, busy), matte)


def faint_strand(image):
    """A hair that is too thin for the matte."""
    line = cv2.line(np.zeros((SIZE, SIZE), np.uint8), (325, 200), (350, 212), 255, 1, cv2.LINE_AA)
    return np.round(image - (image - np.float32(HAIR)) * 0.15 * (line[..., None] / 255)).astype(np.uint8)


def test_a_faint_hair_is_a_stray_and_the_wall_is_not(matte, wall):
    image = faint_strand(photo(matte, wall))
    found = strays(image, *background(matte, wall))
    away = matte < 0.001
    assert found[205:213, 343].max() > 0.9
    away[195:217, 320:355] = False
    assert np.mean(found[away] > 0.5) < 0.005


def test_before_a_restless_background_nothing_is_a_stray(matte, wall):
    busy = wall.copy()
    busy[np.indices((SIZE, SIZE)).sum(0) // 12 % 2 == 0] = (90, 60, 50)
    assert strays(faint_strand(photo(matte, busy)), *background(matte, busy))[matte < 0.001].max() == 0


@pytest.mark.parametrize("colour, closed", [(GOLD, True), (WALL, False)], ids=["earring", "wall"])
def test_a_gap_is_closed_where_it_does_not_show_the_wall(matte, wall, colour, closed):
    image, gap = photo(matte, wall), np.s_[300:315, 250:262]
    image[gap] = colour
    matte[gap] = 0.3
    out = refine(image, matte, wall)
    assert out[gap].min() == 1 if closed else out[gap].max() < 0.35


@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_wide_blur_is_a_gaussian_blur(channels):
    image = np.random.default_rng(1).uniform(0, 1, (90, 130, *channels)).astype(np.float32)
    image[:40] += 1
    expected = cv2.GaussianBlur(image, (0, 0), 13.0)
    assert wide_blur(image, 13.0).shape == image.shape
    assert np.abs(wide_blur(image, 13.0) - expected).max() < 0.04
    assert np.array_equal(wide_blur(image, 2.0), cv2.GaussianBlur(image, (0, 0), 2.0))
