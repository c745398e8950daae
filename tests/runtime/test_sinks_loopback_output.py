"""Loopback outputs: on a real PulseAudio server, and devices that are not to be had there."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.sinks.loopback_output import LoopbackOutput
from runtime.sinks.pulse_modules import PulseMicrophone
from runtime.sinks.virtual_microphone import VirtualMicrophone
from tests.sound_server import SoundServer

CLOCK = MonotonicClock()
PICTURE = Picture(np.zeros((2, 2, 3), np.uint8), Motion(0), 0)


LOOPBACK = """
import threading
import numpy as np
from models.errors import InputError
from runtime.clock import MonotonicClock
from runtime.sinks.loopback_output import LoopbackOutput

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


@pytest.mark.alone
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
