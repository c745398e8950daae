"""The portrait's features laid on the planes: each pixel's at the point in space that it shows."""

from collections.abc import Callable
from math import isqrt

import torch
from jaxtyping import Float, Int64
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional

from models.triplane import PlaneAxes, Points
from models.volume import Rays

Lattice = Float[Tensor, "1 m 2"]
"""The places of a plane's pixels, row by row, right and down, -1..1."""
Nearest = Callable[[Float[Tensor, "b n 2"], Float[Tensor, "m 2"]], Int64[Tensor, "b m"]]
"""Which point is nearest to each place."""
_PARTS = 16  # of the places: a plane's distances from all points fill 64 MB each


def lift(rays: Rays, depth: Float[Tensor, "b r 1"]) -> Float[Tensor, "b r 3"]:
    """The points at which the rays end."""
    return rays.points(depth)[..., 0, :]


def lay_on_planes(
    features: Float[Tensor, "b c h w"], points: Points, axes: PlaneAxes, lattice: Lattice, find: Nearest
) -> Float[Tensor, "b p c side side"]:
    """Every pixel of a plane has the features of the nearest point, as seen along the third axis, however far it is.

    Args:
        features: of the points, row by row.
        points: h times w of them, -1..1 within the cube.
        axes: see `triplane.look_up`.
        lattice: the places of side x side pixels.
        find: `nearest`, or `nearest_by_products`.
    """
    side, values = isqrt(lattice.shape[1]), features.flatten(2)
    planes = []
    for right, down in axes:
        found = find(torch.stack([points[..., right], points[..., down]], -1), lattice[0])
        planes.append(torch.stack([one[:, index] for one, index in zip(values, found, strict=True)]))
    return torch.unflatten(torch.stack(planes, 1), 3, (side, side))


def nearest(points: Float[Tensor, "b n 2"], places: Float[Tensor, "m 2"]) -> Int64[Tensor, "b m"]:
    """Which point is nearest to each place; exact, on the CPU.

    The points are found in a tree of boxes: a comparison of all with all would fill a gigabyte per plane. Where two are
    as near as each other but for rounding, others may choose the other one.
    """
    found = [cKDTree(each).query(places.cpu().numpy())[1] for each in points.cpu().numpy()]
    return torch.stack([torch.from_numpy(one) for one in found]).to(points.device)


def nearest_by_products(points: Float[Tensor, "b n 2"], places: Float[Tensor, "m 2"]) -> Int64[Tensor, "b m"]:
    """The same up to rounding by comparing all with all, on any device: shapes are fixed, and nothing waits."""
    terms = torch.cat([-2 * points, points.square().sum(-1, keepdim=True)], -1).transpose(1, 2)
    asked = functional.pad(places, (0, 1), value=1.0)
    return torch.cat([(part @ terms).argmin(-1) for part in asked.chunk(_PARTS)], -1)
