"""Distances of pictures, against values worked out by hand and scikit-image's."""

import numpy as np
import pytest
import skimage.data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from models.metrics.pictures import l1, psnr_db, ssim

BLACK = np.zeros((16, 16, 3), np.uint8)


@pytest.fixture(scope="module")
def pair():
    photo = skimage.data.astronaut()[60:190, 160:280]
    noise = np.random.default_rng(1).normal(0, 12, photo.shape)
    return photo, np.clip(np.roll(photo, 2, axis=1) + noise, 0, 255).astype(np.uint8)


def test_l1_is_the_mean_difference_of_the_full_range():
    grey = BLACK.copy()
    grey[:4] = 51  # a quarter of the picture, a fifth of the range
    assert l1(grey, BLACK) == l1(BLACK, grey) == pytest.approx(0.05)
    assert l1(BLACK, BLACK) == 0


def test_psnr_is_of_255_and_99_where_nothing_differs(pair):
    assert psnr_db(BLACK, BLACK) == 99
    assert psnr_db(BLACK + np.uint8(1), BLACK) == psnr_db(BLACK, BLACK + np.uint8(1)) == pytest.approx(48.13, abs=0.01)
    assert psnr_db(BLACK + np.uint8(255), BLACK) == 0
    assert psnr_db(*pair) == pytest.approx(peak_signal_noise_ratio(*pair))


def test_ssim_is_that_of_the_paper(pair):
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 2}
    assert ssim(*pair) == pytest.approx(structural_similarity(*pair, data_range=255, **wang), abs=1e-9)
    assert ssim(pair[0], pair[0]) == pytest.approx(1)


@pytest.mark.parametrize(("span", "window"), [(1.0, 5), (2.0, 7)])
def test_what_is_learnt_from_is_ssim_of_square_windows(pair, span, window):
    from torch import autograd, tensor

    from models.metrics.structure import structural_similarity as similarity

    a, b = (image / 255 * span - (span - 1) for image in pair)
    square = {"win_size": window, "use_sample_covariance": False, "channel_axis": 2}
    got, want = (tensor(image).permute(2, 0, 1)[None] for image in (a, b))
    found = similarity(got.requires_grad_(), want, span, window)
    assert found.item() == pytest.approx(structural_similarity(a, b, data_range=span, **square), abs=1e-9)
    (slope,) = autograd.grad(found, got)
    assert similarity(got + 0.05 * slope / slope.abs().max(), want, span, window) > found
    assert similarity(want, want, span, window).item() == pytest.approx(1)


def test_two_even_pictures_differ_in_brightness_alone():
    a, b, steady = 100.0, 150.0, 2.55**2
    even = [np.full((12, 12, 3), value, np.uint8) for value in (a, b)]
    assert ssim(*even) == pytest.approx((2 * a * b + steady) / (a * a + b * b + steady))


def test_pictures_without_room_for_a_window_are_refused():
    with pytest.raises(ValueError, match="no window"):
        ssim(BLACK[:10], BLACK[:10])
