"""Trains Real3D-Portrait's networks on pictures of your own, stage by stage (scripts/real3d_training/README.md).

    python scripts/train_real3d.py teach --kind views --portraits me.png you.png --out out/real3d/views
    python scripts/train_real3d.py i2p --clips out/real3d/views --out out/real3d
    python scripts/train_real3d.py teach --kind acting --portraits me.png you.png --out out/real3d/acting
    python scripts/train_real3d.py motion --clips out/real3d/acting --out out/real3d
    python scripts/train_real3d.py sr --clips out/real3d/acting --out out/real3d
    python scripts/train_real3d.py export --out out/real3d

Interrupted, a stage goes on from its last checkpoint, on a CPU to the same numbers. `scripts/prepare_videos.py` makes
clips of videos; `teach --eg3d` those that an EG3D of yours draws.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import sys
from pathlib import Path

import numpy as np
from real3d_training import builtin_teacher, eg3d_teacher
from real3d_training.batches import SHORTEST
from real3d_training.clip import SMALLEST, SUFFIX
from real3d_training.export import export
from real3d_training.face import open_face
from real3d_training.processes import in_processes
from real3d_training.recipe import RECIPES
from real3d_training.run import Options, run
from real3d_training.session import Plan
from script_options import check_least, device_of, make_folder

from calibration.photo import read_photo
from models.errors import AgentError, InputError
from models.real3d.sizes import RELEASED, Sizes


def teach(options: argparse.Namespace) -> None:
    check_least(options, count=1, pictures=SHORTEST, side=SMALLEST)
    if not options.portraits and options.eg3d is None:
        raise InputError("nobody to learn from: give --portraits, or --eg3d")
    generator = None if options.eg3d is None else eg3d_teacher.load_eg3d(options.eg3d, device_of(options.device))
    make_folder(options.out, "--out")
    for number in range(options.count):
        folder = options.out / f"{options.kind}_{number:05d}{SUFFIX}"
        if folder.exists():
            continue
        random = np.random.default_rng([options.seed, number])
        if generator is not None:
            eg3d_teacher.write_clip(folder, generator, options.side, options.pictures, random)
        else:
            path = options.portraits[number % len(options.portraits)]
            builtin_teacher.write_clip(
                folder, read_photo(path), path.name, open_face(options.face_model), options.side, options.pictures,
                random, acts=options.kind == "acting",
            )  # fmt: skip
        print(f"{folder.name} ({number + 1}/{options.count})", flush=True)


def train(options: argparse.Namespace) -> None:
    check_least(
        options, steps=1, rate=1e-9, batch=1, side=SMALLEST, samples=2, processes=1, threads=1, save_every=1,
        look_every=1,
    )  # fmt: skip
    device_of(options.device)
    make_folder(options.out, "--out")
    recipe = RECIPES[options.command]
    plan = Plan(
        stage=options.command,
        recipe=recipe,
        sizes=Sizes(options.side, options.thinner, options.samples),
        steps=options.steps or recipe.steps,
        seed=options.seed,
        rate=options.rate or recipe.rate,
        precision=options.precision,
    )
    given = Options(
        out=options.out,
        clips=tuple(options.clips),
        batch=options.batch,
        begin=options.begin,
        face_model=options.face_model,
        perceptual=options.perceptual,
        device=options.device,
        threads=options.threads,
        save_every=options.save_every,
        look_every=options.look_every,
    )
    in_processes(options.processes, options.device, run, plan, given)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    teacher = commands.add_parser("teach", help="clips drawn by the built-in engine, or by an EG3D")
    teacher.add_argument("--kind", choices=("views", "acting"), default="acting",
                         help="views: one expression from all sides, for i2p; acting: for motion and sr")  # fmt: skip
    teacher.add_argument("--portraits", type=Path, nargs="*", default=[])
    teacher.add_argument("--eg3d", type=Path, help="generator's pickle: clips of views for i2p")
    teacher.add_argument("--count", type=int, default=64, help="clips")
    teacher.add_argument("--pictures", type=int, default=48, help="of each clip")
    teacher.add_argument("--side", type=int, default=RELEASED.side, help="of the pictures, pixels")
    for name, recipe in RECIPES.items():
        stage = commands.add_parser(name, help=f"section {recipe.paper} of the paper")
        stage.add_argument("--clips", type=Path, nargs="+", required=True, help="folders of clips")
        stage.add_argument("--begin", type=Path, help="checkpoint of the stage before (default: the one in --out)")
        stage.add_argument("--steps", type=int, help=f"default {recipe.steps}; the course is as in the paper")
        stage.add_argument("--rate", type=float, help=f"highest learning rate, default {recipe.rate:g}")
        stage.add_argument("--batch", type=int, default=4, help="pairs, in each process")
        stage.add_argument("--side", type=int, default=RELEASED.side, help="of the pictures, pixels")
        stage.add_argument("--thinner", type=int, choices=(1, 2, 4, 8), default=1, help="divides all channels")
        stage.add_argument("--samples", type=int, default=RELEASED.samples, help="along a ray, even and drawn each")
        stage.add_argument("--perceptual", type=Path, help="VGG19's weights (torchvision); else edges and SSIM")
        stage.add_argument("--precision", choices=("float32", "bfloat16", "float16"), default="float32")
        stage.add_argument("--processes", type=int, default=1, help="one per GPU")
        stage.add_argument("--threads", type=int, default=1, help="of each process on the CPU")
        stage.add_argument("--save-every", type=int, default=500)
        stage.add_argument("--look-every", type=int, default=100, help="figures and pictures of a clip not learnt from")
    exporter = commands.add_parser("export", help="the layout that `agent models import real3d` takes")
    exporter.add_argument("--checkpoint", type=Path, help="default: of sr in --out")
    for name, command in commands.choices.items():
        command.add_argument("--out", type=Path, required=True)
        if name != "export":
            command.add_argument("--face-model", type=Path, help="folder with BFM_model_front.mat; else our own face")
            command.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
            command.add_argument("--seed", type=int, default=1)
    return parser


def main() -> int:
    options = _arguments().parse_args()
    try:
        if options.command == "teach":
            teach(options)
        elif options.command == "export":
            print(export(options.checkpoint or options.out / "sr" / "checkpoint.pt", options.out))
        else:
            train(options)
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped: the same command goes on from what is kept", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
