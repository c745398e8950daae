"""How unlike two pictures look: LPIPS where its networks were brought in, else a measure of structure of our own."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.metrics.lpips import Lpips, Pictures
from models.metrics.structure import structural_similarity

_SMALLEST = 16  # pixels a side, of the coarsest scale
_SPAN = 2.0


@runtime_checkable
class Likeness(Protocol):
    """A measure with gradients."""

    @property
    def name(self) -> str:
        """As a phrase."""
        ...

    @property
    def settled(self) -> tuple[float, float] | None:
        """Where tuning and a frame's camera may stop, as the released code has it; None where that is not known."""
        ...

    def unlike(self, seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
        """Sum over the batch; 0 for the same pictures."""
        ...


class Structure:
    """Gradients and 1 - SSIM (Wang et al., 2004), each its mean over ever coarser scales. Takes LPIPS's place."""

    name = "gradients and SSIM at several scales, in place of LPIPS"
    settled = None

    def unlike(self, seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
        """See `Likeness`."""
        terms = []
        while True:
            terms.append(1 - structural_similarity(seen, wanted, _SPAN) + _edges(seen, wanted))
            if seen.shape[-1] < 2 * _SMALLEST:
                return len(seen) * torch.stack(terms).mean()
            seen, wanted = functional.avg_pool2d(seen, 2), functional.avg_pool2d(wanted, 2)


def _edges(seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
    apart = seen - wanted
    return apart.diff(dim=-1).abs().mean() + apart.diff(dim=-2).abs().mean()


class Learned(nn.Module):
    """LPIPS, on AlexNet as the authors used it, or on VGG16."""

    def __init__(self, lpips: Lpips) -> None:
        super().__init__()
        self.lpips = lpips
        as_released = lpips.backbone == "alexnet"
        self.name = "LPIPS" if as_released else "LPIPS on VGG16"
        self.settled = (0.006, 0.2) if as_released else None

    def unlike(self, seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
        """See `Likeness`."""
        return self.lpips.between(seen, wanted).sum()
