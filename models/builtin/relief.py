"""Light and shade that expressions change: the surface's own slope, and folds where skin is pushed together.

Both count from the portrait at rest, so that a face at rest is the photo, folds and all. They are drawn on the
portrait's skin, not on the picture, and move with it.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Float32, Int32

from models.builtin.constants import RELIEF
from models.builtin.kernels import shade
from models.builtin.part import Part
from models.builtin.puppet import Canonical, Puppet
from models.ease import smoothstep
from models.face import FaceModel
from models.raster import rasterise
from models.topology import OUTER_EYE_CORNERS, SURFACE_COUNT

_GRID = 96  # width of the relief in its own pixels
_NOSE = ((6, 1), (129, 358))  # along it and across its wings: no expression moves them by much
_GROWN = (0.84, 0.90)  # eye distances, both together: in the smooth cheeks of children and cartoons folds are smears
_LIGHT = np.array(RELIEF.light)

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class _Fold:
    """A line on the face that shows when two points, one on each side, come nearer."""

    line: tuple[int, ...]
    across: tuple[tuple[int, int], ...]
    onset: tuple[float, float]
    """Shortening, as a part of the distance at rest, from which it shows and at which it shows fully."""
    depth: float
    """How much darker the line becomes."""
    width: float
    """Eye distances."""
    of_cheek: bool = False
    """Whether a face that is not grown has none."""


_FOLDS = (
    # From the wings of the nose around the mouth.
    _Fold((129, 203, 206, 216, 212), ((205, 92), (187, 61)), (0.05, 0.3), 0.11, 0.034, of_cheek=True),
    _Fold((358, 423, 426, 436, 432), ((425, 322), (411, 291)), (0.05, 0.3), 0.11, 0.034, of_cheek=True),
    # Forehead.
    _Fold((68, 104, 69, 108, 151, 337, 299, 333, 298), ((66, 103), (296, 332), (9, 10)), (0.06, 0.3), 0.08, 0.02),
    _Fold((63, 105, 66, 107, 9, 336, 296, 334, 293), ((65, 67), (295, 297)), (0.1, 0.4), 0.05, 0.02),
    # Between the brows.
    _Fold((107, 55), ((107, 336), (55, 285)), (0.03, 0.18), 0.18, 0.018),
    _Fold((336, 285), ((107, 336), (55, 285)), (0.03, 0.18), 0.18, 0.018),
    # Bridge of the nose.
    _Fold((193, 168, 417), ((9, 197),), (0.05, 0.2), 0.08, 0.016),
    # Crow's feet.
    _Fold((226, 35, 143), ((130, 50), (33, 205)), (0.05, 0.2), 0.07, 0.018),
    _Fold((446, 265, 372), ((359, 280), (263, 425)), (0.05, 0.2), 0.07, 0.018),
)

_ACROSS = np.array([pair for fold in _FOLDS for pair in fold.across])
_COUNT_ACROSS = np.array([len(fold.across) for fold in _FOLDS])
_FIRST_ACROSS = np.cumsum(_COUNT_ACROSS) - _COUNT_ACROSS


class Relief:
    """The relief of one portrait."""

    def __init__(self, uv: Float32[np.ndarray, "468 2"], puppet: Puppet, model: FaceModel) -> None:
        """`uv`: where the face lies on the texture, in its pixels."""
        face = uv.astype(np.float64)
        self._origin = face.min(0)
        extent = face.max(0) - self._origin
        self._step = float(extent[0]) / (_GRID - 1)
        self._size = (_GRID, int(np.ceil(extent[1] / self._step)) + 1)
        on_grid = (face - self._origin) / self._step
        self._triangles = model.triangles
        self._to_pixel = _vertex_to_pixel(on_grid, model.triangles, self._size)
        self._rest = puppet.rest
        self._to_vertex = _face_to_vertex(model)
        self._rest_light = self._light(puppet.rest)
        nose = sum(float(np.linalg.norm(puppet.rest[a] - puppet.rest[b])) for a, b in _NOSE) / puppet.eye_distance
        self._grown = np.float32(smoothstep(*_GROWN, nose))
        self._folds = [self._draw_fold(fold, on_grid) for fold in _FOLDS]
        self._rest_spans = _spans(puppet.rest)

    def _draw_fold(self, fold: _Fold, points: Float[np.ndarray, "468 2"]) -> tuple[Window, Float32[np.ndarray, "h w"]]:
        """A dark groove with a lighter edge on both sides, fading out at the ends, and where it is in the relief."""
        line = points[list(fold.line)]
        width = fold.width * float(np.linalg.norm(np.diff(points[list(OUTER_EYE_CORNERS)], axis=0)))
        x0, y0 = np.clip(np.floor(line.min(0) - 4 * width), 0, self._size).astype(int)
        x1, y1 = np.clip(np.ceil(line.max(0) + 4 * width) + 1, 0, self._size).astype(int)
        y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        t = np.linspace(0, len(line) - 1, 48)
        along = np.column_stack([np.interp(t, np.arange(len(line)), line[:, axis]) for axis in (0, 1)])
        fade = np.sin(np.pi * np.linspace(0.06, 0.94, len(t))) ** 0.7
        away = np.hypot(x[..., None] - along[:, 0], y[..., None] - along[:, 1])
        nearest = away.argmin(-1)
        distance = np.take_along_axis(away, nearest[..., None], -1)[..., 0] / width
        groove = np.exp(-(distance**2)) - 0.12 * np.exp(-((distance - 2.2) ** 2))
        drawn = -fold.depth * (self._grown if fold.of_cheek else 1) * fade[nearest] * groove
        return (slice(y0, y1), slice(x0, x1)), drawn.astype(np.float32)

    def apply(
        self,
        layer: np.ndarray,
        whole: np.ndarray,
        parts: np.ndarray,
        vertices: Float[np.ndarray, "n 2"],
        canonical: Canonical,
        coarseness: int = 1,
    ) -> None:
        """Shades the drawn head in place; nothing changes while the face is as in the photo.

        Args:
            layer: uint8 [h, w, 4], premultiplied.
            whole: int16 [h, w, 2], where each pixel comes from in the texture, as `backward_map` writes it.
            parts: uint16 [h, w], the same.
            vertices: where they are drawn, pixels of the layer; face points first.
            canonical: the face that is drawn.
            coarseness: pixels of the texture that the relief was made for in one, across, of the one that was drawn.
        """
        relief = self._relief(canonical)
        if np.abs(relief - 1).max() > RELIEF.unseen:
            h, w = parts.shape
            face = vertices[:SURFACE_COUNT]
            left, top = np.clip(np.floor(face.min(0)), 0, [w, h]).astype(int)
            right, bottom = np.clip(np.ceil(face.max(0)) + 1, 0, [w, h]).astype(int)
            part = np.s_[top:bottom, left:right]
            origin = (self._origin + 0.5) / coarseness - 0.5 if coarseness > 1 else self._origin
            shade(layer[part], whole[part], parts[part], relief, origin[0], origin[1], coarseness / self._step)

    def _relief(self, canonical: Canonical) -> Float32[np.ndarray, "h w"]:
        """Factors by which skin becomes lighter or darker."""
        light = np.clip(self._light(canonical) / self._rest_light, *RELIEF.slope_range).astype(np.float32)
        relief: Float32[np.ndarray, "h w"] = (1 + self._to_pixel @ (light - 1)).reshape(self._size[::-1])
        shortening = 1 - _spans(canonical) / self._rest_spans
        for fold, (window, drawn), shorter in zip(_FOLDS, self._folds, shortening, strict=True):
            weight = smoothstep(*fold.onset, float(shorter))
            if weight > 0:
                relief[window] += np.float32(weight) * drawn
        return relief

    def for_player(self) -> Part:
        """The folds; a player finds slopes from the mesh."""
        numbers: dict[str, object] = {"size": self._size}
        numbers["folds"] = [
            {
                "across": fold.across,
                "onset": fold.onset,
                "top": window[0].start,
                "left": window[1].start,
                "of": of.shape,
            }
            for fold, (window, of) in zip(_FOLDS, self._folds, strict=True)
        ]
        return Part(numbers, {"folds": np.concatenate([of.ravel() for _, of in self._folds])})

    def _light(self, canonical: Canonical) -> Float[np.ndarray, "468"]:
        """How light each point of a canonical face is."""
        corners = canonical[self._triangles]
        normals = self._to_vertex @ np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return np.asarray(RELIEF.ambient + np.clip(normals @ _LIGHT, 0, None))


def _spans(points: Canonical) -> Float[np.ndarray, "k"]:
    """Of every fold, the mean distance of the points across it."""
    apart = points[_ACROSS[:, 0]] - points[_ACROSS[:, 1]]
    return np.asarray(np.add.reduceat(np.sqrt((apart * apart).sum(1)), _FIRST_ACROSS) / _COUNT_ACROSS)


def _vertex_to_pixel(
    points: Float[np.ndarray, "468 2"], triangles: Int32[np.ndarray, "t 3"], size: tuple[int, int]
) -> sp.csr_matrix:
    """Values of the vertices -> values of the pixels between them, row by row; 0 where no triangle is."""
    corners = np.column_stack([points, np.zeros(len(points))])[triangles].reshape(-1, 3).astype(np.float32)
    numbers = np.repeat(np.arange(len(triangles)), 3)
    shares = np.tile(np.eye(3), (len(triangles), 1))
    separate = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    drawn = rasterise(corners, separate, np.column_stack([shares, numbers]).astype(np.float32), size)
    rows = np.repeat(np.flatnonzero(drawn.mask), 3)
    inside = drawn.image[drawn.mask]
    columns = triangles[np.rint(inside[:, 3]).astype(np.int64)].ravel()
    return sp.csr_matrix((inside[:, :3].ravel(), (rows, columns)), shape=(size[0] * size[1], len(points)))


def _face_to_vertex(model: FaceModel) -> sp.csr_matrix:
    """Sums of what touches each vertex, of normals that point to the camera."""
    t = model.triangles
    rows, columns = t.ravel(), np.repeat(np.arange(len(t)), 3)
    corners = model.mean[t]
    towards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2].sum() < 0
    values = np.full(len(rows), 1.0 if towards else -1.0)
    return sp.csr_matrix((values, (rows, columns)), shape=(SURFACE_COUNT, len(t)))
