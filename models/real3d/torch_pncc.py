"""The pictures of `PnccPainter` by torch alone, on any device: fixed shapes, and nothing waits for the device.

Every triangle is tested against all pixels of square tiles that have room for it whatever the face expresses, by one
product of small matrices: where a triangle's edges and its nearness are zero, positive or negative is linear in the
picture. These are whole numbers of fractions of a pixel, which float64 holds exactly. What is nearest in each pixel
comes out of one maximum over 64-bit numbers, nearness above, triangle below: in whatever order it is taken, the pictures
are the same.
"""

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.kernels import STEPS
from models.morphable import MorphableModel
from models.real3d.face import Real3dFace
from models.real3d.pncc import SIDE

_TILES_PX = (3, 4, 5, 6, 8)
_DEVIATIONS = 3.0  # of persons and expressions, that triangles' tiles have room for
_LOW = 0xFFFFFFFF

Linear = Float64[Tensor, "b t n 3"]
"""Of each triangle, functions of the picture: constant, and what is added per column and row."""


class TorchPnccPainter:
    """Draws PNCC pictures on a device. Triangles that grow beyond their tiles lose what lies outside."""

    def __init__(self, face: Real3dFace, device: torch.device, side: int = SIDE) -> None:
        model = face.model
        self._side = side
        shapes = np.concatenate([model.identity, model.expression])
        self._mean, self._shapes = (torch.from_numpy(x.copy()).to(device) for x in (model.mean, shapes))
        self._triangles = torch.from_numpy(model.triangles.astype(np.int64)).to(device)
        self._codes = torch.from_numpy(model.ncc.copy()).to(device)[self._triangles]
        triangles, corners, self._tile = _in_tiles(model, side)
        self._tiled, self._corners = (torch.from_numpy(x).to(device) for x in (triangles, corners))
        down, across = np.divmod(np.arange(self._tile**2), self._tile)
        self._in_tile = torch.from_numpy(np.stack([np.ones_like(down), across, down]).astype(float)).to(device)
        self._steps = torch.from_numpy(across + down * (side + 2 * self._tile)).to(device)
        down, across = np.divmod(np.arange(side**2), side)
        self._pixels = torch.from_numpy(np.stack([np.ones_like(down), across, down], 1).astype(float)).to(device)

    def __call__(
        self, identity: Float[Tensor, "b 80"], expression: Float[Tensor, "b 64"]
    ) -> Float32[Tensor, "b 3 side side"]:
        """Persons with their expressions, as -1..1; zeros are the face at rest."""
        moved = torch.cat([identity, expression], 1) @ self._shapes.flatten(1)
        return self.draw(self._mean + moved.unflatten(1, self._mean.shape))

    def draw(self, vertices: Float32[Tensor, "b n 3"]) -> Float32[Tensor, "b 3 side side"]:
        """The face model's vertices (decimetres) in its codes."""
        away = CAMERA_DISTANCE - vertices[..., 2]
        x = self._side * (0.5 + FOCAL * vertices[..., 0] / away) - 0.5
        y = self._side * (0.5 - FOCAL * vertices[..., 1] / away) - 0.5
        corners = torch.floor(torch.stack([x, y], -1).double() * STEPS + 0.5)[:, self._triangles]
        near = (1 / away)[:, self._triangles][..., None]
        edges = _edges(corners)
        coded = torch.cat([self._codes * near, near], -1).double() / _area(edges)
        surfaces = (coded[..., None] * edges[..., None, :]).sum(2)
        return self._shade(self._nearest(corners, torch.cat([edges, surfaces[:, :, 3:]], 2)), surfaces)

    def _nearest(self, corners: Float64[Tensor, "b t 3 2"], tests: Linear) -> Int64[Tensor, "b pixels"]:
        """The number of the triangle that is seen in each pixel; 0 where there is none."""
        first = torch.ceil(corners.amin(2) / STEPS)[:, self._tiled] + self._corners
        first = first.clamp(-self._tile, self._side)
        at_first = self._at(tests[:, self._tiled], first)
        inside, nearness = (at_first @ self._in_tile).split([3, 1], 2)
        seen = (inside.amin(2) >= 0) & (nearness[:, :, 0] > 0)
        keys = (nearness[:, :, 0].float().view(torch.int32).long() << 32) | (_LOW - self._tiled[:, None])
        wide = self._side + 2 * self._tile
        start = (first + self._tile).long()
        pixels = (start[..., 1:] * wide + start[..., :1]) + self._steps
        best = torch.zeros((len(corners), wide * wide), dtype=torch.int64, device=corners.device)
        best.scatter_reduce_(1, pixels.flatten(1), torch.where(seen, keys, 0).flatten(1), "amax")
        inner = best.unflatten(1, (wide, wide))[:, self._tile : -self._tile, self._tile : -self._tile].flatten(1)
        return torch.where(inner > 0, _LOW - (inner & _LOW), 0)

    def _at(self, functions: Linear, pixel: Float64[Tensor, "b t 2"]) -> Linear:
        """The same functions counted from another pixel than the first."""
        constant = functions[..., 0] + (functions[..., 1:] * pixel[:, :, None]).sum(-1)
        return torch.cat([constant[..., None], functions[..., 1:]], -1)

    def _shade(self, seen: Int64[Tensor, "b pixels"], surfaces: Linear) -> Float32[Tensor, "b 3 side side"]:
        places = torch.arange(len(seen), device=seen.device)[:, None] * surfaces.shape[1] + seen
        values = (surfaces.flatten(0, 1)[places] * self._pixels[:, None]).sum(-1)
        codes = torch.where(seen[..., None] > 0, 2 * values[..., :3] / values[..., 3:] - 1, -1.0)
        return codes.float().transpose(1, 2).unflatten(2, (self._side, self._side)).contiguous()


def _edges(corners: Float64[Tensor, "b t 3 2"]) -> Linear:
    """Of each corner, twice the area between a pixel's centre and the edge opposite; positive inside."""
    begin, end = corners[:, :, [1, 2, 0]], corners[:, :, [2, 0, 1]]
    along = end - begin
    constant = along[..., 1] * begin[..., 0] - along[..., 0] * begin[..., 1]
    edges = torch.stack([constant, -along[..., 1] * STEPS, along[..., 0] * STEPS], -1)
    return edges * constant.sum(2).sign()[..., None, None]


def _area(edges: Linear) -> Float64[Tensor, "b t 1 1"]:
    """Twice the triangles' areas; 1 of those that have none."""
    return edges[..., 0].sum(2).clamp(min=1)[..., None, None]


def _in_tiles(model: MorphableModel, side: int) -> tuple[Int64[np.ndarray, "k"], Float64[np.ndarray, "k 2"], int]:
    """Triangle and corner (pixels from the triangle's own) of each tile, and a tile's side: the fewest pixels in all."""
    counts = [(tile, -(-_pixels(model, side) // tile)) for tile in _TILES_PX]
    tile, (across, down) = min(counts, key=lambda c: c[0] ** 2 * int((c[1][0] * c[1][1]).sum()))
    numbers = np.repeat(np.arange(len(across)), across * down)
    within = np.arange(len(numbers)) - np.repeat(np.cumsum(across * down) - across * down, across * down)
    y, x = np.divmod(within, across[numbers])
    return numbers, tile * np.stack([x, y], 1).astype(float), tile


def _pixels(model: MorphableModel, side: int) -> Int64[np.ndarray, "2 t"]:
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
