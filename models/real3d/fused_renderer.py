"""The renderer for one frame in fused kernels."""

from jaxtyping import Float
from torch import Tensor, nn

from models.fused_renderer import FusedRenderer
from models.real3d.levels import Level
from models.real3d.portrait_state import MERGED_AXES
from models.real3d.super_resolution import Head
from models.real3d.video_model import CUBE, PLANE_AXES
from models.triplane import FieldDecoder
from models.volume import camera_rays, samples_within


class FusedHeadRenderer(nn.Module):
    """`FoldedRenderer` up to the rounding of planes to 16 bits."""

    def __init__(self, decoder: FieldDecoder) -> None:
        """`decoder` lies on the GPU already."""
        super().__init__()
        self._render = FusedRenderer(decoder, len(PLANE_AXES), MERGED_AXES, CUBE)

    def forward(
        self,
        planes: Float[Tensor, "b 2 32 256 256"],
        change: Float[Tensor, "b 2 32 256 256"],
        camera: Float[Tensor, "b 25"],
        level: Level,
    ) -> Head:
        """The head as the camera sees it."""
        rays = camera_rays(camera, level.side)
        seen = self._render(planes, change, rays, *samples_within(rays, CUBE, level.even, level.drawn))
        return Head(seen.features, seen.opacity)
