"""What an import of Talk3D's released files consists of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from models.audio.hubert_file import FILES
from models.checkpoint import entries_under
from models.errors import InputError
from models.gfpgan.restoration import Restoration
from models.given_files import first, what_is_not, within
from models.importing import Network, Request, Source
from models.talk3d.checkpoint_file import (
    PREDICTOR,
    STEP,
    TUNED,
    Driver,
    drawer_entries,
    driver_entries,
    read_checkpoint,
)
from models.talk3d.generator import Generator
from models.talk3d.generator_file import read_generator
from models.talk3d.needs import (
    BASE,
    DRIVER,
    DRIVER_FILE,
    GENERATOR,
    GENERATOR_FILE,
    GENERATOR_PICKLE,
    PERSON,
    RESTORATION,
    SPEECH,
)
from models.talk3d.recording import read_recording
from models.talk3d.size import generator_size, planes_side, stage_widths
from models.talk3d.speech_scores import SpeechScores, load_speech_scores
from models.weight_store import Replacement

_BASE_FILES = ("ffhq-fixed*.pkl",)


@dataclass(frozen=True, slots=True)
class Given:
    """What the user has: files, or folders with them."""

    checkpoints: tuple[Path, ...] = ()
    person: Path | None = None
    """The folder that the person was prepared in."""
    gfpgan: Path | None = None
    wav2vec: Path | None = None
    generator: Path | None = None
    """Of anybody, to personalise."""


@dataclass(frozen=True, slots=True)
class Released:
    """The networks, wherever they come from."""

    driver: Network
    generator: Network
    base: Network
    """The same of anybody."""
    restoration: Network
    tuned_restoration: Network
    """The same from a checkpoint of Talk3D's."""
    load_speech: Callable[[Path], SpeechScores]


def _as_they_are(content: Any, path: Path) -> dict[str, Any]:
    return dict(content)


def _driver_like(entries: Mapping[str, Any]) -> Driver:
    return Driver(planes_side(entries, PREDICTOR), stage_widths(entries, PREDICTOR))


def _generator_like(entries: Mapping[str, Any]) -> Generator:
    return Generator(generator_size(entries))


RELEASED = Released(
    Network(DRIVER, Driver, driver_entries, STEP, read=read_checkpoint, sized=_driver_like),
    Network(GENERATOR, Generator, _as_they_are, STEP, read=read_generator, sized=_generator_like),
    Network(BASE, Generator, _as_they_are, STEP, read=read_generator, sized=_generator_like),
    Network(RESTORATION, Restoration, entries_under("params_ema"), STEP),
    Network(RESTORATION, Restoration, drawer_entries, STEP, read=read_checkpoint),
    load_speech_scores,
)


def _check_sides(folder: Path) -> None:
    """Raises InputError for a generator and delta-plane networks that are not of one size."""
    generator, driver = (_shapes(folder / name) for name in (GENERATOR_FILE, DRIVER_FILE))
    if not generator or not driver:
        return
    made, known = generator_size(generator).planes, planes_side(driver, PREDICTOR)
    if made != known:
        raise InputError(
            f"the {GENERATOR.title} makes planes of {made} pixels, and the {DRIVER.title} know planes of {known}: give "
            f"{GENERATOR.option} and {DRIVER.option} that were trained together"
        )


def _shapes(path: Path) -> dict[str, Tensor]:
    """The entries of a file without their values; none if it is not there."""
    if not path.exists():
        return {}
    with safe_open(path, "pt") as file:
        return {name: torch.empty(file.get_slice(name).get_shape(), device="meta") for name in file.keys()}  # noqa: SIM118


def _of_person(folder: Path) -> dict[str, Path]:
    """The files of a person's folder by name. Raises InputError that names those that are not there."""
    if not folder.is_dir():
        fault = "a file" if folder.is_file() else "no such folder"
        raise InputError(f"{PERSON.option} {folder}: {fault}; give {PERSON.source}")
    names = (GENERATOR_PICKLE, *PERSON.files)
    found = {name: paths[0] for name in names if (paths := within(folder, name))}
    missing = [name for name in names if name not in found]
    if len(missing) == len(names):
        raise InputError(f"{PERSON.option} {folder}: {what_is_not(folder)}; wanted: {PERSON.source}")
    if missing:
        raise InputError(f"{PERSON.option} {folder}: {', '.join(missing)} not in it, but other files of the person are")
    return found


def request(given: Given, released: Released) -> Request:
    """Looks for the files; `released` is usually `RELEASED`. Raises InputError for what is not there."""
    checkpoints = []
    for path in given.checkpoints:
        checkpoints.append((first(path, (), DRIVER), [released.driver]))
        if path.name.endswith(TUNED):
            checkpoints.append((path, [released.tuned_restoration]))
    others = []
    if given.person is not None:
        found = _of_person(given.person)
        checkpoints.append((found.pop(GENERATOR_PICKLE), [released.generator]))
        others += [Source(path, PERSON, name) for name, path in found.items()]
    if given.gfpgan is not None:
        checkpoints.append((first(given.gfpgan, ("GFPGAN*.pth",), RESTORATION), [released.restoration]))
    if given.generator is not None:
        checkpoints.append((first(given.generator, _BASE_FILES, BASE), [released.base]))
    if given.wav2vec is not None:
        others.append(Source(first(given.wav2vec, FILES, SPEECH), SPEECH, SPEECH.files[0]))

    def check(new: Replacement) -> None:
        if given.person is not None:
            read_recording(new.folder)
        if checkpoints:
            _check_sides(new.folder)
        if given.wav2vec is not None:
            released.load_speech(new.folder / SPEECH.files[0])

    return Request(checkpoints=checkpoints, others=others, check=check)
