"""Where a face's features are: brows, eyes, mouth and lips, which the driver moves and the portrait must not show."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Mask = Float[Tensor, "b 1 rows columns"]
"""1 or 0."""

_GLASSES, _HAT = 6, 18
"""Classes that are passed over: what is below them counts. The others are numbered without them."""
_BROWS, _EYES, _MOUTH, _LIPS = (2, 3), (4, 5), (10,), (11, 12)
_EYES_GROW_PX = 6
_ERODED_PX = 3


def keep_mask(classes: Float[Tensor, "b 19 h w"]) -> Mask:
    """1 outside the face's features; the eyes are taken larger than they are.

    `classes`: how much speaks for each, see `face_parser.FaceParser`.
    """
    chosen = torch.cat([classes[:, :_GLASSES], classes[:, _GLASSES + 1 : _HAT]], 1).argmax(1, keepdim=True)
    eyes = _grown(_is_one_of(chosen, _EYES), _EYES_GROW_PX)
    return 1 - torch.maximum(eyes, _is_one_of(chosen, _BROWS + _MOUTH + _LIPS))


def eroded(mask: Mask) -> Mask:
    """1 where all around, by three pixels, is 1; what lies beyond the picture is not looked at."""
    return 1 - _grown(1 - mask, _ERODED_PX)


def _is_one_of(chosen: Tensor, classes: tuple[int, ...]) -> Mask:
    found = torch.zeros_like(chosen, dtype=torch.bool)
    for each in classes:
        found = found | (chosen == each)
    return found.float()


def _grown(mask: Mask, by_px: int) -> Mask:
    return functional.max_pool2d(mask, 2 * by_px + 1, 1, by_px)
