"""Whether a run can go on all day: memory, threads, open files, drops and drift, minute by minute.

    python scripts/soak.py [--minutes 30]

A run of its own (`agent run --mode both`), as a process: a clip of a drawn face over and over as its camera, a
microphone of a PulseAudio server of its own that speaks all the time, a preview page that is watched, and a virtual
microphone. Without PulseAudio, the clip alone (`--mode video`).
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import av
import numpy as np
from bench_lip_sync import MIC_HZ, sound_server

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from runtime.drivers.idle import Idle
from runtime.engines.builtin import BuiltinEngine
from runtime.sources.media import ClipSound

CLIP_S, CLIP_FPS, CLIP_SIZE = 20, 30, 480
WARM_MINUTES = 5
COLUMNS = "minute  RSS MB  threads  files  frames  dropped  lost  faults  age p50/p95 ms  picture-sound ms"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        clip = write_clip(folder / "clip.mp4", options.minutes + 1)
        arguments = ["--mode", "video"]
        if shutil.which("pulseaudio"):
            sounds = folder / "sound"
            sounds.mkdir()
            threading.Thread(target=speak, args=(stack.enter_context(sound_server(sounds)),), daemon=True).start()
            arguments = ["--mode", "both", "--microphone", "pulse", "--output", "virtual-microphone"]
        process, url = stack.enter_context(running([*arguments, "--camera", str(clip)], folder))
        threading.Thread(target=watch, args=(url,), daemon=True).start()
        follow(process, url, options.minutes)
    return 0


def write_clip(path: Path, minutes: float) -> Path:
    """The bundled portrait moving as the idle driver does, drawn once and repeated without being encoded again."""
    with as_file(files("agent") / "example" / "portrait.png") as photo:
        portrait = prepare_portrait(read_photo(photo), (CLIP_SIZE, CLIP_SIZE), name="portrait")
    engine, idle = BuiltinEngine(), Idle(seed=7)
    avatar = engine.prepare(portrait)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=CLIP_FPS, options={"preset": "veryfast", "bf": "0"})
        stream.width = stream.height = CLIP_SIZE
        stream.pix_fmt = "yuv420p"
        packets = []
        for k in range(CLIP_S * CLIP_FPS):
            image = engine.render(avatar, idle.at(round((1 + k / CLIP_FPS) * 1e9)))
            packets += stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
        packets += stream.encode()
        copies = [(bytes(p), p.pts, p.dts, p.is_keyframe, p.time_base) for p in packets]
        length = round(CLIP_S / copies[0][4])
        for turn in range(int(minutes * 60 / CLIP_S) + 1):
            for data, pts, dts, is_key, time_base in copies:
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, time_base, is_key
                packet.pts, packet.dts = pts + turn * length, dts + turn * length
                container.mux(packet)
    return path


def speak(fifo: Path) -> None:
    """Writes the bundled speech in real time, over and over, as a sound card would."""
    with as_file(files("agent") / "example" / "speech.wav") as path:
        blocks = list(ClipSound(path))
    speech = np.concatenate([block.samples[:, 0] for block in blocks])
    times = np.arange(0, len(speech) / blocks[0].rate_hz, 1 / MIC_HZ)
    samples = np.interp(times * blocks[0].rate_hz, np.arange(len(speech)), speech)
    data, start_s, done = (32767 * samples).astype("<i2").tobytes(), time.monotonic(), 0
    with suppress(BrokenPipeError), fifo.open("wb", buffering=0) as file:  # the server was ended
        while True:
            due = 2 * int((time.monotonic() - start_s) * MIC_HZ)
            while done < due:
                at = done % len(data)
                done += file.write(data[at : min(at + due - done, len(data))]) or 0
            time.sleep(0.01)


@contextmanager
def running(arguments: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The run's process, and where its page is."""
    with as_file(files("agent") / "example" / "portrait.png") as photo:
        command = ["run", "--portrait", str(photo), "--realtime", "--output", "preview", *arguments]
        code = "from agent.program import program; program()"
        with (
            (folder / "log").open("w+") as log,
            subprocess.Popen([sys.executable, "-c", code, *command], stderr=log, text=True) as process,
        ):
            try:
                while "preview: " not in (folder / "log").read_text():
                    assert process.poll() is None, (folder / "log").read_text()
                    time.sleep(0.1)
                told = (folder / "log").read_text()
                yield process, told.partition("preview: ")[2].split()[0]
            finally:
                began_s = time.monotonic()
                process.terminate()
                print(f"exit code {process.wait(30)}, {time.monotonic() - began_s:.2f} s after SIGTERM")
                others = [line for line in (folder / "log").read_text().splitlines() if "Ctrl-C ends" not in line]
                print("it said:", *others, sep="\n  ")


def watch(url: str) -> None:
    """Reads the stream until it ends."""
    with suppress(OSError), urllib.request.urlopen(url + "stream.mjpeg") as stream:
        while stream.read1(1 << 20):
            pass


def follow(process: subprocess.Popen[str], url: str, minutes: float) -> None:
    """Prints a line a minute, and what the lines come to."""
    print(COLUMNS, flush=True)
    began_s, lines = time.monotonic(), []
    while len(lines) <= minutes:
        time.sleep(max(0.0, began_s + 60 * len(lines) - time.monotonic()))
        if process.poll() is not None:
            break
        status = figures(url)
        offset_ms = status["audio_video_offset_ms"] or 0.0
        lines.append((resident_mb(process.pid), status["latency_ms"]["p50"], offset_ms))
        threads, open_files = (len(list(Path(f"/proc/{process.pid}/{kind}").iterdir())) for kind in ("task", "fd"))
        losses = sum(status["lost"].values()), sum(status["faults"].values())
        print(
            f"{len(lines) - 1:6d}  {lines[-1][0]:6.1f}  {threads:7d}  {open_files:5d}  {status['frames']:6d}  "
            f"{status['dropped']:7d}  {losses[0]:4d}  {losses[1]:6d}  "
            f"{lines[-1][1]:6.0f} {status['latency_ms']['p95']:6.0f}  {offset_ms:16.1f}",
            flush=True,
        )
    warm = np.array(lines[WARM_MINUTES:])
    if len(warm) > 2:
        growth = 10 * np.polyfit(np.arange(len(warm)), warm, 1)[0]
        memory, age, offset = growth
        drift = f"age {age:+.2f} ms, picture to sound {offset:+.2f} ms"
        print(f"growth in 10 minutes, warm: memory {memory:+.2f} MB, {drift}; load {os.getloadavg()[2]:.1f}")


def figures(url: str) -> dict[str, Any]:
    """What the run's page says, as soon as a picture was moved."""
    while True:
        with urllib.request.urlopen(url + "status.json") as answer:
            status: dict[str, Any] = json.load(answer)
        if status["latency_ms"] is not None:
            return status
        time.sleep(0.1)


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM (RSS), MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    raise SystemExit(main())
