"""Files made of a network's weights, once for each network: exported, or built for a device."""

import ast
import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from torch import nn

from models.errors import AgentError

_ROOT = Path(__file__).parents[2]
_PARTIAL = ".part-"
_LEFT_BEHIND_S = 3600.0  # no build takes so long: what is that old belongs to no process that is still at it
_FINGERPRINT = re.compile("[0-9a-f]{16}")


def fingerprint(network: nn.Module, sources: Iterable[Path]) -> str:
    """Of a network's weights and of the files that say what is done with them: 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for name, values in network.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().cpu().contiguous().flatten().numpy().data)
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def recipe(*modules: str) -> str:
    """Of the files in `sources_of` these modules, as they are at the first call: 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sources_of(*modules):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources_of(*modules: str) -> list[Path]:
    """The files of modules of this program and of all of its modules that they import, directly or not."""
    found: set[Path] = set()
    waiting = [_file(name) for name in modules]
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file():
            found.add(path)
            waiting += [_file(name) for name in _imported(path)]
    return sorted(found)


def _imported(path: Path) -> Iterator[str]:
    """Names that may be those of modules."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path:
    return (_ROOT / module.replace(".", "/")).with_suffix(".py")


class BuiltFiles:
    """A folder of such files, for one network. Several processes may share it."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first file."""
        self.folder = folder

    def find(self, name: str) -> Path | None:
        """The file of that name, if it has been made."""
        path = self.folder / name
        return path if path.is_file() else None

    def get(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file of that name. Where there is none, `make` writes it: it appears whole or not at all.

        Raises AgentError if the folder cannot be written to.
        """
        return self.find(name) or self.replace(name, make)

    def replace(self, name: str, make: Callable[[Path], None]) -> Path:
        """The same, made anew even if it is there."""
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=_PARTIAL) as partial:
                self._sweep(Path(partial).stat().st_mtime)
                made = Path(partial) / name
                make(made)
                made.replace(path)
        except OSError as error:
            raise AgentError(
                f"{self.folder} cannot be written to: {error.strerror or error}; AGENT_DATA names another folder"
            ) from None
        return path

    def _sweep(self, now_s: float) -> None:
        """Deletes what ended processes left."""
        for path in self.folder.glob(f"{_PARTIAL}*"):
            _delete_old(path, now_s)

    def drop(self, name: str) -> None:
        """Deletes the file of that name if it is there and can be."""
        with suppress(OSError):
            (self.folder / name).unlink()

    def drop_others(self) -> None:
        """Deletes the folders of other fingerprints beside this one in which nothing was made for an hour."""
        now_s = self.folder.stat().st_mtime
        for path in self.folder.parent.iterdir():
            if path != self.folder and _FINGERPRINT.fullmatch(path.name):
                _delete_old(path, now_s)


def _delete_old(folder: Path, now_s: float) -> None:
    with suppress(FileNotFoundError):  # another process has just finished, or deleted it
        if now_s - folder.stat().st_mtime > _LEFT_BEHIND_S:
            shutil.rmtree(folder, ignore_errors=True)
