"""Volume rendering: samples along the rays of a camera, first evenly, then where something is; colours summed up.

The papers draw the samples at random; here they are evenly spread, so that pictures are steady and repeatable.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.triplane import Sample

Field = Callable[[Float[Tensor, "b n 3"]], Sample]
"""Colour and density at points in space."""
Depths = Float[Tensor, "b r s"]
"""Distances of samples from the camera along each ray, nearest first."""


class Rays(NamedTuple):
    """One ray through the centre of each pixel, row by row."""

    origins: Float[Tensor, "b 1 3"]
    directions: Float[Tensor, "b r 3"]
    """Unit vectors."""

    def points(self, depths: Depths) -> Float[Tensor, "b r s 3"]:
        """Where the samples lie in space."""
        return self.origins[:, :, None] + self.directions[:, :, None] * depths[..., None]


class Rendered(NamedTuple):
    """What the rays saw."""

    features: Float[Tensor, "b r c"]
    """-1..1, -1 where nothing is."""
    opacity: Float[Tensor, "b r 1"]
    depth: Float[Tensor, "b r 1"]
    """Mean distance of what was seen; the farthest sample's where nothing is."""


def camera_rays(camera: Float[Tensor, "b 25"], side: int) -> Rays:
    """Rays of a square picture of `side` pixels. `camera`: 16 of camera-to-world, then 9 of K in picture widths."""
    pose, lens = torch.unflatten(camera[:, :16], 1, (4, 4)), torch.unflatten(camera[:, 16:], 1, (3, 3))
    centres = (torch.arange(side, dtype=camera.dtype, device=camera.device) + 0.5) / side
    down, right = torch.meshgrid(centres, centres, indexing="ij")
    x = (right.flatten() - lens[:, None, 0, 2]) / lens[:, None, 0, 0]
    y = (down.flatten() - lens[:, None, 1, 2]) / lens[:, None, 1, 1]
    seen = torch.stack([x, y, torch.ones_like(x)], -1) @ pose[:, :3, :3].transpose(1, 2)
    return Rays(pose[:, None, :3, 3], functional.normalize(seen, dim=-1))


def limits(rays: Rays, cube: float) -> tuple[Float[Tensor, "b r 1"], Float[Tensor, "b r 1"]]:
    """Where each ray enters and leaves the cube of side `cube` around the origin.

    Rays that miss it get the nearest entrance and the farthest exit of the same camera's others, which lie in empty
    space for them; if all miss, there is no way to go and nothing to see.
    """
    inverse = 1 / rays.directions
    one, other = ((wall - rays.origins) * inverse for wall in (-cube / 2, cube / 2))
    near = torch.minimum(one, other).amax(-1, keepdim=True)
    far = torch.maximum(one, other).amin(-1, keepdim=True)
    missed = near > far
    nearest = near.masked_fill(missed, torch.inf).amin((1, 2), keepdim=True).nan_to_num(posinf=0.0)
    farthest = far.masked_fill(missed, -torch.inf).amax((1, 2), keepdim=True).nan_to_num(neginf=0.0)
    return torch.where(missed, nearest, near), torch.where(missed, farthest, far)


def render(field: Field, rays: Rays, cube: float, coarse: int, fine: int) -> Rendered:
    """Looks at `coarse` samples per ray within the cube, evenly, then at `fine` more where the first saw something."""
    return render_samples(field, rays, *samples_within(rays, cube, coarse, fine))


def samples_within(rays: Rays, cube: float, coarse: int, fine: int) -> tuple[Depths, Float[Tensor, " f"]]:
    """Even samples from each ray's entrance to its exit, and the parts of what they saw that the fine ones divide."""
    near, far = limits(rays, cube)
    even, draws = (torch.linspace(0, 1, n, dtype=near.dtype, device=near.device) for n in (coarse, fine))
    return near + (far - near) * even, draws


def render_samples(field: Field, rays: Rays, first: Depths, draws: Float[Tensor, "f"]) -> Rendered:
    """Looks at the `first` samples of each ray, then at one more for each of the `draws`, see `fine_depths`."""
    coarse = first.shape[-1]
    seen_first = _look(field, rays.points(first))
    second = fine_depths(sample_weights(seen_first.density[..., 0], first), first, draws).detach()
    seen_second = _look(field, rays.points(second))

    depths, order = torch.cat([first, second], -1).sort(-1)
    density = torch.cat([seen_first.density, seen_second.density], -2)[..., 0].gather(-1, order)
    weights = sample_weights(density, depths)
    opacity = weights.sum(-1, keepdim=True)
    unsorted = torch.zeros_like(depths).scatter(-1, order, share(weights))
    colour = _sum(unsorted[..., :coarse], seen_first.colour) + _sum(unsorted[..., coarse:], seen_second.colour)
    return Rendered(2 * colour - 1, opacity, _mean_depth(weights, opacity, depths))


def _look(field: Field, points: Float[Tensor, "b r s 3"]) -> Sample:
    seen = field(points.flatten(1, 2))
    return Sample(*(torch.unflatten(value, 1, points.shape[1:3]) for value in seen))


def _sum(weights: Depths, colour: Float[Tensor, "b r s c"]) -> Float[Tensor, "b r c"]:
    return (weights[..., None, :] @ colour)[..., 0, :]


def sample_weights(density: Float[Tensor, "b r s"], depths: Depths) -> Float[Tensor, "b r s-1"]:
    """How much of what a ray sees lies between each sample and the next; the sum is the opacity."""
    thickness = functional.softplus(_middle(density) - 1) * (depths[..., 1:] - depths[..., :-1])
    before = functional.pad(running_sum(thickness)[..., :-1], (1, 0))
    return torch.exp(-before) * (1 - torch.exp(-thickness))


def running_sum(x: Float[Tensor, "b r i"]) -> Float[Tensor, "b r i"]:
    """Sum up to and with each; a product of matrices, as other runtimes add up one after the other."""
    count = x.shape[-1]
    return x @ torch.ones(count, count, dtype=x.dtype, device=x.device).triu()


def share(weights: Float[Tensor, "b r i"]) -> Float[Tensor, "b r i+1"]:
    """Weights of the samples themselves: between two of them lies their mean, so each takes half."""
    return (functional.pad(weights, (1, 0)) + functional.pad(weights, (0, 1))) / 2


def fine_depths(weights: Float[Tensor, "b r i"], depths: Depths, draws: Float[Tensor, "f"]) -> Float[Tensor, "b r f"]:
    """Depths up to which these parts (0..1) of what the coarse samples saw lie.

    What they saw is widened a little, so that edges are not missed. As the released renderers have it, the first and
    last weights and the last interval are left out.
    """
    smooth = functional.avg_pool1d(functional.max_pool1d(weights, 2, 1, padding=1), 2, 1) + 0.01
    chance = smooth[..., 1:-1] + 1e-5
    reached = functional.pad(running_sum(chance / chance.sum(-1, keepdim=True)), (1, 0))
    bins = _middle(depths)
    above = (reached[..., None, :] <= draws[:, None]).sum(-1)
    low, high = (above - 1).clamp(min=0), above.clamp(max=reached.shape[-1] - 1)
    start, width = reached.gather(-1, low), reached.gather(-1, high) - reached.gather(-1, low)
    part = (draws - start) / torch.where(width < 1e-5, torch.ones_like(width), width)
    return torch.lerp(bins.gather(-1, low), bins.gather(-1, high), part)


def _middle(x: Float[Tensor, "b r s"]) -> Float[Tensor, "b r s-1"]:
    return (x[..., 1:] + x[..., :-1]) / 2


def _mean_depth(
    weights: Float[Tensor, "b r i"], opacity: Float[Tensor, "b r 1"], depths: Depths
) -> Float[Tensor, "b r 1"]:
    mean = (weights * _middle(depths)).sum(-1, keepdim=True) / opacity
    nearest, farthest = depths.amin((1, 2), keepdim=True), depths.amax((1, 2), keepdim=True)
    return torch.nan_to_num(mean, torch.inf).clamp(nearest, farthest)
