"""What the speech network hears in a recording, kept as its last layer gets it."""

import numpy as np
from jaxtyping import Bool, Float, Float32

from models.audio.curves import SPEECH
from models.audio.speech_mouth import HOP_NS, LOOK_AHEADS_MS, SpeechToMouth

_SPEAKS = 0.5  # probability


class MouthHeard:
    """Collects what is said at every look-ahead. Keeps no sound."""

    def __init__(self) -> None:
        self._mouth = SpeechToMouth()
        self._answers: list[Float32[np.ndarray, "heads outputs"]] = []
        self._hidden: list[Float32[np.ndarray, "heads hidden"]] = []
        self._ends_s: list[float] = []
        self._next_ns: int | None = None
        self.speech_s = 0.0
        """Seconds of speech so far."""

    def add(self, hop: Float32[np.ndarray, "320"], pts_ns: int) -> bool:
        """Takes the next 20 ms at 16 kHz and says whether somebody speaks."""
        if self._next_ns is not None and abs(pts_ns - self._next_ns) > HOP_NS:
            self._mouth.restart()
        self._next_ns = pts_ns + HOP_NS
        answers, hidden = self._mouth.step(hop)
        self._answers.append(answers)
        self._hidden.append(hidden)
        self._ends_s.append(self._next_ns / 1e9)
        speaks = bool(answers[LOOK_AHEADS_MS.index(0), SPEECH] > np.log(_SPEAKS / (1 - _SPEAKS)))
        self.speech_s += speaks * HOP_NS / 1e9
        return speaks

    def covers(self, times_s: Float[np.ndarray, "n"], head: int) -> Bool[np.ndarray, "n"]:
        """Which instants lie between the first and the last that one head has described."""
        described = np.array(self._ends_s) - LOOK_AHEADS_MS[head] / 1000
        return (times_s >= described[0]) & (times_s <= described[-1])

    def at(
        self, times_s: Float[np.ndarray, "n"], head: int
    ) -> tuple[Float32[np.ndarray, "n outputs"], Float32[np.ndarray, "n hidden"]]:
        """Answers of one head, and what its last layer was given, at the instants that they describe; interpolated.

        Beyond the first and the last it stays as it was there. At least one hop must have been heard.
        """
        described = np.array(self._ends_s) - LOOK_AHEADS_MS[head] / 1000
        after = np.clip(np.searchsorted(described, times_s), 1, max(len(described) - 1, 1))
        before = after - 1
        after = np.minimum(after, len(described) - 1)
        spacing = np.maximum(described[after] - described[before], 1e-9)
        share = np.clip((times_s - described[before]) / spacing, 0.0, 1.0).astype(np.float32)[:, None]
        answers, hidden = (np.stack([row[head] for row in rows]) for rows in (self._answers, self._hidden))
        return (
            answers[before] * (1 - share) + answers[after] * share,
            hidden[before] * (1 - share) + hidden[after] * share,
        )
