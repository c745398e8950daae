"""Everything that runs once per frame, as executors call it."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from models.backends.layout import stored_as
from models.backends.picture_bytes import to_picture
from models.gfpgan import restoration
from models.gfpgan.restoration import Picture
from models.goha.levels import LEVELS, Level
from models.goha.model import TARGET_SIDE, Camera, Goha, Source, as_picture, stretched
from models.goha.ways import Ways
from models.triplane import FieldDecoder, Planes

NARROW = ("expr_net", "embedding2expr", "id_net", "id_upsampler")
"""Networks that may be stored in 16 bits, all of them; of GFPGAN, see `restoration.NARROW`."""


class FrameNetwork(nn.Module):
    """The portrait's tensors and the fresh ones, one by one, in; the person before nothing out.

    There is no such picture in the released code, whose people stand before black. Where the renderer saw nothing, what
    the last network draws is taken for black, too.
    """

    def __init__(self, model: Goha, ways: Ways, level: Level = LEVELS[0]) -> None:
        """Several may share a model, which has to be `trimmed`."""
        super().__init__()
        self.model, self.level, self._ways = model, level, ways

    def forward(
        self,
        normalised: Picture,
        keep: Float[Tensor, "b 1 512 512"],
        source_camera: Camera,
        canonical: Planes,
        frozen: Planes,
        face: Float[Tensor, "b 3 224 224"],
        camera: Camera,
    ) -> UInt8[Tensor, "b 512 512 4"]:
        """RGB, multiplied by alpha, and alpha."""
        if self.level.appearance == "looked up":
            planes = self.model.planes(Source(normalised, keep, source_camera, canonical), face, self._ways)
        else:
            planes = frozen + self.model.expression(face)
        seen = self._ways.look(planes, camera, TARGET_SIDE, self.level.samples)
        colours = self.model.neural_layers["gfpgan"](stretched(as_picture(seen.features, TARGET_SIDE)))
        opacity = torch.unflatten(seen.opacity.transpose(1, 2), 2, (TARGET_SIDE, TARGET_SIDE))
        alpha = stretched(opacity)
        return to_picture(torch.cat([colours, 2 * alpha - 1], 1).clamp(-1, 1))


def narrowed(model: Goha, stored: torch.dtype) -> Goha:
    """The model with the features of its large networks stored in a type.

    Colours, planes, all about the volume and what chooses the pixels that are kept stay in float32.
    """
    drawing = [f"neural_layers.gfpgan.{part}" for part in restoration.NARROW]
    return stored_as(stored_as(model, stored, NARROW), stored, drawing, restoration.WIDE)


def trimmed(model: Goha) -> Goha:
    """The model itself, without what nothing looks at: all but three of the colours that the field's decoder gives."""
    decoder = FieldDecoder(colours=3)
    for mine, its in zip(decoder.layers(), model.decoder.layers(), strict=True):
        for name, values in its.named_parameters():
            setattr(mine, name, nn.Parameter(values[: len(mine.bias)], requires_grad=False))
    model.decoder = decoder.eval()
    return model
