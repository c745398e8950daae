"""Code pictures: the face from the front in the codes of its coordinates, which tell networks an expression (PNCC).

Three channels, 0..1: to the right and upwards on the mean face, and what is there: skin, an iris, or nothing (between
the lips, the white of an eye, around the face).
"""

import numpy as np
from jaxtyping import Float, Float32, Int32

from models.face import FaceModel
from models.raster import rasterise
from models.small.frame_box import Box, to_pixels
from models.topology import LEFT_IRIS, RIGHT_IRIS

CODE_SIDE = 160
REACH = 0.625
"""Of the box: what a code picture shows. Its pixels are those of the networks' pictures."""
_IRIS = 0.5
IRIS_BEHIND = 0.1
"""Box units by which an iris is drawn farther off, so that lids hide it."""


class CodePainter:
    """Draws code pictures. One thread, no GPU."""

    def __init__(self, model: FaceModel, box: Box) -> None:
        self._box = box
        self.triangles, self.codes = code_mesh(model)

    def __call__(self, canonical: Float[np.ndarray, "478 3"]) -> Float32[np.ndarray, "3 160 160"]:
        """Of a face in canonical space."""
        drawn = rasterise(code_pixels(canonical, self._box), self.triangles, self.codes, (CODE_SIDE, CODE_SIDE))
        return np.ascontiguousarray(np.moveaxis(drawn.image, -1, 0))


def code_mesh(model: FaceModel) -> tuple[Int32[np.ndarray, "t 3"], Float32[np.ndarray, "478 3"]]:
    """Triangles of skin and irises, and every vertex's code."""
    discs = [[iris[0], iris[k], iris[k % 4 + 1]] for iris in (RIGHT_IRIS, LEFT_IRIS) for k in range(1, 5)]
    codes = np.column_stack([model.ncc[:, :2], np.ones(len(model.mean))]).astype(np.float32)
    codes[[*RIGHT_IRIS, *LEFT_IRIS], 2] = _IRIS
    return np.vstack([model.triangles, np.array(discs, np.int32)]), codes


def code_pixels(canonical: Float[np.ndarray, "478 3"], box: Box) -> Float32[np.ndarray, "478 3"]:
    """Where the vertices lie in a code picture, and their depths."""
    pixels = to_pixels(box.into(canonical), CODE_SIDE, REACH)
    pixels[[*RIGHT_IRIS, *LEFT_IRIS], 2] += IRIS_BEHIND
    return pixels
