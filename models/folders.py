"""Where this program keeps files of its own, as each system wants it."""

import os
import sys
from pathlib import Path

from models.errors import InputError

_NAME = "portrait-agent"


def cache_folder() -> Path | None:
    """For what can be made again: `AGENT_CACHE`, else among the user's caches; None where it is empty or no home is."""
    named = os.environ.get("AGENT_CACHE")
    if named is not None:
        return Path(named).expanduser() if named else None
    return _of_user("XDG_CACHE_HOME", ".cache", "Caches")


def data_folder() -> Path:
    """For what a user brought in: `AGENT_DATA`, else among the user's data. Raises InputError where no home is."""
    named = os.environ.get("AGENT_DATA")
    folder = Path(named).expanduser() if named else _of_user("XDG_DATA_HOME", ".local/share", "Application Support")
    if folder is None:
        raise InputError("there is no home folder to keep weights in; name a folder in AGENT_DATA")
    return folder


def _of_user(variable: str, linux: str, mac: str) -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:
        return None
    match sys.platform:
        case "win32":
            parent = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        case "darwin":
            parent = home / "Library" / mac
        case _:
            parent = Path(os.environ.get(variable) or home / linux)
    return parent / _NAME
