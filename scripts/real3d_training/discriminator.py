"""Dual discriminator (EG3D's): it sees the picture and the rendered one beside it, enlarged, and where they were taken.

So pictures must be likely, and be what was rendered.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.real3d.sizes import Sizes
from models.triplane import EqualisedLinear

_GROUP = 2
_CAMERA = 25
_GAIN = 2**0.5


class EqualisedConv(nn.Module):
    """Convolution whose stored weight has unit variance, leaky ReLU; with `halve`, half the size."""

    def __init__(self, inputs: int, outputs: int, kernel: int, halve: bool = False, active: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if active else None
        self._scale, self._halve = (inputs * kernel**2) ** -0.5, halve

    def forward(self, x: Tensor) -> Tensor:
        if self._halve:
            x = functional.avg_pool2d(x, 2)
        x = functional.conv2d(x, self.weight * self._scale, self.bias, padding=self.weight.shape[-1] // 2)
        return x if self.bias is None else _GAIN * functional.leaky_relu(x, 0.2)


class Halving(nn.Module):
    """Residual block to half the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = EqualisedConv(inputs, inputs, 3), EqualisedConv(inputs, outputs, 3, halve=True)
        self.skip = EqualisedConv(inputs, outputs, 1, halve=True, active=False)

    def forward(self, x: Tensor) -> Tensor:
        return (self.second(self.first(x)) + self.skip(x)) / _GAIN


class DualDiscriminator(nn.Module):
    """Scores of pictures: high for true ones."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()

        def width(side: int) -> int:
            return min(sizes.width(512), sizes.width(32768) // side)

        sides = [sizes.side >> i for i in range(sizes.side.bit_length() - 2)]
        self.from_rgb = EqualisedConv(6, width(sides[0]), 1)
        self.blocks = nn.Sequential(*(Halving(width(a), width(a // 2)) for a in sides[:-1]))
        last = width(4)
        self.mapping = nn.Sequential(EqualisedLinear(_CAMERA, last), nn.LeakyReLU(0.2), EqualisedLinear(last, last))
        self.mix = EqualisedConv(last + 1, last, 3)
        self.flat, self.out = EqualisedLinear(last * 16, last), EqualisedLinear(last, last)
        for layer in self.modules():
            if isinstance(layer, EqualisedLinear):
                nn.init.normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, picture: Tensor, rendered: Tensor, camera: Tensor) -> Tensor:
        """[b] scores. `picture`: [b, 3, side, side], `rendered`: smaller, `camera`: [b, 25]."""
        wide = functional.interpolate(rendered, picture.shape[2:], mode="bilinear", align_corners=False)
        x = self.blocks(self.from_rgb(torch.cat([picture, wide], 1).clamp(-1, 1)))
        x = self.mix(torch.cat([x, _spread(x)], 1)).flatten(1)
        x = self.out(functional.leaky_relu(self.flat(x), 0.2))
        where = self.mapping(camera).float()
        where = where * (where.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        return (x * where).sum(1) / x.shape[1] ** 0.5


def _spread(x: Tensor) -> Tensor:
    """How much the pictures of a group differ, as one more channel; in float32, whose roots have slopes near 0."""
    group = _GROUP if len(x) % _GROUP == 0 else 1
    apart = torch.unflatten(x.float(), 0, (group, -1))
    apart = (apart - apart.mean(0)).square().mean(0)
    value = (apart + 1e-8).sqrt().mean((1, 2, 3)).repeat(group)
    return value[:, None, None, None].expand(-1, 1, *x.shape[2:])


def generator_score(scores: Tensor) -> Tensor:
    """What the networks that draw lose by these scores of their pictures."""
    return functional.softplus(-scores).mean()


def discriminator_loss(scores_drawn: Tensor, scores_true: Tensor) -> Tensor:
    """What the discriminator loses."""
    return functional.softplus(scores_drawn).mean() + functional.softplus(-scores_true).mean()


def gradient_penalty(network: nn.Module, picture: Tensor, rendered: Tensor, camera: Tensor) -> Tensor:
    """R1 of true pictures: how steep the scores are there, half for each picture."""
    picture, rendered = (x.detach().requires_grad_(True) for x in (picture, rendered))
    with torch.autocast(picture.device.type, enabled=False):
        scores = network(picture, rendered, camera)
        slopes = torch.autograd.grad(scores.sum(), [picture, rendered], create_graph=True)
    return sum((slope.square().sum((1, 2, 3)).mean() for slope in slopes), picture.new_zeros(())) / 2
