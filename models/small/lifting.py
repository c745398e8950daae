"""A portrait lifted: its head as it would be seen from the front, with its depth."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from models.builtin.body import Body
from models.ease import smoothstep
from models.raster import rasterise
from models.small.frame_box import SIDE, Box, to_pixels
from models.topology import SURFACE_COUNT

GRID = 64
"""Cells of a plane, across and down."""
HEAD = (0.5, 0.8)
"""Head weights from which what is drawn counts as head, and wholly."""
_DEEPEST = 0.35
_FARTHEST = 0.3
_SPREAD = 0.06
"""Of the box: how far depth is carried on beyond the head's edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Lifted:
    """What the networks are given of a portrait."""

    texture: UInt8[np.ndarray, "256 256 4"]
    """RGB multiplied by alpha, and alpha."""
    geometry: Float32[np.ndarray, "2 64 64"]
    """Depth of the surface in the box, and the distance to the head's edge in the picture, negative within."""


def lift(
    picture: UInt8[np.ndarray, "h w 4"], uv: Float[np.ndarray, "n 2"], front: Float[np.ndarray, "n 3"], body: Body
) -> Lifted:
    """Draws a head from the front.

    Args:
        picture: the person, RGBA with colours multiplied by alpha.
        uv: where the mesh lies on it, in its pixels.
        front: where the mesh lies in the box.
        body: the mesh.
    """
    colours = np.column_stack([uv, body.head_weight]).astype(np.float32)
    drawn = rasterise(to_pixels(front, SIDE), body.triangles, colours, (SIDE, SIDE))
    u, v, weight = np.moveaxis(drawn.image, -1, 0)
    seen = cv2.remap(picture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    seen *= (smoothstep(*HEAD, weight) * drawn.mask)[..., None]
    texture = np.rint(seen).astype(np.uint8)
    return Lifted(texture, _geometry(drawn.depth, drawn.mask, texture[..., 3]))


def _geometry(depth: np.ndarray, drawn: np.ndarray, alpha: np.ndarray) -> Float32[np.ndarray, "2 64 64"]:
    known = (drawn & (alpha > 0)).astype(np.float32)
    filled = np.where(known > 0, np.minimum(np.where(drawn, depth, 0), _DEEPEST), 0).astype(np.float32)
    near = [cv2.GaussianBlur(x, (0, 0), _SPREAD * SIDE / 2) for x in (filled, known)]
    around = (near[0] + 1e-4 * _DEEPEST) / (near[1] + 1e-4)
    surface = np.where(known > 0, filled, around)
    inside = (alpha > 127).astype(np.uint8)
    within, beyond = (cv2.distanceTransform(np.pad(x, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] for x in (inside, 1 - inside))
    edge = np.clip((beyond - within) * np.float32(2 / SIDE), -_FARTHEST, _FARTHEST)
    small = [cv2.resize(x.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) for x in (surface, edge)]
    return np.stack(small)


def front_of(body: Body, canonical: Float[np.ndarray, "478 3"], box: Box) -> Float[np.ndarray, "n 3"]:
    """Where the mesh of a face with this expression lies in the box; what surrounds the face keeps its place."""
    puppet = body.puppet
    around = puppet.rest_pose.to_canonical(puppet.rest_vertices[SURFACE_COUNT:])
    return box.into(np.vstack([canonical[:SURFACE_COUNT], around]))
