"""Faces drawn as pictures of their vertices' colours."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32

from models.kernels import draw


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A mesh as seen from the front."""

    image: Float32[np.ndarray, "h w c"]
    """Colours between those of the vertices; 0 where nothing is drawn."""
    depth: Float32[np.ndarray, "h w"]
    """Of the nearest surface, in the vertices' unit; infinite where nothing is drawn."""

    @property
    def mask(self) -> Bool[np.ndarray, "h w"]:
        """Where something is drawn."""
        return np.isfinite(self.depth)


def rasterise(
    vertices_px: Float32[np.ndarray, "n 3"],
    triangles: Int32[np.ndarray, "t 3"],
    colours: Float32[np.ndarray, "n c"],
    size: tuple[int, int],
) -> Raster:
    """Draws a mesh that has been projected; colours run linearly in the picture, edges are not smoothed.

    Holes between triangles that share an edge cannot occur, and both sides of a triangle are drawn. For a mesh seen in
    perspective the linear colours differ from the true ones by less than a triangle's depth over its distance.

    Args:
        vertices_px: x and y in pixels, the centre of the first pixel at (0, 0), and depth; smaller is nearer.
        triangles: vertex numbers.
        colours: of the vertices, any number of channels.
        size: width and height.

    Raises:
        IndexError: a triangle names a vertex that is not there.
    """
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(vertices_px)):
        raise IndexError(f"triangles name vertices beyond the {len(vertices_px)} that there are")
    width, height = size
    image = np.zeros((height, width, colours.shape[1]), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    draw(vertices_px, triangles, colours, image, depth)
    return Raster(image, depth)
