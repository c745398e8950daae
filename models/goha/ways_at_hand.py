"""The ways that a device has."""

from functools import partial

import torch
from torch import nn

from models.fused_renderer import FusedRenderer, has_triton
from models.goha.lifting import nearest, nearest_by_products
from models.goha.model import CUBE, PLANE_AXES, Camera, Goha, samples
from models.goha.plane_heads import PLANES
from models.goha.ways import Ways
from models.triplane import Planes, look_up, look_up_on_cpu
from models.volume import Rendered, camera_rays


def ways_on(model: Goha, device: torch.device) -> Ways:
    """The fastest that a reference may use: operation by operation."""
    return on_cpu(model) if device.type == "cpu" else everywhere(model)


def on_cpu(model: Goha) -> Ways:
    """With trees and loops."""
    return Ways(nearest, partial(model.look, read=look_up_on_cpu))


def everywhere(model: Goha) -> Ways:
    """By torch alone: shapes are fixed, nothing waits for a device, and it can be exported."""
    return Ways(nearest_by_products, partial(model.look, read=look_up))


def captured(model: Goha, storage: torch.dtype) -> Ways:
    """For one graph: kernels of our own where they can be compiled. The model lies on the GPU already."""
    if not has_triton():
        return everywhere(model)
    from models.goha.nearest_triton import nearest_by_kernel  # Triton: only where it is

    return Ways(nearest_by_kernel, FusedLook(model, storage))


class FusedLook(nn.Module):
    """`Goha.look` in fused kernels."""

    def __init__(self, model: Goha, storage: torch.dtype) -> None:
        super().__init__()
        self._render = FusedRenderer(model.decoder, PLANES, PLANE_AXES, CUBE, storage)

    def forward(self, planes: Planes, camera: Camera, side: int, count: int) -> Rendered:
        """See `ways.Look`."""
        rays = camera_rays(camera, side)
        nothing = planes.new_zeros(()).expand(planes[:1].shape)
        seen = self._render(planes, nothing, rays, *samples(rays, count))
        return Rendered(*(each.flatten(2).transpose(1, 2) for each in seen))
