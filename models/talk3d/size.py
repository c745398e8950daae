"""How large Talk3D's networks are. The released ones are as large as the defaults; others tell by their weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, takewhile

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


def generator_size(entries: Mapping[str, Tensor], prefix: str = "") -> GeneratorSize:
    """Of a generator's weights, whose names begin with `prefix`; the released one's if they are not a generator's."""
    sides = takewhile(
        lambda side: f"{prefix}backbone.synthesis.b{side}.conv1.bias" in entries, (FIRST_SIDE << k for k in count())
    )
    backbone = tuple(len(entries[f"{prefix}backbone.synthesis.b{side}.conv1.bias"]) for side in sides)
    drawing = [entries.get(f"{prefix}superresolution.block{k}.conv1.bias") for k in (0, 1)]
    noise = entries.get(f"{prefix}superresolution.block0.conv1.noise_const")
    if not backbone or drawing[0] is None or drawing[1] is None or noise is None:
        return GeneratorSize()
    return GeneratorSize(backbone, (len(drawing[0]), len(drawing[1])), len(noise) // 2)


def stage_widths(entries: Mapping[str, Tensor], prefix: str = "") -> StageWidths:
    """Of a delta-plane predictor's weights; the released one's if they are not a predictor's."""
    widths = [entries.get(f"{prefix}Downnet.Downnet{k}_xy.conv1.bias") for k in (1, 2, 3)]
    first, second, third = (None if bias is None else len(bias) for bias in widths)
    return STAGES if first is None or second is None or third is None else (first, second, third)
