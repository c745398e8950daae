"""SegFormer-B0 up to the features of its decoder (Xie et al., 2021).

The maths is that of `models.segformer`; names and order of the weights are those of the released files, which have them
from version 4 of Hugging Face's transformers.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.segformer import DEPTH, MIT_B0, DepthwiseConv, Grid, Stage, Tokens, attend, to_image, to_tokens

WIDTH = 256
"""Channels of the features."""


class PatchEmbedding(nn.Module):
    """Strided convolution and layer norm: a map becomes tokens."""

    def __init__(self, inputs: int, stage: Stage) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, stage.width, stage.kernel, stage.stride, stage.kernel // 2)
        self.layer_norm = nn.LayerNorm(stage.width)

    def forward(self, image: Float[Tensor, "b c h w"]) -> tuple[Float[Tensor, "b n width"], Grid]:
        """Tokens, and the grid that they lie on."""
        patches = self.proj(image)
        rows, columns = (int(n) for n in patches.shape[2:])  # numbers while a network is traced, too
        return self.layer_norm(to_tokens(patches)), (rows, columns)


class SelfAttention(nn.Module):
    """Multi-head attention whose keys and values lie on a coarser grid; without its last linear map."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.heads, width, reduction = stage.heads, stage.width, stage.reduction
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        if reduction > 1:
            self.sr = nn.Conv2d(width, width, reduction, reduction)
            self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tokens, grid: Grid) -> Tokens:
        """What `x` finds in itself."""
        source = self.layer_norm(to_tokens(self.sr(to_image(x, grid)))) if hasattr(self, "sr") else x
        return attend(self.query(x), self.key(source), self.value(source), self.heads)


class MixFeedForward(nn.Module):
    """MLP that sees each token's neighbours."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.dense1 = nn.Linear(stage.width, stage.hidden)
        self.dwconv = DepthwiseConv(stage.hidden)
        self.dense2 = nn.Linear(stage.hidden, stage.width)

    def forward(self, x: Tokens, grid: Grid) -> Tokens:
        """`x` transformed token by token."""
        return self.dense2(functional.gelu(self.dwconv(self.dense1(x), grid)))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.layer_norm_1 = nn.LayerNorm(stage.width)
        output = nn.ModuleDict({"dense": nn.Linear(stage.width, stage.width)})
        self.attention = nn.ModuleDict({"self": SelfAttention(stage), "output": output})
        self.layer_norm_2 = nn.LayerNorm(stage.width)
        self.mlp = MixFeedForward(stage)

    def forward(self, x: Tokens, grid: Grid) -> Tokens:
        """`x` plus what the block adds."""
        seen = self.attention["self"](self.layer_norm_1(x), grid)
        x = x + self.attention.get_submodule("output.dense")(seen)
        return x + self.mlp(self.layer_norm_2(x), grid)


class MixTransformer(nn.Module):
    """MiT-B0. All its layer norms have torch's own epsilon."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        before = (inputs, *(stage.width for stage in MIT_B0))
        self.patch_embeddings = nn.ModuleList(PatchEmbedding(n, s) for n, s in zip(before, MIT_B0, strict=False))
        self.block = nn.ModuleList(nn.ModuleList(Block(stage) for _ in range(DEPTH)) for stage in MIT_B0)
        self.layer_norm = nn.ModuleList(nn.LayerNorm(stage.width) for stage in MIT_B0)

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """The maps of all stages, finest first. Height and width are multiples of 32."""
        maps = []
        for embed, blocks, norm in zip(self.patch_embeddings, self.block, self.layer_norm, strict=True):
            tokens, grid = embed(image)
            for block in blocks.children():
                tokens = block(tokens, grid)
            image = to_image(norm(tokens), grid)
            maps.append(image)
        return maps


class DecodeHead(nn.Module):
    """All stages' maps brought together at the finest one's size. What came after this was left out of the training."""

    def __init__(self) -> None:
        super().__init__()
        self.linear_c = nn.ModuleList(nn.ModuleDict({"proj": nn.Linear(stage.width, WIDTH)}) for stage in MIT_B0)
        self.linear_fuse = nn.Conv2d(len(MIT_B0) * WIDTH, WIDTH, 1, bias=False)

    def forward(self, maps: list[Float[Tensor, "b _ _ _"]]) -> Float[Tensor, "b 256 h w"]:
        """Features; the coarsest stage comes first."""
        size = maps[0].shape[2:]
        wide = []
        for linear, each in zip(self.linear_c, maps, strict=True):
            tokens = linear.get_submodule("proj")(to_tokens(each))
            mapped = to_image(tokens, (each.shape[2], each.shape[3]))
            wide.append(functional.interpolate(mapped, size, mode="bilinear", align_corners=False))
        return self.linear_fuse(torch.cat(wide[::-1], 1))


class FeatureEncoder(nn.Module):
    """Picture -> features at a quarter of its size."""

    def __init__(self, inputs: int = 3) -> None:
        super().__init__()
        self.segformer = nn.ModuleDict({"encoder": MixTransformer(inputs)})
        self.decode_head = DecodeHead()

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 256 h/4 w/4"]:
        """Features of an image whose sides are multiples of 32."""
        return self.decode_head(self.segformer["encoder"](image))
