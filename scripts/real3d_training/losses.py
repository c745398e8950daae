"""What pictures, opacities and planes are asked; each a mean, whose weight the stages know."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from models.metrics.structure import structural_similarity
from models.triplane import Sample
from real3d_training.batches import View

Likeness = Callable[[Tensor, Tensor], Tensor]
"""How far two batches of pictures (-1..1) look apart."""
_SCALES = 4
_SPAN = 2.0  # of pictures
_PATCH = 8  # the least pixels that a part of a picture is looked at with
_NEAR = 5e-3  # of the cube's side
_DILATION = 41 / 512
EGG = 8.0
"""Density in the middle of the ellipsoid density prior, the egg that training begins with."""


def masked_l1(seen: Tensor, wanted: Tensor, mask: Tensor, outside: float) -> Tensor:
    """Mean difference, counted by `outside` beyond the mask [b, 1, h, w]."""
    return ((seen - wanted).abs() * (mask + outside * (1 - mask))).mean()


def widened(mask: Tensor) -> Tensor:
    """A mask and what lies around it, as far as the released training goes."""
    reach = 2 * round(_DILATION * mask.shape[-1] / 2) + 1
    return functional.max_pool2d(mask, reach, 1, reach // 2)


def part(images: Tensor, boxes: Tensor) -> Tensor:
    """What lies in each picture's box [b, 4] (left, top, right, bottom; 0..1), an eighth as large as the picture."""
    side = max(_PATCH, images.shape[-1] // 8)
    low, high = boxes[:, :2], boxes[:, 2:]
    size, middle = high - low, high + low - 1
    matrix = images.new_zeros(len(images), 2, 3)
    matrix[:, 0, 0], matrix[:, 1, 1] = size[:, 0], size[:, 1]
    matrix[:, :, 2] = middle
    grid = functional.affine_grid(matrix, [len(images), images.shape[1], side, side], align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def structure(seen: Tensor, wanted: Tensor) -> Tensor:
    """A `Likeness` without anybody's weights: differences of edges at several scales, and of structure (SSIM)."""
    total = 1 - structural_similarity(seen, wanted, _SPAN)
    for _ in range(_SCALES):
        for axis in (-1, -2):
            total = total + (seen.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
        if min(seen.shape[-2:]) < 2 * _PATCH:
            break
        seen, wanted = functional.avg_pool2d(seen, 2), functional.avg_pool2d(wanted, 2)
    return total


def entropy(opacity: Tensor) -> Tensor:
    """How undecided opacities (0..1) are, in bits; counted in float32, as no shorter number lies as near to 1."""
    p = opacity.float().clamp(1e-5, 1 - 1e-5)
    return -(p * p.log2() + (1 - p) * (1 - p).log2()).mean()


def outline(opacity: Tensor, mask: Tensor) -> Tensor:
    """Opacity where nothing is, and what lacks to it where something is: mean squares of each, mean over pictures.

    A picture that the mask fills shows head and background as one: it tells no outline, and counts as 0.
    """
    told = (mask < 1).flatten(1).any(1).to(mask)[:, None, None, None]
    return _within(opacity**2, 1 - mask) + _within((opacity - 1) ** 2, mask * told)


def _within(values: Tensor, mask: Tensor) -> Tensor:
    """Of each picture alone, so that pictures count alike however they are spread over processes."""
    axes = tuple(range(1, mask.ndim))
    return ((values * mask).sum(axes) / mask.sum(axes).clamp(min=1)).mean()


def smooth_density(field: Callable[[Tensor], Sample], random: torch.Generator, like: Tensor, count: int) -> Tensor:
    """How much densities differ at points that lie close together (EG3D's regularisation). `like`: [b, ...]."""
    points = torch.rand(len(like), count, 3, generator=random) - 0.5
    moved = points + _NEAR * torch.randn(points.shape, generator=random)
    density = field(torch.cat([points, moved], 1).to(like)).density
    return functional.l1_loss(*density.chunk(2, 1))


def egg_density(points: Tensor) -> Tensor:
    """Ellipsoid density prior, [b, n, 1]: an upright egg as large as a head, to which untrained planes are led.

    `points`: of the world.
    """
    axes = points.new_tensor([0.26, 0.32, 0.26])
    inside = 1 - (points / axes).square().sum(-1, keepdim=True)
    return (EGG * inside).clamp(-EGG / 2, EGG)


def bent(changes: Tensor, between: Tensor) -> Tensor:
    """The Laplacian loss: how far a moment's change of the planes lies from the mean of its neighbours'.

    Args:
        changes: [b, 2, ...] before and after.
        between: [b, ...].
    """
    return functional.l1_loss(between, changes.mean(1))


def look_apart(likeness: Likeness, seen: Tensor, view: View) -> tuple[Tensor, Tensor]:
    """Mean difference and `likeness` around the lips."""
    mouth, wanted = part(seen, view.lips), part(view.picture, view.lips)
    return (mouth - wanted).abs().mean(), likeness(mouth, wanted)
