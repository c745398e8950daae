"""Clips of coloured blobs with a fitted face, plans that train tiny networks of the released classes, and runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from golden.dense_face import dense_face
from real3d_training.clip import SUFFIX, Clip, ClipWriter, Shot
from real3d_training.face import face_digest, to_bytes, torso_at
from real3d_training.recipe import RECIPES, StageName
from real3d_training.run import Options
from real3d_training.session import Plan

from models.face_fit.objective import Coefficients
from models.real3d.camera import camera_labels
from models.real3d.pncc import PnccPainter
from models.real3d.segmentation import CLOTHES, FACE_SKIN
from models.real3d.sizes import Sizes
from models.real3d.torso_keypoints import torso_keypoints

TINY = Sizes(side=64, thinner=8, samples=6)
SIDE = TINY.side
ADVERSE = 4
"""The step of twenty from which the discriminator is heard."""


def plan(stage: StageName, steps: int = 20) -> Plan:
    """Everything that a stage asks for comes within a few steps."""
    course = replace(
        RECIPES[stage], steps=steps, warm_up=2, adversary_from=ADVERSE, source_every=3, egg_until=2, others_from=1,
        enlarging_from=2, around_every=2 if stage == "motion" else 0,
    )  # fmt: skip
    return Plan(stage=stage, recipe=course, sizes=TINY, steps=steps, rate=1e-3)


def make_clip(folder: Path, seed: int = 0, count: int = 6) -> Clip:
    """A round head over a torso, its colours, pose and jaw another in each picture."""
    random, face = np.random.default_rng(seed), dense_face()
    paint, who = PnccPainter(face, SIDE), np.zeros(80, np.float32)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    path = folder / f"made_up_{seed}{SUFFIX}"
    clip = ClipWriter(path)
    for number in range(count):
        head = (x - 0.1 * number / count) ** 2 + (y + 0.2) ** 2 < 0.25
        classes = np.where(head, FACE_SKIN, np.where(y > 0.5, CLOTHES, 0)).astype(np.uint8)
        picture = np.where(head[..., None], [200, 150, 120], [40, 80, 40]) + random.integers(0, 30, 3)
        expression = np.zeros(64, np.float32)
        expression[17] = number / count
        fit = Coefficients(who, expression, np.float32([0, 0.05 * number, 0]), np.float32([0, 0, -3]))
        clip.add(
            Shot(
                picture=picture.astype(np.uint8),
                classes=classes,
                camera=camera_labels(fit.euler, fit.translation),
                fit=fit,
                key_points=torso_keypoints(face, fit),
                lips=np.array([24, 30, 40, 46], np.int32),
                pncc=to_bytes(paint(who, expression)),
                torso=torso_at(picture.astype(np.uint8), classes),
            )
        )
    clip.finish(
        np.full((SIDE, SIDE, 3), 60, np.uint8), to_bytes(paint(who, np.zeros(64, np.float32))), face_digest(face)
    )
    return Clip(path)


def options(clips: Path, out: Path, **others) -> Options:
    return Options(out=out, clips=(clips,), batch=1, look_every=100, save_every=3, **others)


def state(out: Path) -> dict:
    """Of `i2p`'s checkpoint."""
    return torch.load(out / "i2p" / "checkpoint.pt", weights_only=True)


def apart(one: Path, other: Path) -> list[str]:
    """What the checkpoints of two runs do not have alike, to the bit."""
    flats = [_flat(state(out)) for out in (one, other)]
    assert flats[0].keys() == flats[1].keys()
    return [name for name, value in flats[0].items() if not _same(value, flats[1][name])]


def _same(value: object, other: object) -> bool:
    return torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other


def _flat(value, name: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {k: v for key, each in value.items() for k, v in _flat(each, f"{name}.{key}").items()}
    if isinstance(value, list | tuple):
        return _flat(dict(enumerate(value)), name)
    return {name: value}
