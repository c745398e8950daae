"""From an expression, as two code pictures, to what it changes: where the portrait's surface goes, and features."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from models.convolution import conv3
from models.small.activation import activate
from models.small.blur import blurred
from models.small.code_picture import CODE_SIDE, REACH
from models.small.image_to_plane import Encoder
from models.small.lifting import GRID
from models.small.reading import pixel_centres, read
from models.small.settings import CONDITION, FEATURES

CELLS = round(REACH * GRID)
"""Cells of the plane that a code picture covers, across and down."""
_OFF = (GRID - CELLS) // 2
_IRIS, _SKIN = 0.35, 0.75
"""Third channel of a code picture from which it shows an iris, and skin."""
_EYE = 13
"""Pixels of a code picture: more than an eye is high."""
_NEAR, _FAR = 5, 11
"""Cells around a face from which its shift is carried on, and over which it dies out."""


class Change(NamedTuple):
    """What a motion adds to a portrait."""

    features: Float[Tensor, "b 16 64 64"]
    """To the plane that faces the camera."""
    shift: Float[Tensor, "b 3 64 64"]
    """Of the place in the box at which the portrait at rest is read."""
    at_rest: Float[Tensor, "b 2 160 160"]
    """Places in the box, across and down, that have at rest what each pixel of a code picture shows now."""
    codes: Float[Tensor, "b 3 160 160"]
    """The code picture itself."""
    new: Float[Tensor, "b 2 160 160"]
    """Where lids have come down over what the portrait shows of its eyes, and where lips have parted; 0 or 1."""


class MotionAdapter(nn.Module):
    """Code pictures of the source and of now -> `Change`."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(9, 24, 5, 2, 2)
        self.second = nn.Conv2d(24, 48, 3, 2, 1)
        self.deep = nn.Conv2d(48, 64, 3, 2, 1)
        self.encoder = Encoder(64, 4, 2)
        self.wide, self.wider = nn.Conv2d(64, 64, 3, 1, 2, dilation=2), conv3(64, 64)
        self.merge, self.again = conv3(64 + 48 + CONDITION, 64), conv3(64, 64)
        self.here: Tensor
        self.register_buffer("here", _here(), persistent=False)
        self.features, self.shift = conv3(64, FEATURES), conv3(64, 3)
        nn.init.zeros_(self.shift.weight)
        assert self.shift.bias is not None and self.features.bias is not None
        nn.init.zeros_(self.shift.bias)
        nn.init.zeros_(self.features.bias)
        self.features.weight.data.mul_(0.1)

    def forward(
        self,
        source: Float[Tensor, "b 3 160 160"],
        target: Float[Tensor, "b 3 160 160"],
        places: Float[Tensor, "b 4 160 160"],
        condition: Float[Tensor, "b 32 64 64"],
    ) -> Change:
        """What changes from the source's expression to the target's; `places`: of the source's codes."""
        seen = self.first(torch.cat([source, target, 4 * (target - source)], 1))
        half = activate(self.second(activate(seen)))
        deep = self.encoder(activate(self.deep(half)))
        deep = deep + activate(self.wide(deep))
        deep = deep + activate(self.wider(deep))
        wide = functional.interpolate(deep, scale_factor=2.0, mode="bilinear", align_corners=False)
        inner = condition[:, :, _OFF : _OFF + CELLS, _OFF : _OFF + CELLS]
        out = activate(self.merge(torch.cat([wide, half, inner], 1)))
        out = out + activate(self.again(out))
        shift = 0.1 * self.shift(out)
        times = CODE_SIDE // CELLS
        coded = self._coded(source, target, places)
        smooth = functional.interpolate(shift[:, :2], scale_factor=float(times), mode="bilinear", align_corners=False)
        flat = shift[:, :2] + functional.avg_pool2d(coded, times)
        around = (_OFF, GRID - CELLS - _OFF, _OFF, GRID - CELLS - _OFF)
        return Change(
            features=functional.pad(self.features(out), around),
            shift=functional.pad(torch.cat([flat, shift[:, 2:]], 1), around),
            at_rest=self.here + (smooth + coded),
            codes=target,
            new=self._new(source[:, 2:], target[:, 2:]),
        )

    def _new(
        self, before: Float[Tensor, "b 1 160 160"], now: Float[Tensor, "b 1 160 160"]
    ) -> Float[Tensor, "b 2 160 160"]:
        """Of the third channels of code pictures."""
        lids = (now > _SKIN) & (before < _SKIN) & (self.here[1] < 0)
        parted = (now > 0) & (now < _IRIS) & (before > _SKIN)
        return torch.cat([lids, parted], 1).to(now)

    def _coded(
        self,
        source: Float[Tensor, "b 3 160 160"],
        target: Float[Tensor, "b 3 160 160"],
        places: Float[Tensor, "b 4 160 160"],
    ) -> Float[Tensor, "b 2 160 160"]:
        """From where skin and irises are now to where the source has them, carried on around the face."""
        now, before = (self._placed(codes, places) for codes in (target, source))
        return _around(torch.where(target[:, 2:] > _IRIS, now - before, torch.zeros_like(now)), target[:, 2:] > 0)

    def _placed(
        self, codes: Float[Tensor, "b 3 160 160"], places: Float[Tensor, "b 4 160 160"]
    ) -> Float[Tensor, "b 2 160 160"]:
        """Where the source has what is seen; where nothing is seen, that very place."""
        skin, iris = read(places, (2 * codes[:, :2] - 1).permute(0, 2, 3, 1)).chunk(2, 1)
        kind = codes[:, 2:]
        return torch.where(kind > _SKIN, skin, torch.where(kind > _IRIS, iris, self.here))


def _around(shift: Float[Tensor, "b 2 160 160"], drawn: Bool[Tensor, "b 1 160 160"]) -> Float[Tensor, "b 2 160 160"]:
    """The shift of a face carried on beyond its outline, less and less: what lies under the chin comes along."""
    face = drawn.float()
    for sign in (1, -1):  # closed, so that the white of the eyes belongs to it
        for window in ((_EYE, 1), (1, _EYE)):
            face = sign * functional.max_pool2d(sign * face, window, 1, (window[0] // 2, window[1] // 2))
    cells = functional.avg_pool2d(torch.cat([shift * face, face], 1), CODE_SIDE // CELLS)
    near = blurred(cells, _NEAR)
    share = (2 * blurred(cells[:, 2:], _FAR)).clamp(max=1)
    carried = near[:, :2] / near[:, 2:].clamp(min=1e-3) * share
    finer = functional.interpolate(carried, size=CODE_SIDE, mode="bilinear", align_corners=False)
    return shift + (1 - face) * finer


def _here() -> Float[Tensor, "2 160 160"]:
    """Places of a code picture's pixels in the box."""
    return REACH * torch.unflatten(pixel_centres(CODE_SIDE).T, 1, (CODE_SIDE, CODE_SIDE))


def unchanged(source: Float[Tensor, "b 3 160 160"]) -> Change:
    """The change of an adapter that is switched off."""
    new, batch = source.new_zeros, len(source)
    return Change(
        new(batch, FEATURES, GRID, GRID),
        new(batch, 3, GRID, GRID),
        _here().to(source).expand(batch, -1, -1, -1),
        source,
        new(batch, 2, CODE_SIDE, CODE_SIDE),
    )
