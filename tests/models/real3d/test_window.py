"""The square that the networks draw."""

import numpy as np
import pytest

from models.real3d.source import SIDE
from models.real3d.window import Window, window_of


def box(left, top, right, bottom):
    points = np.random.default_rng(0).uniform((left, top, 0), (right, bottom, 1), (478, 3)).astype(np.float32)
    points[:2, :2] = (left, top), (right, bottom)
    return points


def noise(height, width):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_square_portrait_with_a_large_face_is_its_own_window():
    window = window_of(box(120, 100, 400, 420), SIDE, SIDE)
    assert window == Window(0, 0, SIDE)
    picture = noise(SIDE, SIDE)
    np.testing.assert_array_equal(window.cut(picture), picture)
    np.testing.assert_array_equal(window.paste(picture, noise(SIDE, SIDE)), picture)


@pytest.mark.parametrize("corners", [(10, 8, 90, 100), (600, 300, 700, 420), (1180, 600, 1270, 700)])
def test_a_small_face_fills_a_fifth_of_a_window_inside_the_picture(corners):
    left, top, right, bottom = corners
    window = window_of(box(*corners), 1280, 720)
    assert 0 <= window.left <= left and right <= window.left + window.side <= 1280
    assert 0 <= window.top <= top and bottom <= window.top + window.side <= 720
    assert (right - left) * (bottom - top) == pytest.approx(0.2 * window.side**2, rel=0.02)


def test_landmarks_go_with_the_window():
    window = Window(100, 50, 256)
    np.testing.assert_allclose(window.landmarks(np.array([[228.0, 178.0, 10.0]], np.float32)), [[256, 256, 20]])


def test_a_small_window_shows_no_pattern_that_was_not_drawn():
    drawn = (255 * (np.indices((SIDE, SIDE)).sum(0) % 2))[..., None].repeat(3, 2).astype(np.uint8)
    out = Window(100, 20, 187).paste(drawn, np.zeros((300, 400, 3), np.uint8))
    assert out[50:180, 130:260].astype(float).std() < 20


def test_a_window_is_cut_in_any_size():
    picture, window = noise(300, 400), Window(100, 20, 240)
    for side in (64, 240, 300):
        assert window.cut(picture, side).shape == (side, side, 3)
        corner = window.landmarks(np.array([[340.0, 260.0, 10.0]], np.float32), side)
        np.testing.assert_allclose(corner, [[side, side, 10 * side / 240]], rtol=1e-6)


def test_what_is_pasted_passes_over_into_what_stands_still():
    still, drawn = np.zeros((300, 400, 3), np.uint8), np.full((SIDE, SIDE, 3), 200, np.uint8)
    out = Window(100, 0, 200).paste(drawn, still)
    assert (out[100, 200] == 200).all() and (out[0, 200] == 200).all(), "no seam at the picture's own edge"
    assert not out[:, :100].any() and not out[200:].any()
    steps = np.abs(np.diff(out[100, :, 0].astype(int)))
    assert steps.max() <= 200 / (0.06 * 200) + 1
    assert not still.any(), "the still picture is left alone"
