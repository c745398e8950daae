"""What a frame is at each level of quality, with stand-ins for the slow networks."""

import pytest
import torch
from torch import Tensor, nn

from models.goha.frame_network import FrameNetwork, trimmed
from models.goha.levels import LEVELS
from models.goha.lifting import nearest_by_products
from models.goha.model import SAMPLES, Goha
from models.goha.ways import Ways
from models.triplane import FieldDecoder
from models.volume import Rendered

GIVEN = (
    torch.zeros(1, 3, 512, 512), torch.ones(1, 1, 512, 512), torch.zeros(1, 25), torch.full((1, 3, 32, 256, 256), 0.1),
    torch.full((1, 3, 32, 256, 256), 0.5), torch.zeros(1, 3, 224, 224), torch.zeros(1, 25),
)  # fmt: skip


class Enlarged(nn.Module):
    """In place of the last network."""

    def forward(self, low: Tensor) -> Tensor:
        return nn.functional.interpolate(low, (512, 512))


class Quick(Goha):
    """Planes of one number each, in which the right half of the picture sees something of that brightness."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.neural_layers, self.asked = nn.ModuleDict({"gfpgan": Enlarged()}), []

    def expression(self, face):
        return torch.full((1, 3, 32, 256, 256), 0.2)

    def appearance(self, base, source, ways):
        self.asked.append(ways)
        return base

    def seen(self, planes, camera, side, count):
        self.asked.append(count)
        seen = (torch.arange(side * side) % side >= side // 2).float()[None, :, None]
        return Rendered(2 * planes.mean() * seen.expand(-1, -1, 3) - 1, seen, seen)


@pytest.mark.parametrize(("level", "shade"), [(0, 0.6), (1, 0.7), (2, 0.7)])
def test_appearance_is_looked_up_or_stays(level: int, shade: float) -> None:
    model = Quick()
    ways = Ways(nearest_by_products, model.seen)
    picture = FrameNetwork(model, ways, LEVELS[level])(*GIVEN)
    assert picture.shape == (1, 512, 512, 4) and picture.dtype == torch.uint8
    assert picture[0, 300, 400].tolist() == [int(255 * shade)] * 3 + [255]
    assert picture[0, 300, 100].tolist() == [0, 0, 0, 0]
    looked_up = [ways] if level == 0 else []
    assert model.asked == [*looked_up, LEVELS[level].samples]
    assert [each.samples for each in LEVELS] == [SAMPLES, SAMPLES, SAMPLES // 2]


def test_what_is_trimmed_was_not_looked_at() -> None:
    torch.manual_seed(0)
    decoder = FieldDecoder()
    for values in decoder.parameters():
        nn.init.normal_(values)
    with torch.device("meta"):
        model = Goha()
    model.decoder = decoder
    features = torch.randn(1, 50, 32)
    want = decoder(features)
    got = trimmed(trimmed(model)).decoder(features)
    assert got.colour.shape == (1, 50, 3)
    torch.testing.assert_close(got.colour, want.colour[..., :3])
    torch.testing.assert_close(got.density, want.density)
