"""What a frame adds to a person's planes: a U-Net that sees the planes and is told of the frame.

The way down sees the planes alone, so it is gone once per person.
"""

from typing import NamedTuple

from torch import nn

from models.talk3d.size import SMALLER, STAGES, GeneratorSize, StageWidths
from models.talk3d.stages import DownStages, First, Planes32, Second, UpStages
from models.talk3d.transformer import Settled, Tokens, Transformer


class PlaneFeatures(NamedTuple):
    """What the networks know of a person's planes."""

    first: First
    second: Second
    settled: Settled


class DeltaPlanePredictor(nn.Module):
    """Planes and tokens -> planes to add."""

    def __init__(self, side: int = GeneratorSize().planes, widths: StageWidths = STAGES) -> None:
        """`side`: of the planes; `widths`: see `size.STAGES`."""
        super().__init__()
        self.widths = widths
        self.Downnet, self.Upnet = DownStages(widths), UpStages(widths)
        self.transformer = nn.ModuleList([Transformer(side // SMALLER, widths[-1])])

    def read(self, planes: Planes32) -> PlaneFeatures:
        """All that depends on the planes alone."""
        first, second, deepest = self.Downnet(planes)
        return PlaneFeatures(first, second, self._transformer().settle(deepest))

    def forward(self, features: PlaneFeatures, tokens: Tokens) -> Planes32:
        """What to add to the planes."""
        return self.Upnet(self._transformer()(features.settled, tokens), features.second, features.first)

    def _transformer(self) -> Transformer:
        only = self.transformer[0]
        assert isinstance(only, Transformer)
        return only
