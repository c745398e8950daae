"""The virtual microphone in a real PulseAudio server: what another program records from it, and what can go wrong."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.report import OFFSET
from runtime.sinks.pulse_modules import PulseMicrophone, pactl
from runtime.sinks.sound_outputs import PulseOutput
from runtime.sinks.virtual_microphone import VirtualMicrophone
from runtime.sound import Sound
from tests.sound_server import SoundServer

LABEL = 'Zoë\'s "voice" \\ 1'
RATE_HZ = 48_000
DELAY_S = 0.2
CLOCK = MonotonicClock()
PICTURE = Picture(np.zeros((2, 2, 3), np.uint8), Motion(0), 0)


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


@pytest.mark.alone
def test_others_see_its_name_and_hear_what_was_captured_as_late_as_it_is_shown(microphone: VirtualMicrophone) -> None:
    recorder = Recorder(microphones()[-1])
    with Voice(microphone) as voice:
        found_s = np.array(recorder.clicks_s(6))
    recorder.close()
    delays_s = [found - max(c for c in voice.clicks_s if c < found) for found in found_s]
    assert np.median(delays_s) == pytest.approx(DELAY_S, abs=0.04)
    assert "Description: Zoë s  voice    1\n" in pactl("list", "sources")
    assert microphone.name == f"virtual-microphone:{LABEL}"


@pytest.mark.alone
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


@pytest.mark.alone
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
    assert not microphone._thread.is_alive()


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


@pytest.mark.alone
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
