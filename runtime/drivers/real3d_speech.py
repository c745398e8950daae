"""Real3dSpeech: the driver from sound to face by Real3D-Portrait's own audio-to-motion network."""

from collections import deque
from collections.abc import Callable, Sequence

from calibration.mouth_fit import MouthFit
from models.audio.speech_mouth import SpeechToMouth, audible
from models.motion import Motion
from models.real3d.speech_stream import LOOK_AHEAD_NS, SpeechStream
from runtime.drivers.gestures import Gestures
from runtime.drivers.hearing import HOP_NS, Heard, Hearing
from runtime.sound import Sound


class Real3dSpeech:
    """Driver[Sound]: 25 motions per second; the mouth is the paper's, brows, lids, head and confidence `SpeechFace`'s.

    The motion at `pts_ns` follows from the sound up to `pts_ns + look_ahead_ns` and does not depend on how the sound
    was cut into blocks. The first of each stretch of sound describes its first instant.
    """

    look_ahead_ns = LOOK_AHEAD_NS

    def __init__(self, stream: Callable[[], SpeechStream], fit: MouthFit, gestures: Gestures | None = None) -> None:
        """`stream`: makes a new one for each stretch of sound. `fit`: of the face model that the stream speaks of."""
        self._open, self._fit = stream, fit
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
        for expression in self._stream.push(audible(heard.samples)):
            for _ in range(self._skipped):
                self._waiting.popleft()
            out.append(self._waiting.popleft().motion(self._fit(expression)))
            self._skipped = 1  # of 50 per second every second one meets one of 25
        return out
