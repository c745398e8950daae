"""Everything that runs once per frame, as executors call it.

The same pictures as `model.py` up to rounding: the norms and the person's style are folded into constants.
"""

from copy import copy, deepcopy

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.backends.layout import stored_as
from models.backends.picture_bytes import to_picture
from models.gfpgan.restoration import NARROW, WIDE
from models.stylegan import Style, StyledBlock
from models.talk3d.conditions import Frame, FrameSound
from models.talk3d.generator import Camera, Features, Picture, SuperResolution
from models.talk3d.levels import LEVELS, Level
from models.talk3d.look import Look
from models.talk3d.model import Talk3D, enlarged
from models.talk3d.stages import Deepest, First, Planes32, Second, Stage
from models.talk3d.transformer import Places, Settled


class StyledSuperResolution(nn.Module):
    """The generator's super-resolution for one person."""

    def __init__(self, network: SuperResolution, style: Style) -> None:
        super().__init__()
        self.block0, self.block1 = StyledBlock(network.block0, style), StyledBlock(network.block1, style)

    def forward(self, features: Features) -> Picture:
        """The picture."""
        return self.block1(*self.block0(features.to(self.block0.weight0.dtype), features[:, :3]))[1]


class FrameNetwork(nn.Module):
    """The person's tensors and the fresh ones, one by one, in; a picture of bytes out.

    Features may be stored in 16 bits; what is told of a frame, the person's planes, all about the volume, styles and
    colours stay in float32.
    """

    def __init__(
        self,
        model: Talk3D,
        latent: Style,
        look: Look,
        stored: torch.dtype = torch.float32,
    ) -> None:
        """At the best level.

        Args:
            model: shares what is stored as it is there.
            latent: the person's.
            look: at the model's planes.
            stored: type of the features and of the weights that they meet.
        """
        super().__init__()
        self._look = look
        self.level, self.conditions = LEVELS[0], model.conditions
        self.restoration = model.restoration and stored_as(model.restoration, stored, NARROW, WIDE)
        self.transformer = stored_as(model.deltaplane_predictor.transformer[0], stored)
        with torch.no_grad():
            up = deepcopy(model.deltaplane_predictor.Upnet)
            for stage in up.children():
                _fold(stage)
            drawing = StyledSuperResolution(model.generator.superresolution, latent)
        self.up, self.super_resolution = stored_as(up, stored), stored_as(drawing, stored)
        self.eval().requires_grad_(False)

    def at(self, level: Level) -> "FrameNetwork":
        """The same weights at another level."""
        other = copy(self)
        other.level = level
        return other

    def forward(
        self,
        planes: Planes32,
        first: First,
        second: Second,
        deepest: Deepest,
        within: Places,
        queries: Places,
        sound: FrameSound,
        eye: Float[Tensor, "b 1"],
        angles: Float[Tensor, "b 3"],
        landmarks: Float[Tensor, "b 3 2"],
        camera: Camera,
    ) -> UInt8[Tensor, "b q q 3"]:
        """RGB."""
        tokens = self.conditions(Frame(sound, eye, angles, landmarks)).to(within.dtype)
        delta = self.up(self.transformer(Settled(deepest, within, queries), tokens), second, first)
        seen = self._look(planes, delta, camera, self.level.samples)
        return to_picture(self._draw(seen).clamp(-1, 1))

    def _draw(self, seen: Features) -> Picture:
        if self.restoration is None:
            return self.super_resolution(seen)
        return self.restoration(enlarged(seen[:, :3]), self.restoration.stylegan_decoder.stored_noise())


def _fold(stage: nn.Module) -> None:
    """Makes the norms part of the convolutions before them."""
    assert isinstance(stage, Stage)
    stage.conv0, stage.conv1 = fuse_conv_bn_eval(stage.conv0, stage.bn0), fuse_conv_bn_eval(stage.conv1, stage.bn1)
    for norm in ("bn0", "bn1"):
        stage.add_module(norm, nn.Identity())
