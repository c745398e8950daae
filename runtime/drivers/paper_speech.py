"""PaperSpeech: the driver from sound to face by an engine's own network of speech."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from jaxtyping import Float32

from models.audio.speech_mouth import SpeechToMouth, audible
from models.motion import Motion
from runtime.drivers.gestures import Gestures
from runtime.drivers.hearing import HOP_NS, Heard, Hearing
from runtime.sound import Sound

ToldT = TypeVar("ToldT", bound=np.ndarray, covariant=True)


class Stream(Protocol[ToldT]):
    """16 kHz samples -> rows of numbers, 25 per second; the first describes the first sample's instant."""

    def push(self, samples: Float32[np.ndarray, "n"]) -> ToldT:
        """Takes the next samples, about -1..1; returns the rows that they complete."""
        ...


class PaperSpeech(Generic[ToldT]):
    """Driver[Sound]: 25 motions per second; the paper says what speech does, `SpeechFace` brows, lids and head.

    The motion at `pts_ns` follows from the sound up to `pts_ns + look_ahead_ns` and does not depend on how the sound
    was cut into blocks. The first of each stretch of sound describes its first instant.
    """

    def __init__(
        self,
        stream: Callable[[], Stream[ToldT]],
        look_ahead_ns: int,
        motion: Callable[[Heard, ToldT], Motion],
        gestures: Gestures | None = None,
    ) -> None:
        """See the class.

        Args:
            stream: makes a new one for each stretch of sound.
            look_ahead_ns: how long after the instant that it describes a row of it is complete.
            motion: of what was heard otherwise, and a row.
            gestures: of brows, lids and head.
        """
        self._open, self._motion, self.look_ahead_ns = stream, motion, look_ahead_ns
        self._hearing = Hearing(SpeechToMouth(), gestures or Gestures())
        self._before = self._hearing.look_ahead_ns // HOP_NS - 1
        """How many are heard that describe instants before the sound's first."""

    def push(self, value: Sound) -> Sequence[Motion]:
        """Takes the next block of sound; returns the motions that it completes, in time order."""
        return [motion for heard in self._hearing.push(value) for motion in self._hear(heard)]

    def close(self) -> None:
        """Does nothing: the networks are freed with this object."""

    def _hear(self, heard: Heard) -> list[Motion]:
        if heard.begins:
            self._stream = self._open()
            self._waiting: deque[Heard] = deque()
            self._skipped = self._before
        self._waiting.append(heard)
        out = []
        for row in self._stream.push(audible(heard.samples)):
            for _ in range(self._skipped):
                self._waiting.popleft()
            out.append(self._motion(self._waiting.popleft(), row))
            self._skipped = 1  # of 50 per second every second one meets one of 25
        return out
