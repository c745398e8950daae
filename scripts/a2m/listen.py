"""What the exported network says about a sound, as arrays over time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2m.phones import VISEMES
from models.audio.curves import CLOSED, CLOSED_AT, CURVES, INDEX, SPEECH
from models.audio.speech_mouth import HOP, LOOK_AHEADS_MS, SpeechToMouth, open_network


@dataclass(frozen=True, slots=True)
class Heard:
    times: np.ndarray
    """Seconds from the first sample; 50 per second."""
    curves: np.ndarray
    """[n, 15], 0..1."""
    visemes: np.ndarray
    """[n, 17] logits."""
    closed: np.ndarray
    """[n] logits; lips that pass 0 count as pressed."""
    speech: np.ndarray
    """[n] logits."""

    def __getitem__(self, name: str) -> np.ndarray:
        """A curve by name; "width" is spread less rounding."""
        if name == "width":
            return self["lipWide"] - self["lipRound"]
        return self.curves[:, INDEX[name]]


class Listener:
    """Hears whole sounds; every look-ahead at once."""

    def __init__(self, weights: Path) -> None:
        self._mouth = SpeechToMouth(weights=weights)

    def hear(self, samples: np.ndarray, look_ahead_ms: int = 80, warm: bool = False) -> Heard:
        """`warm`: the network has heard the same sound just before."""
        self._mouth.reset()
        sound = samples.astype(np.float32)
        if warm:
            self._run(sound)
        count = len(sound) // HOP
        tail = np.zeros(look_ahead_ms * 16 // HOP * HOP, np.float32)
        answers = self._run(np.concatenate([sound[: count * HOP], tail]))[:, LOOK_AHEADS_MS.index(look_ahead_ms)]
        times = (np.arange(len(answers)) + 1) * HOP / 16_000 - look_ahead_ms / 1000
        heard, n = answers[times >= 0], len(CURVES)
        return Heard(
            times[times >= 0],
            np.clip(heard[:, :n], 0, 1),
            heard[:, n : n + len(VISEMES)],
            heard[:, CLOSED] - CLOSED_AT,
            heard[:, SPEECH],
        )

    def _run(self, sound: np.ndarray) -> np.ndarray:
        return np.stack([self._mouth.step(sound[i : i + HOP])[0] for i in range(0, len(sound) - HOP + 1, HOP)])


def step_answers(weights: Path) -> Callable[[Tensor], Tensor]:
    """The exported network on given features: [batch, 2 n, 66] -> [batch, n, outputs] at 80 ms."""
    heads, head = step_heads(weights), LOOK_AHEADS_MS.index(80)
    return lambda features: torch.from_numpy(np.stack([heads(rows)[:, head] for rows in features.numpy()]))


def step_heads(weights: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The exported network on the features of one sound: [2 n, 66] -> [n, heads, outputs]."""
    session = open_network(weights)
    shape = session.get_inputs()[1].shape

    def heads(features: np.ndarray) -> np.ndarray:
        state, said = np.zeros(shape, np.float32), []
        for k in range(0, len(features), 2):
            every, state = session.run(["answers", "next_state"], {"features": features[k : k + 2], "state": state})
            said.append(every)
        return np.stack(said)

    return heads
