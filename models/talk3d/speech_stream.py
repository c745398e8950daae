"""Speech -> what frames hear, live, with a bounded look ahead.

The released program reads a file: it runs its network on 1.4 s of sound, of which it keeps the second that has 0.2 s
before and after it. Here the network is run for every frame on the second before it and 0.2 s after it.
"""

import numpy as np
import torch
from jaxtyping import Float32

from models.audio.hubert_stream import HubertStream
from models.talk3d.audio_windows import PER_FRAME, frame_sound
from models.talk3d.conditions import SPAN, SYMBOLS, WINDOWS
from models.talk3d.speech_scores import SpeechScores

BEFORE, AHEAD = 50, 10
"""Scores around those of a frame that the network sees."""
REACH = PER_FRAME * (WINDOWS // 2 - 1) + SPAN // 2
"""Scores after a frame's instant that it hears."""
LOOK_AHEAD_NS = 20_000_000 * (REACH + AHEAD + 2)
"""How long after the instant that it describes what a frame hears is complete."""
_KEPT = WINDOWS // 2 + SPAN // 2 // PER_FRAME
"""Frames before the next whose scores it hears."""

FrameSounds = Float32[np.ndarray, "frames 8 44 16"]


class WindowStream:
    """Scores -> what frames hear; the first is 0. The same as `frame_sound` of the whole clip, but at its end."""

    def __init__(self) -> None:
        self._scores = np.zeros((0, SYMBOLS), np.float32)
        self._first = self._next = 0
        """Frames: the one that the scores begin with, and the one to give out next."""

    def push(self, scores: Float32[np.ndarray, "n 44"]) -> FrameSounds:
        """Takes the next scores; returns what the frames hear that they complete."""
        self._scores = np.concatenate([self._scores, scores])
        out = [np.zeros((0, WINDOWS, SYMBOLS, SPAN), np.float32)]
        while len(self._scores) >= PER_FRAME * (self._next - self._first) + REACH:
            out.append(frame_sound(self._scores, self._next - self._first)[None])
            self._next += 1
            dropped = max(0, self._next - _KEPT - self._first)
            self._scores = self._scores[PER_FRAME * dropped :]
            self._first += dropped
        return np.concatenate(out)


class SpeechStream:
    """16 kHz samples -> what frames hear, 25 per second.

    Frame t describes the instant 40 t ms after the first sample. It is complete `LOOK_AHEAD_NS` later.
    """

    def __init__(self, network: SpeechScores) -> None:
        self._heard = HubertStream(network.wav2vec2, PER_FRAME, BEFORE, AHEAD)
        self._head, self._windows = network.lm_head, WindowStream()

    @torch.inference_mode()
    def push(self, samples: Float32[np.ndarray, "n"]) -> FrameSounds:
        """Takes the next samples, about -1..1; returns what the frames hear that they complete."""
        return self._windows.push(self._head(self._heard.push(samples)).cpu().numpy())
