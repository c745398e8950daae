"""V4L2 devices and the module that makes virtual ones; Linux only."""

import os
import platform
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runtime.sinks.virtual_camera_device import is_secure_boot, why_invisible
from runtime.video_nodes import NODES, is_virtual, query_capability, takes_pictures, video_nodes

_REJECTED = re.compile(r"Loading of (unsigned )?module.* is rejected|unsigned module loading is restricted")
_DMESG_TIMEOUT_S = 5.0
_SOUND_VERSION = (0, 13)


@dataclass(frozen=True, slots=True)
class VideoNode:
    """A device file of V4L2."""

    path: str
    name: str
    is_virtual: bool
    may_open: bool
    """Whether this user may."""
    can_be_fed: bool
    """Whether it takes pictures now; a camera does not."""
    holders: tuple[str, ...]
    """Programs that have it open, as far as this user may see: "zoom (4711)"."""
    invisible: str
    """Why other programs do not list it, and the remedy, in the run's words; empty if they do."""


@dataclass(frozen=True, slots=True)
class LoopbackModule:
    """The kernel module v4l2loopback."""

    is_loaded: bool
    version: tuple[int, ...]
    """Of the loaded module; empty where it tells none, as old ones do."""
    exclusive_caps: tuple[bool, ...]
    """Of the loaded module, per device."""
    max_buffers: int | None
    """Of the loaded module, for each device."""
    is_built: bool
    """Whether it is there for the running kernel."""
    has_source: bool
    """Whether its package is installed, which builds it."""
    has_headers: bool
    """Whether the running kernel's headers are there, without which it cannot be built."""
    kernel: str
    is_secure_boot: bool
    was_rejected: bool
    """Whether the kernel says that it refused a module for its signature, as far as this user may see."""

    @property
    def opens_once(self) -> bool:
        """Whether a device can be opened for writing only once after the module was loaded: a fault of old ones."""
        return self.is_loaded and self.version < _SOUND_VERSION and any(self.exclusive_caps)


def look_at_video(root: Path = Path("/")) -> tuple[VideoNode, ...]:
    """All nodes, by number."""
    return tuple(_node(root, folder) for folder in video_nodes(root / NODES.relative_to("/")))


def look_at_loopback(root: Path = Path("/")) -> LoopbackModule:
    """The module as the running kernel has it."""
    kernel = platform.release()
    loaded, modules = root / "sys/module/v4l2loopback", root / "lib/modules" / kernel
    numbers = re.findall(r"\d+", _text(loaded / "version"))
    buffers = _text(loaded / "parameters/max_buffers")
    return LoopbackModule(
        is_loaded=loaded.exists(),
        version=tuple(map(int, numbers)),
        exclusive_caps=tuple(flag == "Y" for flag in _text(loaded / "parameters/exclusive_caps").split(",")),
        max_buffers=int(buffers) if buffers.isdecimal() else None,
        is_built=any(modules.rglob("v4l2loopback.ko*")),
        has_source=any((root / "usr/src").glob("v4l2loopback-*")),
        has_headers=(modules / "build").exists(),
        kernel=kernel,
        is_secure_boot=is_secure_boot(root),
        was_rejected=_was_rejected(),
    )


def _node(root: Path, folder: Path) -> VideoNode:
    path, file = f"/dev/{folder.name}", root / "dev" / folder.name
    return VideoNode(
        path=path,
        name=_text(folder / "name"),
        is_virtual=is_virtual(folder),
        may_open=os.access(file, os.R_OK | os.W_OK),
        can_be_fed=_can_be_fed(file),
        holders=_holders(root / "proc", path),
        invisible=why_invisible(path, root / "sys/module/v4l2loopback/parameters"),
    )


def _can_be_fed(file: Path) -> bool:
    try:
        return takes_pictures(query_capability(file))
    except OSError:
        return False


def _holders(processes: Path, path: str) -> tuple[str, ...]:
    """Other programs than this one that have `path` open."""
    found = set()
    for link in processes.glob("[0-9]*/fd/*"):
        with suppress(OSError):  # processes end, and others' are closed to us
            process = link.parts[-3]
            if str(link.readlink()) == path and process != str(os.getpid()):
                found.add(f"{_text(processes / process / 'comm') or 'a program'} ({process})")
    return tuple(sorted(found))


def _was_rejected() -> bool:
    try:
        done = subprocess.run(["dmesg"], capture_output=True, text=True, timeout=_DMESG_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(_REJECTED.search(done.stdout))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
