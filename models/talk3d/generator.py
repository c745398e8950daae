"""The personalised generator: EG3D (Chan et al., 2022), trained further on a few pictures of one person."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.stylegan import Style, SynthesisBlock
from models.talk3d.backbone import CAMERA, LATENT, PLANES, Backbone
from models.triplane import FieldDecoder, LookUp, PlaneAxes, Planes, Points, Sample, look_up
from models.volume import Depths, Rays, Rendered, camera_rays, render_samples

CUBE = 1.0
"""Side of the cube that the planes span, in world units."""
PLANE_AXES: PlaneAxes = ((0, 1), (0, 2), (2, 1))
"""Of the release whose axes were put right; in the older one the third plane lies as the second."""
NEAR, FAR = 2.25, 3.3
"""Where samples begin and end along a ray."""
SAMPLES = 48
"""Along each ray: so many evenly, so many more where something is. The released code shakes both with every picture;
here the even ones lie in the middle of what they are shaken over, and the others are evenly spread."""
RENDERED_SIDE = 128

Camera = Float[Tensor, "b 25"]
"""See `models.volume.camera_rays`."""
Features = Float[Tensor, "b 32 128 128"]
"""What a camera sees; the first three are the colours, -1..1."""
Picture = Float[Tensor, "b 3 512 512"]
"""About -1..1."""


class SuperResolution(nn.Module):
    """Four times as large. On a GPU the released code cuts features at 256, which 16 bits could not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.block0 = SynthesisBlock(32, 256, LATENT, side=256, up=True)
        self.block1 = SynthesisBlock(256, 128, LATENT, side=512, up=True)

    def forward(self, features: Features, style: Style) -> Picture:
        """The picture; `style`: the person's latent vector."""
        return self.block1(*self.block0(features, features[:, :3], style), style)[1]


class Generator(nn.Module):
    """All of it."""

    dataset_label_std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("dataset_label_std", torch.empty(CAMERA))  # in the released weights; of the training
        self.backbone = Backbone()
        self.superresolution = SuperResolution()
        self.decoder = FieldDecoder()

    def field(self, planes: Planes, points: Points, read: LookUp = look_up) -> Sample:
        """Colour and density at points of the world."""
        return self.decoder(read(planes, points * (2 / CUBE), PLANE_AXES) / PLANES)

    def render(self, planes: Planes, camera: Camera, read: LookUp = look_up, count: int = SAMPLES) -> Rendered:
        """What the camera sees, one ray per pixel; `count`: see `SAMPLES`."""
        rays = camera_rays(camera, RENDERED_SIDE)
        return render_samples(partial(self.field, planes, read=read), rays, *samples(rays, count))

    def look(self, planes: Planes, camera: Camera, read: LookUp = look_up, count: int = SAMPLES) -> Features:
        """The same as a picture."""
        seen = self.render(planes, camera, read, count).features.transpose(1, 2)
        return torch.unflatten(seen, 2, (RENDERED_SIDE, RENDERED_SIDE))


def samples(rays: Rays, count: int) -> tuple[Depths, Float[Tensor, " s"]]:
    """Depths of the even samples, and which parts of what they saw the others divide."""
    like = rays.directions
    number = torch.arange(count, dtype=like.dtype, device=like.device)
    depths = (NEAR + (FAR - NEAR) / (count - 1) * (number + 0.5)).expand(*like.shape[:2], count)
    return depths, torch.linspace(0, 1, count, dtype=like.dtype, device=like.device)
