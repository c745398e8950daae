"""Of the machine itself: packages, cores, memory, clock, user, folders."""

from collections.abc import Iterator

from agent.doctor.facts.packages import Packages
from agent.doctor.facts.user import Folder, User
from agent.doctor.finding import Finding
from agent.doctor.system import System

_LEAST_MEMORY_BYTES = 1_000_000_000
_LEAST_DISK_BYTES = 200_000_000
_COARSE_CLOCK_S = 0.005  # pictures are due every 40 ms
_REINSTALL = ".venv/bin/pip install --force-reinstall -e ."
_LIBRARIES = {"libGL.so": "libgl1", "libEGL.so": "libegl1", "libGLESv2.so": "libgles2"}
"""That modules miss -> the package of Debian and Ubuntu that brings it."""


def check_computer(system: System) -> Iterator[Finding]:
    """Findings "packages.*", "computer.*", "user.*" and "folder.*"."""
    yield from _packages(system.packages)
    computer = system.computer
    if computer.cores < 2:
        yield Finding("computer.cores", "warning", "one core is little", "--size 256, or give the machine another")
    if computer.load > computer.cores:
        what = f"{computer.load:.1f} processes already want {computer.cores} cores"
        yield Finding("computer.load", "note", what, "close what computes besides")
    free = computer.free_memory_bytes
    if free is not None and free < _LEAST_MEMORY_BYTES:
        what = f"{free / 1e6:.0f} MB of memory are free, about 1000 are needed"
        yield Finding("computer.memory", "warning", what, "close other programs")
    if computer.clock_step_s > _COARSE_CLOCK_S:
        what = f"the clock advances in steps of {1e3 * computer.clock_step_s:.0f} ms: pictures come unevenly"
        yield Finding("computer.clock", "warning", what, "choose an --fps of 30 or less")
    memory = "" if free is None else f", {free / 1e9:.1f} GB of memory free"
    cores = f"{computer.cores} core{'s' if computer.cores > 1 else ''}"
    yield Finding("computer.ok", "ok", f"{cores}{memory}")
    if system.platform != "linux":
        what = "who holds a device, and how drivers and sound servers are set, is looked at on Linux only"
        yield Finding("computer.system", "note", what)
    yield from _user(system.user)
    for folder in system.user.folders:
        yield from _folder(folder)


def _packages(packages: Packages) -> Iterator[Finding]:
    for module, cause in packages.broken:
        library = next((package for name, package in _LIBRARIES.items() if name in cause), None)
        remedy = f"sudo apt install {library}" if library else _REINSTALL
        yield Finding("packages.broken", "failure", f"{module} cannot be imported: {cause}", remedy)
    if packages.unmet:
        what = f"not as pyproject.toml wants it: {', '.join(packages.unmet)}"
        yield Finding("packages.unmet", "warning", what, ".venv/bin/pip install -e .")
    if len(packages.opencv) > 1:
        what = f"{' and '.join(packages.opencv)} overwrite each other's files"
        remedy = f".venv/bin/pip uninstall -y {' '.join(packages.opencv)} && {_REINSTALL}"
        yield Finding("packages.opencv", "warning", what, remedy)
    if not (packages.broken or packages.unmet):
        yield Finding("packages.ok", "ok", f"Python {packages.python}, all packages fit")


def _user(user: User) -> Iterator[Finding]:
    if user.is_root:
        what = "you are root: sound servers and desktops of other users do not answer you"
        yield Finding("user.root", "note", what, "run the agent as the user whose desktop this is")
    if user.late_groups:
        what = f"you were put into the group {' and '.join(user.late_groups)}; this session does not know it yet"
        yield Finding("user.groups", "warning", what, "log out and in again")
    if user.sandbox:
        what = f"the agent runs inside a {user.sandbox}, which may hide devices from it"
        yield Finding("user.sandbox", "warning", what, "run it outside")


def _folder(folder: Folder) -> Iterator[Finding]:
    name = {"AGENT_CACHE": "cache", "AGENT_DATA": "data"}[folder.variable]
    elsewhere = f"name another folder in {folder.variable}"
    if folder.path is None:
        yield Finding(f"folder.{name}", "note", f"there is no folder for the agent's {name}", elsewhere)
    elif folder.fault:
        yield Finding(f"folder.{name}", "warning", f"{folder.path} {folder.fault}", elsewhere)
    elif folder.free_bytes < _LEAST_DISK_BYTES:
        what = f"{folder.free_bytes / 1e6:.0f} MB are free on the disk of {folder.path}"
        yield Finding(f"folder.{name}", "warning", what, f"make room, or {elsewhere}")
