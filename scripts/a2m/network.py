"""The network: features of 20 ms in, the mouth at four look-aheads out; convolutions over time, then a GRU.

Causal throughout: an output depends on the features up to its own hop and on nothing later.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from a2m.phones import VISEMES
from models.audio.curves import CURVES
from models.audio.mel import FEATURES

LOOK_AHEADS_MS = (0, 40, 80, 120)
"""What the four heads answer: the mouth so long before the end of the sound heard."""
OUTPUTS = len(CURVES) + len(VISEMES) + 2
"""Curves, visemes, closed lips, speech; the last three as logits."""
CURVE, VISEME = slice(0, len(CURVES)), slice(len(CURVES), len(CURVES) + len(VISEMES))
CLOSED, SPEECH = OUTPUTS - 2, OUTPUTS - 1


class Delayed(nn.Module):
    """Linear map of the inputs now and `taps - 1` earlier, `dilation` steps apart; zeros before the first."""

    def __init__(self, inputs: int, outputs: int, taps: int, dilation: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.taps, self.dilation, self.stride = taps, dilation, stride
        self.linear = nn.Linear(taps * inputs, outputs)

    @property
    def history(self) -> int:
        """Earlier inputs that a step needs."""
        return self.dilation * (self.taps - 1) + 1 - self.stride

    def forward(self, x: Tensor) -> Tensor:
        """[batch, n, inputs] -> [batch, n / stride, outputs]."""
        count = x.shape[1]
        padded = functional.pad(x, (0, 0, self.history, 0))
        shifted = [
            padded[:, i * self.dilation : i * self.dilation + count - self.stride + 1 : self.stride]
            for i in range(self.taps)
        ]
        return self.linear(torch.cat(shifted, -1))


class Norm(nn.BatchNorm1d):
    """Batch norm over [batch, n, channels]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class Block(nn.Module):
    """Gated dilated convolution with a residual."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = Norm(channels)
        self.taps = Delayed(channels, 2 * channels, 3, dilation)
        self.out = nn.Linear(channels, channels)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        gated = functional.glu(self.taps(self.norm(x)), -1)
        keep = functional.dropout(torch.ones_like(gated[:, :1]), self.dropout, self.training)
        return x + self.out(gated * keep)


class SpeechNet(nn.Module):
    """[batch, 2 n, 66] features -> 4 heads of [batch, n, OUTPUTS]."""

    def __init__(
        self,
        channels: int = 128,
        hidden: int = 192,
        dilations: Sequence[int] = (1, 2, 4, 8, 1, 2, 4, 8),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.settings = {"channels": channels, "hidden": hidden, "dilations": tuple(dilations), "dropout": dropout}
        self.ear = Delayed(FEATURES, 96, 5)
        self.halve = Delayed(96, channels, 4, stride=2)
        self.blocks = nn.ModuleList(Block(channels, d, dropout) for d in dilations)
        self.norm = Norm(channels)
        self.memory = nn.GRU(channels, hidden, batch_first=True)
        self.join = nn.Linear(channels + hidden, channels)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, 96), nn.SiLU(), nn.Linear(96, OUTPUTS)) for _ in LOOK_AHEADS_MS
        )

    def forward(self, features: Tensor) -> list[Tensor]:
        x = functional.silu(self.ear(features))
        x = functional.silu(self.halve(x))
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        remembered, _ = self.memory(x)
        x = functional.silu(self.join(torch.cat([x, remembered], -1)))
        return [head(x) for head in self.heads]
