"""What the network is asked: the curves and their speed, the viseme, closed lips, speech."""

import torch
from torch import Tensor
from torch.nn import functional

from a2m.network import CLOSED, CURVE, LOOK_AHEADS_MS, SPEECH, VISEME
from a2m.stream import Batch
from models.audio.curves import CURVES

_HOP_MS = 20
_WEIGHTS = torch.tensor([{"lipGap": 4.0, "jawOpen": 2.0, "lipWide": 2.5, "lipRound": 2.5}.get(c, 1.0) for c in CURVES])
_CLOSED_WEIGHTS = torch.tensor([1.0, 5.0, 2.0])
"""Of open lips, lips closed for m, b and p, and the other stops and nasals, which sound like them."""
_HEAD_WEIGHTS = (0.6, 1.0, 1.4, 1.0)
"""80 ms is what live use listens with."""


def loss(heads: list[Tensor], batch: Batch) -> Tensor:
    """Mean over the heads."""
    total = torch.zeros(())
    for out, look_ahead_ms, weight in zip(heads, LOOK_AHEADS_MS, _HEAD_WEIGHTS, strict=True):
        total = total + weight * _head_loss(out, batch, look_ahead_ms // _HOP_MS)
    return total / sum(_HEAD_WEIGHTS)


def _head_loss(out: Tensor, batch: Batch, delay: int) -> Tensor:
    curves, visemes, closed, speech = (
        delayed(x, delay) for x in (batch.curves, batch.visemes, batch.closed, batch.speech)
    )
    error = out[..., CURVE] - curves
    value = (_WEIGHTS * error**2).mean()
    speed = (_WEIGHTS * (error[:, 1:] - error[:, :-1]) ** 2).mean()
    viseme = functional.cross_entropy(out[..., VISEME].flatten(0, 1), visemes.flatten())
    shut = functional.binary_cross_entropy_with_logits(
        out[..., CLOSED], (closed == 1).float(), _CLOSED_WEIGHTS[closed.long()]
    )
    voice = functional.binary_cross_entropy_with_logits(out[..., SPEECH], speech)
    return 12 * value + 6 * speed + 0.2 * viseme + 1.0 * shut + 0.05 * voice


def delayed(wanted: Tensor, hops: int) -> Tensor:
    """What output k, heard up to instant k + 1, should say: [batch, n + 1, ...] -> [batch, n, ...]."""
    at = (torch.arange(1, wanted.shape[1]) - hops).clamp(min=0)
    return wanted[:, at]
