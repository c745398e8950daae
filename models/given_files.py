"""Finds released files in what a user names: folders as they were unpacked, or single files."""

import os
from collections.abc import Sequence
from pathlib import Path

from models.errors import InputError
from models.weight_part import Part

_DEPTHS = ("", "*/", "*/*/")


def first(given: Path, names: Sequence[str], part: Part) -> Path:
    """The file itself, or the first of these names (or patterns) in or below a folder. Raises InputError."""
    if given.is_file():
        return given
    if given.is_dir() and not names:
        raise InputError(f"{part.option} {given}: a folder; give the file in it; wanted: {part.source}")
    for name in names:
        for path in within(given, name):
            return path
    raise InputError(f"{part.option} {given}: {what_is_not(given)}; wanted: {part.source}")


def within(folder: Path, pattern: str) -> list[Path]:
    """What matches in a folder, or up to two folders deeper."""
    return [path for depth in _DEPTHS for path in sorted(folder.glob(depth + pattern)) if path.is_file()]


def what_is_not(path: Path) -> str:
    """Why nothing was found there, as a phrase."""
    if not path.exists():
        return "no such file or folder"
    if not path.is_dir():
        return "neither a file nor a folder"
    return "nothing of it is in this folder" if os.access(path, os.R_OK | os.X_OK) else "this folder cannot be read"
