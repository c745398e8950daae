"""The Basel face model drawn by torch alone, on any device: fixed shapes, and nothing waits for the device.

Where a triangle's edges and its nearness are zero, positive or negative is linear in the picture. So every triangle is
tested against all pixels of square tiles that have room for it, whatever the face expresses, by one product of small
matrices; edges are whole numbers of fractions of a pixel, which float64 holds exactly. What is nearest in each pixel
comes out of one maximum over 64-bit numbers, nearness above, triangle below: in whatever order it is taken, pictures
are the same.
"""

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor
from torch.nn import functional

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.kernels import STEPS
from models.morphable import MorphableModel

_TILE_PX = 4
_DEVIATIONS = 3.0  # of persons and expressions, that triangles' tiles have room for
_NEARNESS = 1 << 32  # what it is multiplied by, its bits read as a whole number
_TRIANGLE = _NEARNESS - 1

Pixels = Float64[Tensor, "*n 3"]
"""Column, row and 1."""
Linear = Float64[Tensor, "b t n 3"]
"""Functions of the picture: what is added per column, per row, and the constant."""


class TorchRaster:
    """Draws a face model's surface, hard and true to perspective, as `models.raster` does of what is linear.

    Triangles that grow beyond their tiles lose what lies outside.
    """

    def __init__(self, model: MorphableModel, device: torch.device, side: int) -> None:
        def there(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values).to(device)

        self._side, self._axes = side, there(np.array([FOCAL, -FOCAL], np.float32))
        self.triangles: Int64[Tensor, "t 3"] = there(model.triangles.astype(np.int64))
        tiled, corners = _tiles(model, side)
        self._tiled, self._corners, self._low = there(tiled), there(corners), there(_TRIANGLE - 1 - tiled[:, None])
        self._in_tile, self._pixels = there(_grid(_TILE_PX).T.copy()), there(_grid(side))
        self._wide = side + 2 * _TILE_PX
        self._steps = there((_grid(_TILE_PX)[:, :2] @ [1, self._wide]).astype(np.int64))

    def __call__(
        self, vertices: Float32[Tensor, "b n 3"], colours: Float64[Tensor, "#b t 3 3"]
    ) -> Float32[Tensor, "b 3 side side"]:
        """The picture as -1..1; -1 where there is no face.

        Args:
            vertices: of the face model, decimetres.
            colours: 0..1, of each triangle's corners.
        """
        away = CAMERA_DISTANCE - vertices[..., 2:]
        seen = self._side * (0.5 + self._axes * vertices[..., :2] / away) - 0.5
        places = functional.pad(torch.floor(seen.double() * STEPS + 0.5), (0, 1), value=STEPS)
        corners = places[:, self.triangles]
        edges = torch.linalg.cross(corners.roll(-1, 2), corners.roll(-2, 2))  # 0 on them; positive on one side
        area = edges[..., 2].sum(2)[..., None, None]  # twice the triangle's
        coded = functional.pad(colours, (0, 1), value=1.0) * ((1 / away)[:, self.triangles].double() / area)
        surfaces = (coded[..., None] * edges[..., None, :]).sum(2)
        first = torch.ceil(corners[..., :2].amin(2) / STEPS)
        nearest = self._nearest(first, torch.cat([edges * area.sign(), surfaces[:, :, 3:]], 2))
        return self._shade(nearest, surfaces)

    def _nearest(self, first: Float64[Tensor, "b t 2"], tests: Linear) -> Int64[Tensor, "b pixels"]:
        """The number of the triangle that is seen in each pixel; -1 where there is none.

        Args:
            first: each triangle's pixel at the top and on the left.
            tests: its edges and its nearness, all positive inside; nearness is not a number without area.
        """
        begin = (first[:, self._tiled] + self._corners).clamp(-_TILE_PX, self._side)
        of_tile = tests[:, self._tiled]
        constant = (of_tile * functional.pad(begin, (0, 1), value=1.0)[:, :, None]).sum(3, keepdim=True)
        values = torch.cat([of_tile[..., :2], constant], 3) @ self._in_tile
        nearness = torch.where(values.amin(2) >= 0, values[:, :, 3], 0.0).float()
        keys = torch.add(self._low, nearness.view(torch.int32), alpha=_NEARNESS)
        best = torch.zeros((len(tests), self._wide**2), dtype=torch.int64, device=tests.device)
        at_begin = begin.long() + _TILE_PX
        pixels = torch.add(at_begin[..., :1], at_begin[..., 1:], alpha=self._wide) + self._steps
        best.scatter_reduce_(1, pixels.flatten(1), keys.flatten(1), "amax")
        inner = slice(_TILE_PX, -_TILE_PX)
        best = torch.unflatten(best, 1, (self._wide, self._wide))[:, inner, inner].flatten(1)
        return torch.where(best >= _NEARNESS, _TRIANGLE - 1 - (best & _TRIANGLE), -1)

    def _shade(self, seen: Int64[Tensor, "b pixels"], surfaces: Linear) -> Float32[Tensor, "b 3 side side"]:
        first = torch.arange(len(seen), device=seen.device)[:, None] * surfaces.shape[1]
        values = (surfaces.flatten(0, 1)[first + seen.clamp(min=0)] * self._pixels[:, None]).sum(3)
        colours = torch.where(seen[..., None] >= 0, 2 * values[..., :3] / values[..., 3:] - 1, -1.0)
        return torch.unflatten(colours.float().transpose(1, 2), 2, (self._side, self._side)).contiguous()


def _grid(side: int) -> Float64[np.ndarray, "pixels 3"]:
    """All pixels of a square, row by row, as column, row and 1."""
    rows, columns = np.divmod(np.arange(side**2), side)
    return np.stack([columns, rows, np.ones_like(rows)], 1).astype(float)


def _tiles(model: MorphableModel, side: int) -> tuple[Int64[np.ndarray, "k"], Float64[np.ndarray, "k 2"]]:
    """Of each tile the number of its triangle, and its first pixel counted from the triangle's."""
    across, down = -(-_extents(model, side) // _TILE_PX)
    numbers = np.repeat(np.arange(len(across)), across * down)
    before = np.cumsum(across * down) - across * down
    rows, columns = np.divmod(np.arange(len(numbers)) - before[numbers], across[numbers])
    return numbers, _TILE_PX * np.stack([columns, rows], 1).astype(float)


def _extents(model: MorphableModel, side: int) -> Int64[np.ndarray, "2 t"]:
    """How many columns and rows of the picture each triangle may reach, whoever expresses whatever."""

    def along_edges(shape: Float32[np.ndarray, "n 3"]) -> Float32[np.ndarray, "t 3 3"]:
        corners = shape[model.triangles]
        return corners - corners[:, [1, 2, 0]]

    spread = sum(along_edges(shape) ** 2 for shape in (*model.identity, *model.expression))
    width = np.abs(along_edges(model.mean)) + _DEVIATIONS * np.sqrt(spread)
    away = CAMERA_DISTANCE - model.mean[model.triangles, 2].max(1)
    off = np.abs(model.mean[model.triangles, :2]).max(1) / away[:, None]
    widest = (width[..., :2] + off[:, None] * width[..., 2:]).max(1).T
    most = np.minimum(side * FOCAL * widest / away, side - 1)
    return most.astype(np.int64) + 1
