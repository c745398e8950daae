"""A PulseAudio server for tests, in a world of its own."""

import os
import shutil
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RATE_HZ = 44_100  # what ALSA's pulse device runs at by default: nothing is resampled
PERIOD = 30_000  # the fed sound counts up, sample by sample, and starts over after so many


def missing() -> str:
    """Why the test with a sound server cannot run here; empty if it can."""
    if sys.platform != "linux":
        return "PulseAudio's test needs Linux"
    if shutil.which("pulseaudio") is None:
        return "apt-get install pulseaudio"
    if shutil.which("pactl") is None:
        return "apt-get install pulseaudio-utils"
    if not list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        return "apt-get install libasound2-plugins"
    return "" if list(Path("/usr/lib").glob("*/libportaudio.so.2")) else "apt-get install libportaudio2"


class SoundServer:
    """A private PulseAudio whose only input is fed by this test, in real time, with a sample counter."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "run" / "pulse").mkdir(parents=True)
        (folder / "run").chmod(0o700)
        self._socket, self._fifo = folder / "run" / "pulse" / "native", folder / "mic.fifo"
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PYTHONPATH": str(ROOT),
        }
        (folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
        self._source = f"module-pipe-source source_name=mic file={self._fifo} format=s16le rate={RATE_HZ} channels=1"
        (folder / "server.pa").write_text(
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={self._socket}\n"
            f"load-module {self._source}\n"
            "set-default-source mic\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0

    def start(self) -> None:
        options = ("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no")
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["pulseaudio", *options, "--high-priority=no", "-F", str(self._folder / "server.pa")],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        while not (self._socket.exists() and self._fifo.exists()):
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            time.sleep(0.02)
        threading.Thread(target=self._feed, daemon=True).start()

    def unplug(self) -> None:
        """Takes the input away."""
        self._pactl("unload-module", "module-pipe-source")

    def plug_in(self) -> None:
        """Brings it back."""
        self._pactl("load-module", *self._source.split())
        threading.Thread(target=self._feed, daemon=True).start()

    def _pactl(self, *command: str) -> None:
        subprocess.run(["pactl", *command], env=self.environment, capture_output=True, check=True)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)
            self._fifo.unlink(missing_ok=True)

    def _feed(self) -> None:
        due_s = time.monotonic()
        try:
            with self._fifo.open("wb", buffering=0) as fifo:
                while True:
                    numbers = range(self._count, self._count + RATE_HZ // 100)
                    fifo.write(array("h", [n % PERIOD - PERIOD // 2 for n in numbers]).tobytes())
                    self._count = numbers.stop
                    due_s += 0.01
                    time.sleep(max(0.0, due_s - time.monotonic()))
        except BrokenPipeError:  # the server was killed
            return


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[SoundServer]:
    """A server that runs; what has its `environment` uses it."""
    if reason := missing():
        pytest.skip(reason)
    server = SoundServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(sound_server: SoundServer, monkeypatch: pytest.MonkeyPatch) -> SoundServer:
    """This process uses it too."""
    for name in ("HOME", "XDG_RUNTIME_DIR", "PULSE_SERVER"):
        monkeypatch.setenv(name, sound_server.environment[name])
    return sound_server
