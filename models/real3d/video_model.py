"""The video model as it was released: portrait, face images, camera and key points in, a picture out.

This is the reference: one frame at a time, everything computed anew but the canonical planes. `folded.py` gives the
same pictures faster.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.real3d.image_to_plane import ImageToPlane
from models.real3d.motion_adapter import MotionAdapter
from models.real3d.sizes import RELEASED, Sizes
from models.real3d.super_resolution import Head, SuperResolution
from models.real3d.torso import SegmentMap
from models.real3d.torso_motion import KeyPoints
from models.triplane import FieldDecoder, PlaneAxes, Planes, Points, Sample, look_up
from models.volume import Rendered, camera_rays, render

CUBE = 1.0
"""Side of the cube that holds the head, in world units."""
PLANE_AXES: PlaneAxes = ((0, 1), (0, 2), (2, 0))
"""The released weights know no plane of y and z: their third is the second with its axes exchanged."""
SIDE = RELEASED.rendered
"""Of the rendered picture, in pixels."""
SAMPLES = RELEASED.samples
"""Along each ray: so many evenly, so many more where something is."""

Image = Float[Tensor, "b 3 side side"]
"""512 pixels wide as released."""


@dataclass(frozen=True, slots=True)
class PortraitParts:
    """What the networks are given of a portrait. Images: RGB, -1..1."""

    head: Image
    """Hair, face and what is worn on it; black around."""
    torso: Image
    """Neck and clothes, continued upwards behind the head; black around."""
    background: Image
    """Without the person."""
    segments: SegmentMap
    key_points: KeyPoints
    pncc_canonical: Image
    """Of the neutral face."""
    pncc_source: Image
    """Of the expression that the drive starts with."""

    def to(self, device: torch.device) -> "PortraitParts":
        """The same on a device."""
        return PortraitParts(**{name: getattr(self, name).to(device) for name in self.__slots__})


class VideoModel(nn.Module):
    """All networks; the names of its parts are those of the released weights."""

    def __init__(self, sizes: Sizes = RELEASED) -> None:
        super().__init__()
        self.sizes = sizes
        self.cano_img2plane_backbone = ImageToPlane(sizes)
        self.secc_img2plane_backbone = MotionAdapter(sizes)
        self.decoder = FieldDecoder()
        self.superresolution = SuperResolution(sizes)
        # In the released weights; the training balanced its losses with them.
        self.lambda_pertube_blink_secc = nn.Parameter(torch.empty(1))
        self.lambda_pertube_secc = nn.Parameter(torch.empty(1))

    def field(self, planes: Planes, points: Points) -> Sample:
        """Colour and density at points of the world."""
        return self.decoder(look_up(planes, points * (2 / CUBE), PLANE_AXES) / len(PLANE_AXES))

    def render(self, planes: Planes, camera: Float[Tensor, "b 25"]) -> Rendered:
        """The head as the camera sees it, one ray per pixel of a picture of `SIDE` x `SIDE`."""
        rays, samples = camera_rays(camera, self.sizes.rendered), self.sizes.samples
        return render(lambda points: self.field(planes, points), rays, CUBE, samples, samples)

    def forward(
        self,
        canonical: Planes,
        portrait: PortraitParts,
        pncc_target: Image,
        camera: Float[Tensor, "b 25"],
        kp_driving: KeyPoints,
    ) -> Image:
        """One frame, -1..1. `canonical`: what `cano_img2plane_backbone` made of the portrait's head."""
        pncc = torch.cat([portrait.pncc_canonical, portrait.pncc_source, pncc_target], 1)
        head = as_head(self.render(canonical + self.secc_img2plane_backbone(pncc), camera), self.sizes.rendered)
        image = self.superresolution(
            head, portrait.torso, portrait.background, portrait.segments, portrait.key_points, kp_driving
        )
        return image.clamp(-1, 1)


def load_video_model(weights: Mapping[str, Tensor]) -> VideoModel:
    """The model with the released weights, ready for inference; it shares their memory.

    Raises RuntimeError if names or shapes are not exactly those of the model.
    """
    with torch.device("meta"):
        model = VideoModel()
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval().requires_grad_(False)


def as_head(rendered: Rendered, side: int) -> Head:
    """What the rays saw as maps of so many pixels."""
    maps = (torch.unflatten(x.transpose(1, 2), 2, (side, side)) for x in (rendered.features, rendered.opacity))
    return Head(*maps)
