"""Idle: alive, bounded, and a pure function of time."""

import numpy as np
import pytest

from models.motion import COEFFICIENTS, INDEX, Motion
from runtime.drivers.idle import Idle

MINUTES_5 = 300.0
FPS = 30
LOOKS = [i for i, name in enumerate(COEFFICIENTS) if name.startswith("eyeLook")]
BROWS = [i for i, name in enumerate(COEFFICIENTS) if name.startswith("brow")]
BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


def ns(seconds: float) -> int:
    return round(seconds * 1e9)


def vector(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation])


def life(seed: int, seconds: float, fps: int, liveliness: float = 1.0) -> np.ndarray:
    """Motions as rows: 64 coefficients, rotation, translation."""
    idle = Idle(seed, liveliness)
    return np.array([vector(idle.at(ns(k / fps))) for k in range(round(seconds * fps))])


def runs_above(values: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """First index and length of each stretch of values above the threshold."""
    edges = np.diff(np.concatenate([[0], values > threshold, [0]]).astype(int))
    return [(int(a), int(b - a)) for a, b in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)]


def looks(samples: np.ndarray) -> np.ndarray:
    """How far the eyes look to the subject's right."""
    right: np.ndarray = samples[:, INDEX["eyeLookInLeft"]] - samples[:, INDEX["eyeLookOutLeft"]]
    return right


@pytest.fixture(scope="module")
def long_life() -> np.ndarray:
    """Five minutes."""
    return life(seed=3, seconds=MINUTES_5, fps=FPS)


@pytest.mark.parametrize("origin_ns", [0, 1_234_567_890_123])
def test_it_begins_at_rest(origin_ns: int) -> None:
    idle = Idle(seed=5)
    for before_ns in (0, 1, 3_000_000_000):
        assert not vector(idle.at(origin_ns - before_ns, origin_ns)).any()
    assert np.abs(vector(idle.at(origin_ns + ns(0.02), origin_ns))).max() < 0.002  # and leaves it softly
    assert np.abs(vector(idle.at(origin_ns + ns(10), origin_ns))).max() > 0.01


def test_the_motion_says_its_instant_and_is_sure() -> None:
    motion = Idle().at(ns(7.5), ns(2))
    assert (motion.pts_ns, motion.confidence) == (ns(7.5), 1.0)


def test_it_depends_on_time_alone() -> None:
    instants = np.random.default_rng(1).permutation(np.arange(0, 200, 0.5))
    in_order, shuffled, shifted = Idle(seed=2), Idle(seed=2), Idle(seed=2)
    expected = {t: vector(in_order.at(ns(t))) for t in sorted(instants)}
    for t in instants:
        assert np.array_equal(vector(shuffled.at(ns(t))), expected[t])
        assert np.array_equal(vector(shifted.at(ns(t + 17), ns(17))), expected[t])


def test_the_frame_rate_does_not_show() -> None:
    assert np.array_equal(life(4, 20, fps=50)[::2], life(4, 20, fps=25))


def test_seeds_are_different_lives() -> None:
    one, other = life(1, 30, fps=25), life(2, 30, fps=25)
    for part in ([BLINKS[0]], LOOKS, BROWS, [64, 65, 66], [67, 68, 69]):
        assert np.abs(one[:, part] - other[:, part]).max() > 0.3 * np.abs(one[:, part]).max()
    saccades = [{start for start, _ in runs_above(np.abs(np.diff(looks(s))), 0.04)} for s in (one, other)]
    assert len(saccades[0] & saccades[1]) < len(saccades[0]) / 2


def test_blinks_come_every_few_seconds_are_deep_and_end(long_life: np.ndarray) -> None:
    blinks = long_life[:, BLINKS[0]]
    assert np.array_equal(blinks, long_life[:, BLINKS[1]])
    runs = runs_above(blinks, 0.0)
    starts_s = np.array([start for start, _ in runs]) / FPS
    assert 2.0 < MINUTES_5 / len(runs) < 6.0
    assert np.diff(starts_s).max() < 15.0
    for start, length in runs:
        assert blinks[start : start + length].max() >= 0.85
        assert 0.15 <= length / FPS <= 0.4
    assert blinks.max() == 1.0


def test_the_head_drifts_within_bounds(long_life: np.ndarray) -> None:
    rotation, translation = np.rad2deg(long_life[:, 64:67]), long_life[:, 67:70]
    assert (np.abs(rotation).max(0) <= [1.9, 2.5, 1.0]).all()
    assert (rotation.std(0) >= [0.3, 0.5, 0.2]).all()
    assert np.abs(rotation.mean(0)).max() < 0.4
    assert np.abs(translation).max() < 0.045
    assert (translation.std(0) > 0.004).all()
    assert np.abs(np.diff(rotation, axis=0)).max() * FPS < 10.0  # degrees per second


def test_the_drift_has_no_kinks() -> None:
    idle, step_s = Idle(seed=1), 0.001
    for knot_s in (*np.arange(1.25, 60, 1.25), *np.arange(4, 60, 4)):  # where its curves are joined
        before, here, after = (idle.at(ns(knot_s + k * step_s)).rotation.astype(float) for k in (-1, 0, 1))
        assert np.abs(before - 2 * here + after).max() / step_s**2 < 0.5  # rad/s²


def test_gaze_moves_in_saccades_within_the_eyes_range(long_life: np.ndarray) -> None:
    assert 0.1 < long_life[:, LOOKS].max() < 0.45
    assert np.array_equal(long_life[:, INDEX["eyeLookOutRight"]], long_life[:, INDEX["eyeLookInLeft"]])
    speed = np.abs(np.diff(looks(long_life))) * FPS
    assert np.median(speed) < 0.1 < 1.0 < speed.max()  # at rest most of the time, then quick
    assert len(runs_above(speed, 1.0)) > 20


def test_eyes_counter_the_head(long_life: np.ndarray) -> None:
    down = long_life[:, INDEX["eyeLookDownLeft"]] - long_life[:, INDEX["eyeLookUpLeft"]]
    for look, turn in ((looks(long_life), long_life[:, 65]), (down, long_life[:, 64])):  # both > 0 to one side
        looked, turned = np.diff(look), np.diff(turn)
        fixating = (np.abs(looked) < 0.01) & (np.abs(turned) > 2e-4)
        assert fixating.sum() > 1000
        assert (looked * turned < 0)[fixating].mean() > 0.95


def test_coefficients_stay_in_range_and_the_mouth_still(long_life: np.ndarray) -> None:
    expression = long_life[:, :64]
    assert np.isfinite(long_life).all()
    assert expression.min() >= 0.0
    assert expression.max() <= 1.0
    moving = {COEFFICIENTS[i] for i in np.flatnonzero(expression.any(axis=0))}
    assert moving == {COEFFICIENTS[i] for i in BLINKS + LOOKS} | {"browInnerUp", "browOuterUpLeft", "browOuterUpRight"}


def test_without_liveliness_only_blinks_and_breath_are_left() -> None:
    samples = life(0, 60, fps=25, liveliness=0.0)
    assert samples[:, BLINKS].max() > 0.85
    assert not samples[:, BROWS].any()
    assert samples[:, LOOKS].max() < 0.02  # against the breath's nod
    assert not samples[:, [65, 66, 67, 69]].any()
    breath = samples[:, 68] - samples[:, 68].mean()
    assert 0.005 < np.abs(breath).max() < 0.02
    breaths = int((np.diff(np.sign(breath)) > 0).sum())
    assert 10 <= breaths <= 20  # a minute's worth


def test_nothing_jumps_where_random_events_are_drawn_anew() -> None:
    for seed in range(8):
        for border_s in (64.0, 128.0, 192.0):
            idle = Idle(seed)
            around = [vector(idle.at(ns(border_s) + k * 100_000)) for k in range(-20, 21)]
            assert np.abs(np.diff(around, axis=0)).max() < 0.003
