"""Squares within pictures: how they become smaller, and how their edges pass over."""

import numpy as np
import pytest

from models.squares import Square, placed, ramp, resized, within

SIDE, SIZE = 256, (300, 240)


def stripes(channels: int = 3) -> np.ndarray:
    """One pixel white, one black, across and down."""
    return (255 * (np.indices((SIDE, SIDE)).sum(0) % 2))[..., None].repeat(channels, 2).astype(np.uint8)


def bilinear(picture: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """Where each pixel's centre lies, by hand; pixels at the square's edges are left out."""
    out = np.zeros((SIZE[1], SIZE[0]))
    scale = side / SIDE
    for y in range(int(top) + 2, int(top + side) - 2):
        for x in range(int(left) + 2, int(left + side) - 2):
            u, v = (x + 0.5 - left) / scale - 0.5, (y + 0.5 - top) / scale - 0.5
            i, j = int(v), int(u)
            a, b = v - i, u - j
            part = picture[i : i + 2, j : j + 2].astype(float)
            out[y, x] = np.array([1 - a, a]) @ part @ np.array([1 - b, b])
    return out


@pytest.mark.parametrize("side", [100.0, 101.3, 77.7, 180.5])
def test_what_becomes_smaller_is_averaged_wherever_it_lies(side: float) -> None:
    for left in (40.0, 40.3, 40.5):
        out = placed(stripes(), Square(left, 20.5, side), SIZE)[..., 0]
        inner = out[26 : int(16 + side), 46 : int(36 + side)].astype(int)
        assert abs(inner.mean() - 127.5) < 3
        assert inner.std() < 20, "no pattern that is not there"


def test_what_becomes_larger_is_read_between_pixels() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    out = placed(grey, Square(-40.3, -60.8, 280.9), SIZE)
    want = bilinear(grey, -40.3, -60.8, 280.9)[2:200, 2:200]
    assert np.abs(out[2:200, 2:200] - want).max() < 6, "OpenCV rounds places to 1/32 pixel"


@pytest.mark.parametrize("side", [100.0, 100.4, 133.3, 256.0, 290.2])
def test_the_middle_stays_the_middle(side: float) -> None:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    drawn = (255 * np.exp(-(x**2 + y**2) / 20**2)).astype(np.float32)
    out = placed(drawn, Square(5.25, -9.5, side), SIZE)
    rows, columns = np.indices(out.shape) + 0.5
    middle = [(out * each).sum() / out.sum() for each in (columns, rows)]
    np.testing.assert_allclose(middle, [5.25 + side / 2, -9.5 + side / 2], atol=0.03)


def test_a_tiny_square_is_a_pixel_at_least() -> None:
    out = placed(np.full((SIDE, SIDE, 4), 200, np.uint8), Square(10.0, 10.0, 0.4), SIZE)
    assert out.shape == (240, 300, 4)


def test_sizes_are_met_exactly() -> None:
    picture = stripes(4)
    assert resized(picture, SIDE) is picture
    smaller, larger = resized(picture, 64), resized(picture, 300)
    assert smaller.shape == (64, 64, 4) and larger.shape == (300, 300, 4)
    assert np.abs(smaller.astype(int) - 127.5).max() < 2
    assert larger.std() > 20


def test_a_ramp_falls_to_the_ends_that_are_wanted() -> None:
    all_of_it = slice(30, 230)
    both, first = ramp(all_of_it, 30, 200), ramp(all_of_it, 30, 200, at_end=False)
    np.testing.assert_allclose(both, both[::-1])
    assert both[0] == pytest.approx(0.5 / 12) and (both[12:188] == 1).all() and (np.diff(both[:12]) > 0).all()
    assert (first[100:] == 1).all() and (ramp(all_of_it, 30, 200, False, False) == 1).all()
    np.testing.assert_allclose(ramp(all_of_it, 30, 200, at_start=False), first[::-1])


def test_a_ramp_goes_with_its_square_by_parts_of_a_pixel_and_ends_with_the_picture() -> None:
    pixels = within(30.25, 200, 180)
    assert pixels == slice(30, 180)
    assert ramp(pixels, 30.25, 200)[0] == pytest.approx(0.25 / 12)
    assert within(-50, 200, 180) == slice(0, 150) and within(300, 200, 180) == slice(180, 180)
