"""SpeechToMouth: listens to one voice live and says what its mouth does, 50 times per second."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from models.audio.curves import CURVES, MouthFrame, chances
from models.audio.mel import RATE_HZ, LogMel, Normaliser
from models.audio.speaker_layer import SpeakerLayer
from models.audio.variation import WEIGHTS as VARIATION
from models.audio.variation import MouthVariation

HOP = 320
"""Samples per frame of the mouth: 20 ms."""
HOP_NS = HOP * 1_000_000_000 // RATE_HZ
LOOK_AHEADS_MS = (0, 40, 80, 120)
WEIGHTS = Path(__file__).parent.parent / "data" / "speech_mouth.onnx"

_LOUDEST = 4.0
"""Samples are limited to this; sound that is not a number is silence."""

Samples = Float32[np.ndarray, "n"]


class SpeechToMouth:
    """Speech network with its state. Not thread-safe; one object per voice.

    The frame after hop k (from 0) describes the instant `(k + 1) * HOP_NS - look_ahead_ns` after the first sample; the
    first frames describe instants before it. The same sound gives the same frames, however it is cut.
    """

    def __init__(
        self,
        look_ahead_ms: int = 80,
        weights: Path = WEIGHTS,
        speaker: SpeakerLayer | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> None:
        """`speaker`: the person whose mouth is to be heard; None for everybody's.

        `temperature`: 0 is the mean of how it may be said, above it `seed` chooses among the ways.

        Raises ValueError for a look-ahead that is not in `LOOK_AHEADS_MS`, a speaker of other weights, and a
        temperature outside 0..1.5.
        """
        if look_ahead_ms not in LOOK_AHEADS_MS:
            raise ValueError(f"look-ahead of {look_ahead_ms} ms: choose one of {LOOK_AHEADS_MS}")
        if speaker is not None and speaker.network != network_digest(weights):
            raise ValueError(f"the speaker's layer was made for other weights than {weights.name}")
        self._head, self._speaker = LOOK_AHEADS_MS.index(look_ahead_ms), speaker
        self._session = open_network(weights)
        self._state_shape = self._session.get_inputs()[1].shape
        self._variation = MouthVariation(open_network(VARIATION), temperature, seed) if temperature else None
        self.look_ahead_ns = look_ahead_ms * 1_000_000
        self.reset()

    def reset(self) -> None:
        """Forgets sound, room and voice."""
        self._normaliser = Normaliser()
        self.restart()
        if self._variation:
            self._variation.reset()

    def restart(self) -> None:
        """Forgets the sound alone: what comes next lies elsewhere in time, in the same room."""
        self._mel = LogMel()
        self._state = np.zeros(self._state_shape, np.float32)
        self._pending = np.zeros(0, np.float32)
        if self._variation:
            self._variation.restart()

    def push(self, samples: Samples) -> list[MouthFrame]:
        """Takes the next samples at 16 kHz, about -1..1; returns a frame for every hop that they complete."""
        self._pending = np.concatenate([self._pending, samples])
        hops = len(self._pending) // HOP
        frames = [self._hear(self._pending[k * HOP : (k + 1) * HOP]) for k in range(hops)]
        self._pending = self._pending[hops * HOP :]
        return frames

    def _hear(self, hop: Float32[np.ndarray, "320"]) -> MouthFrame:
        every, hidden = self.step(hop)
        answer = every[self._head]
        closed, speech = (chance.item() for chance in chances(answer[None]))
        curves = np.clip(answer[: len(CURVES)], 0.0, 1.0)
        if self._speaker is not None:
            curves = self._speaker.curves(self._head, answer[None], hidden[self._head, None])[0]
        if self._variation is not None:
            curves = np.clip(curves * self._variation.factors(answer), 0.0, 1.0)
        return MouthFrame(curves, closed, speech)

    def step(
        self, hop: Float32[np.ndarray, "320"]
    ) -> tuple[Float32[np.ndarray, "heads outputs"], Float32[np.ndarray, "heads hidden"]]:
        """What the network says after one more hop, at every look-ahead, as it was trained, and what its last layer
        is given: for measurements and fits."""
        features = self._normaliser.push(self._mel.push(audible(hop)))
        given = {"features": features, "state": self._state}
        answers, self._state, hidden = self._session.run(["answers", "next_state", "hidden"], given)
        return answers, hidden.reshape(len(answers), -1)


def audible(samples: Samples) -> Samples:
    """Samples that networks can be given."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)


def network_digest(weights: Path = WEIGHTS) -> str:
    """SHA-256 of the weights, hexadecimal."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def open_network(weights: Path) -> Any:
    """The network on one thread."""
    import onnxruntime  # a second to load: only for those who listen

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
