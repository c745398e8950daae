"""How large Talk3D's networks are. The released ones are as large as the defaults; others tell by their weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from math import isqrt
from typing import Any

from torch import Tensor

LATENT = 512
"""Length of a latent vector."""
FIRST_SIDE = 4
"""Pixels a side of the backbone's first block."""
ENLARGED = 4
"""How many times as large as what is rendered a picture is."""


@dataclass(frozen=True, slots=True)
class GeneratorSize:
    """Of the generator."""

    backbone: tuple[int, ...] = (512, 512, 512, 512, 512, 256, 128)
    """Channels of the blocks; the first has 4 pixels a side, each of the others twice as many as that before it."""
    drawing: tuple[int, int] = (256, 128)
    """Channels of the super-resolution's blocks."""
    rendered: int = 128
    """Pixels a side of what is rendered."""

    @property
    def planes(self) -> int:
        """Pixels a side of a plane."""
        return FIRST_SIDE << (len(self.backbone) - 1)

    @property
    def picture(self) -> int:
        """Pixels a side of a picture."""
        return ENLARGED * self.rendered

    @property
    def styles(self) -> int:
        """How many of the backbone's layers take one."""
        return 2 * len(self.backbone)


StageWidths = tuple[int, int, int]
STAGES: StageWidths = (64, 128, 256)
"""Channels of each plane after the U-Net's stages on the way down."""
SMALLER = 8
"""How many times as small as the planes its deepest features are."""
GROUPED = 8
"""Channels of a group that is brought to one size, of these features."""
_BLOCKS, _LONGEST = 10, 4096
"""More blocks, channels or pixels than these are a damaged file's."""


def generator_size(entries: Mapping[str, Any], prefix: str = "") -> GeneratorSize:
    """Of a generator's weights, whose names begin with `prefix`; the released one's if they are not a generator's."""
    blocks = (_length(entries, f"{prefix}backbone.synthesis.b{FIRST_SIDE << k}.conv1.bias") for k in range(_BLOCKS))
    backbone = tuple(takewhile(bool, blocks))
    first, second = (_length(entries, f"{prefix}superresolution.block{k}.conv1.bias") for k in (0, 1))
    noise = _length(entries, f"{prefix}superresolution.block0.conv1.noise_const", axes=2)
    if not backbone or not first or not second or noise < 2:
        return GeneratorSize()
    return GeneratorSize(backbone, (first, second), noise // 2)


def stage_widths(entries: Mapping[str, Any], prefix: str = "") -> StageWidths:
    """Of a delta-plane predictor's weights; the released one's if they are not a predictor's."""
    first, second, third = (_length(entries, f"{prefix}Downnet.Downnet{k}_xy.conv1.bias") for k in (1, 2, 3))
    known = first and second and third and third % GROUPED == 0
    return (first, second, third) if known else STAGES


def planes_side(entries: Mapping[str, Any], prefix: str = "") -> int:
    """Pixels a side of the planes that a delta-plane predictor knows; as above."""
    places = entries.get(f"{prefix}transformer.0.pos_emb")
    side = SMALLER * isqrt(places.shape[1]) if isinstance(places, Tensor) and places.ndim == 3 else 0
    return side if 0 < side <= _LONGEST else GeneratorSize().planes


def _length(entries: Mapping[str, Any], name: str, axes: int = 1) -> int:
    """Along an entry's first axis; 0 if it is not there, has another number of axes, or no network is so large."""
    values = entries.get(name)
    if not isinstance(values, Tensor) or values.ndim != axes or len(values) > _LONGEST:
        return 0
    return len(values)
