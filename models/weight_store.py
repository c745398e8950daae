"""Weights that a user brought in, one folder per engine: a set of files is replaced whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.errors import AgentError

RECORD = "weights.json"
"""Beside the files: what they are and where they came from."""

Progress = Callable[[int], None]
"""Hears how many bytes more are done; whatever it raises ends the work."""

CHUNK_BYTES = 1 << 23
"""Read at a time."""

_FORMAT = "portrait-agent weights"
_VERSION = 1
_PARTIAL = ".part-"
_LEFT_BEHIND_S = 3600.0  # a partial set that old belongs to a killed process
_SPARE_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a set, and where it came from."""

    name: str
    size_bytes: int
    sha256: str
    source: str
    """Name of the file that it was made from."""
    source_sha256: str
    imported: str
    """ISO 8601."""
    licence: str
    tensors: int | None = None
    """How many it holds, if it is a network's."""
    step: int | None = None
    """Of the training, where the source tells."""


@dataclass(frozen=True, slots=True)
class Stock:
    """The set that an engine has."""

    folder: Path | None
    """None if there is no set."""
    files: dict[str, StoredFile]
    unread: Path | None = None
    """The record of a set that is there, if there is none that can be read."""

    def fault(self, name: str) -> str:
        """What is wrong with a file at first sight; empty if nothing."""
        if self.unread is not None:
            return f"may be there, but {self.unread} is damaged or of another version"
        if self.folder is None or name not in self.files:
            return "is missing"
        try:
            size_bytes = (self.folder / name).stat().st_size
        except OSError as error:
            return f"cannot be found any more ({error.strerror})"
        want = self.files[name].size_bytes
        return "" if size_bytes == want else f"is damaged ({size_bytes} bytes, not {want})"

    def damage(self, name: str) -> str:
        """What is wrong with a file after reading all of it; empty if nothing."""
        if fault := self.fault(name):
            return fault
        assert self.folder is not None
        try:
            same = sha256(self.folder / name) == self.files[name].sha256
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        return "" if same else "is damaged (another SHA-256)"


class Replacement:
    """A set in the making: the present files, until others take their places."""

    def __init__(self, folder: Path, present: Stock) -> None:
        """`folder` is empty. The present files are linked into it, or copied where links are not known."""
        self.folder = folder
        self._files: dict[str, StoredFile] = {}
        for name, file in present.files.items():
            if present.folder is not None and not present.fault(name):
                link(present.folder / name, folder / name)
                self._files[name] = file

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def place(self, name: str) -> Path:
        """Where a new file of that name is to be written; the present one is dropped."""
        path = self.folder / name
        path.unlink(missing_ok=True)  # writing into a link would change the present set
        self._files.pop(name, None)
        return path

    def add(self, file: StoredFile) -> None:
        """Takes up a file that was written."""
        self._files[file.name] = file

    def finish(self) -> None:
        """Writes the record, and everything through to the disk."""
        files = [asdict(file) for file in self._files.values()]
        document = {"format": _FORMAT, "version": _VERSION, "files": files}
        (self.folder / RECORD).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        for path in self.folder.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


class WeightStore:
    """Sets of files in numbered folders; the highest number counts. Several processes may share it."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first set."""
        self.folder = folder

    def current(self) -> Stock:
        """The present set: the newest whose record can be read."""
        numbers = self._numbers()
        for number in reversed(numbers):
            with suppress(OSError, ValueError, KeyError, TypeError):
                folder = self.folder / str(number)
                return Stock(folder, _read_record(folder / RECORD))
        return Stock(None, {}, self.folder / str(numbers[-1]) / RECORD if numbers else None)

    @contextmanager
    def replacing(self, needed_bytes: int) -> Iterator[Replacement]:
        """A new set, which takes the present one's place when the body ends, or leaves it be when the body fails.

        Raises AgentError if there is no room for `needed_bytes`, or the folder cannot be written to.
        """
        partial: Path | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=self.folder, prefix=_PARTIAL))
            self._sweep(partial.stat().st_mtime)
            free_bytes = shutil.disk_usage(self.folder).free
            if free_bytes < needed_bytes + _SPARE_BYTES:
                raise AgentError(
                    f"{self.folder} has {free_bytes / 1e6:.0f} MB left and {(needed_bytes + _SPARE_BYTES) / 1e6:.0f} "
                    "are needed; make room, or name another folder in AGENT_DATA"
                )
            older = self._numbers()
            replacement = Replacement(partial, self.current())
            yield replacement
            replacement.finish()
            self._put_in_place(partial, older)
        except OSError as error:
            reason = error.strerror or error
            raise AgentError(f"{self.folder} cannot be written to: {reason}; AGENT_DATA names another folder") from None
        finally:
            if partial is not None:
                shutil.rmtree(partial, ignore_errors=True)
                with suppress(OSError):
                    self.folder.rmdir()  # where nothing was brought in before

    def _numbers(self) -> list[int]:
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError:
            return []
        return sorted(int(name) for name in names if name.isdecimal())

    def _put_in_place(self, partial: Path, older: list[int]) -> None:
        if self._numbers() != older:
            raise AgentError(f"another import into {self.folder} has just ended; do this one again")
        partial.rename(self.folder / str(max(older, default=0) + 1))
        for number in older:
            shutil.rmtree(self.folder / str(number), ignore_errors=True)

    def _sweep(self, now_s: float) -> None:
        """Deletes what killed processes left."""
        for path in self.folder.glob(f"{_PARTIAL}*"):
            with suppress(FileNotFoundError):  # another import has just ended
                if now_s - path.stat().st_mtime > _LEFT_BEHIND_S:
                    shutil.rmtree(path, ignore_errors=True)


def remove_folder(folder: Path) -> bool:
    """Deletes a folder and all in it; returns whether it was there. Raises AgentError."""
    if not folder.exists():
        return False
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise AgentError(f"{folder} cannot be deleted: {error.strerror or error}") from None
    return True


def sha256(path: Path, progress: Progress | None = None) -> str:
    """Of a file's content. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            if progress is not None:
                progress(len(chunk))
    return digest.hexdigest()


def _read_record(path: Path) -> dict[str, StoredFile]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if document["format"] != _FORMAT or document["version"] != _VERSION:
        raise ValueError(f"{path} is of another format")
    return {entry["name"]: StoredFile(**entry) for entry in document["files"]}


def link(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where links are not known. Raises OSError."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
