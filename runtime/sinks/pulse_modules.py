"""Virtual microphones of a PulseAudio server, or of PipeWire's in its place: made and removed through `pactl`.

`pactl` comes with every desktop that has such a server; the alternative, a binding of libpulse's asynchronous
interface, would be a dependency for the four commands that are needed here.
"""

import os
import re
import secrets
import subprocess
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError

START_SERVER = "systemctl --user start pipewire-pulse, or pulseaudio --start"
"""What to do where no sound server answers."""

_PREFIX = "portrait-agent-"  # of all names in the server
_OWNER = "portrait-agent.owner"  # a property of what a run has made
_NAMED, _OWNED = re.compile(rf"{_PREFIX}[0-9a-f]{{8}}"), re.compile(rf"{re.escape(_OWNER)}=(\d+-\d+-[0-9a-f]+)")
_TIMEOUT_S = 5.0
_PLAIN = str.maketrans(dict.fromkeys("\"'\\", " "))  # what the server's own syntax would trip over


class PulseMicrophone:
    """A sink that the agent plays into, and a source by a readable name that other programs record from."""

    def __init__(self, label: str) -> None:
        """Makes both; those that killed runs have left are removed first.

        Raises InputError: no `pactl`, no server, a refusal, or another run has this name.
        """
        self.label = label
        """The name that Zoom and others show."""
        self.sink = f"{_PREFIX}{zlib.crc32(label.encode()):08x}"
        """Its server-side name, by which a stream asks for it."""
        self.source = f"{self.sink}-microphone"
        """The server-side name by which it is recorded from."""
        self._owner = f"{os.getpid()}-{_born(os.getpid())}-{secrets.token_hex(4)}"
        self.make()

    def make(self) -> None:
        """Makes both anew, as after the server's death. Raises InputError."""
        modules = _modules()
        if any(m.sink == self.sink and m.owner != self._owner and m.is_used for m in modules):
            raise InputError(
                f'the virtual microphone "{self.label}" belongs to another run: end that, or give this one another '
                "name with --output virtual-microphone:NAME"
            )
        _unload(m for m in modules if m.owner == self._owner or not m.is_used)
        try:
            self._load("module-null-sink", f"sink_name={self.sink}", f"{self.label} (fed by the agent)", "sink")
            channels = "channels=2 channel_map=front-left,front-right master_channel_map=front-left,front-right"
            names = f"master={self.sink}.monitor source_name={self.source} remix=no {channels}"
            self._load("module-remap-source", names, self.label, "source")
        except InputError:
            self.remove()
            raise

    def remove(self) -> None:
        """Removes both, and nothing that has their names but was made by others. Raises InputError."""
        _unload(m for m in _modules() if m.owner == self._owner)

    def hears_itself(self) -> bool:
        """Whether this process records from what it plays here. Raises InputError."""
        ours = {number for number, name in _listed("sources") if name.startswith(self.sink)}
        for recording in pactl("list", "source-outputs").split("\n\n"):
            source = re.search(r"^\s*Source: (\d+)$", recording, re.MULTILINE)
            process = re.search(r'application\.process\.id = "(\d+)"', recording)
            if source and process and source[1] in ours and process[1] == str(os.getpid()):
                return True
        return False

    def _load(self, module: str, names: str, description: str, kind: str) -> None:
        shown = f'device.description="{description.translate(_PLAIN)}" {_OWNER}={self._owner}'
        quality = " rate=48000 channels=2 format=float32le" if kind == "sink" else ""
        pactl("load-module", module, names + quality, f"{kind}_properties='{shown}'")


@dataclass(frozen=True, slots=True)
class _Module:
    """What a run, this or another, has loaded into the server."""

    number: str
    kind: str
    sink: str
    owner: str
    """The process's number, its start, and what tells its microphones apart. Numbers of modules begin anew with
    every server; this does not."""

    @property
    def is_used(self) -> bool:
        """Whether the process that made it lives."""
        process, born, _ = self.owner.split("-")
        return _born(int(process)) == born


def _modules() -> list[_Module]:
    """All runs' modules. Raises InputError."""
    rows = (line.split("\t") for line in pactl("list", "short", "modules").splitlines())
    found = ((row, _NAMED.search(row[2]), _OWNED.search(row[2])) for row in rows if len(row) > 2)
    return [_Module(row[0], row[1], sink[0], owner[1]) for row, sink, owner in found if sink and owner]


def _unload(modules: Iterable[_Module]) -> None:
    """Removes sinks and the sources that depend on them, those first. Raises InputError."""
    for module in sorted(modules, key=lambda module: module.kind == "module-null-sink"):
        pactl("unload-module", module.number)


def _born(process: int) -> str:
    """When a process began, in ticks since the computer did; empty if it has ended."""
    try:
        state, *fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else fields[18]


def _listed(kind: str) -> list[tuple[str, str]]:
    """The first two columns of what the server has of a kind: number and name."""
    rows = (line.split("\t") for line in pactl("list", "short", kind).splitlines())
    return [(row[0], row[1]) for row in rows if len(row) > 1]


def pactl(*arguments: str) -> str:
    """What `pactl` answers. Raises InputError with the cause and the remedy."""
    try:
        done = subprocess.run(
            ["pactl", *arguments],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            start_new_session=True,  # Ctrl-C is meant for the agent
        )
    except FileNotFoundError:
        raise InputError("a virtual microphone needs pactl: sudo apt install pulseaudio-utils") from None
    except subprocess.TimeoutExpired:
        raise InputError("the sound server does not answer: systemctl --user restart pipewire-pulse") from None
    if done.returncode == 0:
        return done.stdout
    cause = (done.stderr or done.stdout).strip().partition("\n")[0]
    if "onnection" in cause:
        raise InputError(
            f"a virtual microphone needs PulseAudio or PipeWire, and none answers ({cause}): {START_SERVER}"
        )
    raise InputError(
        f"the sound server refuses a virtual microphone (pactl {' '.join(arguments[:2])}: {cause}): "
        "leave out --output virtual-microphone, or allow the server to load modules"
    )
