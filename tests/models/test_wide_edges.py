"""Wide soft areas of a matte are cut where the colours change; outlines and hair stay as soft as they were."""

import cv2
import numpy as np
import pytest

from calibration.photo import read_photo
from models.landmarks import find_faces
from models.matte import person_matte
from models.wide_edges import with_wide_edges_parted

SIZE, WALL, COAT = 512, (180, 175, 170), (60, 40, 90)


@pytest.fixture
def figure():
    """A coat before a wall, and which pixels are coat."""
    coat = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(coat, (256, 300), 130, 1, -1)
    grain = np.random.default_rng(0).normal(0, 4, (SIZE, SIZE, 3))
    image = np.where(coat[..., None] > 0, np.float64(COAT), np.float64(WALL)) + grain
    return np.clip(image, 0, 255).astype(np.uint8), coat > 0


def outline(coat, sigma):
    return cv2.GaussianBlur(coat.astype(np.float32), (0, 0), sigma)


def test_a_smear_over_wall_and_coat_is_cut_along_the_coat(figure):
    image, coat = figure
    matte = outline(coat, 1.0)
    smear = np.s_[250:330, 360:430]
    matte[smear] = 0.45
    out = with_wide_edges_parted(image, matte)
    inside = cv2.erode(coat.astype(np.uint8), np.ones((9, 9)))[smear] > 0
    outside = cv2.dilate(coat.astype(np.uint8), np.ones((9, 9)))[smear] == 0
    assert out[smear][inside].min() > 0.9
    assert out[smear][outside].max() < 0.1
    assert np.abs(out - matte)[:, :300].max() == 0, "nothing far from it"


@pytest.mark.parametrize("sigma", [0.7, 1.5])
def test_an_outline_as_soft_as_hair_is_left_as_it_is(figure, sigma):
    image, coat = figure
    matte = outline(coat, sigma)
    assert np.array_equal(with_wide_edges_parted(image, matte), matte)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_picture_without_person_or_without_background_is_left_as_it_is(figure, level):
    matte = np.full((SIZE, SIZE), level, np.float32)
    assert np.array_equal(with_wide_edges_parted(figure[0], matte), matte)


def test_the_same_photo_gives_the_same_matte(figure):
    image, coat = figure
    matte = outline(coat, 12.0)
    first = with_wide_edges_parted(image, matte)
    cv2.setRNGSeed(7)
    assert np.array_equal(with_wide_edges_parted(image, matte), first)
    assert np.mean(np.abs(first - coat) > 0.5) < np.mean(np.abs(matte - coat) > 0.1) / 4


def test_landmarks_beside_the_jaw_make_no_person_of_the_wall(portrait_png):
    image = read_photo(portrait_png)
    landmarks = find_faces(image)[0]
    wider = landmarks.copy()
    wider[:, 0] = landmarks[:468, 0].mean() + 1.15 * (landmarks[:, 0] - landmarks[:468, 0].mean())
    difference = person_matte(image, wider) - person_matte(image, landmarks)
    assert np.sum(difference > 0.2) < 50
