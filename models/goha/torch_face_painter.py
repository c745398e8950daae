"""The pictures of `FacePainter` by torch alone, on any device: fixed shapes, and nothing waits for the device."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from models.goha.coefficients import SIDE
from models.goha.face import GohaFace
from models.goha.face_picture import harmonic_terms
from models.torch_raster import TorchRaster

Vertices = Float[Tensor, "b n 3"]


class TorchFacePainter:
    """Draws persons' expressions on a device. Triangles that grow beyond their tiles lose what lies outside."""

    def __init__(self, face: GohaFace, device: torch.device) -> None:
        model = face.model
        self._raster = TorchRaster(model, device, SIDE)
        self._shapes = torch.from_numpy(model.expression.reshape(len(model.expression), -1).copy()).to(device)
        self._around = torch.from_numpy(face.around.astype(np.int64)).to(device)

    def __call__(
        self, expression: Float[Tensor, "b 64"], rest: Vertices, texture: Vertices,
        light: Float[Tensor, "b 9 3"], pose: Float[Tensor, "b 4 3"],
    ) -> Float32[Tensor, "b 3 224 224"]:  # fmt: skip
        """Persons (see `face_picture.Person`) with these expressions; about -1..1, -1 where there is no face."""
        shape = rest + torch.unflatten(expression @ self._shapes, 1, rest.shape[1:])
        normals = self._normals(shape) @ pose[:, :3]
        lit = texture * (torch.stack(harmonic_terms(*normals.unbind(-1)), -1) @ light)
        return self._raster(shape @ pose[:, :3] + pose[:, 3:], lit[:, self._raster.triangles].double())

    def _normals(self, shape: Vertices) -> Vertices:
        first, second, third = shape[:, self._raster.triangles].unbind(2)
        flat = functional.normalize(torch.linalg.cross(first - second, second - third), dim=-1)
        flat = functional.pad(flat, (0, 0, 0, 1))  # for the vertices with fewer triangles
        return functional.normalize(flat[:, self._around].sum(2), dim=-1)
