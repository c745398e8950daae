"""The same PNCC pictures on a GPU, by torch alone: no kernels of our own, no waiting for the GPU, fixed shapes.

Every triangle is tested against all pixels of a square tile that it fits into. What is nearest in each pixel comes out
of one maximum over 64-bit numbers: nearness above, triangle below. Whole numbers decide, so the pictures do not vary
from run to run, and they are those of `PnccPainter`.
"""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.kernels import STEPS
from models.real3d.face import Real3dFace
from models.real3d.pncc import SIDE

_TILES_PX = (4, 6, 8, 12, 16, 24, 32, 64, 128, 512)
_DEVIATIONS = 3.0  # of expressions, that triangles' tiles have room for
_LOW = 0xFFFFFFFF
_ROUNDING_PX = 2  # what a tile's pixels are more than a triangle is wide


class TorchPnccPainter:
    """Draws one person's PNCC pictures on a device. Triangles that grow beyond their tiles lose what lies outside."""

    def __init__(
        self, face: Real3dFace, identity: Float[np.ndarray, "80"], device: torch.device, side: int = SIDE
    ) -> None:
        model = face.model
        rest = model.shape(identity)
        self._side = side
        self._rest = torch.from_numpy(rest).to(device)
        self._expressions = torch.from_numpy(model.expression.reshape(64, -1).copy()).to(device)
        self._triangles = torch.from_numpy(model.triangles.astype(np.int64)).to(device)
        self._codes = torch.from_numpy(model.ncc.copy()).to(device)
        self._tiles = [
            (tile, torch.from_numpy(numbers).to(device)) for tile, numbers in _in_tiles(face, rest, side).items()
        ]

    @torch.no_grad()
    def __call__(self, expression: Float32[Tensor, "64"]) -> Float32[Tensor, "3 side side"]:
        """The person with this expression, as -1..1."""
        return self.draw(self._rest + (expression @ self._expressions).reshape(-1, 3))

    @torch.no_grad()
    def draw(self, vertices: Float32[Tensor, "n 3"]) -> Float32[Tensor, "3 side side"]:
        """The face model's vertices (decimetres) in its codes."""
        away = CAMERA_DISTANCE - vertices[:, 2]
        x = self._side * (0.5 + FOCAL * vertices[:, 0] / away) - 0.5
        y = self._side * (0.5 - FOCAL * vertices[:, 1] / away) - 0.5
        corners = torch.floor(torch.stack([x, y], 1) * STEPS + 0.5).long()[self._triangles]
        near = (1 / away)[self._triangles].double()
        area = _area(corners[:, 0], corners[:, 1], corners[:, 2])
        best = torch.zeros(self._side**2 + 1, dtype=torch.int64, device=vertices.device)  # the last for what misses
        for tile, numbers in self._tiles:
            self._test(best, numbers, tile, corners[numbers], near[numbers], area[numbers])
        return self._shade(best[:-1], corners, near, area)

    def _test(
        self,
        best: Int64[Tensor, "pixels"],
        numbers: Int64[Tensor, "k"],
        tile: int,
        corners: Int64[Tensor, "k 3 2"],
        near: Float[Tensor, "k 3"],
        area: Int64[Tensor, "k"],
    ) -> None:
        """Enters these triangles, row by row of their tiles."""
        start = torch.div(corners.amin(1) + STEPS - 1, STEPS, rounding_mode="floor")
        columns = start[:, :1] + torch.arange(tile, device=best.device)
        share = 1.0 / area.abs().clamp(min=1).double()
        low = _LOW - numbers[:, None]
        for row in range(tile):
            rows = (start[:, 1:] + row).expand_as(columns)
            inside, parts = _parts(corners, area, torch.stack([columns, rows], 2))
            nearness = ((parts * share[:, None, None]) * near[:, None]).sum(2).float()
            inside &= (columns >= 0) & (columns < self._side) & (rows >= 0) & (rows < self._side)
            pixels = torch.where(inside, rows * self._side + columns, self._side**2)
            keys = (nearness.view(torch.int32).long() << 32) | low
            best.scatter_reduce_(0, pixels.reshape(-1), keys.reshape(-1), "amax")

    def _shade(
        self,
        best: Int64[Tensor, "pixels"],
        corners: Int64[Tensor, "t 3 2"],
        near: Float[Tensor, "t 3"],
        area: Int64[Tensor, "t"],
    ) -> Float32[Tensor, "3 side side"]:
        seen = _LOW - (best & _LOW)
        shown = (best > 0) & (seen > 0)
        seen = torch.where(shown, seen, 0)
        numbers = torch.arange(self._side**2, device=best.device)
        pixels = torch.stack([numbers % self._side, torch.div(numbers, self._side, rounding_mode="floor")], 1)
        _, parts = _parts(corners[seen], area[seen], pixels[:, None])
        weights = parts[:, 0] * near[seen]
        weights = (weights / torch.where(shown, weights.sum(1), 1.0)[:, None]).float()
        codes = (weights[..., None] * self._codes[self._triangles[seen]]).sum(1)
        return torch.where(shown, 2 * codes.T - 1, -1.0).reshape(3, self._side, self._side)


def _parts(
    corners: Int64[Tensor, "k 3 2"], area: Int64[Tensor, "k"], pixels: Int64[Tensor, "k m 2"]
) -> tuple[Tensor, Float[Tensor, "k m 3"]]:
    """Whether each pixel's centre is in or on the triangle, and twice the areas that it parts the triangle into."""
    points = pixels * STEPS
    a, b, c = (corners[:, None, i] for i in range(3))
    parts = torch.stack([_area(b, c, points), _area(c, a, points), _area(a, b, points)], 2) * area.sign()[:, None, None]
    return (parts >= 0).all(2) & (area != 0)[:, None], parts.double()


def _area(a: Int64[Tensor, "*#k 2"], b: Int64[Tensor, "*#k 2"], c: Int64[Tensor, "*#k 2"]) -> Int64[Tensor, "*k"]:
    """Twice the triangle's area, positive when it runs clockwise in the picture."""
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])


def _in_tiles(face: Real3dFace, rest: Float32[np.ndarray, "n 3"], side: int) -> dict[int, Int64[np.ndarray, "k"]]:
    """Triangle numbers by the side of the smallest tile that has room for them, whatever the face expresses."""
    triangles, shapes = face.model.triangles, face.model.expression
    width = np.zeros(len(triangles))
    for i in range(3):
        begin, end = triangles[:, i - 1], triangles[:, i]
        at_rest = np.abs(rest[end] - rest[begin])
        deviation = np.sqrt(sum((shape[end] - shape[begin]) ** 2 for shape in shapes))
        width = np.maximum(width, (at_rest + _DEVIATIONS * deviation).max(1))
    away = CAMERA_DISTANCE - rest[triangles, 2].max(1)
    width_px = side * FOCAL * width / away + _ROUNDING_PX
    sizes = np.array([tile for tile in _TILES_PX if tile < side] + [side])
    wanted = sizes[np.minimum(np.searchsorted(sizes, width_px), len(sizes) - 1)]
    return {int(tile): np.flatnonzero(wanted == tile) for tile in np.unique(wanted)}
