"""Volume rendering in fused kernels, on a GPU with Triton."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.triplane import FieldDecoder, PlaneAxes, Planes
from models.volume import Depths, Rays

if TYPE_CHECKING:
    from models.volume_triton import Maps


def has_triton() -> bool:
    """Whether the kernels can be compiled."""
    return torch.cuda.is_available() and find_spec("triton") is not None


class FusedRenderer(nn.Module):
    """`volume.render_samples` of the sum of two sets of planes, up to the rounding of the sum."""

    def __init__(
        self, decoder: FieldDecoder, parts: int, axes: PlaneAxes, cube: float, storage: torch.dtype = torch.float16
    ) -> None:
        """The decoder lies on the GPU already and reads the sum over the planes, divided by `parts`.

        Args:
            decoder: of the field; what is rendered may have more colours, which mean nothing.
            parts: how many planes the decoder takes the mean of.
            axes: of the planes that are given.
            cube: side of the cube that they span, in world units.
            storage: type of the planes as the kernels read them.
        """
        super().__init__()
        from models.volume_triton import field_weights  # Triton: only where it is

        self._weights = field_weights(decoder, parts, storage)
        self._axes, self._cube, self._storage = axes, cube, storage

    def forward(self, planes: Planes, change: Planes, rays: Rays, even: Depths, draws: Float[Tensor, " f"]) -> "Maps":
        """What the rays of a square picture see; `even` and `draws` as in `volume.render_samples`."""
        from models.volume_triton import render_fused, sum_planes

        texels = sum_planes(planes, change, self._storage)
        return render_fused(texels, self._weights, rays, even, draws, self._axes, self._cube)
