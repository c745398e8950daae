"""SegFormer (Xie et al., 2021): overlapping patches, attention over fewer keys, a convolution within the MLP."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Tokens = Float[Tensor, "b n c"]
Grid = tuple[int, int]
"""Rows and columns of a map whose pixels are tokens, row by row."""


class Stage(NamedTuple):
    """One of an encoder's sizes."""

    width: int
    """Channels."""
    heads: int
    reduction: int
    """How much coarser the grid of keys is."""
    kernel: int
    """Of the convolution that leads to it, in pixels."""
    stride: int

    @property
    def hidden(self) -> int:
        """Width of the MLP's inner layer."""
        return 4 * self.width


MIT_B0 = (Stage(32, 1, 8, 7, 4), Stage(64, 2, 4, 3, 2), Stage(160, 5, 2, 3, 2), Stage(256, 8, 1, 3, 2))
"""The smallest encoder: maps at 1/4, 1/8, 1/16 and 1/32 of the image's size."""
DEPTH = 2
"""Blocks in each of its stages."""


def to_tokens(image: Float[Tensor, "b c h w"]) -> Tokens:
    """Map -> one token per pixel, row by row."""
    return image.flatten(2).transpose(1, 2)


def to_image(tokens: Tokens, grid: Grid) -> Float[Tensor, "b c h w"]:
    """Tokens -> map; the inverse of `to_tokens`."""
    return torch.unflatten(tokens.transpose(1, 2), 2, grid)


def attend(query: Tokens, key: Float[Tensor, "b k c"], value: Float[Tensor, "b k c"], heads: int) -> Tokens:
    """What the queries find, each head among its own channels."""
    query, key, value = (torch.unflatten(x, 2, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)


class PatchEmbedding(nn.Module):
    """Strided convolution and layer norm: a map becomes tokens."""

    def __init__(self, inputs: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, width, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(width)

    def forward(self, image: Float[Tensor, "b c h w"]) -> tuple[Float[Tensor, "b n width"], Grid]:
        """Tokens, and the grid that they lie on."""
        patches = self.proj(image)
        rows, columns = (int(n) for n in patches.shape[2:])  # numbers while a network is traced, too
        return self.norm(to_tokens(patches)), (rows, columns)


class Attention(nn.Module):
    """Multi-head attention whose keys and values lie on a grid `reduction` times coarser."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads, self.reduction = heads, reduction
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)
        if reduction > 1:
            self.sr = nn.Conv2d(width, width, reduction, reduction)
            self.norm = nn.LayerNorm(width)

    def forward(self, x: Tokens, grid: Grid) -> Tokens:
        """`x` after looking at itself."""
        source = self.norm(to_tokens(self.sr(to_image(x, grid)))) if self.reduction > 1 else x
        key, value = self.kv(source).chunk(2, 2)
        return self.proj(attend(self.q(x), key, value, self.heads))


class DepthwiseConv(nn.Module):
    """3x3 convolution of each channel over the token grid."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 3, padding=1, groups=width)

    def forward(self, x: Tokens, grid: Grid) -> Tokens:
        """Filtered tokens."""
        return to_tokens(self.dwconv(to_image(x, grid)))


class MixFeedForward(nn.Module):
    """MLP that sees each token's neighbours."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.dwconv = DepthwiseConv(hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tokens, grid: Grid) -> Tokens:
        """`x` transformed token by token."""
        return self.fc2(functional.gelu(self.dwconv(self.fc1(x), grid)))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, width: int, heads: int, hidden: int, reduction: int = 1, eps: float = 1e-5) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps)
        self.attn = Attention(width, heads, reduction)
        self.norm2 = nn.LayerNorm(width, eps)
        self.mlp = MixFeedForward(width, hidden)

    def forward(self, x: Tokens, grid: Grid) -> Tokens:
        """`x` plus what the block adds."""
        x = x + self.attn(self.norm1(x), grid)
        return x + self.mlp(self.norm2(x), grid)


class MixTransformer(nn.Module):
    """MiT-B0, or one of other stages."""

    def __init__(self, stages: Sequence[Stage] = MIT_B0, inputs: int = 3, eps: float = 1e-6) -> None:
        """`eps`: of the layer norms, but for those of patches and keys, which have torch's own."""
        super().__init__()
        self._count = len(stages)
        for number, stage in enumerate(stages, 1):
            blocks = (Block(stage.width, stage.heads, stage.hidden, stage.reduction, eps) for _ in range(DEPTH))
            self.add_module(f"patch_embed{number}", PatchEmbedding(inputs, stage.width, stage.kernel, stage.stride))
            self.add_module(f"block{number}", nn.ModuleList(blocks))
            self.add_module(f"norm{number}", nn.LayerNorm(stage.width, eps))
            inputs = stage.width

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """The maps of all stages, finest first. Height and width are multiples of 32."""
        maps = []
        for number in range(1, self._count + 1):
            tokens, grid = self.get_submodule(f"patch_embed{number}")(image)
            for block in self.get_submodule(f"block{number}").children():
                tokens = block(tokens, grid)
            image = to_image(self.get_submodule(f"norm{number}")(tokens), grid)
            maps.append(image)
        return maps
