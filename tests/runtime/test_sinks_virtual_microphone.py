"""The virtual microphone in a real PulseAudio server: what another program records from it, and what can go wrong."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.frame import Picture, Sound
from runtime.metrics import Metrics
from runtime.report import OFFSET
from runtime.sinks.pulse_modules import PulseMicrophone, pactl
from runtime.sinks.sound_outputs import LoopbackOutput, PulseOutput
from runtime.sinks.virtual_microphone import VirtualMicrophone
from tests.sound_server import SoundServer

LABEL = 'Zoë\'s "voice" \\ 1'
RATE_HZ = 48_000
DELAY_S = 0.2
CLOCK = MonotonicClock()
PICTURE = Picture(np.zeros((2, 2, 3), np.uint8), Motion(0), 0)


@pytest.fixture
def server(sound_server: SoundServer, monkeypatch: pytest.MonkeyPatch) -> SoundServer:
    """This process uses it too."""
    for name in ("HOME", "XDG_RUNTIME_DIR", "PULSE_SERVER"):
        monkeypatch.setenv(name, sound_server.environment[name])
    return sound_server


def microphones() -> list[str]:
    return [line.split("\t")[1] for line in pactl("list", "short", "sources").splitlines() if "portrait-agent" in line]


class Voice:
    """Clicks twice a second, captured on the agent's clock; what is 0.2 s old is shown."""

    def __init__(self, microphone: VirtualMicrophone) -> None:
        self.clicks_s: list[float] = []
        self._microphone, self._stop = microphone, threading.Event()
        self._thread = threading.Thread(target=self._speak)

    def __enter__(self) -> "Voice":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _speak(self) -> None:
        start_ns = CLOCK.now_ns()
        for block in range(100_000):
            pts_ns = start_ns + block * 10_000_000
            if not CLOCK.wait_until(pts_ns + 10_000_000, self._stop):
                return
            samples = np.zeros((480, 1), np.float32)
            if block % 50 == 0:
                samples[:48] = 0.8
                self.clicks_s.append(pts_ns * 1e-9)
            self._microphone.hear(Sound(samples, RATE_HZ, pts_ns))
            self._microphone.send(PICTURE)


class Recorder:
    """Another program that records from the virtual microphone."""

    def __init__(self, source: str) -> None:
        options = ("--raw", "--format=float32le", "--channels=1", f"--rate={RATE_HZ}", "--latency-msec=10")
        self._process = subprocess.Popen(["parec", *options, f"--device={source}"], stdout=subprocess.PIPE, bufsize=0)

    def clicks_s(self, count: int) -> list[float]:
        """When the next `count` clicks arrive."""
        assert self._process.stdout is not None
        found: list[float] = []
        while len(found) < count:
            data = self._process.stdout.read(4 * 65536)
            now_s = CLOCK.now_ns() * 1e-9
            assert data, "the recording has ended"
            samples = np.frombuffer(data[: len(data) // 4 * 4], "<f4")
            for at in np.flatnonzero(samples > 0.4):
                at_s = now_s - (len(samples) - at) / RATE_HZ
                if not found or at_s - found[-1] > 0.1:
                    found.append(at_s)
        return found

    def loudest(self, seconds: float) -> float:
        """Of the next seconds."""
        assert self._process.stdout is not None
        data = b""
        while len(data) < 4 * RATE_HZ * seconds:
            more = self._process.stdout.read(65536)
            assert more, "the recording has ended"
            data += more
        return float(np.abs(np.frombuffer(data[: len(data) // 4 * 4], "<f4")).max())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def microphone(server: SoundServer) -> Iterator[VirtualMicrophone]:
    made = VirtualMicrophone(PulseOutput(LABEL, CLOCK), lambda: round(DELAY_S * 1e9), Metrics())
    yield made
    made.close()


def test_others_see_its_name_and_hear_what_was_captured_as_late_as_it_is_shown(microphone: VirtualMicrophone) -> None:
    recorder = Recorder(microphones()[-1])
    with Voice(microphone) as voice:
        found_s = np.array(recorder.clicks_s(6))
    recorder.close()
    delays_s = [found - max(c for c in voice.clicks_s if c < found) for found in found_s]
    assert np.median(delays_s) == pytest.approx(DELAY_S, abs=0.04)
    assert "Description: Zoë s  voice    1\n" in pactl("list", "sources")
    assert microphone.name == f"virtual-microphone:{LABEL}"


def test_it_says_by_how_much_the_picture_is_later_than_the_sound(server: SoundServer) -> None:
    metrics = Metrics()
    microphone = VirtualMicrophone(PulseOutput(LABEL, CLOCK), lambda: round(DELAY_S * 1e9), metrics)
    with Voice(microphone):
        while metrics.recent_median_ns(OFFSET, 100) is None:
            time.sleep(0.05)
    microphone.close()
    assert metrics.percentiles(OFFSET).p50_ms == pytest.approx(0.0, abs=40.0)


def test_it_is_removed_in_the_end_and_so_are_those_that_killed_runs_left(server: SoundServer) -> None:
    before = pactl("list", "short", "modules")
    for label in (LABEL, "another"):
        left = f"from runtime.sinks.pulse_modules import PulseMicrophone; PulseMicrophone({label!r})"
        subprocess.run([sys.executable, "-c", left], env=server.environment, check=True)
        assert len(microphones()) == 2
    microphone = VirtualMicrophone(PulseOutput(LABEL, CLOCK), lambda: None, Metrics())
    assert len(microphones()) == 2
    microphone.close()
    microphone.close()
    assert pactl("list", "short", "modules") == before


def test_two_of_one_name_are_refused_and_the_first_plays_on(microphone: VirtualMicrophone) -> None:
    with pytest.raises(InputError, match=r"belongs to another run: end that, or .* --output virtual-microphone:NAME"):
        PulseOutput(LABEL, CLOCK)
    assert len(microphones()) == 2
    other = PulseOutput("another", CLOCK)
    assert len(microphones()) == 4
    other.close()


def test_a_dead_server_is_waited_for(
    server: SoundServer, microphone: VirtualMicrophone, caplog: pytest.LogCaptureFixture
) -> None:
    with Voice(microphone):
        server.kill()
        while "is gone (the sound server says: " not in caplog.text:
            time.sleep(0.05)
        server.start()
        while "is back" not in caplog.text:
            time.sleep(0.05)
        recorder = Recorder(microphones()[-1])
        assert len(recorder.clicks_s(2)) == 2
        recorder.close()
    assert caplog.text.count("is gone") == 1


def test_without_a_server_in_the_end_nothing_fails(server: SoundServer, microphone: VirtualMicrophone) -> None:
    server.kill()
    microphone.close()


def test_a_fault_of_ours_ends_the_run(server: SoundServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.sinks.delayed_sound.DelayedSound.read", lambda *_: 1 / 0)
    microphone = VirtualMicrophone(PulseOutput(LABEL, CLOCK), lambda: None, Metrics())
    microphone._thread.join(30)
    with pytest.raises(AgentError, match="failed: division by zero"):
        microphone.send(PICTURE)
    microphone.close()
    assert microphones() == []


def test_a_missing_pactl_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="sudo apt install pulseaudio-utils"):
        PulseOutput(LABEL, CLOCK)


def test_no_server_is_said_with_the_remedy(server: SoundServer) -> None:
    server.kill()
    with pytest.raises(InputError, match=r"none answers .*Connection refused.*: systemctl --user start pipewire-pulse"):
        PulseOutput(LABEL, CLOCK)


@pytest.mark.parametrize("module", ["module-null-sink", "module-remap-source"])
def test_a_refused_module_is_said_and_leaves_nothing(
    server: SoundServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str
) -> None:
    before = pactl("list", "short", "modules")
    refusing = tmp_path / "pactl"
    real = next(p for p in (Path(f) / "pactl" for f in os.environ["PATH"].split(":")) if p.exists())
    refusing.write_text(
        f'#!/bin/sh\ncase "$*" in *load-module\\ {module}*) echo Failure: Access denied >&2; exit 1;; esac\n'
        f'exec {real} "$@"\n'
    )
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(InputError, match=rf"refuses .*{module}: Failure: Access denied"):
        PulseOutput(LABEL, CLOCK)
    assert pactl("list", "short", "modules") == before


RUN = """
import sys
from runtime.sinks.pulse_modules import PulseMicrophone

made = PulseMicrophone(sys.argv[1])
print("made", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_run(server: SoundServer) -> Iterator[Callable[[str], None]]:
    """Begins runs that have made a microphone of a name and do not play yet."""
    runs: list[subprocess.Popen[bytes]] = []

    def begin(label: str) -> None:
        options = {"env": server.environment, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        runs.append(subprocess.Popen([sys.executable, "-c", RUN, label], **options))
        assert runs[-1].stdout is not None and runs[-1].stdout.readline() == b"made\n"

    yield begin
    for run in runs:
        run.kill()
        run.communicate()


def test_a_microphone_that_another_run_does_not_feed_yet_is_left_alone(other_run: Callable[[str], None]) -> None:
    other_run("theirs")
    theirs = pactl("list", "short", "modules")
    with pytest.raises(InputError, match="belongs to another run"):
        PulseOutput("theirs", CLOCK)
    PulseOutput(LABEL, CLOCK).close()
    assert pactl("list", "short", "modules") == theirs


def test_what_another_run_made_after_a_restart_of_the_server_is_left_alone(
    server: SoundServer, other_run: Callable[[str], None]
) -> None:
    output = PulseOutput(LABEL, CLOCK)
    server.kill()
    server.start()
    other_run(LABEL)
    theirs = pactl("list", "short", "modules")
    with pytest.raises(InputError, match="belongs to another run"):
        output.reopen()
    output.close()
    assert pactl("list", "short", "modules") == theirs


FEEDBACK = """
from runtime.clock import MonotonicClock
from runtime.sinks.pulse_modules import PulseMicrophone, pactl
from runtime.sources.microphone import Microphone

virtual = PulseMicrophone("Avatar")
heard = Microphone("pulse", MonotonicClock())
print(virtual.hears_itself())
heard.close()
pactl("set-default-source", virtual.sink + "-microphone")
heard = Microphone("pulse", MonotonicClock())
print(virtual.hears_itself())
"""


def test_the_agent_knows_when_it_listens_to_itself(server: SoundServer) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FEEDBACK], env=server.environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["False", "True"], done.stderr


@pytest.fixture
def own_recording(server: SoundServer) -> Iterator[None]:
    """The default source is recorded, by what the server takes for this process."""
    claim = f"--property=application.process.id={os.getpid()}"
    recording = subprocess.Popen(["parec", claim], stdout=subprocess.DEVNULL)
    while not pactl("list", "short", "source-outputs"):
        time.sleep(0.05)
    yield
    recording.kill()
    recording.wait()


def test_an_agent_that_would_hear_itself_is_refused(
    server: SoundServer, own_recording: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pactl("list", "short", "modules")
    load = PulseMicrophone.make

    def make_default(made: PulseMicrophone) -> None:
        load(made)
        pactl("set-default-source", f"{made.sink}-microphone")

    monkeypatch.setattr(PulseMicrophone, "make", make_default)
    with pytest.raises(InputError, match=r"hear itself: its microphone is its own output .*pactl set-default-source"):
        PulseOutput(LABEL, CLOCK)
    assert pactl("list", "short", "modules") == before


def test_while_its_recording_is_moved_to_its_own_output_silence_is_played(
    own_recording: None,
    microphone: VirtualMicrophone,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (source,) = (name for name in microphones() if name.endswith("-microphone"))
    with Voice(microphone):
        pactl("set-default-source", source)
        while "hear itself" not in caplog.text:
            time.sleep(0.05)
        time.sleep(0.5)  # what was on its way is heard
        recorder = Recorder(source)
        assert recorder.loudest(2.0) == 0.0
        recorder.close()
        pactl("set-default-source", "mic")
        while "hears itself no more" not in caplog.text:
            time.sleep(0.05)
        recorder = Recorder(source)
        assert len(recorder.clicks_s(2)) == 2
        recorder.close()
    assert caplog.text.count("would hear itself") == caplog.text.count("hears itself no more") == 1


def test_an_output_that_is_opened_again_looks_whether_it_hears_itself(
    own_recording: None, server: SoundServer, caplog: pytest.LogCaptureFixture
) -> None:
    output, stop = PulseOutput(LABEL, CLOCK), threading.Event()
    pactl("set-default-source", microphones()[-1])
    output.reopen()

    def fill(count: int, heard_ns: int) -> np.ndarray:
        assert "hear itself" in caplog.text
        stop.set()
        return np.zeros((count, 2), np.float32)

    output.play(fill, stop)
    output.close()


LOOPBACK = """
import threading
import numpy as np
from models.errors import InputError
from runtime.clock import MonotonicClock
from runtime.sinks.sound_outputs import LoopbackOutput

clock, stop, heard = MonotonicClock(), threading.Event(), []

def fill(count, heard_ns):
    heard.append((count, heard_ns - clock.now_ns()))
    if len(heard) == 200:
        stop.set()
    return np.full((count, 2), 0.5, np.float32)

output = LoopbackOutput("PUL", clock, microphone="something else")
output.play(fill, stop)
output.close()
print(output.label, {count for count, _ in heard}, 0 < np.median([ns for _, ns in heard]) < 1e9)
for wanted, microphone in (("pulse", "Pulse"), ("", None)):
    try:
        LoopbackOutput(wanted, clock, microphone)
    except InputError as error:
        print(error)
"""


def test_a_loopback_device_is_played_into_by_name(server: SoundServer) -> None:
    listening = PulseMicrophone("loopback")
    recorder = subprocess.Popen(
        ["parec", "--raw", "--format=float32le", f"--device={listening.sink}.monitor"], stdout=subprocess.PIPE
    )
    done = subprocess.run(
        [sys.executable, "-c", LOOPBACK],
        env={**server.environment, "PULSE_SINK": listening.sink},
        capture_output=True,
        text=True,
        check=False,
    )
    recorder.terminate()
    recorded = np.frombuffer(recorder.communicate()[0], "<f4")
    lines = done.stdout.splitlines()
    assert lines[0] == "pulse {480} True", done.stderr
    assert lines[1].startswith(
        "the agent would hear itself: its microphone Pulse is the other end of its output pulse;"
    )
    assert lines[2].startswith("no loopback output ''; found: pulse, default. Install BlackHole")
    assert np.mean(np.abs(recorded - 0.5) < 0.1) > 0.1
    listening.remove()


class FakePortAudio(ModuleType):
    """As much of `sounddevice` as a loopback output uses, for devices that are not to be had here."""

    PortAudioError = RuntimeError

    class CallbackAbort(Exception):  # noqa: N818  # its name in sounddevice
        """Stops a stream."""

    def __init__(self, *names: str) -> None:
        super().__init__("sounddevice")
        self.names = names
        self.opened: list[str] = []
        self.on_block: Callable[..., None]

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {"index": index, "name": name, "hostapi": 0, "max_output_channels": 2}
            for index, name in enumerate(self.names)
        ]

    def OutputStream(self, **options: Any) -> SimpleNamespace:  # noqa: N802  # its name in sounddevice
        self.opened.append(self.names[options["device"]])
        self.on_block = options["callback"]
        return SimpleNamespace(active=True, time=0.0, latency=0.0, start=lambda: None, close=lambda: None)


@pytest.mark.parametrize(
    ("output", "microphone", "is_refused"),
    [
        ("BlackHole 2ch", "blackhole 2ch", True),
        ("CABLE Input (VB-Audio Virtual Cable)", "CABLE Output (VB-Audio Virtual Cable)", True),
        ("CABLE Input (VB-Audio Virtual C", "CABLE Output (VB-Audio Virtual ", True),
        ("CABLE-A Input (VB-Audio Cable A)", "CABLE-B Output (VB-Audio Cable B)", False),
        ("BlackHole 2ch", "BlackHole", False),
        ("CABLE Input (VB-Audio Virtual Cable)", "Throughput (VB-Audio Virtual Cable)", False),
    ],
)
def test_both_ends_of_a_loopback_device_are_known_as_one(
    monkeypatch: pytest.MonkeyPatch, output: str, microphone: str, is_refused: bool
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(output))
    with pytest.raises(InputError, match="hear itself") if is_refused else nullcontext():
        LoopbackOutput(output, CLOCK, microphone)


def test_a_loopback_device_that_comes_back_elsewhere_in_the_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    port_audio = FakePortAudio("BlackHole 16ch", "BlackHole 2ch")
    monkeypatch.setitem(sys.modules, "sounddevice", port_audio)
    output = LoopbackOutput("BlackHole 2", CLOCK)
    port_audio.names = ("BlackHole 16ch",)
    with pytest.raises(OSError, match="BlackHole 2ch is not connected"):
        output.reopen()
    port_audio.names = ("BlackHole 2ch", "BlackHole 16ch")
    output.reopen()
    assert port_audio.opened == ["BlackHole 2ch"] * 2


def test_a_fault_of_ours_in_a_loopback_device_s_thread_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    port_audio = FakePortAudio("BlackHole")
    monkeypatch.setitem(sys.modules, "sounddevice", port_audio)
    monkeypatch.setattr("runtime.sinks.delayed_sound.DelayedSound.read", lambda *_: 1 / 0)
    output = LoopbackOutput("BlackHole", CLOCK)
    microphone = VirtualMicrophone(output, lambda: None, Metrics())
    block, time_info = np.ones((480, 2), np.float32), SimpleNamespace(outputBufferDacTime=0.0)
    with pytest.raises(FakePortAudio.CallbackAbort):
        while True:  # silence until it plays
            port_audio.on_block(block, 480, time_info, None)
            time.sleep(0.01)
    microphone._thread.join(30)
    with pytest.raises(AgentError, match="failed: division by zero"):
        microphone.send(PICTURE)
    microphone.close()


def test_without_portaudio_a_loopback_device_cannot_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(InputError, match="PortAudio is not installed"):
        LoopbackOutput("BlackHole", CLOCK)
