"""From what the rays saw to the picture: the portrait's own pixels where they are seen now, its skin without eyes and
lips, and what networks paint."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.small.activation import activate
from models.small.code_picture import CODE_SIDE, REACH
from models.small.frame_box import SIDE
from models.small.motion_adapter import Change
from models.small.reading import read
from models.small.renderer import Seen
from models.small.settings import FEATURES

_TIMES = 4
_FINE = 4 + 3 + 3 + 2
_OFF = (SIDE - CODE_SIDE) // 2
_DARK = -0.4
"""Of the colours that a new network paints: they are those of the mouth's inside."""
_HARDLY, _MOSTLY = -4.0, 8.0
"""How much of them and of even skin it shows, and where lips have parted and lids come down."""


class SuperResolution(nn.Module):
    """Four times as fine."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = conv3(FEATURES + 1 + _FINE, 40), conv3(40, 40), conv3(40, 4 * 20)
        self.fourth, self.fifth = conv3(20 + _FINE, 24), conv3(24, 4 * 8)
        self.sixth, self.last = conv3(8 + _FINE + 1, 16), conv3(16, 6)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.last.bias.data[:3] = _DARK
        self.last.bias.data[3:5] = _HARDLY

    def forward(
        self, seen: Seen, change: Change, texture: Float[Tensor, "b 4 256 256"], skin: Float[Tensor, "b 3 160 160"]
    ) -> Float[Tensor, "b 4 h w"]:
        """The head, RGB multiplied by alpha, and alpha; 0..1."""
        place, opacity = _finer(seen.place), _finer(seen.opacity)
        fine = read(_front(change, texture, skin), place.permute(0, 2, 3, 1))
        own, even, new = fine[:, :4], fine[:, 4:7], fine[:, 10:]
        half = functional.avg_pool2d(fine, 2)
        x = activate(self.first(torch.cat([seen.features, seen.opacity, functional.avg_pool2d(half, 2)], 1)))
        x = x + activate(self.second(x))
        x = functional.pixel_shuffle(activate(self.third(x)), 2)
        x = activate(self.fourth(torch.cat([x, half], 1)))
        x = functional.pixel_shuffle(activate(self.fifth(x)), 2)
        x = self.last(activate(self.sixth(torch.cat([x, fine, opacity], 1))))
        base = own[:, 3:] * opacity
        alpha = (base + x[:, 5:]).clamp(0, 1)
        colour = own[:, :3] / own[:, 3:].clamp(min=0.02)
        shares = torch.cat([torch.zeros_like(alpha), x[:, 3:5] + _MOSTLY * new.flip(1)], 1).softmax(1)
        painted = colour * shares[:, :1] + (0.5 + x[:, :3]) * shares[:, 1:2] + even * shares[:, 2:]
        return torch.cat([painted.clamp(0, 1) * alpha, alpha], 1)


def _front(
    change: Change, texture: Float[Tensor, "b 4 256 256"], skin: Float[Tensor, "b 3 160 160"]
) -> Float[Tensor, "b 12 256 256"]:
    """The moved head from the front: its own pixels, even skin, codes, and where lids and mouth are new.

    Drawn before it is turned, so that at the edges of lips and lids colours are mixed and not places.
    """
    at_rest = change.at_rest.permute(0, 2, 3, 1)
    inner = texture[:, :, _OFF : _OFF + CODE_SIDE, _OFF : _OFF + CODE_SIDE]
    new = torch.cat([read(texture, at_rest) - inner, read(skin, at_rest / REACH), change.codes, change.new], 1)
    around = functional.pad(new, (_OFF,) * 4)
    return torch.cat([texture + around[:, :4], around[:, 4:]], 1)


def _finer(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
    return functional.interpolate(x, scale_factor=float(_TIMES), mode="bilinear", align_corners=False)
