"""Finds released files in what a user names: folders as they were unpacked, or single files."""

from collections.abc import Sequence
from pathlib import Path

from models.errors import InputError
from models.weight_part import Part

_DEPTHS = ("", "*/", "*/*/")


def file_of(given: Path, part: Part) -> Path:
    """The file itself. Raises InputError if it is none."""
    if not given.is_file():
        raise InputError(f"{part.option} {given}: {what_is_not(given)}; give {part.source}")
    return given


def first(given: Path, names: Sequence[str], part: Part) -> Path:
    """The file itself, or the first of these names (or patterns) in or below a folder. Raises InputError."""
    if given.is_file():
        return given
    for name in names:
        for path in within(given, name):
            return path
    raise InputError(f"{part.option} {given}: {what_is_not(given)}; wanted: {part.source}")


def within(folder: Path, pattern: str) -> list[Path]:
    """What matches in a folder, or up to two folders deeper."""
    return [path for depth in _DEPTHS for path in sorted(folder.glob(depth + pattern)) if path.is_file()]


def what_is_not(path: Path) -> str:
    """Why nothing was found there, as a phrase."""
    return "nothing of it is in this folder" if path.is_dir() else "no such file or folder"
