"""How unlike two pictures look: LPIPS where its networks were brought in, else a measure of structure of our own."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoint import faults, named_tensors, read_content
from models.errors import InputError

Pictures = Float[Tensor, "b 3 h w"]
"""-1..1."""

_SMALLEST = 16  # pixels a side, of the coarsest scale
_WINDOW = 7
_STEADY = (0.02**2, 0.06**2)  # of SSIM, for a range of 2


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
            terms.append(_unlike(seen, wanted) + _edges(seen, wanted))
            if seen.shape[-1] < 2 * _SMALLEST:
                return len(seen) * torch.stack(terms).mean()
            seen, wanted = functional.avg_pool2d(seen, 2), functional.avg_pool2d(wanted, 2)


def _unlike(seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, _WINDOW, 1)

    a, b = mean(seen), mean(wanted)
    aa, bb, ab = mean(seen * seen) - a * a, mean(wanted * wanted) - b * b, mean(seen * wanted) - a * b
    light, detail = _STEADY
    alike = (2 * a * b + light) * (2 * ab + detail) / ((a * a + b * b + light) * (aa + bb + detail))
    return (1 - alike).mean()


def _edges(seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
    apart = seen - wanted
    return apart.diff(dim=-1).abs().mean() + apart.diff(dim=-2).abs().mean()


class Lpips(nn.Module):
    """LPIPS (Zhang et al., 2018) on AlexNet, which the authors used."""

    middle: Tensor
    spread: Tensor
    name = "LPIPS"
    settled = (0.006, 0.2)

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {
                "0": nn.Conv2d(3, 64, 11, 4, 2),
                "3": nn.Conv2d(64, 192, 5, 1, 2),
                "6": nn.Conv2d(192, 384, 3, 1, 1),
                "8": nn.Conv2d(384, 256, 3, 1, 1),
                "10": nn.Conv2d(256, 256, 3, 1, 1),
            }
        )
        widths = (64, 192, 384, 256, 256)
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(1, width, 1, 1)) for width in widths)
        self.register_buffer("middle", torch.tensor([-0.030, -0.088, -0.188])[:, None, None], persistent=False)
        self.register_buffer("spread", torch.tensor([0.458, 0.448, 0.450])[:, None, None], persistent=False)

    def unlike(self, seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
        """See `Likeness`."""
        a, b = ((x - self.middle) / self.spread for x in (seen, wanted))
        total = seen.new_zeros(())
        for (name, layer), weight in zip(self.features.items(), self.weights, strict=True):
            if name in ("3", "6"):
                a, b = functional.max_pool2d(a, 3, 2), functional.max_pool2d(b, 3, 2)
            a, b = functional.relu(layer(a)), functional.relu(layer(b))
            apart = functional.normalize(a, dim=1, eps=1e-10) - functional.normalize(b, dim=1, eps=1e-10)
            total = total + (apart.square() * weight).sum(1).mean((1, 2)).sum()
        return total


def read_lpips(alexnet: Path, weights: Path) -> Lpips:
    """From torchvision's AlexNet (alexnet-owt-*.pth) and LPIPS's own alex.pth. Nothing in them is executed.

    Raises InputError, in one line, for files of another kind.
    """
    features = {name: v for name, v in named_tensors(read_content(alexnet), alexnet).items() if "features" in name}
    linear = named_tensors(read_content(weights), weights)
    entries = features | {f"weights.{k}": linear.get(f"lin{k}.model.1.weight") for k in range(5)}
    network = Lpips()
    if wrong := faults({name: v for name, v in entries.items() if v is not None}, network.state_dict()):
        raise InputError(f"{alexnet} and {weights} are not AlexNet's and LPIPS's for it: {'; '.join(wrong)}")
    network.load_state_dict(entries)
    return network.eval().requires_grad_(False)
