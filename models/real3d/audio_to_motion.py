"""Audio-to-motion of Real3D-Portrait: speech -> expression, a flow-VAE (paper section 3.4; 11.86 M parameters).

Attributes are named as in the released checkpoint, so that its `state_dict["model"]` loads strictly.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from models.checkpoint import is_plain
from models.real3d.prior_flow import PriorFlow
from models.real3d.wave_net import WaveNet, fold_weight_norm

FEATURES = 1024
"""Numbers per frame of what is heard (HuBERT-large)."""
STEP = 4
"""Motion frames per step of the latent code."""
LATENT = 16
CONDITION = 128
EXPRESSION = 64
_CHANNELS, _KERNEL = 256, 5
_PITCHES = 300


class PosteriorEncoder(nn.Module):
    """Motion seen in training -> its latent code: in the released weights, and never run."""

    def __init__(self) -> None:
        super().__init__()
        self.pre_net = nn.Sequential(nn.Conv1d(EXPRESSION, _CHANNELS, 2 * STEP, STEP, STEP // 2))
        self.wn = WaveNet(_CHANNELS, _KERNEL, 8, CONDITION)
        self.out_proj = nn.Conv1d(_CHANNELS, 2 * LATENT, 1)


class Decoder(nn.Module):
    """Latent code -> expression."""

    def __init__(self) -> None:
        super().__init__()
        self.pre_net = nn.Sequential(nn.ConvTranspose1d(LATENT, _CHANNELS, STEP, STEP))
        self.wn = WaveNet(_CHANNELS, _KERNEL, 4, CONDITION)
        self.out_proj = nn.Conv1d(_CHANNELS, EXPRESSION, 1)

    def forward(
        self, code: Float[Tensor, "b 16 t"], condition: Float[Tensor, "b 128 4*t"]
    ) -> Float[Tensor, "b 64 4*t"]:
        """The expression's coefficients."""
        return self.out_proj(self.wn(self.pre_net(code), condition))


class FlowVae(nn.Module):
    """Variational auto-encoder of expressions over time, its prior a flow that hears the speech."""

    def __init__(self) -> None:
        super().__init__()
        self.g_pre_net = nn.Sequential(nn.Conv1d(CONDITION, CONDITION, 2 * STEP, STEP, STEP // 2))
        self.encoder = PosteriorEncoder()
        self.prior_flow = PriorFlow(LATENT, CONDITION)
        self.decoder = Decoder()


class AudioToMotion(nn.Module):
    """Speech features and pitch, 50 per second -> expressions of BFM 2009, 25 per second."""

    def __init__(self) -> None:
        super().__init__()
        self.mouth_amp_embed = nn.Parameter(torch.randn(CONDITION))
        self.blink_embed = nn.Embedding(2, CONDITION)
        self.mel_encoder = _front(FEATURES)  # hears HuBERT, whatever its name says
        self.pitch_embed = nn.Embedding(_PITCHES, CONDITION)
        self.pitch_encoder = _front(CONDITION)
        self.cond_proj = nn.Linear(4 * CONDITION, CONDITION)
        self.vae = FlowVae()

    def forward(
        self,
        hubert: Float[Tensor, "b frames 1024"],
        pitch: Int64[Tensor, "b frames"],
        blink: Int64[Tensor, "b frames"],
        mouth_amp: Float[Tensor, "b 1"],
        noise: Float[Tensor, "b 16 frames//8"],
    ) -> Float[Tensor, "b frames//2 64"]:
        """Expressions of a whole clip.

        Args:
            hubert: what is heard; a clip of another length is padded with zeros.
            pitch: `models.audio.pitch.coarse`.
            blink: 0 or 1; the released code always says 0.
            mouth_amp: how wide the mouth opens, 0..1; usually 0.45.
            noise: standard normal, times the temperature (usually 0.2).
        """
        condition = self.condition(hubert[:, ::2], pitch[:, ::2], blink[:, ::2], mouth_amp)
        return self.vae.decoder(self.code(condition, noise), condition).transpose(1, 2)

    def condition(
        self,
        hubert: Float[Tensor, "b t 1024"],
        pitch: Int64[Tensor, "b t"],
        blink: Int64[Tensor, "b t"],
        mouth_amp: Float[Tensor, "b 1"],
    ) -> Float[Tensor, "b 128 t"]:
        """What is heard and asked for at each motion frame; the arguments are of every second frame already."""
        heard = self.mel_encoder(hubert.transpose(1, 2))
        sung = self.pitch_encoder(self.pitch_embed(pitch).transpose(1, 2))
        wide = (mouth_amp * self.mouth_amp_embed)[..., None].expand_as(heard)
        everything = torch.cat([heard, sung, self.blink_embed(blink).transpose(1, 2), wide], dim=1)
        return self.cond_proj(everything.transpose(1, 2)).transpose(1, 2)

    def code(
        self, condition: Float[Tensor, "b 128 t"], noise: Float[Tensor, "b 16 t//4"]
    ) -> Float[Tensor, "b 16 t//4"]:
        """The latent code that the noise becomes."""
        return self.vae.prior_flow.inverse(noise, self.vae.g_pre_net(condition))


def eyes_folded(entries: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's entries in this network's form.

    Trained with `eye_amp_embed`, the network has a fifth part of its condition, taken for the last: how wide the eyes
    are open. The released code always says 1.0, so that part becomes part of a bias. What is of any other form than
    expected is left as it is.
    """
    found = dict(entries)
    parts: list[Any] = [found.get(name) for name in ("eye_amp_embed", "cond_proj.weight", "cond_proj.bias")]
    if not all(is_plain(part) and part.dtype == torch.float32 for part in parts):
        return found
    eyes, weight, bias = parts
    shapes = (CONDITION,), (CONDITION, 5 * CONDITION), (CONDITION,)
    if (tuple(eyes.shape), tuple(weight.shape), tuple(bias.shape)) != shapes:
        return found
    heard, of_eyes = weight.split((4 * CONDITION, CONDITION), dim=1)
    del found["eye_amp_embed"]
    return found | {"cond_proj.weight": heard.contiguous(), "cond_proj.bias": bias + of_eyes @ eyes}


def load_audio_to_motion(weights: Mapping[str, Tensor]) -> AudioToMotion:
    """The network with the released weights, folded for inference; it shares their memory.

    Raises RuntimeError if names or shapes are not exactly those of the network.
    """
    with torch.device("meta"):
        network = AudioToMotion()
    network.load_state_dict(weights, strict=True, assign=True)
    fold_weight_norm(network)
    return network.eval().requires_grad_(False)


def _front(inputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, CONDITION, 3, padding=1, bias=False),
        nn.BatchNorm1d(CONDITION),
        nn.GELU(),
        nn.Conv1d(CONDITION, CONDITION, 3, padding=1, bias=False),
    )
