"""Virtual microphones of a PulseAudio server, or of PipeWire's in its place: made and removed through `pactl`.

`pactl` comes with every desktop that has such a server; the alternative, a binding of libpulse's asynchronous
interface, would be a dependency for the four commands that are needed here.
"""

import os
import re
import subprocess
import zlib

from models.errors import InputError

_PREFIX = "portrait-agent-"  # of all names in the server
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
        self._source = f"{self.sink}-microphone"
        self.make()

    def make(self) -> None:
        """Makes both anew, as after the server's death. Raises InputError."""
        fed = {sink for _, sink in _listed("sink-inputs")}  # those that killed runs have left are not
        ours = [(name, number in fed) for number, name in _listed("sinks") if name.startswith(_PREFIX)]
        if (self.sink, True) in ours:
            raise InputError(
                f'the virtual microphone "{self.label}" is fed by another run: end that, or give this one another '
                "name with --output virtual-microphone:NAME"
            )
        for name, is_fed in ours:
            if not is_fed:
                _unload(name)
        try:
            self._load("module-null-sink", f"sink_name={self.sink}", f"{self.label} (fed by the agent)", "sink")
            channels = "channels=2 channel_map=front-left,front-right master_channel_map=front-left,front-right"
            names = f"master={self.sink}.monitor source_name={self._source} remix=no {channels}"
            self._load("module-remap-source", names, self.label, "source")
        except InputError:
            self.remove()
            raise

    def remove(self) -> None:
        """Removes both. Raises InputError."""
        _unload(self.sink)

    def refuse_feedback(self) -> None:
        """Raises InputError if this process records from what it plays here."""
        ours = {number for number, name in _listed("sources") if name.startswith(self.sink)}
        for recording in pactl("list", "source-outputs").split("\n\n"):
            source = re.search(r"^\s*Source: (\d+)$", recording, re.MULTILINE)
            process = re.search(r'application\.process\.id = "(\d+)"', recording)
            if source and process and source[1] in ours and process[1] == str(os.getpid()):
                raise InputError(
                    f'the agent would hear itself: its microphone is its own output "{self.label}"; make the real '
                    "microphone the default one (in the sound settings, or pactl set-default-source NAME)"
                )

    def _load(self, module: str, names: str, description: str, kind: str) -> None:
        shown = f"{kind}_properties='device.description=\"{description.translate(_PLAIN)}\"'"
        quality = " rate=48000 channels=2 format=float32le" if kind == "sink" else ""
        pactl("load-module", module, names + quality, shown)


def _unload(sink: str) -> None:
    """Removes a sink and the source that depends on it, that one first. Raises InputError."""
    loaded = [line.split("\t") for line in pactl("list", "short", "modules").splitlines() if sink in line]
    for number, *_ in sorted(loaded, key=lambda module: "module-null-sink" in module):
        pactl("unload-module", number)


def _listed(kind: str) -> list[tuple[str, str]]:
    """The first two columns of what the server has of a kind: number, and name or number of the sink."""
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
    cause = " ".join((done.stderr or done.stdout).split())
    if "onnection" in cause:
        raise InputError(
            f"a virtual microphone needs PulseAudio or PipeWire, and none answers ({cause}): "
            "systemctl --user start pipewire-pulse, or pulseaudio --start"
        )
    raise InputError(
        f"the sound server refuses a virtual microphone (pactl {' '.join(arguments[:2])}: {cause}): "
        "leave out --output virtual-microphone, or allow the server to load modules"
    )
