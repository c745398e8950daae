"""Video codecs at the quality that an error asks for."""

import numpy as np
import pytest
from video_codecs import LIVE, STORED, Coder, Point, at_error, code, wire_kbps

EVERY = pytest.mark.parametrize("coder", [*LIVE, *STORED], ids=lambda coder: coder.name)


def moving_disc(count: int = 8) -> list[np.ndarray]:
    y, x = np.mgrid[:64, :64]
    return [
        np.where((np.hypot(x - 20 - 2 * k, y - 32) < 12)[..., None], (230, 180, 150), (40, 90, 60)).astype(np.uint8)
        for k in range(count)
    ]


def off(pictures: list[np.ndarray], shown: list[np.ndarray]) -> float:
    return float(np.mean(np.abs(np.array(pictures, float) - np.array(shown, float))))


@EVERY
def test_every_picture_is_shown_and_coarser_ones_are_smaller_and_worse(coder: Coder) -> None:
    pictures = moving_disc()
    fine, fine_sizes, fine_ms = code(coder, pictures, coder.finest, 25)
    coarse, coarse_sizes, _ = code(coder, pictures, coder.coarsest, 25)
    assert len(fine) == len(fine_sizes) == len(coarse) == len(pictures)
    assert fine_ms > 0
    assert sum(coarse_sizes) < sum(fine_sizes)
    assert off(pictures, fine) < 0.7 * off(pictures, coarse)


@pytest.mark.parametrize("coder", LIVE, ids=lambda coder: coder.name)
def test_the_rate_at_an_error_lies_between_the_finest_and_the_coarsest(coder: Coder) -> None:
    pictures, asked = moving_disc(), []

    def measure(quality: int) -> Point:
        asked.append(quality)
        shown, sizes, _ = code(coder, pictures, quality, 25)
        return Point(wire_kbps(sizes, 25), off(pictures, shown))

    finest, coarsest = measure(coder.finest), measure(coder.coarsest)
    wanted = (finest.error + coarsest.error) / 2
    found = at_error(measure, coder.finest, coder.coarsest, wanted)
    assert found is not None
    assert coarsest.kbps <= found.kbps < finest.kbps
    assert len(asked) < 12


def test_the_rate_is_interpolated_where_the_error_is_reached() -> None:
    found = at_error(lambda quality: Point(1000 / 2**quality, 0.1 * quality, 100 - quality, 10 - quality), 1, 9, 0.45)
    assert found == Point(pytest.approx(1000 / 2**4.5), 0.45, first_bytes=96, picture_ms=6), "what goes once is of 4"


def test_a_codec_that_is_good_enough_at_its_coarsest_is_taken_there_and_one_that_never_is_not_at_all() -> None:
    def measure(quality: int) -> Point:
        return Point(100 - quality, 0.1 * quality)

    assert at_error(measure, 1, 9, 2.0) == measure(9)
    assert at_error(measure, 1, 9, 0.05) is None


def test_beyond_a_quality_at_which_nothing_is_found_none_is_interpolated() -> None:
    found = at_error(lambda quality: Point(100 - quality, 0.1 if quality < 6 else np.inf), 1, 9, 0.2)
    assert found == Point(95, 0.1)


def test_heads_count_by_packet() -> None:
    assert wire_kbps([100, 1300], 10) == pytest.approx((100 + 50 + 1300 + 100) * 8 * 10 / 2 / 1000)
