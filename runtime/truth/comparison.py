"""How a filmed face differs from the drawn one, apart from what always differs between the two."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from models.topology import OUTER_EYE_CORNERS
from runtime.truth.unwrap import SIDE, Unwrapped

Map = Float32[np.ndarray, "64 64"]
Points = Float[np.ndarray, "468 2"]

_BLACK = 12.0  # levels that are added before logarithms: noise in the dark is no difference
_FINE, _AROUND = 4.0, 4.0  # pixels: what is finer is pattern, and over what it is compared
_FLAT = 0.03  # contrast of a pattern, a logarithm, that is as good as none
_UNLIKE = 0.9  # difference of two patterns over the stronger one, from which they have nothing in common
_ROUNDS, _LEAST_SPREAD = 6, 0.04  # of the robust fit of light
_LEARNING_NS = 1_000_000_000  # in which the usual difference is learnt
_DARK = 1.2  # logarithm of a loss of light in which nothing can be told to be hidden

_Y, _X = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
_PLANE = np.stack([np.ones_like(_X), _X, _Y], 2).reshape(-1, 3)


@dataclass(frozen=True, slots=True)
class Difference:
    """Beyond the usual one."""

    hidden: float
    """Part of the face, 0..1, whose pattern is not the drawn one's."""
    gain: float
    """By how much brighter the camera sees it; a natural logarithm."""
    slope: float
    """By how much more so at one edge of the face than in its middle."""
    apart: float
    """Root mean square of the distances between landmarks, once both faces lie on one another, in eye distances."""


class Comparison:
    """Knows the usual difference: another camera, light, skin, or person altogether.

    Whatever the face looks like in the first second counts as usual. Not thread-safe.
    """

    def __init__(self) -> None:
        self._first: list[tuple[Map, float]] = []
        self._since_ns: int | None = None
        self._usual: Map | None = None
        self._usual_apart = 0.0

    def __call__(
        self, filmed: Unwrapped, drawn: Unwrapped, landmarks: Points, drawn_landmarks: Points, pts_ns: int
    ) -> Difference | None:
        """What differs in a frame captured at `pts_ns`; None while the usual difference is learnt."""
        seen = filmed.seen & drawn.seen
        camera, drawing = np.log(filmed.luma + _BLACK), np.log(drawn.luma + _BLACK)
        apart = distance(landmarks, drawn_landmarks)
        if self._usual is None:
            self._learn(np.where(seen, camera - drawing, np.nan), apart, pts_ns)
            return None
        expected = drawing + self._usual
        gain, across, down = _light(camera - expected, seen)
        hidden = 0.0 if gain < -_DARK else float(_unlike(camera, expected, seen)[seen].mean()) if seen.any() else 0.0
        return Difference(hidden, gain, max(abs(across), abs(down)), max(0.0, apart - self._usual_apart))

    def _learn(self, difference: Map, apart: float, pts_ns: int) -> None:
        self._since_ns = pts_ns if self._since_ns is None else self._since_ns
        self._first.append((difference, apart))
        if pts_ns - self._since_ns >= _LEARNING_NS:
            maps = np.stack([one for one, _ in self._first])
            maps[:, np.isnan(maps).all(0)] = 0  # never seen
            self._usual = np.nanmedian(maps, 0).astype(np.float32)
            self._usual_apart = float(np.median([one for _, one in self._first]))
            self._first.clear()


def distance(points: Points, others: Points) -> float:
    """Of two faces turned, scaled and shifted onto one another; see `Difference.apart`."""
    a, b = (np.ascontiguousarray(face, np.float64) @ [1, 1j] for face in (points, others))
    a, b = a - a.mean(), b - b.mean()
    turned = b * (np.vdot(b, a) / np.vdot(b, b))
    unit = abs(a[OUTER_EYE_CORNERS[0]] - a[OUTER_EYE_CORNERS[1]])
    return float(np.sqrt((np.abs(a - turned) ** 2).mean()) / unit)


def _light(ratio: Map, seen: Bool[np.ndarray, "64 64"]) -> tuple[float, float, float]:
    """The plane (middle, to the right, down) that most of a logarithmic ratio lies on."""
    plane, values = _PLANE[seen.ravel()], ratio[seen].astype(np.float64)
    weight = np.ones(len(values))
    light = np.zeros(3)
    for _ in range(_ROUNDS if len(values) > len(light) else 0):
        weighted = plane * weight[:, None]
        light = np.linalg.solve(weighted.T @ plane + 1e-6 * np.eye(3), weighted.T @ values)
        off = values - plane @ light
        spread = 2 * max(1.5 * float(np.median(np.abs(off))), _LEAST_SPREAD)
        weight = (1 + (off / spread) ** 2) ** -2
    return float(light[0]), float(light[1]), float(light[2])


def _unlike(camera: Map, expected: Map, seen: Bool[np.ndarray, "64 64"]) -> Bool[np.ndarray, "64 64"]:
    """Where two patterns have nothing in common: neither light nor exposure is pattern."""
    one, other = _pattern(camera, seen), _pattern(expected, seen)
    contrast = np.maximum(_around(one * one), _around(other * other))
    return np.asarray(_around((one - other) ** 2) > _UNLIKE**2 * (contrast + _FLAT**2))


def _pattern(face: Map, seen: Bool[np.ndarray, "64 64"]) -> Map:
    inside = seen.astype(np.float32)
    mean = cv2.GaussianBlur(face * inside, (0, 0), _FINE) / np.maximum(cv2.GaussianBlur(inside, (0, 0), _FINE), 1e-3)
    return np.where(seen, face - mean, 0).astype(np.float32)


def _around(face: Map) -> Map:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), _AROUND))
