"""The pictures of `PnccPainter` by torch alone, on any device."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from models.real3d.face import Real3dFace
from models.real3d.pncc import SIDE
from models.torch_raster import TorchRaster


class TorchPnccPainter:
    """Draws PNCC pictures on a device. Triangles that grow beyond their tiles lose what lies outside."""

    def __init__(self, face: Real3dFace, device: torch.device, side: int = SIDE) -> None:
        model = face.model
        self._raster = TorchRaster(model, device, side)
        self._mean = torch.from_numpy(model.mean.copy()).to(device)
        shapes = np.concatenate([model.identity, model.expression]).reshape(-1, model.mean.size)
        self._shapes = torch.from_numpy(shapes).to(device)
        codes = model.ncc[model.triangles].astype(float)
        codes[0] = 0  # in the background's code, as `PnccPainter` has it
        self._codes = torch.from_numpy(codes).to(device)[None]

    def __call__(
        self, identity: Float[Tensor, "b 80"], expression: Float[Tensor, "b 64"]
    ) -> Float32[Tensor, "b 3 side side"]:
        """Persons with their expressions, as -1..1; zeros are the mean, and the face at rest."""
        moved = torch.cat([identity, expression], 1) @ self._shapes
        return self.draw(self._mean + torch.unflatten(moved, 1, self._mean.shape))

    def draw(self, vertices: Float32[Tensor, "b n 3"]) -> Float32[Tensor, "b 3 side side"]:
        """The face model's vertices (decimetres) in its codes."""
        return self._raster(vertices, self._codes)
