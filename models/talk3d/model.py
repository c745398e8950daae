"""All networks of a person's avatar: once per person `person`, then one call per frame.

The planes of a person are never written to; every frame adds its own to them.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.gfpgan.restoration import SIDE, Restoration
from models.stylegan import Style
from models.talk3d.conditions import Conditions, Frame
from models.talk3d.delta_planes import DeltaPlanePredictor, PlaneFeatures
from models.talk3d.generator import Camera, Features, Generator, Picture
from models.talk3d.size import STAGES, GeneratorSize, StageWidths, generator_size, stage_widths
from models.talk3d.stages import Planes32


class Person(NamedTuple):
    """What does not change from frame to frame."""

    latent: Style
    """The person's, 512 numbers."""
    planes: Planes32
    """Of the neutral self."""
    features: PlaneFeatures


class Talk3D(nn.Module):
    """The networks."""

    def __init__(self, restored: bool, size: GeneratorSize | None = None, widths: StageWidths = STAGES) -> None:
        """How large they are, and who draws.

        Args:
            restored: a GFPGAN draws the picture, in place of the generator's super-resolution.
            size: of the generator; None is the released one's.
            widths: of the delta-plane predictor.
        """
        super().__init__()
        self.generator = Generator(size)
        self.deltaplane_predictor = DeltaPlanePredictor(self.generator.size.planes, widths)
        self.conditions = Conditions()
        self.restoration = Restoration() if restored else None

    def person(self, latent: Style) -> Person:
        """Seconds on a CPU."""
        planes = self.generator.backbone.synthesis(latent)
        return Person(latent, planes, self.deltaplane_predictor.read(planes))

    def planes(self, person: Person, frame: Frame) -> Planes32:
        """The person at a frame."""
        return person.planes + self.deltaplane_predictor(person.features, self.conditions(frame))

    def draw(self, person: Person, seen: Features) -> Picture:
        """The picture of what the camera sees."""
        if self.restoration is None:
            return self.generator.superresolution(seen, person.latent)
        return self.restoration(enlarged(seen[:, :3]), self.restoration.stylegan_decoder.stored_noise())

    def forward(self, person: Person, frame: Frame, camera: Camera) -> Picture:
        """One frame."""
        return self.draw(person, self.generator.look(self.planes(person, frame), camera))


def enlarged(image: Float[Tensor, "b 3 h w"]) -> Picture:
    """As large as the restoration takes it; bilinear."""
    return functional.interpolate(image, (SIDE, SIDE), mode="bilinear", align_corners=False)


def load_talk3d(weights: Mapping[str, Tensor]) -> Talk3D:
    """The networks with these weights, as large as they are, ready for inference; they share their memory.

    Raises RuntimeError if names or shapes are not exactly those of the networks.
    """
    with torch.device("meta"):
        model = Talk3D(
            restored=any(name.startswith("restoration.") for name in weights),
            size=generator_size(weights, "generator."),
            widths=stage_widths(weights, "deltaplane_predictor."),
        )
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval().requires_grad_(False)
