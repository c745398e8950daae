"""A stage's run: from its last checkpoint to its end, with progress and pictures."""

import hashlib
import json
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from models.errors import InputError
from models.real3d.face import Real3dFace
from models.weight_store import sha256
from real3d_training.batches import Pairs
from real3d_training.clip import Clip, find_clips
from real3d_training.face import face_digest, open_face
from real3d_training.losses import structure
from real3d_training.perceptual import Perceptual
from real3d_training.processes import processes, rank
from real3d_training.recipe import StageName
from real3d_training.session import Plan, Training
from real3d_training.sheet import figures, write_sheet

BEFORE: dict[StageName, StageName] = {"motion": "i2p", "sr": "motion"}
"""The stage whose networks each begins with."""
_HELD_OUT = 4
"""Pairs that are looked at; of the last clip, which is not learnt from where there are several."""
_TOLD_EVERY = 10


@dataclass(frozen=True, slots=True)
class Options:
    """Of a run, beside its plan."""

    out: Path
    clips: tuple[Path, ...]
    batch: int
    begin: Path | None = None
    """A checkpoint of the stage before; None takes the one in `out`."""
    face_model: Path | None = None
    perceptual: Path | None = None
    device: str = "cpu"
    threads: int = 1
    save_every: int = 500
    look_every: int = 100


def run(local_rank: int, plan: Plan, options: Options) -> None:
    """Trains one stage in one process. Raises InputError for what cannot be trained so."""
    torch.set_num_threads(options.threads)
    device = torch.device(options.device, local_rank if options.device == "cuda" else None)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    learnt, held = _parted(find_clips(options.clips))
    face = None if plan.stage == "i2p" else open_face(options.face_model)
    _check(learnt + held, plan, options, face)
    learning, showing = Pairs(learnt, options.batch, plan.seed, face, rank()), Pairs(held, _HELD_OUT, 0, face)
    likeness = structure if options.perceptual is None else Perceptual(options.perceptual).to(device)
    training = Training(_whole(plan, learnt, options), likeness, device)
    checkpoint = options.out / plan.stage / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists():
        training.load(checkpoint)
    elif plan.stage in BEFORE:
        training.begin_from(options.begin or options.out / BEFORE[plan.stage] / "checkpoint.pt")
    if training.step >= plan.steps:
        print(f"{plan.stage}: all {plan.steps} steps are done already ({checkpoint})", flush=True)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    _follow(training, learning, showing, options, checkpoint)


def _follow(training: Training, learning: Pairs, showing: Pairs, options: Options, checkpoint: Path) -> None:
    plan, first, started, recent = training.plan, training.step, time.monotonic(), 0.0
    shown, chief = showing.draw(0), rank() == 0
    told: dict[str, float] = {}

    def look() -> None:
        outcome = training.show(shown)
        found = figures(plan.stage, shown, outcome)
        write_sheet(checkpoint.with_name(f"step_{training.step:06d}.jpg"), plan.stage, shown, outcome)
        with checkpoint.with_name("log.jsonl").open("a") as file:
            file.write(json.dumps({"step": training.step, **found, "losses": told}) + "\n")
        print(json.dumps({"step": training.step, **found}), flush=True)

    if chief and training.step == 0:
        look()
    for batch in learning.ahead(training.step, plan.steps, plan.recipe.around_every):
        told = training.advance(batch, rank())
        value = sum(told.values()) - told.get("discriminator", 0.0)
        recent = value if training.step == first + 1 else 0.95 * recent + 0.05 * value
        last = training.step == plan.steps
        if chief and (training.step % _TOLD_EVERY == 0 or last):
            spent = time.monotonic() - started
            left = spent / (training.step - first) * (plan.steps - training.step)
            print(f"{plan.stage} {training.step}/{plan.steps}  loss {recent:.4f}  {left / 60:.0f} min left", flush=True)
        if chief and (training.step % options.look_every == 0 or last):
            look()
        if chief and (training.step % options.save_every == 0 or last):
            training.save(checkpoint)


def _whole(plan: Plan, learnt: list[Clip], options: Options) -> Plan:
    return replace(
        plan,
        clips=hashlib.sha256("".join(clip.digest() for clip in learnt).encode()).hexdigest(),
        batch=options.batch,
        processes=processes(),
        perceptual="" if options.perceptual is None else sha256(options.perceptual),
    )


def _parted(clips: list[Clip]) -> tuple[list[Clip], list[Clip]]:
    return (clips[:-1], clips[-1:]) if len(clips) > 1 else (clips, clips)


def _check(clips: list[Clip], plan: Plan, options: Options, face: Real3dFace | None) -> None:
    if plan.stage != "i2p" and not all(clip.has_face for clip in clips):
        raise InputError(
            f"these clips know no face model, and {plan.stage} needs one: take those of acting or of videos"
        )
    if face is not None and clips[0].face != face_digest(face):
        raise InputError(f"{clips[0].folder} was made with another face model: give its --face-model, or none as then")
    if clips[0].side != plan.sizes.side:
        raise InputError(
            f"the clips are {clips[0].side} pixels wide, not {plan.sizes.side}: give --side {clips[0].side}"
        )
