"""The microphone against a real PulseAudio server, whose input or which itself goes and comes back; and its clock."""

import json
import subprocess
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.errors import InputError
from runtime.clock import FakeClock, MonotonicClock
from runtime.sources.microphone import Microphone, SampleClock
from tests.sound_server import RATE_HZ, SoundServer
from tests.warned import warned

BLOCK_NS = 10_000_000


LISTENER = """
import itertools, json, logging, sys
import numpy as np
from runtime.clock import MonotonicClock
from runtime.sources.devices import list_microphones
from runtime.sources.microphone import Microphone

logging.basicConfig(stream=sys.stdout, format="%(message)s")
microphone = Microphone("pulse", MonotonicClock())
blocks = iter(microphone)

def listen(count):
    sounds = list(itertools.islice(blocks, count))
    numbers = np.concatenate([s.samples for s in sounds])[:, 0] * 32768
    print(json.dumps({
        "rates": sorted({s.rate_hz for s in sounds}),
        "lengths": sorted({len(s.samples) for s in sounds}),
        "whole": bool(np.all(numbers == np.round(numbers))),
        "steps": sorted({int(step) % 30000 for step in np.diff(numbers)}),
        "backwards": int(np.sum(np.diff([s.pts_ns for s in sounds]) <= 0)),
        "lost": microphone.lost,
    }), flush=True)

print(json.dumps([d.name for d in list_microphones().devices]), flush=True)
listen(100)
sys.stdin.readline()
listen(220)
sys.stdin.readline()
listen(220)  # more than the ring of 2 s can hold: some of them come after the server's death
microphone.close()
microphone.close()
print(json.dumps(next(blocks, None)), flush=True)
"""

UNKNOWN = """
from runtime.clock import MonotonicClock
from runtime.sources.microphone import Microphone
Microphone("no such thing", MonotonicClock())
"""


@pytest.mark.alone
def test_every_sample_arrives_and_a_lost_server_is_waited_for(sound_server: SoundServer) -> None:
    # A process of its own: PortAudio looks at the environment once, when it is first imported.
    listener = subprocess.Popen(
        [sys.executable, "-c", LISTENER],
        env=sound_server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(60, listener.kill)
    watchdog.start()
    with listener:
        assert listener.stdin is not None
        assert listener.stdout is not None
        try:
            assert "pulse" in json.loads(listener.stdout.readline())
            expected = {
                "rates": [RATE_HZ],
                "lengths": [RATE_HZ // 100],
                "whole": True,
                "steps": [1],
                "backwards": 0,
                "lost": 0,
            }
            assert json.loads(listener.stdout.readline()) == expected
            sound_server.unplug()
            print("unplugged", file=listener.stdin, flush=True)
            assert listener.stdout.readline() == "microphone pulse is gone: waiting for it to come back\n"
            sound_server.plug_in()
            assert listener.stdout.readline() == "microphone pulse is back\n"
            assert json.loads(listener.stdout.readline())["backwards"] == 0
            sound_server.kill()
            print("killed", file=listener.stdin, flush=True)
            assert listener.stdout.readline() == "microphone pulse is gone: waiting for it to come back\n"
            sound_server.start()
            assert listener.stdout.readline() == "microphone pulse is back\n"
            again = json.loads(listener.stdout.readline())
            assert again["rates"] == [RATE_HZ]
            assert again["backwards"] == 0
            assert json.loads(listener.stdout.readline()) is None
        finally:
            watchdog.cancel()
            listener.kill()


def test_an_unknown_microphone_is_named_with_those_that_exist(sound_server: SoundServer) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNKNOWN], env=sound_server.environment, capture_output=True, text=True, check=False
    )
    assert "InputError: no microphone 'no such thing'; found: " in done.stderr
    assert "= pulse" in done.stderr


class Stream:
    """An input stream that notes when it is closed, also while another thread still asks it something."""

    def __init__(self, **options: Any) -> None:
        self.on_block = options["callback"]
        self.asked, self.closed = threading.Event(), threading.Event()
        self.closings, self.closed_while_asked, self.failing = 0, False, False
        self.time = 0.01

    def start(self) -> None:
        if self.failing:
            raise RuntimeError("Error starting stream")

    @property
    def active(self) -> bool:
        self.asked.set()
        self.closed_while_asked |= self.closed.wait(0.2)
        return False

    def close(self) -> None:
        self.closings += 1
        self.closed.set()


class FakePortAudio(ModuleType):
    """As much of `sounddevice` as a microphone uses: what threads do to each other cannot be timed on the real one."""

    PortAudioError = RuntimeError

    def __init__(self, *streams: Stream | None) -> None:
        """`streams` is what opening gives, in turn; None fails."""
        super().__init__("sounddevice")
        self.names = ["Mic"]
        self.renewed: list[str] | None = None
        self.opened: list[int] = []
        self._streams = iter(streams)
        self.opening, self.openings = threading.Event(), threading.Semaphore(1)

    def query_devices(self, index: int | None = None, kind: str = "") -> Any:
        infos = [
            {"index": number, "name": name, "max_input_channels": 1, "default_samplerate": 48_000.0}
            for number, name in enumerate(self.names)
        ]
        return infos[index or 0] if index is not None or kind else infos

    def _terminate(self) -> None:
        pass

    def _initialize(self) -> None:
        if self.renewed is not None:
            self.names = self.renewed

    def InputStream(self, **options: Any) -> Stream:  # noqa: N802  # its name in sounddevice
        self.opening.set()
        self.opened.append(options["device"])
        assert self.openings.acquire(timeout=30)
        stream = next(self._streams)
        if stream is None:
            raise RuntimeError("Error opening InputStream")
        stream.on_block = options["callback"]
        return stream


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.sources.microphone._LOOK_S", 0.01)
    monkeypatch.setattr("runtime.sources.microphone._RETRY_S", 0.01)


def iterating(microphone: Microphone) -> threading.Thread:
    thread = threading.Thread(target=lambda: list(microphone), daemon=True)
    thread.start()
    return thread


@pytest.mark.usefixtures("impatient")
def test_a_stream_is_not_closed_while_another_thread_asks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(callback=None)
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(stream))
    microphone = Microphone(None, MonotonicClock())
    thread = iterating(microphone)
    assert stream.asked.wait(30)
    microphone.close()
    microphone.close()
    thread.join(30)
    assert not thread.is_alive()
    assert not stream.closed_while_asked
    assert stream.closings == 1


@pytest.mark.usefixtures("impatient")
def test_a_stream_that_opens_after_the_end_is_closed_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Stream(callback=None), Stream(callback=None)
    port_audio = FakePortAudio(first, None, second)
    monkeypatch.setitem(sys.modules, "sounddevice", port_audio)
    microphone = Microphone(None, MonotonicClock())
    port_audio.opening.clear()
    thread = iterating(microphone)
    assert port_audio.opening.wait(30)
    port_audio.opening.clear()
    port_audio.openings.release()  # the first try is in vain
    assert port_audio.opening.wait(30)
    microphone.close()  # does not wait for PortAudio
    port_audio.openings.release()
    thread.join(30)
    assert not thread.is_alive()
    assert (first.closings, second.closings) == (1, 1)
    assert "is back" not in caplog.text


class Hanging(Stream):
    """A stream whose driver gives one block, and then neither another one nor its end."""

    def __init__(self) -> None:
        super().__init__(callback=None)
        self.freed = threading.Event()

    @property
    def active(self) -> bool:
        self.asked.set()
        return True

    def close(self) -> None:
        self.freed.wait(60)


def test_a_driver_that_hangs_is_told_and_does_not_hang_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("runtime.sources.microphone._LOOK_S", 0.001)
    monkeypatch.setattr("runtime.sources.microphone._CLOSE_S", 0.05)
    stream, clock = Hanging(), FakeClock()
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(stream))
    microphone = Microphone(None, clock)
    status = SimpleNamespace(input_overflow=False)
    stream.on_block(np.zeros((480, 1), np.float32), 480, SimpleNamespace(inputBufferAdcTime=0.0), status)
    thread = iterating(microphone)
    for _ in range(1000):
        clock.advance(10_000_000)
        if microphone.answers.silent:
            break
        threading.Event().wait(0.005)
    assert warned(caplog, "runtime.answers") == ["microphone Mic does not answer: nothing is heard until it does"]
    microphone.close()
    assert warned(caplog, "runtime.sources.microphone") == ["microphone Mic does not answer and is left behind"]
    thread.join(30)
    assert not thread.is_alive()
    stream.freed.set()


def test_a_stream_that_does_not_start_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(callback=None)
    stream.failing = True
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(stream))
    with pytest.raises(InputError, match=r"microphone 0 \(Mic\) cannot be opened: Error starting stream"):
        Microphone(None, MonotonicClock())
    assert stream.closings == 1


def test_blocks_lost_to_a_full_ring_or_by_the_system_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(callback=None)
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(stream))
    microphone = Microphone(None, MonotonicClock())
    time_info = SimpleNamespace(inputBufferAdcTime=0.0)
    for number in range(203):  # the ring holds 200
        status = SimpleNamespace(input_overflow=number == 0)
        stream.on_block(np.zeros((480, 1), np.float32), 480, time_info, status)
    microphone.close()
    assert microphone.lost == 3 + 1


def test_sound_that_was_slept_through_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, clock = Stream(callback=None), FakeClock()
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(stream))
    microphone = Microphone(None, clock)
    for _ in range(100):
        clock.advance(BLOCK_NS)
        status = SimpleNamespace(input_overflow=False)
        stream.on_block(np.zeros((480, 1), np.float32), 480, SimpleNamespace(inputBufferAdcTime=0.0), status)
    clock.advance(500_000_000)
    sound = next(iter(microphone))
    assert clock.now_ns() - sound.end_ns == 1_000_000_000
    assert microphone.lost == 50 - 1
    microphone.close()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("wanted", "before", "after", "opened"),
    [
        ("USB", ["Built-in", "USB"], ["USB", "Built-in"], [1, 0]),
        ("1", ["Built-in", "USB"], ["Other", "Built-in", "USB"], [1, 2]),
        ("usb", ["Built-in (hw:0,0)", "USB (hw:1,0)"], ["Built-in (hw:1,0)", "USB (hw:2,0)"], [1, 1]),
        (None, ["Built-in", "USB"], ["Other", "USB"], [0, 0]),
    ],
)
def test_an_input_that_comes_back_is_known_by_its_name(
    wanted: str | None, before: list[str], after: list[str], opened: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    port_audio = FakePortAudio(Stream(callback=None), Stream(callback=None), None, None)
    port_audio.names, port_audio.renewed = before, after
    port_audio.openings.release()
    monkeypatch.setitem(sys.modules, "sounddevice", port_audio)
    microphone = Microphone(wanted, MonotonicClock())
    port_audio.opening.clear()
    thread = iterating(microphone)
    assert port_audio.opening.wait(30)
    microphone.close()
    port_audio.openings.release(10)
    thread.join(30)
    assert port_audio.opened[:2] == opened


def test_silence_that_no_room_has_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stream = Stream(callback=None)
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(stream))
    clock = FakeClock()
    microphone = Microphone(None, clock)
    blocks = iter(microphone)

    def hears(seconds: float, loudness: float) -> list[str]:
        caplog.clear()
        for _ in range(round(seconds * 100)):
            clock.advance(BLOCK_NS)
            samples, status = np.full((480, 1), loudness, np.float32), SimpleNamespace(input_overflow=False)
            stream.on_block(samples, 480, SimpleNamespace(inputBufferAdcTime=0.0), status)
            next(blocks)
        return warned(caplog, "runtime.sources.microphone")

    assert hears(4.9, 0.0) == []
    assert hears(0.1, 1e-4) == []
    assert hears(4.9, 0.0) == []
    assert hears(0.2, 0.0) == ["microphone Mic gives nothing but silence: is it muted?"]
    assert hears(20.0, 0.0) == []
    microphone.close()


def stamps(measured_ns: np.ndarray) -> np.ndarray:
    clock = SampleClock(48_000)
    return np.array([clock.stamp(480, int(instant)) for instant in measured_ns])


def test_jitter_of_the_callbacks_is_smoothed_out() -> None:
    true_ns = np.arange(3_000) * BLOCK_NS
    found_ns = stamps(true_ns + np.random.default_rng(5).uniform(0, 8e6, len(true_ns)))
    assert np.abs(np.diff(found_ns) - BLOCK_NS).max() < 200_000
    assert np.abs(found_ns[500:] - true_ns[500:] - 4e6).max() < 1_500_000


def test_a_card_with_a_wrong_rate_does_not_drift_away() -> None:
    true_ns = np.arange(60_000) * BLOCK_NS * 1.0002
    assert np.abs(stamps(true_ns) - true_ns).max() < 200_000


def test_lost_time_is_jumped_over_and_instants_never_go_back() -> None:
    burst_ns = np.concatenate(
        [np.arange(100) * BLOCK_NS, np.full(100, 3_000_000_000), 3_000_000_000 + np.arange(1_000) * BLOCK_NS]
    )
    found_ns = stamps(burst_ns)
    assert found_ns[100] == 3_000_000_000
    assert np.diff(found_ns).min() > 0
