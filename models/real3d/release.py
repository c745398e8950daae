"""Finds Real3D-Portrait's released files in what a user names: folders as they were unpacked, or single files."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.audio.hubert_file import FILES as HUBERT_FILES
from models.bfm import FACE_MODEL
from models.errors import InputError
from models.given_files import file_of, first, what_is_not, within
from models.importing import Source
from models.real3d.needs import FACE_DATA, HUBERT, SEGMENTER

_STEPS = re.compile(r"model_ckpt_steps_(\d+)\.ckpt")


@dataclass(frozen=True, slots=True)
class Given:
    """What the user has."""

    checkpoints: tuple[Path, ...] = ()
    """The released folder, or checkpoints themselves."""
    without_audio: bool = False
    """Whether the video model alone will do."""
    face_model: Path | None = None
    face_data: Path | None = None
    """A folder with some of the files in `FACE_DATA`."""
    hubert: Path | None = None
    """A file, or its folder."""
    segmenter: Path | None = None


def find_checkpoints(given: Path, folders: Sequence[str]) -> list[Path]:
    """The file itself, or the one of the most steps in each of the folders that is in or below `given`.

    Raises InputError if there is none.
    """
    if given.is_file():
        return [given]
    found = [newest for folder in folders if (newest := _newest(given, folder)) is not None]
    if not found:
        wanted = " or ".join(f"{folder}/model_ckpt_steps_*.ckpt" for folder in folders)
        raise InputError(f"--checkpoint {given}: {what_is_not(given)}; give the unpacked folder with {wanted} in it")
    return found


def step_of(path: Path) -> int | None:
    """How long a checkpoint was trained, by its name."""
    match = _STEPS.fullmatch(path.name)
    return int(match[1]) if match else None


def find_others(given: Given) -> Iterator[Source]:
    """All that are not checkpoints. Raises InputError for what is not there."""
    for part, option in ((FACE_MODEL, given.face_model), (SEGMENTER, given.segmenter)):
        if option is not None:
            yield Source(file_of(option, part), part, part.files[0])
    if given.hubert is not None:
        yield Source(first(given.hubert, HUBERT_FILES, HUBERT), HUBERT, HUBERT.files[0])
    if given.face_data is not None:
        if given.face_data.is_file():
            raise InputError(
                f"{FACE_DATA.option} {given.face_data}: a file; give the folder that holds {FACE_DATA.files[0]}"
            )
        first(given.face_data, FACE_DATA.files, FACE_DATA)
        for name in FACE_DATA.files:
            for path in within(given.face_data, name)[:1]:
                yield Source(path, FACE_DATA, name)


def _newest(given: Path, folder: str) -> Path | None:
    pattern = "model_ckpt_steps_*.ckpt"
    found = within(given, f"{folder}/{pattern}") + (list(given.glob(pattern)) if given.name == folder else [])
    return max(found, key=lambda path: step_of(path) or 0, default=None)
