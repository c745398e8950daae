"""The small model: all of its networks."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.small.image_to_plane import WIDTH, ImageToPlane
from models.small.lifting import GRID
from models.small.motion_adapter import Change, MotionAdapter
from models.small.reading import pixel_centres
from models.small.renderer import Planes, Renderer
from models.small.settings import FEATURES, RAYS, SAMPLES, SIDE_FEATURES
from models.small.super_resolution import SuperResolution

Head = Float[Tensor, "b 4 h w"]
"""RGB multiplied by alpha, and alpha; 0..1."""


class SmallModel(nn.Module):
    """Image network, motion adapter, renderer and super-resolution. One portrait's planes serve all of its frames."""

    def __init__(self, width: int = WIDTH) -> None:
        """`width`: of the image network, see `ImageToPlane`."""
        super().__init__()
        self.image_to_plane, self.adapter = ImageToPlane(width), MotionAdapter()
        self.renderer, self.super_resolution = Renderer(), SuperResolution()
        self.mean_front = nn.Parameter(0.05 * torch.randn(1, FEATURES, GRID, GRID))
        self.mean_across = nn.Parameter(0.05 * torch.randn(1, 2 * SIDE_FEATURES, GRID, GRID))

    def planes(
        self, texture: Float[Tensor, "b 4 256 256"], geometry: Float[Tensor, "b 2 64 64"]
    ) -> tuple[Planes, Float[Tensor, "b 32 64 64"]]:
        """Of a portrait, and what its motion adapter is told of it."""
        front, across, condition = self.image_to_plane(texture, geometry)
        return Planes(torch.cat([front + self.mean_front, geometry], 1), across + self.mean_across), condition

    def draw(
        self,
        planes: Planes,
        texture: Float[Tensor, "b 4 256 256"],
        skin: Float[Tensor, "b 3 160 160"],
        change: Change,
        rotation: Float[Tensor, "b 3 3"],
        pixels: Float[Tensor, "n 2"] | None = None,
        rows: int = RAYS,
        samples: int = SAMPLES[0],
    ) -> Head:
        """The head under a rotation; `pixels`: those rays alone; `skin`: of `skin.even_skin`."""
        through = (pixel_centres(RAYS) if pixels is None else pixels).to(texture.device)
        seen = self.renderer(planes, change, rotation, through, rows, samples)
        return self.super_resolution(seen, change, texture, skin)
