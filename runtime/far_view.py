"""What lies over the other end's portrait, and comes and goes gradually: what their camera sees, or an outline."""

import threading
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import UInt8

from calibration.framing import Canvas, Placed
from models.ease import smoothstep
from models.portrait import Pixels
from runtime.clock import Clock

FADE_NS = 400_000_000
PATIENCE_NS = 3_000_000_000
"""Without a new one for so long, the portrait takes the last one's place: a busy machine sends one in a second or two,
and says when there are no more."""

Glimpsed = UInt8[np.ndarray, "h w 3"]


class FarView:
    """Glimpses of one camera, and over all an outline while they are lost. `over` belongs to the loop that draws; the
    rest to any thread.
    """

    def __init__(self, clock: Clock, changed: Callable[[bool], None] = lambda is_camera: None) -> None:
        """`changed` hears, in the loop's thread, that the camera is what is shown from now on, or is no more."""
        self._clock, self._changed = clock, changed
        self._lock = threading.Lock()  # guards the six below
        self._canvas: tuple[Canvas, int] | None = None
        self._glimpsed: Glimpsed | None = None
        self._came_ns: int | None = None
        self._wanted = self._told = False
        self._drawn: tuple[Glimpsed, Placed] | None = None
        self._outline: Pixels | None = None  # whole or not at all: without the lock
        self._lost = False
        self._weight, self._lost_weight, self._before_ns = 0.0, 0.0, 0  # the loop's

    def lay(self, canvas: Canvas, photo_width: int) -> None:
        """Where the portrait's photo, so many pixels wide, lies on the pictures."""
        with self._lock:
            self._canvas, self._drawn = (canvas, photo_width), None

    def see(self, glimpsed: Glimpsed | None) -> None:
        """The next one, framed as the photo is; None: there are no more."""
        with self._lock:
            self._wanted = glimpsed is not None
            if glimpsed is not None:
                self._glimpsed, self._came_ns = glimpsed, self._clock.now_ns()

    def clear(self) -> None:
        """Shows nothing of it from the next picture on: whoever it was has left."""
        with self._lock:
            self._wanted, self._told, self._glimpsed, self._drawn = False, False, None, None

    def lose(self, outline: Pixels) -> None:
        """Nothing is heard of them: this takes the place of the pictures, which it is as large as."""
        self._outline, self._lost = outline, True

    def find(self) -> None:
        """They are back: the pictures take its place again."""
        self._lost = False

    @property
    def is_shown(self) -> bool:
        """Whether the camera is what is shown, or about to be."""
        with self._lock:
            came_ns = self._came_ns
            return self._wanted and came_ns is not None and self._clock.now_ns() - came_ns < PATIENCE_NS

    def over(self, drawn: Pixels, due_ns: int) -> Pixels:
        """The picture to show in place of what was drawn for an instant: that one, or another array."""
        step = max(0, due_ns - self._before_ns) / FADE_NS
        self._before_ns = due_ns
        self._weight = _moved(self._weight, step, self._tell())
        self._lost_weight = _moved(self._lost_weight, step, self._lost)
        seen, outline = self._with_camera(drawn), self._outline
        if outline is None or self._lost_weight == 0:
            return seen
        weight = smoothstep(0.0, 1.0, self._lost_weight)
        return np.asarray(cv2.addWeighted(seen, 1 - weight, outline, weight, 0))

    def _with_camera(self, drawn: Pixels) -> Pixels:
        placed = self._placed() if self._weight > 0 else None
        if placed is None:
            return drawn
        height, width = placed.image.shape[:2]
        at = slice(placed.top, placed.top + height), slice(placed.left, placed.left + width)
        weight = smoothstep(0.0, 1.0, self._weight)
        part = placed.image if drawn.shape[2] == 3 else cv2.cvtColor(placed.image, cv2.COLOR_RGB2RGBA)
        out = drawn.copy()
        out[at] = cv2.addWeighted(out[at], 1 - weight, np.asarray(part), weight, 0)
        return out

    def _tell(self) -> bool:
        """Whether the camera is shown; who wants to know hears of a change."""
        is_shown = self.is_shown
        with self._lock:
            is_new, self._told = is_shown != self._told, is_shown
        if is_new:
            self._changed(is_shown)
        return is_shown

    def _placed(self) -> Placed | None:
        with self._lock:
            glimpsed, laid = self._glimpsed, self._canvas
            if glimpsed is None or laid is None:
                return None
            if self._drawn is None or self._drawn[0] is not glimpsed:
                canvas, photo_width = laid
                fitted = replace(canvas, scale=canvas.scale * photo_width / glimpsed.shape[1])
                self._drawn = glimpsed, fitted.place(glimpsed)
            return self._drawn[1]


def _moved(weight: float, step: float, up: bool) -> float:
    return min(1.0, weight + step) if up else max(0.0, weight - step)
