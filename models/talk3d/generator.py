"""The personalised generator: EG3D (Chan et al., 2022), trained further on a few pictures of one person."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.stylegan import Style, SynthesisBlock
from models.talk3d.backbone import CAMERA, PLANES, Backbone
from models.talk3d.size import LATENT, GeneratorSize
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

Camera = Float[Tensor, "b 25"]
"""See `models.volume.camera_rays`."""
Features = Float[Tensor, "b 32 v v"]
"""What a camera sees; the first three are the colours, -1..1."""
Picture = Float[Tensor, "b 3 q q"]
"""About -1..1."""


class SuperResolution(nn.Module):
    """Four times as large. On a GPU the released code cuts features at 256, which 16 bits could not hold."""

    def __init__(self, size: GeneratorSize) -> None:
        super().__init__()
        first, second = size.drawing
        self.block0 = SynthesisBlock(32, first, LATENT, size.picture // 2, up=True)
        self.block1 = SynthesisBlock(first, second, LATENT, size.picture, up=True)

    def forward(self, features: Features, style: Style) -> Picture:
        """The picture; `style`: the person's latent vector."""
        return self.block1(*self.block0(features, features[:, :3], style), style)[1]


class Generator(nn.Module):
    """All of it."""

    dataset_label_std: Tensor

    def __init__(self, size: GeneratorSize | None = None) -> None:
        """None is the released one's size."""
        super().__init__()
        self.size = size or GeneratorSize()
        self.register_buffer("dataset_label_std", torch.empty(CAMERA))  # in the released weights; of the training
        self.backbone = Backbone(self.size)
        self.superresolution = SuperResolution(self.size)
        self.decoder = FieldDecoder()

    def field(self, planes: Planes, points: Points, read: LookUp = look_up) -> Sample:
        """Colour and density at points of the world."""
        return self.decoder(read(planes, points * (2 / CUBE), PLANE_AXES) / PLANES)

    def render(self, planes: Planes, camera: Camera, read: LookUp = look_up, count: int = SAMPLES) -> Rendered:
        """What the camera sees, one ray per pixel; `count`: see `SAMPLES`."""
        rays = camera_rays(camera, self.size.rendered)
        return render_samples(partial(self.field, planes, read=read), rays, *samples(rays, count))

    def look(self, planes: Planes, camera: Camera, read: LookUp = look_up, count: int = SAMPLES) -> Features:
        """The same as a picture."""
        seen = self.render(planes, camera, read, count).features.transpose(1, 2)
        return torch.unflatten(seen, 2, (self.size.rendered, self.size.rendered))


def samples(rays: Rays, count: int) -> tuple[Depths, Float[Tensor, " s"]]:
    """Depths of the even samples, and which parts of what they saw the others divide."""
    like = rays.directions
    number = torch.arange(count, dtype=like.dtype, device=like.device)
    depths = (NEAR + (FAR - NEAR) / (count - 1) * (number + 0.5)).expand(*like.shape[:2], count)
    return depths, torch.linspace(0, 1, count, dtype=like.dtype, device=like.device)
