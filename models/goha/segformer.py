"""SegFormer-B0 up to the features of its decoder (Xie et al., 2021), as `models.segformer` has it.

In the state dict, weights have the released files' names, which are those of version 4 of Hugging Face's transformers:
keys and values are a matrix each there, and one here.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.segformer import DEPTH, MIT_B0, MixTransformer, to_image, to_tokens

WIDTH = 256
"""Channels of the features."""
BLOCK_NAMES = {
    "layer_norm_1": "norm1",
    "attention.self.query": "attn.q",
    "attention.self.key": "attn.kv",
    "attention.self.value": "attn.kv",
    "attention.self.sr": "attn.sr",
    "attention.self.layer_norm": "attn.norm",
    "attention.output.dense": "attn.proj",
    "layer_norm_2": "norm2",
    "mlp.dense1": "mlp.fc1",
    "mlp.dwconv.dwconv": "mlp.dwconv.dwconv",
    "mlp.dense2": "mlp.fc2",
}
"""Released name of a block's layer: the name here."""


def _names() -> Iterator[tuple[str, str]]:
    """Of every layer: the released name, and the one here; in the released order."""
    for k in range(len(MIT_B0)):
        yield f"patch_embeddings.{k}.proj", f"patch_embed{k + 1}.proj"
        yield f"patch_embeddings.{k}.layer_norm", f"patch_embed{k + 1}.norm"
    for k, stage in enumerate(MIT_B0):
        for block in range(DEPTH):
            for released, here in BLOCK_NAMES.items():
                if stage.reduction > 1 or here not in ("attn.sr", "attn.norm"):
                    yield f"block.{k}.{block}.{released}", f"block{k + 1}.{block}.{here}"
    for k in range(len(MIT_B0)):
        yield f"layer_norm.{k}", f"norm{k + 1}"


NAMES = [(f"{released}.{kind}", f"{here}.{kind}") for released, here in _names() for kind in ("weight", "bias")]


def _to_released(encoder: nn.Module, entries: dict[str, Tensor], prefix: str, _: object) -> None:
    here = {name: entries.pop(prefix + name) for name in dict.fromkeys(name for _, name in NAMES)}
    for released, name in NAMES:
        both = here[name].chunk(2)
        entries[prefix + released] = both[".value." in released] if ".attn.kv." in name else here[name]


def _from_released(encoder: nn.Module, entries: dict[str, Tensor], prefix: str, *_: object) -> None:
    parts: dict[str, list[Tensor]] = {}
    for released, name in NAMES:
        if prefix + released in entries:
            parts.setdefault(prefix + name, []).append(entries.pop(prefix + released))
    entries.update((name, torch.cat(values)) for name, values in parts.items())


class Encoder(MixTransformer):
    """MiT-B0. All its layer norms have torch's own epsilon."""

    def __init__(self, inputs: int) -> None:
        super().__init__(MIT_B0, inputs, eps=1e-5)
        self.register_state_dict_post_hook(_to_released)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_from_released)  # type: ignore[no-untyped-call]


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
        self.segformer = nn.ModuleDict({"encoder": Encoder(inputs)})
        self.decode_head = DecodeHead()

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 256 h/4 w/4"]:
        """Features of an image whose sides are multiples of 32."""
        return self.decode_head(self.segformer["encoder"](image.to(self.decode_head.linear_fuse.weight.dtype)))
