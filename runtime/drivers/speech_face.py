"""SpeechFace: the driver from sound to face, by the network that heard synthetic voices."""

from collections.abc import Sequence

from models.audio.lip_control import LipControl
from models.audio.speaker_layer import SpeakerLayer
from models.audio.speech_mouth import HOP, SpeechToMouth
from models.ease import smoothstep
from models.face import FaceModel
from models.motion import Motion
from runtime.drivers.gestures import HOP_S, Gestures
from runtime.frame import AudioWindow, Sound
from runtime.resample import SpeechWindows

_HOP_NS = round(HOP_S * 1e9)
_SPEAKS = 0.5  # probability
_PAUSE_S = 1.0  # within speech a pause is shorter
_EARNED = 3.0  # and no longer than so many times what was spoken before it: a bang earns none
_RISE_S, _FALL_S = 0.08, 0.6


class SpeechFace:
    """Driver[Sound]: 50 motions per second of mouth, brows, lids and head.

    The motion at `pts_ns` follows from the sound up to `pts_ns + look_ahead_ns` and does not depend on how the sound
    was cut into blocks. Confidence rises to 1 with the first speech and eases to 0 from a second after the last.
    """

    def __init__(
        self,
        model: FaceModel,
        look_ahead_ms: int = 80,
        amplitude: float = 1.0,
        gestures: Gestures | None = None,
        speaker: SpeakerLayer | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> None:
        """`look_ahead_ms`: 0, 40, 80 or 120. `amplitude`: of the mouth, see `LipControl`. `speaker`: whose mouth it
        is; None for everybody's. `temperature`, `seed`: of the mouth's variation, see `SpeechToMouth`."""
        self._windows = SpeechWindows(hop_samples=HOP)
        self._ear = SpeechToMouth(look_ahead_ms, speaker=speaker, temperature=temperature, seed=seed)
        self._lips = LipControl(model)
        self._amplitude = amplitude
        self._gestures = gestures or Gestures()
        self.look_ahead_ns = look_ahead_ms * 1_000_000
        self._speaking, self._spoken_s, self._silent_s = 0.0, 0.0, 0.0
        self._next_ns: int | None = None

    def push(self, value: Sound) -> Sequence[Motion]:
        """Takes the next block of sound; returns the motions that it completes, in time order."""
        return [motion for window in self._windows.push(value) for motion in self._hear(window)]

    def close(self) -> None:
        """Does nothing: the network is freed with this object."""

    def _hear(self, window: AudioWindow) -> list[Motion]:
        if self._next_ns is not None and abs(window.pts_ns - self._next_ns) > _HOP_NS:
            self._ear.restart()  # the sound goes on elsewhere in time; what is known of room and voice stays
        self._next_ns = window.pts_ns + _HOP_NS
        out = []
        for frame in self._ear.push(window.samples):
            gesture = self._gestures.follow(window.samples, frame.speech)
            confidence = smoothstep(0.0, 1.0, self._follow_speech(frame.speech > _SPEAKS))
            mouth = self._lips.expression(frame, self._amplitude)
            out.append(
                Motion(
                    pts_ns=self._next_ns - self.look_ahead_ns,
                    expression=mouth + gesture.expression,
                    rotation=gesture.rotation,
                    confidence=confidence,
                )
            )
        return out

    def _follow_speech(self, speaks: bool) -> float:
        """0..1: whether somebody is speaking, pauses included; comes and goes softly."""
        if speaks:
            self._spoken_s, self._silent_s = self._spoken_s + HOP_S, 0.0
        else:
            self._silent_s += HOP_S
        lasts = self._silent_s < min(_PAUSE_S, _EARNED * self._spoken_s)
        if not lasts:
            self._spoken_s = 0.0
        self._speaking = _approach(self._speaking, lasts)
        return self._speaking


def _approach(value: float, up: bool) -> float:
    """One hop's way towards 1 or 0."""
    return min(value + HOP_S / _RISE_S, 1.0) if up else max(value - HOP_S / _FALL_S, 0.0)
