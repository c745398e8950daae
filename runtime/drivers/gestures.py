"""Gestures: what a speaker's head, brows and lids do beside the mouth, from the loudness of the voice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from models.ease import smoothstep
from models.motion import COEFFICIENTS, INDEX

HOP_S = 0.02
"""Seconds of sound per step."""

_SPEAKS, _PAUSES = 0.5, 0.3  # probabilities of speech above and below which somebody speaks and pauses
_PHRASE_S, _PAUSE_S = 0.6, 0.16  # a phrase is at least so long; a pause of so much ends it
_SMOOTH_S = 0.05
_LEVEL_DB, _MEMORY_S, _PRIOR_S = -28.0, 6.0, 0.5  # of the running mean level of the voice
_STRESS_DB, _FULL_DB = 2.5, 9.0  # above that mean a peak counts as stress, and as the strongest
_RARELY_S = 0.4  # between two stresses that are answered
_NOD_RAD, _NOD_S = np.deg2rad(2.2), (0.35, 0.6)
_BROW, _BROW_S, _BROW_SHARE = 0.45, (0.45, 0.8), 0.4
_BLINK_S, _BLINK_SHARE, _BLINK_DELAY_S = 0.28, 0.7, 0.2
_POSTURE_RAD, _POSTURE_S = np.deg2rad([1.0, 2.0, 1.2]), 0.7
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_OUTER_BROWS = [INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]

Vector = Float32[np.ndarray, "3"]


@dataclass(frozen=True, slots=True, eq=False)
class Gesture:
    """Beside the mouth, at one instant."""

    rotation: Vector
    """Rotation vector added to the head's, as in `Motion`."""
    expression: Float32[np.ndarray, "64"]
    """Brows, to be added, and blinks; all others 0."""


@dataclass(frozen=True, slots=True)
class _Pulse:
    """A movement that comes and goes."""

    start: int
    length: int
    height: float

    def at(self, step: int) -> float:
        """A raised cosine."""
        x = (step - self.start) / self.length
        return self.height * 0.5 * (1.0 - float(np.cos(2.0 * np.pi * x))) if 0.0 < x < 1.0 else 0.0


class Gestures:
    """Nods and lifts the brows on stressed syllables, shifts the head from phrase to phrase, blinks where one ends.

    Step by step along the sound; the same sound and seed give the same gestures.

    Args:
        seed: Which speaker, 0 or more.
        liveliness: Scales head and brows; 0 leaves the blinks.
        blinks: How often a phrase ends with one, 0 never, 1 as people do.
    """

    def __init__(self, seed: int = 0, liveliness: float = 1.0, blinks: float = 1.0) -> None:
        self._random = np.random.default_rng((seed, 0x6E6F64))
        self._liveliness = liveliness
        self._blink_share = blinks * _BLINK_SHARE
        self._step = 0
        self._level_db = self._before_db = self._mean_db = _LEVEL_DB
        self._rising = False
        self._weight = _PRIOR_S / HOP_S
        self._spoken = self._silent = 0  # steps of this phrase, and since it
        self._next_stress = 0
        self._nods: list[_Pulse] = []
        self._brows: list[_Pulse] = []
        self._blinks: list[_Pulse] = []
        self._posture, self._towards = np.zeros((2, 3)), np.zeros(3)

    def follow(self, samples: Float32[np.ndarray, "320"], speech: float) -> Gesture:
        """The next 20 ms of sound at 16 kHz, -1..1, and the probability 0..1 that somebody speaks in it."""
        self._step += 1
        self._listen(samples, speech)
        self._phrase(speech)
        for pulses in (self._nods, self._brows, self._blinks):
            pulses[:] = [p for p in pulses if p.start + p.length > self._step]
        for i, goal in enumerate((self._towards, self._posture[0])):  # two low-passes: it starts and ends softly
            self._posture[i] += (goal - self._posture[i]) * (HOP_S / (0.5 * _POSTURE_S))
        nod, brow, blink = (self._sum(pulses) for pulses in (self._nods, self._brows, self._blinks))
        expression = np.zeros(len(COEFFICIENTS), np.float32)
        expression[INDEX["browInnerUp"]] = self._liveliness * brow
        expression[_OUTER_BROWS] = self._liveliness * 0.6 * brow
        expression[_BLINKS] = min(blink, 1.0)
        rotation = self._liveliness * (self._posture[1] + [nod, 0.0, 0.0])
        return Gesture(rotation.astype(np.float32), expression)

    def _listen(self, samples: Float32[np.ndarray, "320"], speech: float) -> None:
        """Follows the level; a peak well above the speaker's mean is a stressed syllable."""
        power = float(np.mean(np.square(samples, dtype=np.float64)))
        level = max(10.0 * float(np.log10(power + 1e-9)), -80.0)
        self._level_db += (level - self._level_db) * (HOP_S / _SMOOTH_S)
        if speech > _SPEAKS:
            self._weight = min(self._weight + 1.0, _MEMORY_S / HOP_S)
            self._mean_db += (level - self._mean_db) / self._weight
        above = self._before_db - self._mean_db
        falls = self._level_db < self._before_db
        if self._rising and falls and speech > _SPEAKS and above > _STRESS_DB and self._step >= self._next_stress:
            self._stress(smoothstep(0.0, _FULL_DB, above))
        self._rising, self._before_db = not falls, self._level_db

    def _stress(self, strength: float) -> None:
        random = self._random
        self._next_stress = self._step + round(_RARELY_S * random.uniform(1.0, 1.8) / HOP_S)
        height = strength * random.uniform(0.4, 1.0)
        self._nods.append(_Pulse(self._step, _steps(random.uniform(*_NOD_S)), _NOD_RAD * height))
        if random.random() < _BROW_SHARE:
            height = strength * random.uniform(0.5, 1.0)
            self._brows.append(_Pulse(self._step, _steps(random.uniform(*_BROW_S)), _BROW * height))

    def _phrase(self, speech: float) -> None:
        """Notices beginnings and ends of phrases."""
        random = self._random
        if speech > _SPEAKS:
            if self._spoken == 0:  # a phrase begins: another posture
                self._towards = random.normal(0.0, 0.6, 3).clip(-1.2, 1.2) * _POSTURE_RAD
            self._spoken, self._silent = self._spoken + 1, 0
        elif speech < _PAUSES:
            self._silent += 1
            ended = self._silent == _steps(_PAUSE_S) and self._spoken >= _steps(_PHRASE_S)
            if ended and random.random() < self._blink_share:
                start = self._step + _steps(random.uniform(0.0, _BLINK_DELAY_S))
                self._blinks.append(_Pulse(start, _steps(_BLINK_S), 1.0))
            if self._silent >= _steps(_PAUSE_S):
                self._spoken = 0
            if self._silent == _steps(1.0):
                self._towards = np.zeros(3)

    def _sum(self, pulses: list[_Pulse]) -> float:
        return sum(pulse.at(self._step) for pulse in pulses)


def _steps(seconds: float) -> int:
    return max(1, round(seconds / HOP_S))
