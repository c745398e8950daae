"""Teaches the small model what the built-in engine draws; writes OUT/small_avatar.safetensors.

Needs the `train` extra and a folder of photos (scripts/small/portraits.py names them, models/data/small_avatar.md says
where each is from). The data set is made first, then learnt from; interrupted, the same command goes on from its last
checkpoint. One with other settings is refused in that folder.

    python scripts/train_small.py --portraits out/portraits --out out/small
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library, of workers too

# isort: split
import argparse
import dataclasses
import hashlib
import math
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from script_options import check_least, device_of, make_folder
from small import dataset, portraits
from small.batches import Batch, Batches
from small.losses import Losses, losses
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoint import faults, named_tensors, read_content
from models.errors import AgentError, InputError
from models.small.image_to_plane import WIDTH
from models.small.model import SmallModel
from models.small.motion_adapter import Change
from models.small.paper import WEIGHTS
from models.small.reading import pixel_centres
from models.small.renderer import Planes
from models.small.settings import RAYS
from models.small.skin import even_skin

_AVATARS = 2
"""Of a batch; each with two shots."""
_CROP = 32
"""Rays across the part of a picture that most steps learn from."""
_WHOLE = 0.06
"""Part of the steps that learn from whole pictures."""
_WARM_UP = 100
_TOLD_STEPS, _TOLD_S = 50, 30.0
"""A line at the latest after so many steps, and seconds."""
_CPU = torch.device("cpu")
_AVERAGE = 0.996
_CHECKPOINT = "checkpoint.pt"


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a training is."""

    data: dict[str, Any]
    """Of the data set, see `dataset.Plan.told`."""
    seed: int
    steps: int
    rate: float
    """The highest."""
    start: str
    """Digest of the weights that it began with; empty: from nothing."""
    width: int = WIDTH
    """See `ImageToPlane`."""


@dataclasses.dataclass(slots=True)
class Training:
    """Everything that a checkpoint holds."""

    plan: Plan
    net: SmallModel
    average: SmallModel
    optimiser: torch.optim.Optimizer
    step: int = 0

    def save(self, path: Path) -> None:
        state = {
            "plan": dataclasses.asdict(self.plan), "net": self.net.state_dict(), "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "step": self.step,
        }  # fmt: skip
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def load(self, path: Path) -> None:
        """Raises InputError for another plan's, and for what is none."""
        state = read_content(path)
        if not isinstance(state, dict) or not isinstance(state.get("plan"), dict):
            raise InputError(f"{path} is not a checkpoint of this training: give another --out")
        dataset.check_plan(path, state["plan"], dataclasses.asdict(self.plan))
        for name in ("net", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.step = state["step"]


def read_weights(path: Path, width: int) -> dict[str, Tensor]:
    """In float32. Raises InputError for what are no weights of such a network."""
    entries = {name: values.float() for name, values in named_tensors(read_content(path), path).items()}
    if wrong := faults(entries, SmallModel(width).state_dict()):
        raise InputError(f"--start {path} is not the small model's, of --width {width}: {'; '.join(wrong)}")
    return entries


def begin(plan: Plan, start: Mapping[str, Tensor] | None, device: torch.device = _CPU) -> Training:
    """`start`: weights to begin with."""
    torch.manual_seed(plan.seed)
    net, average = SmallModel(plan.width), SmallModel(plan.width)
    if start is not None:
        net.load_state_dict(start)
    for each in (net, average):
        each.to(device, memory_format=torch.channels_last)  # a tenth less time on CPUs
    average.load_state_dict(net.state_dict())
    mean = [net.mean_front, net.mean_across]
    others = [p for p in net.parameters() if all(p is not m for m in mean)]
    groups = [{"params": others, "times": 1.0}, {"params": mean, "times": 4.0}]
    return Training(plan, net, average, torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.99), weight_decay=1e-4))


def rate(step: int, steps: int, most: float) -> float:
    return most * min(1.0, (step + 1) / _WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def draw(net: SmallModel, batch: Batch, pixels: Tensor, rows: int) -> Tensor:
    """The heads of a batch."""
    planes, condition = net.planes(batch.texture, batch.geometry)

    def twice(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 0)

    change: Change = net.adapter(twice(batch.source), batch.target, twice(batch.places), twice(condition))
    both = Planes(twice(planes.front), twice(planes.across))
    skin = even_skin(batch.texture, batch.source)
    return net.draw(both, twice(batch.texture), twice(skin), change, batch.rotation, pixels, rows)


def measure(net: SmallModel, batch: Batch, random: np.random.Generator) -> Losses:
    """The losses of a batch, on a part of its pictures."""
    side = RAYS if random.random() < _WHOLE else _CROP
    top, left = (int(x) for x in random.integers(0, RAYS - side + 1, size=2)) if side == RAYS else (
        int(random.integers(6, 27)), int(random.integers(5, 28))
    )  # fmt: skip
    pixels = pixel_centres(RAYS).unflatten(0, (RAYS, RAYS))[top : top + side, left : left + side].flatten(0, 1)
    head = draw(net, batch, pixels, side)

    def part(x: Tensor, times: int) -> Tensor:
        return x[:, :, times * top : times * (top + side), times * left : times * (left + side)]

    picture, behind, hidden = part(batch.picture, 4), part(batch.behind, 4), part(batch.head, 2)
    mask, weight = (
        functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        for x in (hidden, part(batch.weight, 2))
    )
    return losses(head[:, :3] + (1 - head[:, 3:]) * behind, head[:, 3:], picture, mask, weight)


def advance(training: Training, batch: Batch, random: np.random.Generator, lr: float) -> Losses:
    for group in training.optimiser.param_groups:
        group["lr"] = group["times"] * lr
    found = measure(training.net, batch, random)
    training.optimiser.zero_grad(set_to_none=True)
    found.total().backward()
    norm = nn.utils.clip_grad_norm_(training.net.parameters(), 1.0)
    if torch.isfinite(norm):
        training.optimiser.step()
    training.step += 1
    keep = min(_AVERAGE, (1 + training.step) / (10 + training.step))
    with torch.no_grad():
        for slow, fast in zip(training.average.parameters(), training.net.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)
    return Losses(*(x.detach() for x in found))


def export(net: SmallModel, path: Path) -> None:
    """As 16-bit numbers; there always is a whole file."""
    part = path.with_suffix(".part")
    save_file({name: values.half().contiguous() for name, values in net.state_dict().items()}, part)
    part.replace(path)


def _say(line: str) -> None:
    print(line, flush=True)


def train(options: argparse.Namespace) -> str:
    """Returns where it was stopped, for the user, or nothing. Raises InputError for what cannot be trained so."""
    check_least(options, steps=1, rate=1e-9, threads=1, width=4)
    if options.width % 4:
        raise InputError(f"--width {options.width}: give a multiple of 4")
    device = device_of(options.device)
    start = None if options.start is None else read_weights(options.start, options.width)
    digest = "" if options.start is None else hashlib.sha256(options.start.read_bytes()).hexdigest()
    make_folder(options.out, "--out")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    dataset.make(options.out / "data", options.portraits, options.seed, _say, workers=options.threads)
    data = dataset.open_dataset(options.out / "data")
    plan = Plan(data.plan, options.seed, options.steps, options.rate, digest, options.width)
    training, checkpoint = begin(plan, start, device), options.out / _CHECKPOINT
    if checkpoint.exists():
        training.load(checkpoint)
    stopped = learn(training, Batches(data), device, options.out)
    if not stopped:
        export(training.average, options.weights or options.out / WEIGHTS.name)
    return stopped


def learn(training: Training, batches: Batches, device: torch.device, out: Path) -> str:
    """Goes on to the last step, or until a signal stops it: returns how far it is then, for the user."""
    plan, stop = training.plan, []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: stop.append(received))

    def save() -> None:
        training.save(out / _CHECKPOINT)
        export(training.average, out / "average.safetensors")

    told, begun, sums = training.step, time.perf_counter(), np.zeros(len(Losses._fields))
    while training.step < plan.steps and not stop:
        random = np.random.default_rng([plan.seed, training.step])
        batch = batches.draw(_AVATARS, random)
        batch = Batch(*(getattr(batch, field.name).to(device) for field in dataclasses.fields(batch)))
        found = advance(training, batch, random, rate(training.step, plan.steps, plan.rate))
        sums += [float(x) for x in found]
        count, spent = training.step - told, time.perf_counter() - begun
        if training.step % _TOLD_STEPS == 0 or spent > _TOLD_S:
            values = "  ".join(f"{n} {v:.4f}" for n, v in zip(Losses._fields, sums / count, strict=True))
            _say(f"step {training.step} of {plan.steps}: {values}  {spent / count:.2f} s each")
            told, begun, sums = training.step, time.perf_counter(), np.zeros(len(Losses._fields))
        if training.step % 250 == 0:
            save()
    save()
    return "" if training.step >= plan.steps else f"stopped at step {training.step} of {plan.steps}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(portraits.TRAINED)
    parser.add_argument("--portraits", type=Path, required=True, help=f"folder that holds {names} (see the model card)")
    parser.add_argument("--out", type=Path, required=True, help="folder for data set and checkpoints")
    parser.add_argument("--weights", type=Path, help=f"file for what was learnt; default: OUT/{WEIGHTS.name}")
    parser.add_argument("--start", type=Path, help="weights to begin with")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--width", type=int, default=WIDTH, help="channels of the image network; as shipped: 128")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="of torch, and processes that make the data set")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        stopped = train(options)
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        kept = (options.out / _CHECKPOINT).exists()
        print(f"stopped: the same command {'goes on from its checkpoint' if kept else 'begins anew'}", file=sys.stderr)
        return 1
    if stopped:
        print(f"{stopped}: the same command goes on from there", file=sys.stderr)
    return 1 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
