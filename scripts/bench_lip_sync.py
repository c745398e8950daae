"""How far apart a flash in the picture and the click that belongs to it come out of a run.

    python scripts/bench_lip_sync.py [--seconds 600] [--ppm 100]

A PulseAudio server of its own carries a microphone that hears a click whenever a made-up camera sees a flash, and
whose sample clock is off by `--ppm`. The run in between is a live one: a real microphone, loop, built-in avatar
(painted white while it flashes), preview page and virtual microphone. A viewer of the page and a recorder of the
virtual microphone note when what arrives. Needs pulseaudio, pulseaudio-utils and libasound2-plugins.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np

from agent.mjpeg import read_jpegs
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.motion import Motion, expression
from runtime.clock import MonotonicClock
from runtime.drivers.idle import Idle
from runtime.engines.builtin import BuiltinEngine
from runtime.frame import Frame
from runtime.ladder import RUNGS, Ladder
from runtime.lane import Lane
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.report import OFFSET, picture_age_ns
from runtime.sinks.preview import Preview
from runtime.sinks.virtual_microphone import VirtualMicrophone, open_sound_output
from runtime.sources.microphone import Microphone
from runtime.trail import VIEWERS, paths

MIC_HZ = 44_100  # what ALSA's plugin asks for: nothing is resampled before the microphone
RECORD_HZ = 48_000
CAMERA_FPS, CAMERA_DELAY_S = 30, 0.03
FLASH_FRAMES = 6
CLICK = MIC_HZ // 1000
SETTLE_S = 5.0  # before the first stamp
CLOCK = MonotonicClock()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--ppm", type=float, default=0.0, help="by how much the microphone's clock is fast")
    parser.add_argument("--fps", type=int, default=25)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sys.setswitchinterval(0.0005)  # as a run does
    with tempfile.TemporaryDirectory() as folder, sound_server(Path(folder)) as fifo:
        run(fifo, options.seconds, options.ppm, options.fps)
    return 0


def run(fifo: Path, seconds: float, ppm: float, fps: int) -> None:
    origin_s = CLOCK.now_ns() * 1e-9 + 3.0
    frames = stamp_frames(seconds)
    stamps_s = origin_s + frames / CAMERA_FPS
    threading.Thread(target=feed_microphone, args=(fifo, stamps_s, ppm), daemon=True).start()
    metrics = Metrics()
    preview = Preview(port=0, status=dict)
    microphone = VirtualMicrophone(
        open_sound_output("", CLOCK, None), lambda: picture_age_ns(metrics, [preview.name]), metrics
    )
    with as_file(files("agent") / "example" / "portrait.png") as photo:
        portrait = prepare_portrait(read_photo(photo), (512, 512), name="portrait")
    engine = FlashEngine()
    loop = Loop(
        mode="video",
        lanes=[
            Lane("video", FlashCamera(origin_s, frames, seconds), FlashDriver(), metrics),
            Lane("soundtrack", Microphone("pulse", CLOCK), None, metrics, audible=True),
        ],
        idle=Idle(),
        engine=engine,
        avatar=engine.prepare(portrait),
        sinks=[preview, microphone],
        fps=fps,
        clock=CLOCK,
        metrics=metrics,
        ladder=Ladder(fps, RUNGS[:1], tracks=False),
        start_ns=CLOCK.now_ns(),
    )
    viewer, recorder = Viewer(preview.url), Recorder()
    loop.run_live()
    ages = paths(metrics)[VIEWERS]
    print(
        f"{len(stamps_s)} stamps in {seconds:.0f} s, microphone clock {ppm:+.0f} ppm, {loop.dropped} pictures dropped"
    )
    print(f"the run's own figures: latency {ages.p50_ms:.1f} ms (p95 {ages.p95_ms:.1f}), ", end="")
    print(f"offset {metrics.percentiles(OFFSET).p50_ms:.1f} ms, {microphone.underruns} underruns")
    judge(stamps_s, viewer.flashes_s, recorder.clicks_s)


def judge(stamps_s: np.ndarray, flashes_s: Sequence[float], clicks_s: Sequence[float]) -> None:
    picture_s, sound_s = delays(stamps_s, flashes_s), delays(stamps_s, clicks_s)
    both = np.isfinite(picture_s) & np.isfinite(sound_s)
    for what, values in (("picture", picture_s), ("sound", sound_s), ("picture after sound", picture_s - sound_s)):
        low, middle, high = np.percentile(values[both] * 1000, (5, 50, 95))
        print(f"{what:20s} median {middle:7.1f} ms, 5 to 95 %: {low:7.1f} to {high:7.1f}")
    minutes, offset_ms = (stamps_s[both] - stamps_s[0]) / 60, 1000 * (picture_s - sound_s)[both]
    means = [offset_ms[minutes.astype(int) == m].mean() for m in range(int(minutes[-1]) + 1)]
    print(f"found {both.sum()} of {len(both)}; mean offset of every minute, ms: {' '.join(f'{m:.1f}' for m in means)}")
    if len(means) > 1:
        print(f"drift {np.polyfit(minutes, offset_ms, 1)[0]:+.2f} ms a minute")
    print(f"beyond 40 ms: {(abs(offset_ms) > 40).sum()}, most {abs(offset_ms).max():.1f} ms")


def delays(stamps_s: np.ndarray, found_s: Sequence[float]) -> np.ndarray:
    """How long after each stamp it was found, s; NaN where it was not."""
    later = (np.array([s for s in found_s if 0 <= s - stamp < 0.5][:1] or [np.nan]) - stamp for stamp in stamps_s)
    return np.concatenate(list(later))


def stamp_frames(seconds: float) -> np.ndarray:
    """Frames of the camera that begin a flash, about a second apart, at every phase between camera and output."""
    gaps = np.random.default_rng(1).integers(CAMERA_FPS - 7, CAMERA_FPS + 8, int(seconds))
    frames = np.cumsum(gaps) + round(SETTLE_S * CAMERA_FPS)
    return frames[frames < (seconds - 1) * CAMERA_FPS]


def feed_microphone(fifo: Path, stamps_s: np.ndarray, ppm: float) -> None:
    """Writes clicks of a millisecond in real time, as a sound card would whose clock is fast by `ppm`."""
    rate_hz, start_s, done = MIC_HZ * (1 + ppm * 1e-6), CLOCK.now_ns() * 1e-9, 0
    clicks = np.round((stamps_s - start_s) * rate_hz).astype(int)
    file = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BrokenPipeError):  # the server was ended
        while True:
            due = int((CLOCK.now_ns() * 1e-9 - start_s) * rate_hz)
            block = np.zeros(due - done, "<i2")
            for click in clicks[np.searchsorted(clicks, done - CLICK) : np.searchsorted(clicks, due)]:
                block[max(click - done, 0) : max(click - done + CLICK, 0)] = 25_000
            with suppress(BlockingIOError):  # nobody listens yet
                os.write(file, block.tobytes())
            done = due
            time.sleep(0.01)


class FlashCamera:
    """Black frames, and six white ones at every stamp; each comes 30 ms after its instant."""

    lost = 0

    def __init__(self, origin_s: float, frames: np.ndarray, seconds: float) -> None:
        self._origin_s, self._frames, self._count = origin_s, frames, int(seconds * CAMERA_FPS)
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        for k in range(self._count):
            pts_ns = round((self._origin_s + k / CAMERA_FPS) * 1e9)
            if not CLOCK.wait_until(pts_ns + round(CAMERA_DELAY_S * 1e9), self._stop):
                return
            white = bool(((k - self._frames >= 0) & (k - self._frames < FLASH_FRAMES)).any())
            yield Frame(np.full((8, 8, 3), 255 * white, np.uint8), pts_ns)

    def close(self) -> None:
        self._stop.set()


class FlashDriver:
    def push(self, value: Frame) -> list[Motion]:
        return [Motion(value.pts_ns, expression(jawOpen=float(value.image[0, 0, 0]) / 255))]

    def close(self) -> None:
        pass


class FlashEngine(BuiltinEngine):
    """Draws the avatar as ever, and white over it while it flashes."""

    def render(self, avatar, motion, level=0):
        image = super().render(avatar, motion, level)
        return np.full_like(image, 255) if motion["jawOpen"] > 0.5 else image


class Viewer:
    """Watches the preview page's stream; the instants at which pictures turn white."""

    def __init__(self, url: str) -> None:
        self.flashes_s: list[float] = []
        self._jpegs = read_jpegs(url)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        was_white = False
        for at_ns, jpeg in self._jpegs:
            white = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8).mean() > 250
            if white and not was_white:
                self.flashes_s.append(at_ns * 1e-9)
            was_white = white


class Recorder:
    """Records the virtual microphone as a call would; the instants at which clicks arrive."""

    def __init__(self) -> None:
        self.clicks_s: list[float] = []
        sources = subprocess.run(["pactl", "list", "short", "sources"], capture_output=True, text=True, check=True)
        name = next(word for word in sources.stdout.split() if word.endswith("-microphone"))
        options = ("--raw", "--format=float32le", "--channels=1", f"--rate={RECORD_HZ}", "--latency-msec=10")
        command = ["parec", *options, f"--device={name}"]
        threading.Thread(target=self._record, args=(command,), daemon=True).start()

    def _record(self, command: Sequence[str]) -> None:
        while self._record_for(20.0, command):  # a server that was held up keeps a recording late from then on
            pass

    def _record_for(self, seconds: float, command: Sequence[str]) -> bool:
        """Whether the server was there all the time."""
        end_s = CLOCK.now_ns() * 1e-9 + seconds
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as recording:
            assert recording.stdout is not None
            last_s, rest = 0.0, b""
            while data := recording.stdout.read(65536):
                if CLOCK.now_ns() * 1e-9 > end_s:
                    recording.kill()
                    return True
                now_s, data = CLOCK.now_ns() * 1e-9, rest + data
                samples = np.frombuffer(data[: len(data) // 4 * 4], "<f4")
                rest = data[len(samples) * 4 :]
                for at in np.flatnonzero(samples > 0.3):
                    at_s = now_s - (len(samples) - at) / RECORD_HZ
                    if at_s - last_s > 0.1:
                        self.clicks_s.append(at_s)
                    last_s = at_s
        return False


@contextmanager
def sound_server(folder: Path) -> Iterator[Path]:
    """A PulseAudio whose only microphone plays what is written to the FIFO that is given; this process uses it."""
    socket, fifo = folder / "pulse" / "native", folder / "mic.fifo"
    socket.parent.mkdir()
    folder.chmod(0o700)
    (folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    (folder / "server.pa").write_text(
        f"load-module module-native-protocol-unix auth-anonymous=1 socket={socket}\n"
        f"load-module module-pipe-source source_name=mic file={fifo} format=s16le rate={MIC_HZ} channels=1\n"
        "set-default-source mic\n"
    )
    os.environ |= {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PULSE_SERVER": f"unix:{socket}"}
    options = ("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no")
    command = ["pulseaudio", *options, "--high-priority=no", "-F", str(folder / "server.pa")]
    with ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("wb"))
        server = subprocess.Popen(command, stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.kill)
        while not (socket.exists() and fifo.exists()):
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        yield fifo


if __name__ == "__main__":
    raise SystemExit(main())
