"""PNCC pictures: the face drawn in the codes of its coordinates, the released networks' picture of an expression.

Drawn as PyTorch3D draws them for the released code: one hard surface per pixel, its centre tested, codes true to
perspective, no smoothing of edges, both sides of triangles. Triangle 0 hides what is behind it but is not shown itself:
the released code takes its number for "nothing". Heads are never turned or shifted: that is the camera's part.

The networks are given three: of the person at rest, of a source, and of the frame to show. The source is the photo's
person too, with the expression of the first frame of the clip that drives (the paper, as against the code, says: with
the photo's own).
"""

import numpy as np
from jaxtyping import Float, Float32

from models.bfm import to_picture
from models.raster import rasterise
from models.real3d.face import Real3dFace
from models.real3d.kernels import finish_codes

SIDE = 512
"""Of the pictures that the released networks take."""

Pncc = Float32[np.ndarray, "3 side side"]
"""Codes as -1..1; -1 where there is no face: around it, in the eyes and in an open mouth."""


class PnccPainter:
    """Draws PNCC pictures. One thread, no GPU."""

    def __init__(self, face: Real3dFace, side: int = SIDE) -> None:
        model = face.model
        self._side, self._model = side, model
        self._first = model.triangles[0]
        uncoded = len(model.mean) + np.arange(3, dtype=np.int32)  # its corners once more, in the background's code
        self._triangles = np.concatenate([uncoded[None], model.triangles[1:]])
        self._codes = np.concatenate([model.ncc, np.zeros((3, 3), np.float32)])

    def __call__(self, identity: Float[np.ndarray, "80"], expression: Float[np.ndarray, "64"]) -> Pncc:
        """A person with an expression; zeros are the mean, and the face at rest."""
        return self.draw(self._model.shape(identity, expression))

    def draw(self, vertices: Float32[np.ndarray, "n 3"]) -> Pncc:
        """The face model's vertices (decimetres) in its codes."""
        projected = to_picture(vertices, self._side)
        projected = np.concatenate([projected, projected[self._first]])
        near = 1 / projected[:, 2:]
        # What is linear in the picture of a surface in perspective is 1 / distance, and anything times it.
        projected[:, 2:] = -near
        coded = np.concatenate([self._codes * near, near], axis=1)
        raster = rasterise(projected, self._triangles, coded, (self._side, self._side))
        out = np.empty((3, self._side, self._side), np.float32)
        finish_codes(raster.image, out)
        return out
