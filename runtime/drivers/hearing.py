"""Hearing: what sound tells beside the driver's lips: who speaks when, and what head, brows and lids do meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from models.audio.curves import MouthFrame
from models.audio.speech_mouth import HOP, SpeechToMouth
from models.ease import smoothstep
from models.motion import Motion
from runtime.drivers.gestures import HOP_S, Gesture, Gestures
from runtime.resample import SpeechWindows
from runtime.sound import Sound

HOP_NS = round(HOP_S * 1e9)
"""From one `Heard` to the next."""

_SPEAKS = 0.5  # probability
_PAUSE_S = 1.0  # within speech a pause is shorter
_EARNED = 3.0  # and no longer than so many times what was spoken before it: a bang earns none
_RISE_S, _FALL_S = 0.08, 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What 20 ms more of sound tell."""

    samples: Float32[np.ndarray, "320"]
    """The sound, 16 kHz."""
    begins: bool
    """Whether it follows on nothing: the first, or the sound goes on elsewhere in time."""
    pts_ns: int
    """Instant described: the sound's end, less the look-ahead."""
    mouth: MouthFrame
    """By the agent's own network."""
    gesture: Gesture
    confidence: float
    """0..1: whether somebody speaks, pauses included; comes and goes softly."""

    def motion(self, mouth: Float32[np.ndarray, "64"]) -> Motion:
        """The whole motion with these coefficients of the mouth."""
        return Motion(
            pts_ns=self.pts_ns,
            expression=mouth + self.gesture.expression,
            rotation=self.gesture.rotation,
            confidence=self.confidence,
        )


class Hearing:
    """Sound -> 50 times per second what was heard; it does not depend on how the sound was cut into blocks."""

    def __init__(self, ear: SpeechToMouth, gestures: Gestures) -> None:
        self._windows = SpeechWindows(hop_samples=HOP)
        self._ear, self._gestures = ear, gestures
        self.look_ahead_ns = ear.look_ahead_ns
        self._speaking, self._spoken_s, self._silent_s = 0.0, 0.0, 0.0
        self._next_ns: int | None = None

    def push(self, sound: Sound) -> Iterator[Heard]:
        """Takes the next block of sound; yields what it completes, in time order. To be exhausted before the next."""
        for window in self._windows.push(sound):
            begins = self._next_ns is None or abs(window.pts_ns - self._next_ns) > HOP_NS
            if begins:
                self._ear.restart()  # what is known of room and voice stays
            self._next_ns = window.pts_ns + HOP_NS
            (mouth,) = self._ear.push(window.samples)
            yield Heard(
                samples=window.samples,
                begins=begins,
                pts_ns=self._next_ns - self.look_ahead_ns,
                mouth=mouth,
                gesture=self._gestures.follow(window.samples, mouth.speech),
                confidence=smoothstep(0.0, 1.0, self._follow_speech(mouth.speech > _SPEAKS)),
            )

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
