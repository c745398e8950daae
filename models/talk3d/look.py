"""Ways in which a frame's planes are looked at: the same picture up to rounding."""

from collections.abc import Callable

import torch
from torch import nn

from models.fused_renderer import FusedRenderer
from models.talk3d.backbone import PLANES
from models.talk3d.generator import CUBE, PLANE_AXES, Camera, Features, Generator, samples
from models.talk3d.stages import Planes32
from models.triplane import LookUp
from models.volume import camera_rays

Look = Callable[[Planes32, Planes32, Camera, int], Features]
"""What a camera sees of the sum of two sets of planes, with so many samples along each ray, evenly and again."""


def plain_look(generator: Generator, read: LookUp) -> Look:
    """Operation by operation."""
    return lambda planes, delta, camera, count: generator.look(planes + delta.to(planes.dtype), camera, read, count)


class FusedLook(nn.Module):
    """In fused kernels, on a GPU with Triton."""

    def __init__(self, generator: Generator, storage: torch.dtype) -> None:
        """`generator` lies on the GPU already; `storage`: of the planes as the kernels read them."""
        super().__init__()
        self._render = FusedRenderer(generator.decoder, PLANES, PLANE_AXES, CUBE, storage)
        self._side = generator.size.rendered

    def forward(self, planes: Planes32, delta: Planes32, camera: Camera, count: int) -> Features:
        """See `Look`."""
        rays = camera_rays(camera, self._side)
        return self._render(planes, delta, rays, *samples(rays, count)).features
