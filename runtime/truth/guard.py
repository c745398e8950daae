"""Compares what the other end sees with what the camera sees, a few times a second, beside the driver.

guard = TruthGuard(avatar, Bystanders(), changed)
FaceVideo(..., watch=guard.look)          hands over frames; never waits
...
guard.close()
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.builtin.avatar import BuiltinAvatar
from models.bystanders import Bystanders
from models.face import load_face_model
from models.landmarks import Landmarks
from models.motion import Motion
from models.topology import SURFACE_COUNT
from runtime.faults import in_words
from runtime.frame import Frame
from runtime.slot import Slot
from runtime.truth.comparison import Comparison, Difference
from runtime.truth.unwrap import Unwrap
from runtime.truth.verdict import Cause, Sight, Verdict

EVERY_NS = 150_000_000
"""Of the frames' time, between two that are looked at."""

_log = logging.getLogger(__name__)

_FOLLOWED = 0.5  # confidence from which a motion is worth comparing
_COARSE = 1  # the avatar's level: half of the pixels each way


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame, the face in it, and the motion that the driver made of it."""

    frame: Frame
    landmarks: Landmarks | None
    motion: Motion


class Examiner:
    """Frames -> verdict, one after the other. No clock and no thread of its own; not thread-safe."""

    def __init__(self, avatar: BuiltinAvatar, bystanders: Bystanders) -> None:
        """`avatar`: of the portrait that the other end shows, small."""
        self._avatar, self._bystanders = avatar, bystanders
        self._unwrap, self._comparison, self.verdict = Unwrap(load_face_model()), Comparison(), Verdict()
        self._face: Landmarks | None = None

    def examine(self, seen: Seen) -> Sight:
        """What a frame shows; the verdict has heard of it."""
        if seen.landmarks is not None:
            self._face = seen.landmarks
        others = self._face is not None and self._bystanders.any(seen.frame.image, self._face)
        turn_rad = float(np.linalg.norm(seen.motion.rotation))
        sight = Sight(self._difference(seen), turn_rad, others)
        self.verdict.push(sight, seen.frame.pts_ns)
        return sight

    def _difference(self, seen: Seen) -> Difference | None:
        if seen.landmarks is None or seen.motion.confidence < _FOLLOWED:
            return None
        landmarks = seen.landmarks[:SURFACE_COUNT, :2].astype(np.float64)
        drawn_at = self._avatar.landmarks(seen.motion)[:, :2]
        picture = self._avatar.render(seen.motion, _COARSE)
        filmed = self._unwrap(seen.frame.image, landmarks)
        drawn = self._unwrap(np.ascontiguousarray(picture[..., :3]), drawn_at)
        return self._comparison(filmed, drawn, landmarks, drawn_at, seen.frame.pts_ns)


class TruthGuard:
    """An `Examiner` in a thread of its own. Frames end here: what leaves it is a cause."""

    def __init__(
        self,
        avatar: BuiltinAvatar,
        bystanders: Bystanders,
        changed: Callable[[Cause | Literal["not watched"] | None], None],
        mend: Callable[[Seen, Cause | None], BuiltinAvatar | None] = lambda seen, cause: None,
    ) -> None:
        """`changed` hears each new verdict; `mend` is shown each frame with the verdict so far, and may return what the
        other end shows from now on. Both in the guard's thread."""
        self._bystanders, self._changed, self._mend = bystanders, changed, mend
        self._examiner = Examiner(avatar, bystanders)
        self._slot: Slot[Seen] = Slot()
        self._next_ns = 0
        self._fresh: BuiltinAvatar | None = None
        self.cause: Cause | Literal["not watched"] | None = None
        """The verdict so far; nothing is looked at any more after a failure."""
        self._thread = threading.Thread(target=self._run, name="truth guard", daemon=True)
        self._thread.start()

    def look(self, frame: Frame, landmarks: Landmarks | None, motion: Motion) -> None:
        """Takes a frame if it is time for one. The driver's thread; never blocks."""
        if frame.pts_ns >= self._next_ns:
            self._next_ns = frame.pts_ns + EVERY_NS
            self._slot.put(Seen(frame, landmarks, motion))

    def compare_with(self, avatar: BuiltinAvatar) -> None:
        """What the other end shows from the next frame on, another one than `mend` said. Any thread."""
        self._fresh = avatar

    def close(self) -> None:
        """Ends the thread and frees the models. May be called twice."""
        self._slot.close()
        self._thread.join()
        self._bystanders.close()

    def _run(self) -> None:
        while not self._slot.closed:
            seen = self._slot.take()
            if seen is None:
                continue
            try:
                self._take(seen)
            except Exception as error:
                _log.warning("whether the portrait is true is not told any more: %s", in_words(error))
                self.cause = "not watched"
                self._changed(self.cause)
                return

    def _take(self, seen: Seen) -> None:
        fresh, self._fresh = self._fresh, None
        if fresh is not None:
            self._examiner = Examiner(fresh, self._bystanders)
        self._examiner.examine(seen)
        avatar = self._mend(seen, self._examiner.verdict.cause)
        if avatar is not None:
            self._examiner = Examiner(avatar, self._bystanders)
        if self._examiner.verdict.cause != self.cause:
            self.cause = self._examiner.verdict.cause
            self._changed(self.cause)
