"""What stands behind the person, at rest and when the head has gone."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.background import on_background
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.backdrop import Backdrop
from models.portrait import Portrait


@pytest.fixture(scope="module")
def portrait(portrait_png) -> Portrait:
    return prepare_portrait(read_photo(portrait_png), (256, 256))


def test_at_rest_the_photo_is_seen_where_no_person_is_drawn(portrait):
    behind = Backdrop(portrait, portrait.background).behind(0.0)
    free = portrait.matte < 0.004
    np.testing.assert_array_equal(behind[free], portrait.image[free])
    np.testing.assert_array_equal(behind[~free], portrait.background[~free])
    assert (portrait.background[free] != portrait.image[free]).any()


def test_a_head_that_has_gone_leaves_nothing_behind_and_comes_back(portrait):
    backdrop = Backdrop(portrait, portrait.background)
    rest = backdrop.behind(0.0).copy()
    np.testing.assert_array_equal(backdrop.behind(20.0), portrait.background)
    between = backdrop.behind(3.0)
    assert (between != portrait.background).any() and (between != rest).any()
    np.testing.assert_array_equal(backdrop.behind(0.0), rest)


@pytest.mark.parametrize("choice", ["#204060", "blur"])
def test_another_background_is_shown_as_it_is(portrait, choice):
    other = on_background(portrait, choice)
    np.testing.assert_array_equal(Backdrop(other, other.background).behind(0.0), other.background)


def test_a_person_that_fills_the_picture_has_no_band(portrait):
    full = replace(portrait, matte=np.ones_like(portrait.matte))
    np.testing.assert_array_equal(Backdrop(full, portrait.background).behind(0.0), portrait.background)
