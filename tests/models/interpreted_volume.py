"""Runs the fused renderer on the CPU, beside the plain one; prints how far they are apart, as JSON.

    TRITON_INTERPRET=1 python -m tests.models.interpreted_volume

In a process of its own: Triton reads the variable when it is imported first.
"""

import json
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from models.goha import model as goha
from models.goha.nearest_triton import nearest_by_kernel
from models.talk3d import generator as talk3d
from models.triplane import FieldDecoder, look_up
from models.volume import Depths, Rays, camera_rays, limits, render, render_samples, samples_within
from models.volume_triton import Maps, Tiles, field_weights, render_fused, sum_planes

AXES = ((0, 1), (0, 2), (2, 0))
CUBE = 1.1


def cloudy_decoder(colours: int = 32, seed: int = 0) -> FieldDecoder:
    """Colours and densities of any kind; much of what it makes of noise is half transparent."""
    generator = torch.Generator().manual_seed(seed)
    decoder = FieldDecoder(colours=colours).requires_grad_(False)
    for parameter in decoder.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    decoder.net[2].weight[0] *= 10
    decoder.net[0].bias *= 0.05
    decoder.net[2].bias[0] = 2
    return decoder


def camera(yaw_rad: float, focal: float, distance: float = 2.7) -> Tensor:
    """On a circle around the cube, looking at its middle; `focal` in picture widths."""
    c, s = torch.tensor(yaw_rad).cos(), torch.tensor(yaw_rad).sin()
    pose = torch.tensor([[c, 0, -s, distance * s], [0, -1, 0, 0], [-s, 0, -c, distance * c], [0, 0, 0, 1]])
    lens = torch.tensor([[focal, 0, 0.5], [0, focal, 0.5], [0, 0, 1]])
    return torch.cat([pose.flatten(), lens.flatten()])


def missing(rays: Rays) -> float:
    """The share of rays that pass by the cube: they have the limits of others."""
    near, _ = limits(rays, CUBE)
    entrance = rays.points(near)[..., 0, :].abs().amax(-1)
    return float((entrance > CUBE / 2 + 1e-5).float().mean())


Samples = Callable[[Rays], tuple[Depths, Tensor]]


def within(coarse: int, fine: int) -> Samples:
    """From each ray's entrance to its exit."""
    return lambda rays: samples_within(rays, CUBE, coarse, fine)


def compare(
    cameras: list[Tensor], side: int, samples: Samples, storage: torch.dtype, tiles: Tiles, colours: int = 32
) -> dict:
    """Relative L2 errors of the fused maps, and what makes the comparison worth something.

    `storage`: of what is added to the planes, too.
    """
    generator = torch.Generator().manual_seed(1)
    shared = torch.randn((1, 3, 32, 16, 12), generator=generator)
    moved = torch.randn((len(cameras), 3, 32, 16, 12), generator=generator)
    decoder, labels = cloudy_decoder(colours), torch.stack(cameras)
    rays = camera_rays(labels, side)
    even, draws = samples(rays)
    plain = render_samples(lambda p: decoder(look_up(shared + moved, p * (2 / CUBE), AXES) / 3), rays, even, draws)
    expected = Maps(*(x.transpose(1, 2).unflatten(2, (side, side)) for x in plain))
    texels, weights = sum_planes(shared, moved.to(storage), storage), field_weights(decoder, 3, storage)
    fused = render_fused(texels, weights, rays, even, draws, AXES, CUBE, tiles)
    fused = fused._replace(features=fused.features[:, :colours])
    errors = {name: float((a - b).norm() / b.norm()) for name, a, b in zip(Maps._fields, fused, expected, strict=True)}
    return errors | {"missing": missing(rays), "seen": float(expected.opacity.mean())}


def depths_of_nothing() -> dict[str, list[float]]:
    """Nearest and farthest depth that each of two cameras at different distances has for an empty cube, both ways."""
    cameras = torch.stack([camera(0.0, 4.3), camera(0.2, 4.3, 4.0)])
    decoder, planes = cloudy_decoder(), torch.zeros(2, 3, 32, 16, 12)
    decoder.net[2].bias[0] = -300
    rays = camera_rays(cameras, 8)
    plain = render(lambda p: decoder(look_up(planes, p * (2 / CUBE), AXES)), rays, CUBE, 8, 8)
    weights = field_weights(decoder, 3, torch.float32)
    texels = sum_planes(planes, planes, torch.float32)
    fused = render_fused(texels, weights, rays, *within(8, 8)(rays), AXES, CUBE, Tiles(8, 8))
    depths = {"fused": fused.depth, "plain": plain.depth}
    return {
        name: [*depth.flatten(1).amin(1).tolist(), *depth.flatten(1).amax(1).tolist()] for name, depth in depths.items()
    }


def farther_than_the_nearest() -> dict[str, float]:
    """How much farther the found points are than the nearest, and how many are found of points that lie twice."""
    torch.manual_seed(0)
    points = torch.cat([torch.randn(2, 70, 2) * 0.05 - 0.4, torch.rand(2, 30, 2) * 3 - 1.5], 1).repeat(1, 2, 1)
    places = torch.rand(75, 2) * 2 - 1
    found = nearest_by_kernel(points, places)
    distances = torch.cdist(places.expand(2, -1, -1), points)
    farther = distances.gather(2, found[..., None])[..., 0] - distances.amin(2)
    return {"most": float(farther.max()), "last": float(found.max()), "kinds": float(len(found.unique()))}


def main() -> None:
    torch.set_num_threads(1)
    ahead, aside = camera(0.0, 4.3), camera(0.6, 4.3)
    wide = [camera(0.3, 1.6), camera(-0.4, 1.3)]
    print(
        json.dumps(
            {
                "one": compare([ahead], 8, within(8, 8), torch.float32, Tiles(8, 8)),
                "half": compare([aside], 8, within(8, 8), torch.float16, Tiles(8, 8)),
                "two, odd, wide": compare(wide, 7, within(8, 5), torch.float32, Tiles(8, 4, steps=3)),
                "many": compare([aside], 4, within(48, 48), torch.float32, Tiles(4, 4, steps=48)),
                "goha": compare([aside], 8, partial(goha.samples, count=8), torch.float32, Tiles(8, 8), colours=3),
                "talk3d": compare([aside], 8, partial(talk3d.samples, count=8), torch.float32, Tiles(8, 8)),
                "goha, half": compare([aside], 8, partial(goha.samples, count=8), torch.float16, Tiles(8, 8), 3),
                "talk3d, half": compare([aside], 8, partial(talk3d.samples, count=8), torch.float16, Tiles(8, 8)),
                "nothing": depths_of_nothing(),
                "nearest": farther_than_the_nearest(),
            }
        )
    )


if __name__ == "__main__":
    main()
