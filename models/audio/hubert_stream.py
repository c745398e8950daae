"""HuBERT, listening live: bounded windows that move on by a hop, with a bounded look ahead."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from models.audio.hubert import HOP, SPAN, Hubert
from models.audio.mel import RATE_HZ

_MEMORY = 30 * RATE_HZ
"""Samples over which mean and variance are taken."""
_HEARD = RATE_HZ
"""Samples that count as heard before the first: ordinary speech, of this variance."""
_VARIANCE = 0.05**2


class RunningNormaliser:
    """Sound of mean 0 and variance 1, by what was heard so far; the original takes the whole utterance."""

    def __init__(self) -> None:
        self._count, self._mean, self._square = float(_HEARD), 0.0, _VARIANCE

    def push(self, hop: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
        """The next samples, by the mean and variance of all up to the last of them."""
        self._count = min(self._count + len(hop), float(_MEMORY))
        share = len(hop) / self._count
        self._mean += share * (float(hop.mean(dtype=np.float64)) - self._mean)
        self._square += share * (float(np.square(hop, dtype=np.float64).mean()) - self._square)
        variance = max(self._square - self._mean**2, 0.0)
        return ((hop - self._mean) / np.sqrt(variance + 1e-7)).astype(np.float32)


class HubertStream:
    """Samples in, frames of features out, 50 per second; the same sound gives the same frames, however it is cut.

    Each hop is heard in a window of its own: some frames before it, the hop, and some after it. The convolutions over
    the sound run once per frame, the transformer once per window. A hop of n frames ends in a frame whose number is a
    multiple of n, and this frame i is complete with sample 320 (i + ahead + 2) - 1.
    """

    def __init__(self, hubert: Hubert, hop: int = 2, before: int = 96, ahead: int = 4) -> None:
        """Args are in frames of 20 ms: given out at once, known from before, known from after."""
        self._hubert = hubert
        self._hop, self._before, self._ahead = hop, before, ahead
        self._device = next(hubert.parameters()).device
        self._normaliser = RunningNormaliser()
        self._fresh = np.zeros(0, np.float32)
        self._sound = np.zeros(0, np.float32)
        self._frames: Tensor | None = None
        self._count = 0
        """Frames since the start."""
        self._given = 0
        """Of those in the window, the first that were given out."""

    @torch.inference_mode()
    def push(self, samples: Float32[np.ndarray, "n"]) -> Float[Tensor, "frames hidden"]:
        """Takes the next samples at 16 kHz; returns the frames that they complete, on the network's device."""
        self._fresh = np.concatenate([self._fresh, samples])
        out = [torch.zeros(0, self._hubert.encoder.layer_norm.weight.shape[0], device=self._device)]
        for _ in range(len(self._fresh) // HOP):
            hop, self._fresh = self._fresh[:HOP], self._fresh[HOP:]
            self._sound = np.concatenate([self._sound, self._normaliser.push(hop)])
            if len(self._sound) >= SPAN:
                out += self._hear()
        return torch.cat(out)

    def _hear(self) -> list[Tensor]:
        """One more frame of sound, and the features of a hop if it is complete."""
        sound = torch.from_numpy(self._sound[:SPAN])[None].to(self._device)
        self._sound = self._sound[HOP:]
        frame = self._hubert.sounds(sound)
        self._frames = frame if self._frames is None else torch.cat([self._frames, frame], dim=1)
        self._count += 1
        last = self._count - 1 - self._ahead
        if last < 0 or last % self._hop:
            return []
        end = self._frames.shape[1] - self._ahead
        features = self._hubert.features(self._frames)[0, self._given : end]
        self._frames = self._frames[:, max(0, end - self._before) :]
        self._given = min(end, self._before)
        return [features]
