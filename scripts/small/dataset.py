"""The teacher as a data machine: avatars and shots of them, made once into files, the same for the same seed."""

import dataclasses
import hashlib
import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from calibration.photo import read_file
from models.errors import InputError
from models.face import FaceModel, load_face_model
from models.motion import Motion, lerp
from models.portrait import Portrait
from small import portraits
from small.motions import random_motion
from small.teacher import Teacher
from small.variety import bent, with_face_of

SOURCES = 3
"""The portrait itself, then pictures of it that the teacher drew."""
TEACHER = 2
"""Raised when it draws otherwise than before, in whatever part of it: what older ones drew is then not gone on with."""
_MOMENT = 0.12
_BYTES = ("frame", "head", "weight", "texture", "torso")


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How much there is of everything."""

    bent: int = 6
    """Of each portrait, mirrored and not: persons with other proportions."""
    mixed: int = 7
    """And with other faces too."""
    shots: int = 40
    """Of a person: the first at rest, then pairs, of which the second is the first a moment later."""

    def kinds(self) -> list[tuple[str, int]]:
        """Of persons that are made of a portrait."""
        return [("plain", 0), *(("bent", n) for n in range(self.bent)), *(("mixed", n) for n in range(self.mixed))]

    def told(self, seed: int, pictures: Path, names: tuple[str, ...]) -> dict[str, Any]:
        """All that a data set depends on, for JSON."""
        digests = {name: hashlib.sha256(read_file(pictures / name)).hexdigest() for name in names}
        return {"teacher": TEACHER, "seed": seed, "portraits": digests, "count": dataclasses.asdict(self)}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of a person's arrays."""
        return {
            "frame": (self.shots, 256, 256, 4),
            "torso": (self.shots, 256, 256, 4),
            "head": (self.shots, 128, 128),
            "weight": (self.shots, 128, 128),
            "canonical": (self.shots, 478, 3),
            "rotation": (self.shots, 3, 3),
            "texture": (SOURCES, 256, 256, 4),
            "geometry": (SOURCES, 2, 64, 64),
            "source": (SOURCES, 478, 3),
        }


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Arrays of all avatars, read from files as they are needed."""

    arrays: dict[str, np.ndarray]
    names: list[str]
    plan: dict[str, Any]
    """What it was made of, see `Plan.told`."""

    def __len__(self) -> int:
        return len(self.names)


def open_dataset(folder: Path) -> Dataset:
    """What `make` has written."""
    about = json.loads((folder / "about.json").read_text())
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    return Dataset(arrays, about["names"], about["plan"])


def make(
    folder: Path,
    pictures: Path,
    seed: int,
    say: Callable[[str], None],
    names: tuple[str, ...] = tuple(portraits.TRAINED),
    plan: Plan = Plan(),  # a value
    workers: int = 1,
) -> None:
    """Writes a data set, in so many processes; one that is there already is kept.

    Raises:
        InputError: it was made otherwise, or a portrait is of no use.
    """
    told, about = plan.told(seed, pictures, names), folder / "about.json"
    if about.exists():
        check_plan(folder, json.loads(about.read_text()).get("plan", {}), told)
        return
    folder.mkdir(parents=True, exist_ok=True)
    persons = [portraits.load(pictures / name, mirrored) for name in names for mirrored in (False, True)]
    kinds = [(k, kind, n) for k in range(len(persons)) for kind, n in plan.kinds()]
    for name, shape in plan.shapes().items():
        kind = np.uint8 if name in _BYTES else np.float32
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (len(kinds), *shape))
    begun = time.perf_counter()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (folder, persons, seed)) as pool:
        for done, _ in enumerate(pool.map(_make_person, range(len(kinds)), kinds), 1):
            if done % 10 == 0:
                speed = plan.shots * done / (time.perf_counter() - begun)
                say(f"{done} of {len(kinds)} persons, {speed:.0f} pairs a second")
    persons_told = [f"{names[k // 2]} {k % 2} {kind} {n}" for k, kind, n in kinds]
    about.write_text(json.dumps({"names": persons_told, "plan": told}))


def check_plan(path: Path, theirs: dict[str, Any], mine: dict[str, Any]) -> None:
    """Raises InputError if what is there was made by another plan."""
    if names := [name for name, value in mine.items() if theirs.get(name) != value]:
        others = [
            f"{name} {theirs.get(name)}, not {mine[name]}" if isinstance(mine[name], int | float) else name
            for name in names
        ]
        raise InputError(f"{path} was made with other settings ({', '.join(others)}): give the same, or another --out")


_work: list[Any] = []
"""Of a process: the files, the portraits and the seed."""


def _begin(folder: Path, persons: list[Portrait], seed: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that waits for this process ends it
    cv2.setNumThreads(1)
    _work[:] = [{path.stem: np.load(path, mmap_mode="r+") for path in folder.glob("*.npy")}, persons, seed]


def _make_person(index: int, kind: tuple[int, str, int]) -> None:
    files, persons, seed = _work
    k, made, n = kind
    random, model = np.random.default_rng([seed, k, n, made == "mixed"]), load_face_model()
    _write(files, index, Teacher(_person(persons, k, made, model, random), model), random)


def _person(persons: list[Portrait], k: int, kind: str, model: FaceModel, random: np.random.Generator) -> Portrait:
    if kind == "plain":
        return persons[k]
    person = persons[k]
    if kind == "mixed":
        person = with_face_of(person, persons[int(random.integers(len(persons)))], model, random)
    return bent(person, model, random)


def _write(files: dict[str, np.memmap], index: int, teacher: Teacher, random: np.random.Generator) -> None:
    sources = [teacher.source(), *(teacher.other_source(random_motion(random)) for _ in range(SOURCES - 1))]
    for k, (lifted, canonical) in enumerate(sources):
        files["texture"][index, k], files["geometry"][index, k] = lifted.texture, lifted.geometry
        files["source"][index, k] = canonical
    for k, motion in enumerate(_motions(random, files["frame"].shape[1])):
        shot = teacher.shot(motion)
        for name in ("frame", "torso", "head", "weight", "canonical", "rotation"):
            files[name][index, k] = getattr(shot, name)


def _motions(random: np.random.Generator, count: int) -> list[Motion]:
    out = [Motion(0)]
    while len(out) < count:
        one = random_motion(random)
        out += [one, lerp(one, random_motion(random), _MOMENT)]
    return out[:count]
