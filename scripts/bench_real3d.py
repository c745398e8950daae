"""Time and memory of Real3D-Portrait frames: the reference beside a backend. Weights are made by rule.

    python scripts/bench_real3d.py [--device cpu] [--backend torch] [--batch 1 8] [--frames 3] [--threads 2] [--level 0]

The reference is the network as it was released, in float32 (on a GPU with torch's defaults, as its own tool runs it).
Each form runs in a process of its own: median seconds per frame of one avatar, uploads and download included, and the
memory that it takes; processor seconds too, which other work on the machine changes less. Portraits are prepared
beforehand. What is painted of the driven face is then timed by itself, by both painters; on a GPU also the parts of a
frame one by one, operations enqueued as torch does it. The face is our own, nearly as fine as the Basel model.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from cuda_graph_time import replayed_ms
from golden.dense_face import dense_face
from golden.real3d import filled_model
from torch import nn

from models.backends.cuda_math import repeatable
from models.backends.graph_executor import GraphExecutor
from models.backends.layout import channels_last
from models.backends.open_executor import build_engine, built_files, open_executor
from models.backends.picture_bytes import to_picture
from models.fused_renderer import has_triton
from models.real3d.drive import Drive
from models.real3d.folded import FrameNetwork
from models.real3d.folded_adapter import FoldedRenderer
from models.real3d.fused_renderer import FusedHeadRenderer
from models.real3d.levels import LEVELS
from models.real3d.networks import FramePicture
from models.real3d.painter import CpuPainter, TorchPainter, painter_on
from models.real3d.paper import STORED, real3d_paper
from models.real3d.portrait_state import prepare
from models.real3d.trial import second_drive, trial_portrait

ON_GPU = STORED[0]
ROUNDS = 5
"""Before anything is measured."""


class Cost(NamedTuple):
    wall_s: float
    cpu_s: float
    peak_mb: float
    picture: np.ndarray


def reference(device: torch.device, batch: int) -> Callable[[], np.ndarray]:
    model, parts = filled_model().to(device), trial_portrait().to(device)
    drive, paint = second_drive(), CpuPainter(dense_face())
    canonical = model.cano_img2plane_backbone(parts.head)

    def draw() -> np.ndarray:
        for _ in range(batch):
            fresh = (paint(drive), drive.camera, drive.key_points)
            image = model(canonical, parts, *(x.to(device) for x in fresh))
            picture = to_picture(image)[0].cpu().numpy()
        return picture

    return draw


def of_backend(backend: str, device: torch.device, batch: int, level: int) -> Callable[[], np.ndarray]:
    paper, drive = real3d_paper(filled_model().to(device), dense_face()), second_drive()
    if backend == "cudagraph" and batch > 1:
        executor = GraphExecutor("cudagraph", paper, device, {batch: paper.captured(ON_GPU)}, ON_GPU)
        states = [executor.prepare(trial_portrait()) for _ in range(batch)]
        drives = Drive(*(x.expand(batch, *x.shape[1:]).contiguous() for x in drive))
        return lambda: executor.frame_batch(states, drives, level)[0]
    with tempfile.TemporaryDirectory() as folder:
        if backend == "tensorrt":
            build_engine(paper, built_files(paper, Path(folder)), ON_GPU, print, lambda phase, done, total: True)
        executor = open_executor(backend, paper, Path(folder), print)
    state = executor.prepare(trial_portrait())

    def draw() -> np.ndarray:
        for _ in range(batch):
            picture = executor.frame(state, drive, level)
        return picture

    return draw


def measure(form: str, device: str, batch: int, frames: int, threads: int, level: int) -> Cost:
    torch.set_num_threads(threads)
    where = torch.device(device)
    with torch.inference_mode():
        draw = reference(where, batch) if form == "reference" else of_backend(form, where, batch, level)
        picture = draw()
        for _ in range(ROUNDS if device != "cpu" else 0):
            draw()
        forget_peak(device)
        times = [timed(draw) for _ in range(frames)]
    wall_s, cpu_s = (statistics.median(t) / batch for t in zip(*times, strict=True))
    return Cost(wall_s, cpu_s, peak_mb(device), picture)


def timed(draw: Callable[[], np.ndarray]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    draw()
    return time.perf_counter() - wall, time.process_time() - cpu


def forget_peak(device: str) -> None:
    if device == "cpu":
        Path("/proc/self/clear_refs").write_text("5")
    else:
        torch.cuda.reset_peak_memory_stats()


def peak_mb(device: str) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_reserved() / 2**20
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


PARTS = ("adapter", "renderer", "composite.torso", "composite.torso.motion", "composite.torso.generator",
         "composite.block0", "composite.fuse_torso", "composite.head_torso_block", "composite.fuse_background",
         "composite.block1")  # fmt: skip


def part_times(stored: torch.dtype, fused: bool, frames: int) -> dict[str, float]:
    """Milliseconds of each part of a frame, medians; what runs within a part counts for it, too."""
    device, model = torch.device("cuda"), filled_model().to("cuda")
    network = channels_last(FrameNetwork(model, stored, FusedHeadRenderer if fused else FoldedRenderer))
    state = prepare(model, trial_portrait().to(device)).stored_as(stored)
    drive, passed = second_drive().to(device), {name: [] for name in PARTS}
    fresh = (painter_on(device, dense_face())(drive), drive.camera, drive.key_points)
    for name, events in passed.items():
        watch(network.get_submodule(name), events)
    picture = FramePicture(network)
    repeatable()
    with torch.inference_mode():
        for _ in range(ROUNDS + frames):
            picture(*state, *fresh)
    torch.cuda.synchronize()
    return {
        name: statistics.median(start.elapsed_time(end) for start, end in events[ROUNDS:])
        for name, events in passed.items()
    }


def painting_times(device: torch.device, frames: int) -> dict[str, float]:
    """Milliseconds of PNCC picture and eyes by each painter: processor time, on a GPU that of the device."""
    times = {}
    for name, paint in (
        ("cpu", CpuPainter(dense_face())),
        (f"torch {device.type}", TorchPainter(dense_face(), device)),
    ):
        drive = second_drive() if name == "cpu" else second_drive().to(device)
        paint(drive)
        if name == "torch cuda":
            times[name] = replayed_ms(lambda paint=paint, drive=drive: paint(drive), frames)
        else:
            times[name] = 1e3 * statistics.median(
                timed(lambda paint=paint, drive=drive: paint(drive))[1] for _ in range(frames)
            )
    return times


def watch(part: nn.Module, events: list[tuple[torch.cuda.Event, torch.cuda.Event]]) -> None:
    def before(*_: object) -> None:
        events.append((torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)))
        events[-1][0].record()

    part.register_forward_pre_hook(before)
    part.register_forward_hook(lambda *_: events[-1][1].record())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--backend", nargs="+", choices=["torch", "cudagraph", "onnx", "tensorrt"])
    parser.add_argument("--batch", nargs="+", type=int, default=[1])
    parser.add_argument("--frames", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--level", type=int, default=0, choices=range(len(LEVELS)), help="of quality; 0 is the best")
    chosen = parser.parse_args()
    on_gpu = chosen.device == "cuda"
    frames = chosen.frames or (30 if on_gpu else 3)
    for batch in chosen.batch:
        first = None
        for form in ("reference", *(chosen.backend or (["cudagraph"] if on_gpu else ["torch"]))):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
                cost = alone.submit(measure, form, chosen.device, batch, frames, chosen.threads, chosen.level).result()
            first = first or cost
            error = np.square(cost.picture.astype(np.float64) - first.picture).mean()
            print(
                f"{form:<10} batch {batch}: {1e3 * cost.wall_s:9.2f} ms per frame, {1e3 * cost.cpu_s:9.2f} CPU ms, "
                f"{cost.peak_mb:6.0f} MB, {first.wall_s / cost.wall_s:6.2f} times as fast as the reference, "
                f"mean square error {error:.3f} of 255^2",
                flush=True,
            )
    for name, spent_ms in painting_times(torch.device(chosen.device), frames).items():
        print(f"painted by {name:<10} {spent_ms:9.2f} ms")
    if on_gpu:
        whole, half = part_times(torch.float32, False, frames), part_times(getattr(torch, ON_GPU), has_triton(), frames)
        print(f"{'part':<28} {'float32':>9} {ON_GPU:>9} ms{', renderer by Triton' if has_triton() else ''}")
        for name in PARTS:
            print(f"{name:<28} {whole[name]:9.3f} {half[name]:9.3f}    {whole[name] / half[name]:5.2f} times as fast")


if __name__ == "__main__":
    main()
