"""How near each backend's picture is to the reference's, and what it costs. Weights are made by rule.

    python scripts/check_backends.py [--paper real3d] [--backend onnx ...] [--levels] [--threads 2] [--frames 1]

The reference: torch, operation by operation, in float32. float16 and bfloat16 stand for a GPU that stores features so:
convolutions and matrix products are computed in float32 and rounded. Exit code 1 if a backend that a user can choose
is farther than 45 dB. What this machine lacks is left out, and said.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from golden import goha, goha_inputs, real3d, talk3d
from golden.dense_face import dense_face
from golden.goha_fill import FRAME_DECODER
from golden.rounded import emulated_frame

from models.backends.executor import Executor, Picture
from models.backends.onnx_file import export
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.open_executor import build_engine, built_files, open_executor
from models.backends.paper import Paper
from models.backends.spec import NetworkSpec, TensorSpec
from models.backends.verdict import ENOUGH_DB
from models.errors import AgentError, InputError
from models.goha.paper import goha_paper
from models.metrics.pictures import psnr_db
from models.real3d.paper import real3d_paper
from models.real3d.trial import trial_portrait
from models.small.paper import load_small_paper
from models.talk3d.paper import talk3d_paper

PAPERS: dict[str, Callable[[], Paper]] = {
    "real3d": lambda: real3d_paper(real3d.filled_model(), dense_face()),
    "goha": lambda: goha_paper(goha.filled_model(FRAME_DECODER), goha_inputs.face()),
    "talk3d": lambda: talk3d_paper(talk3d.filled_model(), torch.linspace(-2, 2, 512)),
    "talk3d-restored": lambda: talk3d_paper(talk3d.filled_model(restored=True), torch.linspace(-2, 2, 512)),
    "small": lambda: load_small_paper()[0],
}
CHOICES = ("onnx", "cudagraph", "tensorrt")
STORED = ("float16", "bfloat16")
IMAGE_TO_PLANE = NetworkSpec(
    "image_to_plane", (TensorSpec("head", (1, 3, 512, 512)),), TensorSpec("planes", (1, 3, 32, 256, 256))
)
PLANES_ERROR = 1e-4


def image_to_plane_error() -> float:
    """Relative L2 distance of the canonical planes by ONNX Runtime from torch's, both on the CPU."""
    network, head = real3d.filled_model().cano_img2plane_backbone, trial_portrait().head
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{IMAGE_TO_PLANE.name}.onnx"
        export(network, IMAGE_TO_PLANE, [head], path)
        runtime = OnnxNetwork(path, IMAGE_TO_PLANE)
        got = runtime(head.to(runtime.device)).cpu()
    with torch.inference_mode():
        want = network(head)
    return float((got - want).norm() / want.norm())


def cost(draw: Callable[[], Picture], frames: int) -> tuple[float, float]:
    """Median seconds and processor seconds of a picture."""
    times = []
    for _ in range(frames):
        wall, cpu = time.perf_counter(), time.process_time()
        draw()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall_s, cpu_s = (statistics.median(t) for t in zip(*times, strict=True))
    return wall_s, cpu_s


def report(name: str, picture: Picture, want: Picture, costs: tuple[float, float] | None) -> float:
    db = psnr_db(picture, want)
    told = "" if costs is None else f" {costs[0]:8.3f} s {costs[1]:8.3f} CPU s per frame"
    print(f"{name:<20} {db:5.1f} dB{told}", flush=True)
    return db


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", choices=PAPERS, default="real3d")
    parser.add_argument("--backend", nargs="+", choices=[*CHOICES, *STORED], default=[*CHOICES, *STORED])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=1, help="drawn to measure the time, after the first")
    parser.add_argument("--levels", action="store_true", help="the reference's lower levels of quality as well")
    parser.add_argument("--image-to-plane", action="store_true", help="only that network, by ONNX Runtime")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.image_to_plane:
        error = image_to_plane_error()
        print(f"image to plane, onnx: relative error {error:.1e}")
        return 0 if error <= PLANES_ERROR else 1
    paper = PAPERS[chosen.paper]()
    reference: Executor = open_executor("torch", paper, Path(), print)
    trial = paper.trial()
    state, drive = reference.prepare(trial.parts), trial.second
    want = reference.frame(state, drive)
    for level in range(reference.levels if chosen.levels else 1):
        costs = cost(lambda level=level: reference.frame(state, drive, level), chosen.frames)
        report(f"{reference.name} level {level}", reference.frame(state, drive, level), want, costs)
    good = True
    for name in chosen.backend:
        if name in STORED:
            paper.model.cpu()
            on_cpu = paper.state.make(tensor.cpu() for tensor in state)
            report(f"stored as {name}", emulated_frame(paper, name, on_cpu, drive), want, None)
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                paper = PAPERS[chosen.paper]()
                if name == "tensorrt":
                    build_engine(paper, built_files(paper, Path(folder)), paper.stored[0], print, lambda *told: True)
                executor = open_executor(name, paper, Path(folder), print)
            except AgentError as error:
                print(f"{name:<20} left out: {error}")
                good &= isinstance(error, InputError)  # not on this machine
                continue
            own = executor.prepare(trial.parts)
            picture = executor.frame(own, drive)
            costs = cost(lambda run=executor, own=own: run.frame(own, drive), chosen.frames)
            good &= report(executor.name, picture, want, costs) >= ENOUGH_DB
            executor.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
