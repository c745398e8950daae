"""The One-Euro filter: still when the signal is still, quick when it moves."""

import numpy as np
from jaxtyping import Float

Vector = Float[np.ndarray, "n"]


class OneEuro:
    """Adaptive low-pass for vectors (Casiez et al., CHI 2012)."""

    def __init__(self, min_cutoff_hz: float, beta: float, derivative_cutoff_hz: float = 5.0) -> None:
        """`beta` opens the filter by so many Hz per unit/s of speed."""
        self._min_cutoff_hz, self._beta, self._derivative_cutoff_hz = min_cutoff_hz, beta, derivative_cutoff_hz
        self._value: Vector | None = None
        self._speed: Vector = np.zeros(0)
        self._pts_ns = 0

    def __call__(self, value: Vector, pts_ns: int) -> Vector:
        """The filtered value; a value that is not newer than the last one gives the last one again."""
        if self._value is None:
            self._value, self._speed, self._pts_ns = value.copy(), np.zeros_like(value), pts_ns
            return value
        if pts_ns <= self._pts_ns:
            return self._value
        dt = (pts_ns - self._pts_ns) / 1e9
        speed = (value - self._value) / dt
        self._speed = self._speed + _share(self._derivative_cutoff_hz, dt) * (speed - self._speed)
        cutoff = self._min_cutoff_hz + self._beta * np.abs(self._speed)
        self._value = self._value + _share(cutoff, dt) * (value - self._value)
        self._pts_ns = pts_ns
        return self._value

    def reset(self) -> None:
        """Forgets the past."""
        self._value = None


def _share(cutoff_hz: float | Vector, dt_s: float) -> float | Vector:
    """How much of the new value enters."""
    r = 2 * np.pi * cutoff_hz * dt_s
    return r / (r + 1)
