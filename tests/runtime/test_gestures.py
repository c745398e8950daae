"""Gestures: stressed syllables nod, phrases end with blinks, and silence is still."""

import numpy as np
import pytest

from models.motion import COEFFICIENTS, INDEX
from runtime.drivers.gestures import HOP_S, Gestures

BLINK = INDEX["eyeBlinkLeft"]
BROWS = [INDEX[name] for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")]


def talk(seconds, stress_db=9.0, pause_s=0.6, phrase_s=3.0, level=0.03):
    """Hops of noise in syllables of 0.2 s, every fourth stressed; phrases and pauses; and where speech is."""
    random = np.random.default_rng(1)
    hops, speech = [], []
    for k in range(round(seconds / HOP_S)):
        t = k * HOP_S
        speaks = t % (phrase_s + pause_s) < phrase_s
        stressed = int(t / 0.2) % 4 == 0
        loud = (0.3 + 0.7 * np.sin(np.pi * (t % 0.2) / 0.2)) * (10 ** (stress_db / 20) if stressed else 1.0)
        hops.append((level * loud * speaks * random.standard_normal(320)).astype(np.float32))
        speech.append(0.95 if speaks else 0.05)
    return hops, speech


def follow(hops, speech, **options):
    gestures = Gestures(**options)
    out = [gestures.follow(hop, p) for hop, p in zip(hops, speech, strict=True)]
    return np.array([g.rotation for g in out]), np.array([g.expression for g in out])


def test_stress_nods_and_lifts_brows_and_even_speech_hardly_does():
    stressed, brows = follow(*talk(30))
    even, even_brows = follow(*talk(30, stress_db=0.0))
    assert np.rad2deg(stressed[:, 0]).max() > 1.0
    assert brows[:, BROWS[0]].max() > 0.15
    assert np.diff(stressed[:, 0]).clip(0).sum() > 1.5 * np.diff(even[:, 0]).clip(0).sum()
    assert even_brows[:, BROWS[0]].sum() < 0.5 * brows[:, BROWS[0]].sum()


def test_phrases_end_with_blinks_that_close_the_eyes_and_nothing_else_does():
    _, expression = follow(*talk(60))
    blink = expression[:, BLINK]
    starts = np.flatnonzero((blink[1:] > 0) & (blink[:-1] == 0)) * HOP_S
    assert 8 <= len(starts) <= 16  # of 16 phrases
    assert all(3.0 < s % 3.6 < 3.6 for s in starts)
    assert blink.max() > 0.97
    assert np.array_equal(blink, expression[:, INDEX["eyeBlinkRight"]])


def test_only_brows_and_lids_move_beside_the_head():
    _, expression = follow(*talk(20))
    others = np.setdiff1d(np.arange(len(COEFFICIENTS)), [*BROWS, BLINK, INDEX["eyeBlinkRight"]])
    assert not expression[:, others].any()
    assert expression.min() >= 0 and expression.max() <= 1


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_without_speech_nothing_moves_however_loud_it_is(level):
    hops, _ = talk(20, level=level)
    rotation, expression = follow(hops, [0.1] * len(hops))
    assert not rotation.any() and not expression.any()


def test_the_head_moves_softly_and_little():
    rotation, _ = follow(*talk(60))
    degrees = np.rad2deg(rotation)
    assert np.abs(degrees).max() < 6.0
    assert np.abs(np.diff(degrees, axis=0)).max() < 0.7  # in 20 ms


def test_quiet_and_loud_voices_nod_alike():
    late = slice(round(5 / HOP_S), None)
    loud, quiet = (follow(*talk(60, level=level))[0][late, 0] for level in (0.03, 0.003))
    assert np.diff(quiet).clip(0).sum() == pytest.approx(np.diff(loud).clip(0).sum(), rel=0.25)


def test_equal_seeds_give_equal_lives_and_others_differ():
    said = talk(20)
    (a, _), (b, _), (c, _) = follow(*said, seed=3), follow(*said, seed=3), follow(*said, seed=4)
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_without_liveliness_the_eyes_still_blink():
    rotation, expression = follow(*talk(40), liveliness=0.0)
    assert not rotation.any() and not expression[:, BROWS].any()
    assert expression[:, BLINK].max() > 0.9
