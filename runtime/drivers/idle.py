"""Idle: what a living face does while nothing drives it, as a pure function of time."""

import zlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64

from models.ease import smoothstep
from models.motion import COEFFICIENTS, INDEX, Motion

BLINK_CLOSING_S = 0.09
BLINK_CLOSED_S = 0.04
BLINK_OPENING_S = 0.16
EYE_RANGE_RAD = 0.5
"""How far the eye turns at a coefficient `eyeLook*` of 1."""

_BLINK_S = BLINK_CLOSING_S + BLINK_CLOSED_S + BLINK_OPENING_S
_BLOCK_S = 64.0  # events are drawn block by block, so that any instant is found without those before it
_RAMP_S = 0.5
_POSE_RAMP_S = 2.0  # drift is slow, so its beginning is too
_VESTIBULO_OCULAR_GAIN = 0.6
_MASK = (1 << 64) - 1

Vector = Float32[np.ndarray, "3"]
Times = Float64[np.ndarray, "n"]
Points = Float64[np.ndarray, "n 2"]
Gaze = Float64[np.ndarray, "2"]


class Idle:
    """Blinks, breathing, slow head drift, saccades and a trace of brow movement around the portrait at rest.

    Signs of the rotation vector (camera frame x right, y down, z away; the face looks along -z):
    +x (pitch) nods down, +y (yaw) turns the nose to the picture's left, the subject's right, and
    +z (roll) tilts the top of the head to the picture's right, clockwise as seen.

    Args:
        seed: Which life, 0 or more; equal seeds give equal motion.
        liveliness: Scales head drift, gaze and brows; 0 leaves blinks and breathing.
        blinks: How often the eyes blink, 0 never, 1 as people do, up to 3.
    """

    def __init__(self, seed: int = 0, liveliness: float = 1.0, blinks: float = 1.0) -> None:
        self._seed = seed
        self._liveliness = liveliness
        self._blink_rate = blinks
        # a few blocks are enough: time only moves forward, and a look back costs one redraw
        self._blinks: Callable[[int], tuple[Times, Times]]
        self._blinks = lru_cache(maxsize=4)(self._draw_blinks)
        self._saccades: Callable[[int], tuple[Times, Times, Points]]
        self._saccades = lru_cache(maxsize=4)(self._draw_saccades)

    def at(self, pts_ns: int, origin_ns: int = 0) -> Motion:
        """The motion at `pts_ns`, confidence 1: at rest up to `origin_ns`, fully alive two seconds later.

        It depends on `pts_ns - origin_ns` and the constructor's arguments alone, whatever was asked before.
        """
        t = (pts_ns - origin_ns) / 1e9
        if t <= 0.0:
            return Motion(pts_ns)
        rotation, translation = self._pose(t)
        expression = np.zeros(len(COEFFICIENTS), np.float32)
        expression[_BLINK] = self._blink(t)
        # the eyes hold on to what they look at while the head drifts
        counter = -rotation[:2] * (_VESTIBULO_OCULAR_GAIN / EYE_RANGE_RAD)
        look_right, look_down = self._gaze(t) + counter[::-1]
        expression[_LOOK_RIGHT] = max(look_right, 0.0)
        expression[_LOOK_LEFT] = max(-look_right, 0.0)
        expression[_LOOK_DOWN] = max(look_down, 0.0)
        expression[_LOOK_UP] = max(-look_down, 0.0)
        lively = self._liveliness * smoothstep(0.0, 1.0, t / _RAMP_S)
        expression[INDEX["browInnerUp"]] = lively * 0.03 * (1.0 + self._noise("brow inner", 0.4, t))
        expression[_BROW_OUTER] = lively * 0.02 * (1.0 + self._noise("brow outer", 0.3, t))
        return Motion(pts_ns, expression, rotation, translation)

    def _pose(self, t: float) -> tuple[Vector, Vector]:
        """Rotation (radians) and translation (inter-ocular distances): drift and breath."""
        drift = np.array([self._drift(channel, t) for channel in ("pitch", "yaw", "roll", "x", "y", "z")])
        drift *= self._liveliness
        phase = 2 * np.pi * 0.25 * t + 1.2 * self._noise("breath phase", 0.12, t)
        # breathing in is quicker than out, and no breath is like the last
        breath = np.sin(phase + 0.4 * np.sin(phase)) * (1.0 + 0.3 * self._noise("breath depth", 0.2, t))
        rotation = np.deg2rad([1.5, 2.5, 1.0]) * drift[:3]
        translation = np.full(3, 0.03) * drift[3:]
        rotation[0] -= np.deg2rad(0.3) * breath
        translation[1] -= 0.01 * breath
        ramp = smoothstep(0.0, 1.0, t / _POSE_RAMP_S)
        return (rotation * ramp).astype(np.float32), (translation * ramp).astype(np.float32)

    def _drift(self, channel: str, t: float) -> float:
        """Slow noise -1..1 with most power under 0.3 Hz."""
        x = 0.75 * self._noise(channel, 0.25, t) + 0.25 * self._noise(channel + " quick", 0.8, t)
        return float(1.5 * x - 0.5 * x**3)  # spreads what crowds around 0

    def _noise(self, channel: str, rate_hz: float, t: float) -> float:
        """Band-limited noise -1..1: a cubic B-spline over hashed values, `rate_hz` of them per second."""
        i, u = divmod(t * rate_hz, 1.0)
        v = [_hashed(self._seed, channel, int(i) + k) for k in range(4)]
        return (
            (1 - u) ** 3 * v[0]
            + (3 * u**3 - 6 * u**2 + 4) * v[1]
            + (-3 * u**3 + 3 * u**2 + 3 * u + 1) * v[2]
            + u**3 * v[3]
        ) / 6.0

    def _blink(self, t: float) -> float:
        starts, depths = self._blinks(int(t // _BLOCK_S))
        i = int(np.searchsorted(starts, t, side="right")) - 1
        if i < 0:
            return 0.0
        since = t - float(starts[i])
        closing = smoothstep(0.0, 1.0, since / BLINK_CLOSING_S)
        opening = smoothstep(0.0, 1.0, (since - BLINK_CLOSING_S - BLINK_CLOSED_S) / BLINK_OPENING_S)
        return float(depths[i]) * closing * (1.0 - opening)

    def _draw_blinks(self, block: int) -> tuple[Times, Times]:
        """Starts (s) and depths 0.85..1 of the blinks that lie wholly within a block."""
        if self._blink_rate == 0:
            return np.zeros(0), np.zeros(0)
        random = _random(self._seed, "blink", block)
        starts: list[float] = []
        t = block * _BLOCK_S + random.uniform(1.2, 3.0) / self._blink_rate
        while t + 2 * _BLINK_S + 0.1 < (block + 1) * _BLOCK_S:
            starts.append(t)
            if random.random() < 0.1:
                starts.append(t + _BLINK_S + random.uniform(0.03, 0.1))
            t = starts[-1] + max(1.0, random.lognormal(np.log(3.4), 0.38)) / self._blink_rate
        shallow = random.random(len(starts)) < 0.08
        return np.array(starts), np.where(shallow, random.uniform(0.85, 0.95, len(starts)), 1.0)

    def _gaze(self, t: float) -> Gaze:
        """Towards the subject's right and down, as parts of the eyes' range."""
        block = int(t // _BLOCK_S)
        starts, durations, targets = self._saccades(block)
        i = int(np.searchsorted(starts, t, side="right"))  # saccades of this block begun so far
        here = np.concatenate([self._gaze_before(block), targets[:i]])
        arrived = smoothstep(0.0, 1.0, (t - float(starts[i - 1])) / float(durations[i - 1])) if i > 0 else 1.0
        gaze: Gaze = here[max(i - 1, 0)] * (1.0 - arrived) + here[i] * arrived
        return gaze * self._liveliness

    def _gaze_before(self, block: int) -> Points:
        return self._saccades(block - 1)[2][-1:] if block > 0 else np.zeros((1, 2))

    def _draw_saccades(self, block: int) -> tuple[Times, Times, Points]:
        """Starts (s), durations (s), targets (parts of the eyes' range) of the saccades begun in a block."""
        random = _random(self._seed, "saccade", block)
        starts, durations, targets = [], [], []
        fixation = np.zeros(2)
        t = block * _BLOCK_S + random.uniform(0.3, 0.8)
        while t + 0.1 < (block + 1) * _BLOCK_S:
            if random.random() < 0.45:  # look elsewhere, every other time at the viewer; else a micro-saccade
                elsewhere = np.clip(random.normal(0.0, (0.12, 0.06)), (-0.23, -0.14), (0.23, 0.14))
                fixation = elsewhere * random.choice((0.0, 1.0))
            starts.append(t)
            targets.append(fixation + np.clip(random.normal(0.0, 0.01, 2), -0.02, 0.02))
            durations.append(random.uniform(0.03, 0.05))
            t += min(random.uniform(0.6, 1.4) * random.uniform(1.0, 2.2), 3.0)
        return np.array(starts), np.array(durations), np.array(targets)


def _indices(*names: str) -> list[int]:
    return [INDEX[name] for name in names]


_BLINK = _indices("eyeBlinkLeft", "eyeBlinkRight")
_LOOK_RIGHT = _indices("eyeLookInLeft", "eyeLookOutRight")  # the subject's right
_LOOK_LEFT = _indices("eyeLookOutLeft", "eyeLookInRight")
_LOOK_UP = _indices("eyeLookUpLeft", "eyeLookUpRight")
_LOOK_DOWN = _indices("eyeLookDownLeft", "eyeLookDownRight")
_BROW_OUTER = _indices("browOuterUpLeft", "browOuterUpRight")


@lru_cache(maxsize=256)
def _hashed(seed: int, channel: str, index: int) -> float:
    """A value -1..1 that looks random in each argument (SplitMix64)."""
    key = zlib.crc32(channel.encode()) ^ (seed * 0x9E3779B97F4A7C15)
    z = (key + index * 0xD1B54A32D192ED03) & _MASK
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = ((z ^ (z >> shift)) * factor) & _MASK
    return (z ^ (z >> 31)) / _MASK * 2.0 - 1.0


def _random(seed: int, channel: str, index: int) -> np.random.Generator:
    return np.random.default_rng((seed, zlib.crc32(channel.encode()), index))
