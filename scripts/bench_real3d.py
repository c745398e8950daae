"""Time and memory of one Real3D-Portrait frame: the reference beside the folded form. Weights are made by rule.

    python scripts/bench_real3d.py [--device cpu] [--frames 3] [--threads 2]

Each form runs in a process of its own: median seconds per frame (on a CPU also processor seconds, which other work on
the machine changes less) and peak memory of the process meanwhile. The portrait is prepared beforehand.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from golden import real3d_inputs
from golden.real3d import filled_model
from torch import Tensor

from models.real3d.folded import FrameNetwork
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.video_model import PortraitParts


class Cost(NamedTuple):
    wall_s: float
    cpu_s: float
    peak_mb: float


def on(device: str, parts: PortraitParts) -> PortraitParts:
    return PortraitParts(**{name: getattr(parts, name).to(device) for name in PortraitParts.__slots__})


def frame_maker(form: str, device: str) -> Callable[[], Tensor]:
    model = filled_model().to(device)
    parts = on(device, real3d_inputs.portrait())
    driven = [x.to(device) for x in (real3d_inputs.pncc_target(), real3d_inputs.camera(), real3d_inputs.DRIVING_POINTS)]
    if form == "reference":
        canonical = model.cano_img2plane_backbone(parts.head)
        return lambda: model(canonical, parts, *driven)
    state, frame = PortraitState(*prepare(model, parts)), FrameNetwork(model)
    return lambda: frame(state, *driven)


def measure(form: str, device: str, frames: int, threads: int) -> Cost:
    torch.set_num_threads(threads)
    with torch.inference_mode():
        make = frame_maker(form, device)
        make()
        forget_peak(device)
        times = [timed(make, device) for _ in range(frames)]
    wall_s, cpu_s = (statistics.median(t) for t in zip(*times, strict=True))
    return Cost(wall_s, cpu_s, peak_mb(device))


def forget_peak(device: str) -> None:
    if device == "cpu":
        Path("/proc/self/clear_refs").write_text("5")
    else:
        torch.cuda.reset_peak_memory_stats()


def peak_mb(device: str) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 2**20
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def timed(make: Callable[[], Tensor], device: str) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    make()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    costs = []
    for form in ("reference", "folded"):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            cost = alone.submit(measure, form, chosen.device, chosen.frames, chosen.threads).result()
        costs.append(cost)
        print(f"{form:<10} {cost.wall_s:7.3f} s per frame {cost.cpu_s:7.3f} CPU s, at most {cost.peak_mb:6.0f} MB")
    reference, folded = costs
    print(f"ratio      {folded.wall_s / reference.wall_s:7.2f}             {folded.cpu_s / reference.cpu_s:7.2f}")


if __name__ == "__main__":
    main()
