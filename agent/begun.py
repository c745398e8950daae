"""What `agent personalise` keeps of a person until it is done: face, voice, and what was learnt of them so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import AgentError, InputError
from models.file_lock import lock
from models.folders import data_folder
from models.weight_store import remove_folder

_LOCK = "lock"


def begun_folder(person: str) -> Path:
    """Of a person; there while their networks are being made. Raises InputError where no home is."""
    return _parent() / person


def begun() -> dict[str, Path]:
    """The folder of each person whose networks were begun and are not done."""
    return {folder.name: folder for folder in sorted(_parent().glob("*")) if folder.is_dir()}


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Makes a person's folder; no other process has it meanwhile. It goes at the end if nothing is in it then.

    Raises InputError if another has it, AgentError if it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / _LOCK).open("ab")
    except OSError as error:
        raise AgentError(
            f"{folder} cannot be used: {error.strerror or error}; AGENT_DATA names another folder"
        ) from None
    with file:
        if not lock(file):
            raise InputError(f"{folder} is in use by another agent personalise: wait for it, or end it")
        try:
            yield
        finally:
            if {path.name for path in folder.glob("*")} <= {_LOCK}:
                file.close()  # Windows deletes no open file
                remove_folder(folder)


def empty(folder: Path) -> None:
    """Deletes all in a folder that this process has the sole use of. Raises AgentError."""
    for path in folder.iterdir():
        if path.name != _LOCK:
            try:
                path.unlink()
            except OSError as error:
                raise AgentError(f"{path} cannot be deleted: {error.strerror or error}") from None


def remove_begun(person: str) -> Path | None:
    """Deletes all that was kept of a person; returns the folder, None if there was none. Raises as `sole_use`."""
    folder = begun_folder(person)
    if not folder.exists():
        return None
    with sole_use(folder):
        empty(folder)
    return folder


def _parent() -> Path:
    return data_folder() / "personal"
