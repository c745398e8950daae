"""Norms of trained networks, made part of the convolutions beside them: the same results from fewer passes."""

from copy import deepcopy
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.real3d.torso_layers import ConvNormAct, ResBlock, SpectralConv2d

Module = TypeVar("Module", bound=nn.Module)


def without_norms(module: Module) -> Module:
    """A copy that gives the same results, its spectral norms and all batch norms that follow a convolution folded."""
    copy = deepcopy(module)
    for part in list(copy.modules()):
        if isinstance(part, ConvNormAct):
            conv, norm, act = part.layers
            part.layers = nn.Sequential(_fold(conv, norm), act)
        elif isinstance(part, ResBlock):
            layers = (layer for half in part.layers for layer in half.get_submodule("layers").children())
            norm, act, conv, inner_norm, _, last = layers
            part.layers = nn.Sequential(norm, act, _fold(conv, inner_norm), act, _plain(last))
    return copy


def _fold(conv: nn.Module, norm: nn.Module) -> nn.Module:
    assert isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d)
    return fuse_conv_bn_eval(_plain(conv), norm)


def _plain(conv: nn.Module) -> nn.Conv2d | nn.Conv3d:
    if isinstance(conv, SpectralConv2d):
        return convolution(conv.normalised_weight(), conv.bias)
    assert isinstance(conv, nn.Conv2d | nn.Conv3d)
    return conv


def conv_at(layers: nn.Sequential, index: int) -> nn.Conv2d:
    """The convolution at this place."""
    layer = layers[index]
    assert isinstance(layer, nn.Conv2d)
    return layer


def biases(conv: nn.Conv2d) -> Float[Tensor, "o"]:
    """What the convolution adds."""
    assert conv.bias is not None
    return conv.bias


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
