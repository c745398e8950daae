"""HuBERT (Hsu et al. 2021) in its large form: what engines trained on `facebook/hubert-large-ls960-ft` hear.

Attributes are named as in that model's files. Sound of 16 kHz in, 50 frames per second out.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

HOP = 320
"""Samples from one frame to the next."""
SPAN = 400
"""Samples that a frame of `Hubert.sounds` is made of; frame i begins at sample 320 i."""

_KERNELS = (10, 3, 3, 3, 3, 2, 2)
_STRIDES = (5, 2, 2, 2, 2, 2, 2)


@dataclass(frozen=True, slots=True)
class HubertSize:
    """How large a HuBERT is; the defaults are the large model's."""

    sound: int = 512
    """Channels of the convolutions over the sound."""
    hidden: int = 1024
    """Numbers per frame."""
    layers: int = 24
    heads: int = 16
    inner: int = 4096
    """Width of the feed-forward parts."""
    position_kernel: int = 128
    """Frames that tell a frame its place; even."""
    position_groups: int = 16


class Hubert(nn.Module):
    """Normalised sound -> features. Both halves can be run by themselves: the first knows nothing but its samples."""

    def __init__(self, size: HubertSize | None = None) -> None:
        """None is the large model."""
        super().__init__()
        size = size or HubertSize()
        self.feature_extractor = _SoundEncoder(size.sound)
        self.feature_projection = _Projection(size)
        self.encoder = _Encoder(size)

    def forward(self, sound: Float[Tensor, "b samples"]) -> Float[Tensor, "b frames hidden"]:
        """`last_hidden_state` of a sound of mean 0 and variance 1."""
        return self.features(self.sounds(sound))

    def sounds(self, sound: Float[Tensor, "b samples"]) -> Float[Tensor, "b frames hidden"]:
        """What lies in each 25 ms, by itself."""
        return self.feature_projection(self.feature_extractor(sound))

    def features(self, sounds: Float[Tensor, "b frames hidden"]) -> Float[Tensor, "b frames hidden"]:
        """What it means among the other frames."""
        return self.encoder(sounds)


class _SoundLayer(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride)
        self.layer_norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return gelu(self.layer_norm(self.conv(x).transpose(1, 2))).transpose(1, 2)


class _SoundEncoder(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inputs = (1, *[channels] * (len(_KERNELS) - 1))
        self.conv_layers = nn.ModuleList(
            _SoundLayer(width, channels, kernel, stride)
            for width, kernel, stride in zip(inputs, _KERNELS, _STRIDES, strict=True)
        )

    def forward(self, sound: Tensor) -> Tensor:
        x = sound[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x.transpose(1, 2)


class _Projection(nn.Module):
    def __init__(self, size: HubertSize) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(size.sound)
        self.projection = nn.Linear(size.sound, size.hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.projection(self.layer_norm(x))


class _Position(nn.Module):
    """Tells each frame its place by a wide convolution; in files its kernel is stored as size and direction."""

    def __init__(self, size: HubertSize) -> None:
        super().__init__()
        kernel, groups = size.position_kernel, size.position_groups
        self.conv = nn.Conv1d(size.hidden, size.hidden, kernel, padding=kernel // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return gelu(self.conv(x.transpose(1, 2))[..., :-1]).transpose(1, 2)


class _Attention(nn.Module):
    def __init__(self, size: HubertSize) -> None:
        super().__init__()
        self.heads = size.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(size.hidden, size.hidden) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            project(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        return self.out_proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class _FeedForward(nn.Module):
    def __init__(self, size: HubertSize) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(size.hidden, size.inner)
        self.output_dense = nn.Linear(size.inner, size.hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.output_dense(gelu(self.intermediate_dense(x)))


class _Layer(nn.Module):
    def __init__(self, size: HubertSize) -> None:
        super().__init__()
        self.attention = _Attention(size)
        self.layer_norm = nn.LayerNorm(size.hidden)
        self.feed_forward = _FeedForward(size)
        self.final_layer_norm = nn.LayerNorm(size.hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.layer_norm(x))
        return x + self.feed_forward(self.final_layer_norm(x))


class _Encoder(nn.Module):
    def __init__(self, size: HubertSize) -> None:
        super().__init__()
        self.pos_conv_embed = _Position(size)
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.layers))
        self.layer_norm = nn.LayerNorm(size.hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pos_conv_embed(x)
        for layer in self.layers:
            x = layer(x)
        return self.layer_norm(x)
