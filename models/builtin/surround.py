"""The mesh around the face: a grid over hair, neck, body and picture margin that moves with the head."""

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spl
from jaxtyping import Bool, Float, Int, Int32
from scipy.spatial import Delaunay

from models.ease import smoothstep
from models.topology import CHIN, FACE_OVAL, FOREHEAD_TOP, SURFACE_COUNT

_SPACING = 16 / 512  # of the picture's longer side
_EXPRESSION_REACH = 0.3  # face heights over which the jaw's movement dies out in the neck
_DEPTH_REACH = (0.2, _EXPRESSION_REACH)  # over which depth goes from the face's outline to the head's axis
_STEEP_REACH = 0.1  # the same while the head hardly turns
_ROUND = 0.9  # of an ellipse's half axis; what is nearer to its rim is too steep
_JAW_REACH = 0.15  # face heights around the face within which the neck comes along
_HEAD_RAMP = (-0.3, 0.28)  # face heights below the chin over which head turns into torso
_AXIS_DEPTH = 0.15  # face widths behind the ears


@dataclass(frozen=True, slots=True, eq=False)
class Surround:
    """Vertices 468.. of the avatar's mesh."""

    points: Float[np.ndarray, "g 3"]
    """Rest position in pixels."""
    steadier: Float[np.ndarray, "g"]
    """Depth to be added while the head hardly turns: hair so far back keeps still under what a tracker errs by."""
    triangles: Int32[np.ndarray, "t 3"]
    """Indices into the 468 face points followed by the grid."""
    outline_weights: Float[np.ndarray, "g 36"]
    """How much each grid point follows each point of the face's outline."""
    head_weight: Float[np.ndarray, "g"]
    """1 moves rigidly with the head, 0 with the torso."""


def build_surround(landmarks: Float[np.ndarray, "478 3"], person: Bool[np.ndarray, "ph pw"], margin: int) -> Surround:
    """Grid, triangles and weights for a portrait; triangles that show no part of the person are left out.

    Args:
        landmarks: in pixels of the picture.
        person: where the person is, `margin` pixels beyond each edge of the picture included.
        margin: pixels of the picture.
    """
    h, w = (side - 2 * margin for side in person.shape)
    face = landmarks[:SURFACE_COUNT].astype(np.float64)
    outline = face[FACE_OVAL]
    grid, distance = _grid(outline[:, :2], w, h, margin)
    triangles = _triangles(outline[:, :2], grid)
    count = SURFACE_COUNT + len(grid)
    laplacian = _laplacian(np.vstack([face[:, :2], grid]), triangles, count)

    height, width = _face_size(face)

    far = np.flatnonzero(distance > _EXPRESSION_REACH * height)
    fixed = np.concatenate([FACE_OVAL, SURFACE_COUNT + far])
    weights = _harmonic(laplacian, fixed, np.eye(len(fixed), len(FACE_OVAL)))

    axis = float(face[[234, 454, 127, 356], 2].mean()) + _AXIS_DEPTH * width
    near = weights.sum(1)
    inner = np.where(near > 0, weights @ outline[:, 2] / np.maximum(near, 1e-9), axis)
    behind = np.maximum(axis - inner, 0.0)
    roundness = _roundness(distance, distance + _to_edge(grid + margin, person), height)

    return Surround(
        points=np.column_stack([grid, inner + behind * roundness]),
        steadier=behind * (smoothstep(0.0, _STEEP_REACH, distance / height) - roundness),
        triangles=_visible(triangles, np.vstack([face[:, :2], grid]) + margin, person),
        outline_weights=weights,
        head_weight=head_weight(grid, distance, landmarks),
    )


def _grid(
    outline: Float[np.ndarray, "36 2"], w: int, h: int, margin: int
) -> tuple[Float[np.ndarray, "g 2"], Float[np.ndarray, "g"]]:
    """Grid points outside the face's hull, and their distances from it in pixels."""
    spacing = _SPACING * max(w, h)
    x, y = np.meshgrid(np.arange(-margin, w + margin + 1, spacing), np.arange(-margin, h + margin + 1, spacing))
    grid = np.stack([x.ravel(), y.ravel()], 1)
    hull = cv2.convexHull(outline.astype(np.float32))
    distance = -np.array([cv2.pointPolygonTest(hull, (float(a), float(b)), True) for a, b in grid])
    outside = distance > 0.55 * spacing
    return grid[outside], distance[outside]


def _triangles(outline: Float[np.ndarray, "36 2"], grid: Float[np.ndarray, "g 2"]) -> Int32[np.ndarray, "t 3"]:
    """Delaunay triangles between the face's outline and the grid, without those inside the face."""
    vertices = np.vstack([outline, grid])
    simplices = Delaunay(vertices).simplices
    polygon = outline.astype(np.float32)
    centres = vertices[simplices].mean(1)
    inside = [cv2.pointPolygonTest(polygon, (float(x), float(y)), False) > 0 for x, y in centres]
    index = np.concatenate([FACE_OVAL, SURFACE_COUNT + np.arange(len(grid))])
    return index[simplices[~np.array(inside)]].astype(np.int32)


def _visible(
    triangles: Int32[np.ndarray, "t 3"],
    vertices: Float[np.ndarray, "n 2"],
    person: Bool[np.ndarray, "h w"],
) -> Int32[np.ndarray, "s 3"]:
    """The triangles whose bounding boxes hold some of the person."""
    h, w = person.shape
    counts = cv2.integral(person.astype(np.uint8))
    corners = vertices[triangles]
    x0, y0 = np.clip(np.floor(corners.min(1)).astype(int), 0, [w - 1, h - 1]).T
    x1, y1 = np.clip(np.ceil(corners.max(1)).astype(int) + 1, 1, [w, h]).T
    return triangles[counts[y1, x1] - counts[y0, x1] - counts[y1, x0] + counts[y0, x0] > 0]


def _laplacian(vertices: Float[np.ndarray, "n 2"], triangles: Int32[np.ndarray, "t 3"], count: int) -> sp.csr_matrix:
    edges = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]])
    both = np.vstack([edges, edges[:, ::-1]]).astype(np.int64)
    edges = np.column_stack(np.divmod(np.unique(both[:, 0] * count + both[:, 1]), count))
    length = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    adjacency = sp.csr_matrix((1 / np.maximum(length, 1.0), (edges[:, 0], edges[:, 1])), shape=(count, count))
    return (sp.diags(np.asarray(adjacency.sum(1)).ravel()) - adjacency).tocsr()


def _harmonic(
    laplacian: sp.csr_matrix, fixed: Int[np.ndarray, "f"], values: Float[np.ndarray, "f c"]
) -> Float[np.ndarray, "g c"]:
    """Values of the grid points that interpolate `values` at the `fixed` vertices, Laplace's equation."""
    count = laplacian.shape[0]
    free = np.setdiff1d(np.arange(SURFACE_COUNT, count), fixed)
    out = np.zeros((count, values.shape[1]))
    out[fixed] = values
    out[free] = spl.splu(laplacian[free][:, free].tocsc()).solve(-(laplacian[free][:, fixed] @ values))
    return out[SURFACE_COUNT:]


def _to_edge(points: Float[np.ndarray, "g 2"], person: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "g"]:
    """How far the person goes on around points, in pixels; 0 beside it."""
    inside = cv2.distanceTransform(np.pad(person, 1).astype(np.uint8), cv2.DIST_L2, 5)
    h, w = inside.shape
    x, y = np.clip(np.round(points).astype(int) + 1, 0, [w - 1, h - 1]).T
    return inside[y, x].astype(np.float64)


def _roundness(
    distance: Float[np.ndarray, "g"], silhouette: Float[np.ndarray, "g"], height: float
) -> Float[np.ndarray, "g"]:
    """How far points lie on the way from the face's outline, 0, to the head's axis, 1: hair and skull are round.

    Args:
        distance: of each point from the face, pixels.
        silhouette: of the person's outline from the face there, pixels.
        height: of the face, pixels.
    """
    least, most = _DEPTH_REACH
    reach = np.clip(silhouette, least * height, most * height)
    along = _ROUND * np.minimum(distance / reach, 1.0)
    return np.asarray((1 - np.sqrt(1 - along**2)) / (1 - np.sqrt(1 - _ROUND**2)))


def head_weight(
    points: Float[np.ndarray, "n 2"], distance: Float[np.ndarray, "n"], landmarks: Float[np.ndarray, "478 3"]
) -> Float[np.ndarray, "n"]:
    """How much points around a face follow the head, 1, rather than the torso, 0.

    Args:
        points: pixels.
        distance: of each point from the face's hull, pixels.
        landmarks: pixels.
    """
    face = landmarks[:SURFACE_COUNT].astype(np.float64)
    height, width = _face_size(face)
    down = (face[CHIN] - face[FOREHEAD_TOP])[:2] / height
    from_chin = points - face[CHIN, :2]
    below = from_chin @ down / height
    beside = np.abs(from_chin @ np.array([-down[1], down[0]])) / width
    weight = 1 - smoothstep(*_HEAD_RAMP, below)
    weight = weight * (1 - smoothstep(1.1, 1.9, beside) * smoothstep(-0.6, 0.1, below))
    return np.maximum(weight, 1 - smoothstep(0.0, _JAW_REACH, distance / height))


def _face_size(face: Float[np.ndarray, "468 3"]) -> tuple[float, float]:
    """Height and width in pixels; a face in profile counts as wide as one that is not."""
    height = float(np.linalg.norm(face[FOREHEAD_TOP, :2] - face[CHIN, :2]))
    ears = float(np.linalg.norm(face[234, :2] - face[454, :2]))
    return height, max(ears, 0.6 * height)
