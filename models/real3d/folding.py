"""Norms of trained networks, made part of the convolutions beside them: the same results from fewer passes."""

from copy import deepcopy
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.real3d.torso_layers import ConvNormAct, Layered, ResBlock, SpectralConv2d

Module = TypeVar("Module", bound=nn.Module)


def without_norms(module: Module) -> Module:
    """A copy that gives the same results, its spectral norms and all batch norms that follow a convolution folded."""
    copy = deepcopy(module)
    for part in list(copy.modules()):
        if isinstance(part, ConvNormAct):
            _fold(part, 0, part, 1)
        elif isinstance(part, ResBlock):
            first, second = part.layers
            _fold(first, 2, second, 0)
            second.layers[2] = plain(second.layers[2])
    return copy


def _fold(of_conv: Layered, conv: int, of_norm: Layered, norm: int) -> None:
    of_conv.layers[conv] = fuse_conv_bn_eval(plain(of_conv.layers[conv]), of_norm.layers[norm])
    of_norm.layers[norm] = nn.Identity()


def plain(conv: nn.Module) -> nn.Module:
    """An ordinary convolution with the weight that `conv` applies."""
    return convolution(conv.normalised_weight(), conv.bias) if isinstance(conv, SpectralConv2d) else conv


def convolution(weight: Float[Tensor, "o i *k"], bias: Float[Tensor, "o"] | None) -> nn.Conv2d | nn.Conv3d:
    """Convolution with these weights that keeps the size; 2-D or 3-D as the weight is."""
    kind = nn.Conv2d if weight.ndim == 4 else nn.Conv3d
    outputs, inputs, kernel = weight.shape[:3]
    with torch.device("meta"):
        conv = kind(inputs, outputs, kernel, padding=kernel // 2, bias=bias is not None)
    conv.weight = nn.Parameter(weight.detach(), requires_grad=False)
    if bias is not None:
        conv.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return conv.eval()


def linear(weight: Float[Tensor, "o i"], bias: Float[Tensor, "o"]) -> nn.Linear:
    """Linear map with these weights."""
    with torch.device("meta"):
        layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight = nn.Parameter(weight.detach(), requires_grad=False)
    layer.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return layer
