"""The pictures of `CodePainter` by torch alone, on any device."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.face import FaceModel
from models.morphable import MorphableModel
from models.small.code_picture import BEHIND, CODE_SIDE, INNER, POINTS, REACH, code_mesh
from models.small.frame_box import Box
from models.torch_raster import TorchRaster

_FLAT = 1e-3
"""Of depth that is left: so far off a camera that sees in perspective sees parallel rays."""


class TorchCodePainter:
    """Draws code pictures on a device. Triangles that grow beyond their tiles lose what lies outside."""

    def __init__(self, model: FaceModel, box: Box, device: torch.device) -> None:
        triangles, codes = code_mesh(model)
        away = np.zeros((len(POINTS), 3))
        away[INNER, 2] = BEHIND
        # Box units to the raster's: its camera looks along -z, y upwards, and shows CAMERA_DISTANCE / FOCAL across.
        scale = np.array([1.0, -1.0, -_FLAT]) * (CAMERA_DISTANCE / FOCAL / (2 * REACH))
        self._scale, self._offset = (
            torch.from_numpy(x.astype(np.float32)).to(device)
            for x in (scale / box.half, scale * (away - box.centre / box.half))
        )
        flat = MorphableModel(
            mean=((model.mean[POINTS] - box.centre) / box.half * scale + scale * away).astype(np.float32),
            identity=(model.identity[:, POINTS] / box.half * scale).astype(np.float32),
            expression=(model.expression[:, POINTS] / box.half * scale).astype(np.float32),
            triangles=triangles,
            keypoints68=model.keypoints68,
            ncc=model.ncc[POINTS],
        )
        self._raster = TorchRaster(flat, device, CODE_SIDE)
        self._points = torch.from_numpy(POINTS).to(device)
        self._codes = torch.from_numpy(codes[triangles].astype(float)).to(device)[None]

    def __call__(self, canonical: Float[Tensor, "b 478 3"]) -> Float32[Tensor, "b 3 160 160"]:
        """Of faces in canonical space."""
        return (self._raster(canonical[:, self._points].float() * self._scale + self._offset, self._codes) + 1) / 2
