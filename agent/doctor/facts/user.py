"""The user and the session: rights, desktop, sandboxes, folders."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from models.folders import cache_folder, data_folder

_DEVICE_GROUPS = ("video", "audio", "render")
_SANDBOXED_CALLS = {
    "Zoom (flatpak)": ("var/lib/flatpak/app/us.zoom.Zoom", ".local/share/flatpak/app/us.zoom.Zoom"),
    "Zoom (snap)": ("snap/zoom-client", "snap/zoom-client"),
    "Firefox (flatpak)": ("var/lib/flatpak/app/org.mozilla.firefox", ".local/share/flatpak/app/org.mozilla.firefox"),
}
"""Program -> where it is, below the system's root and below the home folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the agent keeps files of its own."""

    variable: str
    """Of the environment, that names another one."""
    path: Path | None
    """None where there is none."""
    fault: str
    """What is wrong with it, as a phrase; empty if nothing."""
    free_bytes: int
    """On its disk."""


@dataclass(frozen=True, slots=True)
class User:
    """Who runs the agent, and in which session."""

    is_root: bool
    late_groups: tuple[str, ...]
    """Groups of devices that the user was put into and this session does not have yet."""
    is_wayland: bool
    sandbox: str
    """The sandbox that the agent itself runs in, such as "flatpak"; else empty."""
    sandboxed_calls: tuple[str, ...]
    """Programs for calls that are installed in a sandbox of their own."""
    folders: tuple[Folder, ...]


def look_at_user(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> User:
    """Reads below `root`."""
    home = Path(environment.get("HOME", "/nonexistent"))
    calls = tuple(
        name for name, (system, own) in _SANDBOXED_CALLS.items() if (root / system).exists() or (home / own).exists()
    )
    return User(
        is_root=sys.platform != "win32" and os.geteuid() == 0,
        late_groups=_late_groups(root / "etc/group") if sys.platform == "linux" else (),
        is_wayland=environment.get("XDG_SESSION_TYPE") == "wayland" or "WAYLAND_DISPLAY" in environment,
        sandbox=_sandbox(root, environment),
        sandboxed_calls=calls,
        folders=(_folder("AGENT_CACHE", cache_folder()), _folder("AGENT_DATA", _data_folder())),
    )


def _late_groups(listed: Path) -> tuple[str, ...]:
    if sys.platform != "linux":
        return ()
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
        rows = [line.split(":") for line in listed.read_text().splitlines()]
    except (KeyError, OSError):
        return ()
    own = {os.getegid(), *os.getgroups()}
    return tuple(
        row[0]
        for row in rows
        if len(row) == 4 and row[0] in _DEVICE_GROUPS and user in row[3].split(",") and int(row[2]) not in own
    )


def _sandbox(root: Path, environment: Mapping[str, str]) -> str:
    if (root / ".flatpak-info").exists():
        return "flatpak"
    return "snap" if "SNAP_NAME" in environment else ""


def _data_folder() -> Path | None:
    try:
        return data_folder()
    except InputError:
        return None


def _folder(variable: str, path: Path | None) -> Folder:
    if path is None:
        return Folder(variable, None, "", 0)
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    fault = ""
    if not there.is_dir():
        fault = f"cannot be made: {there} is a file"
    elif not os.access(there, os.W_OK | os.X_OK):
        fault = "cannot be written to"
    elif there == path and sys.platform != "win32" and path.stat().st_uid != os.geteuid():
        fault = "belongs to another user"
    return Folder(variable, path, fault, shutil.disk_usage(there).free)
