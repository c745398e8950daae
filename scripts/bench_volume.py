"""The fused volume renderer beside the plain one: time, and how far their pictures are apart.

    python scripts/bench_volume.py [--batch 8] [--storage bfloat16] [--across 8 --down 8 --warps 4]
    TRITON_INTERPRET=1 python scripts/bench_volume.py --device cpu --side 8 --planes 16 --samples 8

Both run in the same process on the same planes, from the canonical planes and those of the motion to maps. On the GPU
each is captured in a CUDA graph and replayed. Exits with 1 if an error is above 1e-3 or, on the GPU, if the fused one
is not ten times as fast. The interpreter's times mean nothing.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import tyro
from cuda_graph_time import replayed_ms
from torch.nn import functional

from models.real3d.video_model import CUBE, PLANE_AXES, SAMPLES, SIDE
from models.triplane import FieldDecoder, look_up
from models.volume import camera_rays, render, samples_within
from models.volume_triton import Maps, Tiles, field_weights, render_fused, sum_planes

LARGEST_ERROR = 1e-3
SMALLEST_RATIO = 10.0


@dataclass(frozen=True)
class Args:
    device: str = "cuda"
    storage: str = "float16"
    """Of the planes: float32, float16 or bfloat16, which is too coarse for the error that is allowed."""
    batch: int = 1
    side: int = SIDE
    planes: int = 256
    """Side of the planes, in texels."""
    samples: int = SAMPLES
    repeats: int = 30
    tiles: tyro.conf.OmitArgPrefixes[Tiles] = field(default_factory=Tiles)


class Scene:
    """Clouds as smooth as a network draws them, seen by one camera per avatar."""

    def __init__(self, args: Args, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(0)

        def planes(count: int) -> torch.Tensor:
            rough = torch.randn((3 * count, 32, args.planes // 4, args.planes // 4), generator=generator)
            smooth = functional.interpolate(rough, size=(args.planes, args.planes), mode="bicubic")
            return smooth.unflatten(0, (count, 3)).to(device)

        self.canonical, self.motion = planes(1), planes(args.batch)
        generator.manual_seed(0)
        self.decoder = FieldDecoder().requires_grad_(False)
        for parameter in self.decoder.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        self.decoder.net[2].weight[0] *= 10
        self.decoder.net[0].bias *= 0.05
        self.decoder.net[2].bias[0] = 2
        self.decoder.to(device)
        self.cameras = torch.stack([camera(0.1 * k) for k in range(args.batch)]).to(device)


def camera(yaw_rad: float) -> torch.Tensor:
    c, s = torch.tensor(yaw_rad).cos(), torch.tensor(yaw_rad).sin()
    pose = torch.tensor([[c, 0, -s, 2.7 * s], [0, -1, 0, 0], [-s, 0, -c, 2.7 * c], [0, 0, 0, 1]])
    lens = torch.tensor([[4.265, 0, 0.5], [0, 4.265, 0.5], [0, 0, 1]])
    return torch.cat([pose.flatten(), lens.flatten()])


def plain_maps(scene: Scene, args: Args) -> Maps:
    planes = scene.canonical + scene.motion
    rays = camera_rays(scene.cameras, args.side)
    seen = render(
        lambda points: scene.decoder(look_up(planes, points * (2 / CUBE), PLANE_AXES) / 3),
        rays, CUBE, args.samples, args.samples,
    )  # fmt: skip
    return Maps(*(x.transpose(1, 2).unflatten(2, (args.side, args.side)) for x in seen))


def milliseconds(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """The median of one run's times, after a first."""
    work()
    if device.type != "cuda":
        start = time.perf_counter()
        work()
        return 1e3 * (time.perf_counter() - start)
    return replayed_ms(work, repeats)


def main(args: Args) -> int:
    device, storage = torch.device(args.device), getattr(torch, args.storage)
    scene = Scene(args, device)
    weights = field_weights(scene.decoder, 3, storage)

    def plain() -> Maps:
        return plain_maps(scene, args)

    def fused() -> Maps:
        texels = sum_planes(scene.canonical, scene.motion, storage)
        rays = camera_rays(scene.cameras, args.side)
        samples = samples_within(rays, CUBE, args.samples, args.samples)
        return render_fused(texels, weights, rays, *samples, PLANE_AXES, CUBE, args.tiles)

    expected = plain()
    errors = {
        name: float((a - b).norm() / b.norm()) for name, a, b in zip(Maps._fields, fused(), expected, strict=True)
    }
    slow, fast = (milliseconds(work, device, args.repeats) for work in (plain, fused))
    print(f"plain {slow:9.3f} ms\nfused {fast:9.3f} ms\nratio {slow / fast:9.1f}")
    print(f"mean opacity {float(expected.opacity.mean()):.2f}")
    for name, error in errors.items():
        print(f"{name:9s} error {error:.1e}")
    is_slow = device.type == "cuda" and slow < SMALLEST_RATIO * fast
    return int(is_slow or not max(errors.values()) <= LARGEST_ERROR)


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args)))
