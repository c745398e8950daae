"""Trains the network from speech to the mouth on synthetic speech made meanwhile; writes models/data/speech_mouth.onnx.

Needs the `train` extra and the packages espeak-ng, festival with its voices and flite (see scripts/a2m/README.md).
Interrupted, it goes on from its last checkpoint to the same numbers.

    python scripts/train_a2m.py --out out/a2m
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library, of workers too

# isort: split
import argparse
import dataclasses
import json
import signal
import sys
import time
from pathlib import Path

import torch
from a2m import export, losses
from a2m.heldout import HeldOut, of_network
from a2m.network import SpeechNet
from a2m.stream import Stream
from torch import nn

WEIGHTS = Path(__file__).parent.parent / "models" / "data" / "speech_mouth.onnx"
_WARM_UP = 150
_EXACT = 1e-5
_AVERAGE = 0.998
"""Of the averaged weights that are tested and exported."""


@dataclasses.dataclass(slots=True)
class Training:
    """Everything that a checkpoint holds."""

    net: SpeechNet
    average: SpeechNet
    optimiser: torch.optim.Optimizer
    step: int = 0

    def save(self, path: Path) -> None:
        state = {
            "net": self.net.state_dict(), "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "step": self.step, "random": torch.get_rng_state(),
        }  # fmt: skip
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        torch.set_rng_state(state["random"])


def begin(seed: int) -> Training:
    torch.manual_seed(seed)
    net, average = SpeechNet(), SpeechNet()
    average.load_state_dict(net.state_dict())
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
    return Training(net, average, torch.optim.AdamW(groups, 1e-3, betas=(0.9, 0.98)))


def rate(step: int, steps: int, peak: float) -> float:
    """Warm-up, level until half, then a cosine to a fiftieth."""
    done = max(0.0, (step / steps - 0.4) / 0.6)
    fall = 0.5 * (1 + torch.cos(torch.tensor(torch.pi * min(done, 1.0))).item())
    return peak * min(1.0, (step + 1) / _WARM_UP) * max(fall, 0.02)


def average_in(average: nn.Module, net: nn.Module, step: int) -> None:
    keep = min(_AVERAGE, (step + 1) / (step + 10))
    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.mul_(keep).add_(new, alpha=1 - keep)
            else:
                old.copy_(new)


def train(options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = options.out / "checkpoint.pt", options.out / "log.jsonl"
    torch.set_num_threads(options.threads)
    held_out = HeldOut.cached(options.out / "held_out.pt", options.held_out_minutes)
    training = begin(options.seed)
    if checkpoint.exists():
        training.load(checkpoint)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    stream = Stream(options.workers, options.seed, options.batch, training.step)
    started, waited, first, recent = time.monotonic(), 0.0, training.step, 0.0
    try:
        batches = iter(stream)
        while training.step < options.steps:
            asked = time.monotonic()
            batch = next(batches)
            waited += time.monotonic() - asked
            for group in training.optimiser.param_groups:
                group["lr"] = rate(training.step, options.steps, options.rate)
            training.net.train()
            value = losses.loss(training.net(batch.features), batch)
            training.optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(training.net.parameters(), 1.0)
            training.optimiser.step()
            average_in(training.average, training.net, training.step)
            training.step += 1
            recent = value.item() if not recent else 0.98 * recent + 0.02 * value.item()
            last = training.step == options.steps
            if training.step % 20 == 0 or last:
                spent = time.monotonic() - started
                left = spent / (training.step - first) * (options.steps - training.step)
                print(f"step {training.step}/{options.steps}  loss {recent:.4f}  waited {waited / spent:.0%}  "
                      f"{left / 60:.0f} min left", flush=True)  # fmt: skip
            if training.step % options.evaluate_every == 0 or last:
                figures = held_out.figures(of_network(training.average))
                print(json.dumps(figures), flush=True)
                with log.open("a") as file:
                    file.write(json.dumps({"step": training.step, "loss": recent, **figures}) + "\n")
                training.save(checkpoint)
                export.write(training.average, options.out / "speech_mouth.onnx")
    finally:
        stream.close()
    difference = export.difference(training.average, options.out / "speech_mouth.onnx")
    if difference > _EXACT:
        raise SystemExit(f"the exported step differs from the network by {difference:.1e}: look at export.Step")
    export.compress(options.out / "speech_mouth.onnx", options.weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/a2m"), help="checkpoints, log and weights so far")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the finished network")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--batch", type=int, default=12, help="sessions of 8 s, a third of them new")
    parser.add_argument("--rate", type=float, default=1.8e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes that make speech; part of what is repeatable")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--evaluate-every", type=int, default=100)
    parser.add_argument("--held-out-minutes", type=float, default=4.0, help="of each held-out set")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
