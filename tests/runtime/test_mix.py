"""The mix: who moves what, in each mode, and that nothing jumps."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from models.expression import EYES
from models.motion import COEFFICIENTS, MOUTH, Motion, MouthPatch, expression
from models.topology import BRIDGE, CHIN, INNER_LIPS, OUTER_LIPS, UPPER_OVAL
from runtime.mix import FADE_NS, HOLD_NS, Mode, mix

NOW_NS = 10_000_000_000
BROWS = np.array([name.startswith("brow") for name in COEFFICIENTS])
MODES: tuple[Mode, ...] = get_args(Mode)
GONE_NS = HOLD_NS + FADE_NS


def motion(seed: int, pts_ns: int = NOW_NS, confidence: float = 1.0) -> Motion:
    random = np.random.default_rng(seed)
    return Motion(
        pts_ns,
        random.uniform(0.1, 0.45, 64).astype(np.float32),
        random.uniform(-0.2, 0.2, 3).astype(np.float32),
        random.uniform(-0.2, 0.2, 3).astype(np.float32),
        confidence,
    )


IDLE, VIDEO, AUDIO = motion(1), motion(2, NOW_NS - 30_000_000), motion(3, NOW_NS - 70_000_000)


def vector(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation])


def aged(motion: Motion, age_ns: int, confidence: float = 1.0) -> Motion:
    return replace(motion, pts_ns=NOW_NS - age_ns, confidence=confidence)


def only(mode: Mode, driver: Motion | None) -> Motion:
    """The mix with the mode's leader alone."""
    return mix("audio", NOW_NS, IDLE, None, driver) if mode == "audio" else mix(mode, NOW_NS, IDLE, driver, None)


def test_audio_moves_the_mouth_and_adds_brows_and_nods() -> None:
    out = mix("audio", NOW_NS, IDLE, VIDEO, AUDIO)
    others = ~MOUTH & ~BROWS
    assert np.allclose(out.expression[MOUTH], AUDIO.expression[MOUTH])
    assert np.allclose(out.expression[BROWS], (IDLE.expression + AUDIO.expression)[BROWS])
    assert np.array_equal(out.expression[others], IDLE.expression[others])
    assert np.allclose(out.rotation, IDLE.rotation + AUDIO.rotation)
    assert np.allclose(out.translation, IDLE.translation + AUDIO.translation)
    assert (out.pts_ns, out.confidence) == (AUDIO.pts_ns, 1.0)


def test_brows_added_stay_in_range() -> None:
    idle = Motion(NOW_NS, expression(browInnerUp=0.7))
    out = mix("audio", NOW_NS, idle, None, Motion(NOW_NS, expression(browInnerUp=0.7)))
    assert out["browInnerUp"] == 1.0


def test_video_takes_over_the_whole_face() -> None:
    out = mix("video", NOW_NS, IDLE, VIDEO, AUDIO)
    assert np.allclose(vector(out), vector(VIDEO), atol=1e-6)
    assert (out.pts_ns, out.confidence) == (VIDEO.pts_ns, 1.0)


def test_both_takes_the_seen_face_while_it_is_seen() -> None:
    out = mix("both", NOW_NS, IDLE, VIDEO, AUDIO)
    assert np.allclose(vector(out), vector(VIDEO), atol=1e-6)
    assert (out.pts_ns, out.confidence) == (VIDEO.pts_ns, 1.0)


def test_both_takes_the_heard_mouth_while_no_face_is_seen() -> None:
    heard = mix("audio", NOW_NS, IDLE, None, AUDIO)
    for video in (None, motion(2, confidence=0.0), aged(VIDEO, GONE_NS)):
        assert np.array_equal(vector(mix("both", NOW_NS, IDLE, video, AUDIO)), vector(heard))


def test_in_both_the_mouth_changes_over_where_the_video_weighs_half() -> None:
    heard = mix("audio", NOW_NS, IDLE, None, AUDIO).expression
    shares = {}
    for weight in (0.25, 0.5, 0.75):
        out = mix("both", NOW_NS, IDLE, motion(2, confidence=weight), AUDIO).expression
        share = (out - heard) / (VIDEO.expression - heard)
        assert np.allclose(share[~MOUTH], weight, atol=1e-4)
        assert np.ptp(share[MOUTH]) < 1e-3
        shares[weight] = float(share[MOUTH].mean())
    assert shares == pytest.approx({0.25: 0.0, 0.5: 0.5, 0.75: 1.0}, abs=1e-3)


def test_in_both_a_mouth_that_the_video_does_not_believe_is_the_heard_one() -> None:
    hidden = replace(VIDEO, mouth_confidence=0.0)
    out, heard = mix("both", NOW_NS, IDLE, hidden, AUDIO), mix("audio", NOW_NS, IDLE, None, AUDIO)
    assert np.array_equal(out.expression[MOUTH], heard.expression[MOUTH])
    assert np.allclose(out.expression[~MOUTH], VIDEO.expression[~MOUTH], atol=1e-6)
    assert np.allclose(out.rotation, VIDEO.rotation) and np.allclose(out.translation, VIDEO.translation)
    assert out.pts_ns == AUDIO.pts_ns
    silent = mix("both", NOW_NS, IDLE, hidden, replace(AUDIO, confidence=0.0))
    assert np.array_equal(silent.expression[MOUTH], IDLE.expression[MOUTH])
    believed = mix("video", NOW_NS, IDLE, hidden, AUDIO)
    assert np.allclose(believed.expression, VIDEO.expression, atol=1e-6), "no voice could take its place"


def test_a_mouth_comes_and_goes_no_faster_than_a_smoothstep() -> None:
    shares = np.linspace(0, 1, 151)  # one per millisecond
    outs = np.array(
        [vector(mix("both", NOW_NS, IDLE, replace(VIDEO, mouth_confidence=float(s)), AUDIO)) for s in shares]
    )
    whole = np.abs(outs[-1] - outs[0])
    assert whole.max() > 0.1
    assert np.allclose(outs[75], (outs[0] + outs[-1]) / 2, atol=1e-6)
    steps = np.abs(np.diff(outs, axis=0))
    assert (steps <= 1.51 / 150 * whole + 1e-6).all()
    assert (steps[[0, -1]] <= 0.1 / 150 * whole + 1e-6).all(), "it starts and ends softly"


def test_the_surface_of_a_hidden_mouth_goes_and_that_of_brows_and_eyes_stays() -> None:
    surface = np.random.default_rng(0).normal(0, 0.01, (478, 3)).astype(np.float32)
    video = replace(VIDEO, surface=surface, mouth_confidence=0.0)
    left = mix("both", NOW_NS, IDLE, video, AUDIO).surface
    assert left is not None
    kept = left / surface
    assert np.allclose(kept[np.concatenate([INNER_LIPS, OUTER_LIPS, [CHIN]])], 0.0, atol=1e-6)
    upper = np.concatenate([*(eye.closed for eye in EYES), *(eye.iris for eye in EYES), UPPER_OVAL, BRIDGE])
    assert np.allclose(kept[upper], 1.0, atol=0.02)
    assert ((kept > 0.1) & (kept < 0.9)).all(axis=1).sum() > 20, "smoothly over the cheeks"
    faint = replace(video, confidence=0.5)
    share = mix("both", NOW_NS, IDLE, faint, AUDIO).surface
    assert share is not None and np.allclose(share, left / 2, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_without_drivers_the_portrait_idles(mode: Mode) -> None:
    out = mix(mode, NOW_NS, IDLE, None, None)
    assert np.array_equal(vector(out), vector(IDLE))
    assert (out.pts_ns, out.confidence) == (NOW_NS, 1.0)


def test_the_driver_of_another_mode_counts_for_nothing() -> None:
    assert np.array_equal(vector(mix("audio", NOW_NS, IDLE, VIDEO, None)), vector(IDLE))
    assert np.array_equal(vector(mix("video", NOW_NS, IDLE, None, AUDIO)), vector(IDLE))


@pytest.mark.parametrize("mode", MODES)
def test_a_driver_that_falls_silent_is_held_then_eases_out(mode: Mode) -> None:
    driver = AUDIO if mode == "audio" else VIDEO
    fresh = only(mode, aged(driver, 0))
    held, half, gone = (only(mode, aged(driver, age)) for age in (HOLD_NS, HOLD_NS + FADE_NS // 2, GONE_NS))
    assert np.array_equal(vector(held), vector(fresh))
    assert np.allclose(vector(half), (vector(fresh) + vector(IDLE)) / 2, atol=1e-6)
    assert np.array_equal(vector(gone), vector(IDLE))


@pytest.mark.parametrize("mode", MODES)
def test_the_instant_is_the_leaders_until_that_one_is_too_old(mode: Mode) -> None:
    driver = AUDIO if mode == "audio" else VIDEO
    for age_ns in (-5, 0, HOLD_NS, GONE_NS - 1_000_000):
        assert only(mode, aged(driver, age_ns)).pts_ns == NOW_NS - age_ns
    for age_ns in (GONE_NS, 10 * GONE_NS):
        assert only(mode, aged(driver, age_ns)).pts_ns == NOW_NS
    assert only(mode, aged(driver, 7, confidence=0.0)).pts_ns == NOW_NS - 7  # a face that is not there was looked for


def test_in_both_the_instant_is_that_of_what_moves_the_lips() -> None:
    covered = replace(VIDEO, mouth_confidence=0.0)
    for video, audio, leader in [
        (VIDEO, AUDIO, VIDEO),
        (covered, AUDIO, AUDIO),
        (None, AUDIO, AUDIO),
        (replace(VIDEO, confidence=0.0), AUDIO, AUDIO),
        (covered, None, VIDEO),
        (covered, replace(AUDIO, confidence=0.0), VIDEO),  # nobody speaks
    ]:
        assert mix("both", NOW_NS, IDLE, video, audio).pts_ns == leader.pts_ns


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fades", ["confidence", "age"])
def test_nothing_jumps_while_a_driver_fades(mode: Mode, fades: str) -> None:
    steps = np.linspace(0, 1, 201)
    outs = []
    for step in steps:
        age_ns, confidence = (0, 1 - step) if fades == "confidence" else (round(step * GONE_NS), 1.0)
        video = aged(VIDEO, age_ns, confidence)
        audio = aged(AUDIO, age_ns, confidence) if mode == "audio" else AUDIO
        outs.append(vector(mix(mode, NOW_NS, IDLE, video, audio)))
    whole = np.abs(outs[0] - outs[-1]).max()
    assert whole > 0.1
    assert np.abs(np.diff(outs, axis=0)).max() < 0.05 * whole


@pytest.mark.parametrize("mode", MODES)
def test_what_the_coefficients_leave_comes_from_video_alone(mode: Mode) -> None:
    surface = np.random.default_rng(0).normal(0, 0.01, (478, 3)).astype(np.float32)
    whole = mix(mode, NOW_NS, IDLE, replace(VIDEO, surface=surface), AUDIO).surface
    unseen = mix(mode, NOW_NS, IDLE, replace(VIDEO, surface=surface, confidence=0.0), AUDIO).surface
    assert unseen is None
    if mode == "audio":
        assert whole is None
    else:
        assert np.array_equal(whole, surface)
        part = mix(mode, NOW_NS, IDLE, replace(VIDEO, surface=surface, confidence=0.5), AUDIO).surface
        assert np.allclose(part, surface / 2)
        assert mix(mode, NOW_NS, IDLE, VIDEO, AUDIO).surface is None


@pytest.mark.parametrize("mode", MODES)
def test_the_drivers_own_mouth_is_seen_with_the_video_at_nearly_full_weight_alone(mode: Mode) -> None:
    patch = MouthPatch(np.ones((48, 80, 3), np.uint8), np.zeros((20, 2), np.float32), np.ones(3, np.float32), 0.8)
    video = replace(VIDEO, mouth=patch)
    weights = []
    for confidence in np.linspace(0, 1, 201):
        mouth = mix(mode, NOW_NS, IDLE, replace(video, confidence=float(confidence)), AUDIO).mouth
        assert mouth is None or mouth.pixels is patch.pixels
        weights.append(0.0 if mouth is None else mouth.weight)
    assert weights[150] == 0.0
    assert weights == sorted(weights) and np.diff(weights).max() < 0.05
    assert weights[-1] == (0.0 if mode == "audio" else pytest.approx(0.8))
    assert mix(mode, NOW_NS, IDLE, aged(video, HOLD_NS + FADE_NS // 2), AUDIO).mouth is None
    if mode == "both":
        assert mix(mode, NOW_NS, IDLE, replace(video, mouth_confidence=0.0), AUDIO).mouth is None


def test_confidence_beyond_its_range_does_not_overshoot() -> None:
    assert np.array_equal(vector(only("video", aged(VIDEO, 0, 1.7))), vector(only("video", aged(VIDEO, 0))))
    assert np.array_equal(vector(only("video", aged(VIDEO, 0, -0.4))), vector(IDLE))


@pytest.mark.parametrize("mode", MODES)
def test_it_is_pure(mode: Mode) -> None:
    inputs = [motion(4), motion(5, confidence=0.6), motion(6, confidence=0.7)]
    before = [vector(m) for m in inputs]
    first, again = (mix(mode, NOW_NS, *inputs) for _ in range(2))
    assert np.array_equal(vector(first), vector(again))
    assert first is not again
    assert all(np.array_equal(vector(m), b) for m, b in zip(inputs, before, strict=True))
    assert (first.expression.dtype, first.rotation.dtype, first.translation.dtype) == (np.float32,) * 3
