"""Which picture of a source is taken for an instant."""

from itertools import count

import numpy as np
import pytest

from runtime.frame import Frame
from runtime.sources.nearest import nearest

MS = 1_000_000


def taken(frames_ms, instants_ms):
    frames = (Frame(np.full((1, 1, 3), i, np.uint8), at * MS) for i, at in enumerate(frames_ms))
    found = nearest(frames, (at * MS for at in instants_ms))
    return [(due_ns // MS, int(image[0, 0, 0])) for due_ns, image in found]


def test_the_nearest_is_taken_and_of_two_the_earlier():
    assert taken([0, 40, 80, 120], [0, 19, 20, 21, 75, 100]) == [(0, 0), (19, 0), (20, 0), (21, 1), (75, 2), (100, 2)]


def test_a_slow_source_repeats_and_of_a_quick_one_pictures_are_left_out():
    assert taken([0, 80], range(0, 100, 40)) == [(0, 0), (40, 0), (80, 1)]
    assert taken(range(0, 100, 10), range(0, 100, 40)) == [(0, 0), (40, 4), (80, 8)]


@pytest.mark.parametrize(("first", "wanted"), [(100, [(100, 1), (110, 1), (120, 1)]), (121, [])])
def test_the_last_picture_lasts_20_ms(first, wanted):
    assert taken([60, 100], count(first, 10)) == wanted


def test_before_the_first_picture_it_is_the_first_and_no_source_gives_none():
    assert taken([30, 60], [0, 60]) == [(0, 0), (60, 1)]
    assert taken([], [0, 40]) == []
