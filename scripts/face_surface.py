"""The mesh of the face surface: triangles, mirror, lip and lid rows, and smooth interpolation over it."""

import itertools
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int32
from scipy.optimize import linear_sum_assignment

from models.topology import (
    LANDMARK_COUNT,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    SURFACE_COUNT,
    UPPER_LIP,
)

Points = Float[np.ndarray, "478 3"]
Field = Float[np.ndarray, "468 k"]
Triangle = tuple[int, int, int]

# The lips in four rows from the outer contour to the inner one; columns from the subject's right to the left.
UPPER_LIP_ROWS = np.array(
    [
        [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
        [76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306],
        [62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292],
        UPPER_LIP,
    ]
)
LOWER_LIP_ROWS = np.array(
    [
        [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
        [76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306],
        [62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292],
        LOWER_LIP,
    ]
)

_PHANTOMS = {(49, 64, 129), (279, 294, 358)}  # 3-cycles of edges across the nose wings that are no triangles


def skin_triangles() -> Int32[np.ndarray, "t 3"]:
    """The triangles of mediapipe's tesselation, wound alike; clockwise in a frontal picture."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {i: set() for i in range(SURFACE_COUNT)}
    for a, b in FACEMESH_TESSELATION:
        near[a].add(b)
        near[b].add(a)
    cycles = {tuple(sorted((a, b, c))) for a in near for b in near[a] for c in near[a] & near[b]} - _PHANTOMS
    by_edge: dict[frozenset[int], list[Triangle]] = {}
    for a, b, c in cycles:
        for edge in itertools.combinations((a, b, c), 2):
            by_edge.setdefault(frozenset(edge), []).append((a, b, c))
    start = (4, 5, 281)  # on the nose: tip, ridge above it, and a point at the subject's left of the ridge
    wound, queue = {tuple(sorted(start)): start}, deque([start])
    while queue:
        a, b, c = queue.popleft()
        for p, q in ((a, b), (b, c), (c, a)):
            for cycle in by_edge[frozenset((p, q))]:
                if cycle not in wound:
                    (third,) = set(cycle) - {p, q}
                    wound[cycle] = (q, p, third)
                    queue.append(wound[cycle])
    assert len(wound) == len(cycles) == 852
    return np.array(sorted(wound.values()), np.int32)


def strip(upper: Sequence[int], lower: Sequence[int]) -> Int32[np.ndarray, "s 3"]:
    """Triangles between two contours that share their ends and run to the right; wound as the skin is."""
    out: list[Triangle] = []
    for i in range(len(upper) - 1):
        u0, u1, l0, l1 = int(upper[i]), int(upper[i + 1]), int(lower[i]), int(lower[i + 1])
        out += [t for t in ((u0, u1, l1), (u0, l1, l0)) if len(set(t)) == 3]
    return np.array(out, np.int32)


def mouth_strip() -> Int32[np.ndarray, "m 3"]:
    """Fills the mouth."""
    return strip(UPPER_LIP.tolist(), LOWER_LIP.tolist())


def eye_strips() -> Int32[np.ndarray, "e 3"]:
    """Fills both eyes, the subject's right one first."""
    right = strip(RIGHT_UPPER_LID.tolist(), RIGHT_LOWER_LID.tolist())
    left = strip(LEFT_UPPER_LID[::-1].tolist(), LEFT_LOWER_LID[::-1].tolist())
    return np.concatenate([right, left])


def mirror_index(faces: Sequence[tuple[Points, Points]]) -> Int32[np.ndarray, "478"]:
    """Index of every point's mirror image, from landmarks of photos and mirrored photos, x turned back.

    The detector names the points of a mirrored photo by the sides they seem to have, so a point and its
    mirror image are found at the same place. The tesselation is no guide: twelve diagonals are not symmetric.
    """
    cost = np.zeros((LANDMARK_COUNT, LANDMARK_COUNT))
    for face, turned_back in faces:
        size = np.ptp(face[:, 0])
        cost += (np.linalg.norm(turned_back[:, None] - face[None], axis=2) / size) ** 2
    mirror = linear_sum_assignment(cost + cost.T)[1].astype(np.int32)
    assert np.array_equal(mirror[mirror], np.arange(LANDMARK_COUNT))
    assert np.array_equal(mirror[UPPER_LIP_ROWS], UPPER_LIP_ROWS[:, ::-1])
    return mirror


class Surface:
    """One face on the mesh, and fields over its skin.

    `unknown` tells the unknown by which a field's value at each vertex is known. Each vertex has its own; only with
    `lips_sewn` do the inner lips share theirs, so that no field parts them. `laplacian` and `area` are over unknowns.
    """

    def __init__(
        self,
        points: Points,
        triangles: Int32[np.ndarray, "t 3"],
        mirror: Int32[np.ndarray, "478"],
        lips_sewn: bool = False,
    ) -> None:
        self.points = points
        self.mirror = mirror
        self.unknown = np.arange(SURFACE_COUNT)
        laplacian, area = _laplacian(points[:SURFACE_COUNT], triangles)
        other = mirror[:SURFACE_COUNT]
        self.laplacian = 0.5 * (laplacian + laplacian[np.ix_(other, other)])
        self.area = 0.5 * (area + area[other])
        if lips_sewn:
            self.unknown[LOWER_LIP] = UPPER_LIP
            self.unknown = np.unique(self.unknown, return_inverse=True)[1]
            sewing = np.eye(self.unknown.max() + 1)[self.unknown]
            self.laplacian = sewing.T @ self.laplacian @ sewing
            self.area = sewing.T @ self.area
        self._bending = self.laplacian.T @ (self.laplacian / self.area[:, None])

    def spread(self, handles: Mapping[int, Sequence[float]], fixed: Sequence[int] = ()) -> Field:
        """The smoothest field (least bending) that has the given values at the handles and 0 at `fixed`.

        Handles win over `fixed`. The surface ends at the lips and lids, so these part freely.
        """
        known = np.unique(self.unknown[[*handles, *fixed]])
        values = np.zeros((len(self.area), len(next(iter(handles.values())))))
        for i, value in handles.items():
            values[self.unknown[i]] = value
        free = np.setdiff1d(np.arange(len(self.area)), known)
        right = -self._bending[np.ix_(free, known)] @ values[known]
        values[free] = np.linalg.solve(self._bending[np.ix_(free, free)], right)
        return values[self.unknown]

    def flip(self, field: Points) -> Points:
        """The mirror image of a displacement of all 478 points."""
        return np.asarray(field[self.mirror] * [-1.0, 1.0, 1.0])


def _laplacian(
    vertices: Float[np.ndarray, "468 3"], triangles: Int32[np.ndarray, "t 3"]
) -> tuple[Float[np.ndarray, "468 468"], Float[np.ndarray, "468"]]:
    """Cotangent Laplacian (weights kept positive) and the area that belongs to each vertex."""
    weight = np.zeros((SURFACE_COUNT, SURFACE_COUNT))
    area = np.zeros(SURFACE_COUNT)
    for k in range(3):
        i, j, o = triangles[:, k], triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        a, b = vertices[i] - vertices[o], vertices[j] - vertices[o]
        twice_area = np.linalg.norm(np.cross(a, b), axis=1)
        np.add.at(weight, (i, j), 0.5 * (a * b).sum(1) / twice_area)
        np.add.at(area, o, twice_area / 6)
    weight = weight + weight.T
    edges = weight != 0
    weight[edges] = np.maximum(weight[edges], 0.05)
    return np.diag(weight.sum(1)) - weight, area
