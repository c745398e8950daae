"""The stage: the engine and avatar that are drawn, and those that wait to take their place."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from models.ease import smoothstep
from models.motion import Motion
from models.portrait import Pixels
from runtime.engines import Engine
from runtime.faults import Faults
from runtime.picture import Picture

_EASE_NS = 500_000_000  # within which drivers lose what they weigh while drawing fails, and gain it again
_FADE_NS = 500_000_000  # from what was shown to what takes its place softly
_OFTEN_NS = 1_000_000_000  # for so long a failing engine is tried at every picture, then once in as long


Over = Callable[[Pixels, int], Pixels]
"""What was drawn, and when it is due -> what is shown, as large: that, or another array."""


class Stage:
    """Changes engine and avatar between two pictures. Owns the engines that it is given and closes each once.

    It alone makes `Picture`s, of nothing but what an engine drew and, in a call, what the other end shows over it.
    """

    def __init__(self, engine: Engine[Any], avatar: Any, over: Over | None = None) -> None:
        """`over`: of live pictures."""
        self._lock = threading.Lock()  # guards all below
        self._shown: tuple[Engine[Any], Any] = (engine, avatar)
        self._next: tuple[Engine[Any], Any] | None = None
        self._softly = False  # whether the next comes in gradually
        self._closed, self._over = False, over
        self._retiring: list[threading.Thread] = []
        # What is below is the loop's.
        self._faults = Faults("drawing", "the last picture stays until it works again")
        self._last: Picture | None = None
        self._fading: Picture | None = None  # the last picture of what was shown before
        self._retry_ns = 0
        self._trust = 1.0

    @property
    def faults(self) -> int:
        """How often drawing failed and the picture before was shown again."""
        return self._faults.count

    def swap(self, engine: Engine[Any], avatar: Any, softly: bool = False) -> None:
        """Shows another avatar from the next picture on; the newest wins. Any thread; never blocks.

        The engine may be the one that is shown. One that is not needed any more is closed on a thread of its own.
        `softly`: in live pictures, it comes in over half a second.
        """
        with self._lock:
            self._softly = softly
            unused = (engine, avatar) if self._closed else self._next
            if not self._closed:
                self._next = (engine, avatar)
            self._retire(unused)

    @property
    def levels(self) -> int:
        """Of the engine that is shown."""
        return self._shown[0].levels

    def render(self, motion: Motion, due_ns: int, level: int = 0) -> Picture:
        """The picture of what is shown now, due at an instant, at this level or the engine's last.

        Raises what the engine does. The loop's alone, as the next.
        """
        with self._lock:
            if self._next is not None:
                before, self._shown, self._next = self._shown, self._next, None
                self._fading = self._last if self._softly else None
                self._retire(before)
            engine, avatar = self._shown
        return Picture(engine.render(avatar, motion, min(level, engine.levels - 1)), motion, due_ns)

    def render_live(self, motion: Motion, due_ns: int, level: int = 0) -> Picture:
        """As `render`, but where drawing fails, the last good picture, due now; the motion that it shows stays as old.

        An engine that has failed for a second is tried once a second, and at once after a swap. Raises what the
        engine raises while there is no good picture yet.
        """
        picture = self._drawn_live(motion, due_ns, level)
        return picture if self._over is None else replace(picture, image=self._over(picture.image, due_ns))

    def eased(self, motion: Motion | None) -> Motion | None:
        """A driver's motion, which counts the less the longer drawing fails: what is drawn next may be the cause."""
        if motion is None or self._trust == 1.0:
            return motion
        return replace(motion, confidence=motion.confidence * self._trust)

    def close(self) -> None:
        """Closes all engines; what is swapped in later is closed at once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            waiting, self._next = self._next, None
            self._retire(waiting)
        for thread in self._retiring:
            thread.join()
        self._shown[0].close()

    def _drawn_live(self, motion: Motion, due_ns: int, level: int) -> Picture:
        if self._last is not None and due_ns < self._retry_ns and self._next is None:
            return self._again(self._last, due_ns)
        try:
            picture = self._faded(self.render(motion, due_ns, level))
        except Exception as error:
            if self._last is None:
                raise
            if self._faults.failed(error, due_ns) >= _OFTEN_NS:
                self._retry_ns = due_ns + _OFTEN_NS
            return self._again(self._last, due_ns)
        self._faults.worked()
        if self._last is not None:
            self._trust = min(1.0, self._trust + (due_ns - self._last.due_ns) / _EASE_NS)
        self._last, self._retry_ns = picture, 0
        return picture

    def _faded(self, picture: Picture) -> Picture:
        """The picture, or what lies between it and the last one of the avatar before."""
        before = self._fading
        if before is None:
            return picture
        weight = smoothstep(0.0, 1.0, (picture.due_ns - before.due_ns) / _FADE_NS)
        if weight >= 1 or before.image.shape != picture.image.shape:
            self._fading = None
            return picture
        between = cv2.addWeighted(before.image, 1 - weight, picture.image, weight, 0)
        return replace(picture, image=np.asarray(between))

    def _again(self, last: Picture, due_ns: int) -> Picture:
        self._trust = max(0.0, self._trust - (due_ns - last.due_ns) / _EASE_NS)
        self._last = replace(last, due_ns=due_ns)
        return self._last

    def _retire(self, unused: tuple[Engine[Any], Any] | None) -> None:
        """Closes an engine if nothing uses it; freeing a device may take longer than a picture has time."""
        used = [pair[0] for pair in (self._shown, self._next) if pair is not None]
        if unused is None or any(unused[0] is engine for engine in used):
            return
        thread = threading.Thread(target=unused[0].close, name="retired engine", daemon=True)
        self._retiring = [*(thread for thread in self._retiring if thread.is_alive()), thread]
        thread.start()
