"""The renderer for one frame in fused kernels, on a GPU with Triton."""

from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.real3d.levels import Level
from models.real3d.portrait_state import MERGED_AXES
from models.real3d.super_resolution import Head
from models.real3d.video_model import CUBE, PLANE_AXES
from models.triplane import FieldDecoder

STORED = torch.float16
"""Type of the planes as the kernels read them."""


def has_triton() -> bool:
    """Whether the kernels can be compiled."""
    return torch.cuda.is_available() and find_spec("triton") is not None


class FusedRenderer(nn.Module):
    """`FoldedRenderer` up to the rounding of planes to 16 bits."""

    def __init__(self, decoder: FieldDecoder) -> None:
        """`decoder` lies on the GPU already."""
        super().__init__()
        from models.volume_triton import field_weights  # Triton: only where it is

        self._weights = field_weights(decoder, len(PLANE_AXES), STORED)

    def forward(
        self,
        planes: Float[Tensor, "b 2 32 256 256"],
        change: Float[Tensor, "b 2 32 256 256"],
        camera: Float[Tensor, "b 25"],
        level: Level,
    ) -> Head:
        """The head as the camera sees it."""
        from models.volume_triton import render_fused, sum_planes

        texels = sum_planes(planes, change, STORED)
        seen = render_fused(texels, self._weights, camera, MERGED_AXES, level.side, CUBE, level.even, level.drawn)
        return Head(seen.features, seen.opacity)
