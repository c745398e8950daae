"""Speech -> expressions, live: audio-to-motion of Real3D-Portrait with a bounded look ahead.

The network hears three seconds to both sides. Live, the past is as it was; in place of what is not heard yet stands the
average of what was, without a voice. Noise belongs to instants, not to calls, so that what is certain of the future is
kept: the same sound gives the same motion, however it is cut.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from models.audio.hubert import Hubert
from models.audio.hubert_stream import HubertStream
from models.audio.pitch import PitchTracker, coarse
from models.real3d.audio_to_motion import EXPRESSION, FEATURES, LATENT, STEP, AudioToMotion

LOOK_AHEAD_NS = 240_000_000
"""How long after the instant that it describes an expression of `SpeechStream` is complete."""

_FLOW_STEPS = 17
"""Steps before the first that is decoded which the flow is shown: it sees 16."""
_DECODER_FRAMES = 8
"""Frames that the decoder sees to each side."""
_FRONT_FRAMES = 2
"""Frames that the condition's convolutions see to each side."""
_GUESSED_FRAMES = 16
"""Frames after the last that was heard which are filled in; more change nothing."""
_NO_VOICE = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the speech is acted; the defaults are the released program's."""

    mouth_amp: float = 0.45
    """0..1: how wide the mouth opens."""
    temperature: float = 0.2
    """0 or more: how much of the motion is chance; 0 is the same motion for every seed, 1 as much as in training."""
    seed: int = 0
    """Of the chance, 0 or more."""


def step_noise(seed: int, first: int, end: int) -> Float32[Tensor, "16 steps"]:
    """Standard normal noise of the latent code's steps `first` to `end - 1`, counted from the start of the sound."""
    columns = [np.random.default_rng((seed, step)).standard_normal(LATENT) for step in range(first, end)]
    return torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))


class MotionStream:
    """Features and pitch, 50 per second -> expressions of BFM 2009, 25 per second."""

    def __init__(self, network: AudioToMotion, delivery: Delivery | None = None, ahead: int = 3) -> None:
        """Args: `ahead` is how many motion frames of 40 ms must be heard after the one that is given out."""
        self._network = network
        self._delivery = delivery or Delivery()
        self._ahead = ahead
        device = network.mouth_amp_embed.device
        self._mouth_amp = torch.tensor([[self._delivery.mouth_amp]], device=device)
        self._pushed = 0
        """Frames of 50 per second."""
        self._first = 0
        """Motion frame that the arrays below begin with, a multiple of `STEP`."""
        self._heard = torch.zeros(0, FEATURES, device=device)
        self._pitch = torch.zeros(0, dtype=torch.int64, device=device)
        self._settled = torch.zeros(1, self._network.cond_proj.out_features, 0, device=device)
        """Conditions that no later frame changes."""
        self._noise = torch.zeros(LATENT, 0, device=device)
        self._given = 0

    @torch.inference_mode()
    def push(self, hubert: Float[Tensor, "n 1024"], f0: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "frames 64"]:
        """Takes the next frames of what is heard, pitch in hertz; returns the expressions that they complete."""
        pitch = torch.from_numpy(coarse(f0)).to(self._pitch.device)
        out = [np.zeros((0, EXPRESSION), np.float32)]
        for index in range(len(f0)):
            if self._pushed % 2 == 0:  # the network hears every second frame
                self._heard = torch.cat([self._heard, hubert[index : index + 1]])
                self._pitch = torch.cat([self._pitch, pitch[index : index + 1]])
                if self._first + len(self._heard) > self._given + self._ahead:
                    out.append(self._next().cpu().numpy())
            self._pushed += 1
        return np.concatenate(out)

    def _next(self) -> Float[Tensor, "1 64"]:
        """The expression of frame `_given`, the newest but `_ahead`."""
        condition = self._condition()
        steps = condition.shape[2] // STEP
        missing = range(self._first // STEP + self._noise.shape[1], self._first // STEP + steps)
        if missing:
            fresh = self._delivery.temperature * step_noise(self._delivery.seed, missing.start, missing.stop)
            self._noise = torch.cat([self._noise, fresh.to(self._noise.device)], dim=1)
        code = self._network.code(condition, self._noise[None, :, :steps])
        frame = self._given - self._first
        begin = max(0, (frame - _DECODER_FRAMES) // STEP)
        end = min(steps, (frame + _DECODER_FRAMES) // STEP + 1)
        decoded = self._network.vae.decoder(code[..., begin:end], condition[..., STEP * begin : STEP * end])
        self._given += 1
        self._forget()
        return decoded[..., frame - STEP * begin]

    def _condition(self) -> Float[Tensor, "1 128 frames"]:
        """Of all frames since `_first`, and of those filled in after them; a multiple of `STEP` of them."""
        heard = len(self._heard)
        guessed = _GUESSED_FRAMES + -heard % STEP
        known = max(0, self._settled.shape[2] - _FRONT_FRAMES)
        hubert = torch.cat([self._heard[known:], self._heard.mean(0, keepdim=True).expand(guessed, -1)])
        pitch = torch.cat([self._pitch[known:], self._pitch.new_full((guessed,), _NO_VOICE)])
        fresh = self._network.condition(hubert[None], pitch[None], torch.zeros_like(pitch)[None], self._mouth_amp)
        fresh = fresh[..., self._settled.shape[2] - known :]
        condition = torch.cat([self._settled, fresh], dim=2)
        self._settled = condition[..., : max(self._settled.shape[2], heard - _FRONT_FRAMES)]
        return condition

    def _forget(self) -> None:
        """Drops what the next frame does not need."""
        steps = (self._given - self._first - _DECODER_FRAMES) // STEP - _FLOW_STEPS
        if steps <= 0:
            return
        self._first += STEP * steps
        self._heard, self._pitch = self._heard[STEP * steps :], self._pitch[STEP * steps :]
        self._settled, self._noise = self._settled[..., STEP * steps :], self._noise[:, steps:]


class SpeechStream:
    """16 kHz samples -> expressions of BFM 2009, 25 per second.

    Frame t describes the instant 40 t ms after the first sample. It is complete `LOOK_AHEAD_NS` later.
    """

    def __init__(self, hubert: Hubert, network: AudioToMotion, delivery: Delivery | None = None) -> None:
        self._hubert = HubertStream(hubert)
        self._pitch = PitchTracker()
        self._motion = MotionStream(network, delivery)
        self._features = torch.zeros(0, FEATURES, device=network.mouth_amp_embed.device)
        self._f0 = np.zeros(0, np.float32)

    def push(self, samples: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "frames 64"]:
        """Takes the next samples, about -1..1; returns the expressions that they complete."""
        self._features = torch.cat([self._features, self._hubert.push(samples)])
        self._f0 = np.concatenate([self._f0, self._pitch.push(samples)])
        count = min(len(self._features), len(self._f0))
        features, f0 = self._features[:count], self._f0[:count]
        self._features, self._f0 = self._features[count:], self._f0[count:]
        return self._motion.push(features, f0)
