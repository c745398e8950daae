"""How long a run takes to end after Ctrl-C or SIGTERM.

    python scripts/measure_endings.py [--times 3]

While it imports, while it prepares its photo, while it runs, and with a camera that answers no more.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

RUN = "from agent.program import program; program()"
STUCK = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); import stuck_camera; stuck_camera.install(); "


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    with as_file(files("agent") / "example" / "portrait.png") as photo, as_file(files("agent") / "example") as example:
        voice = ["--portrait", str(photo), "--microphone", str(example / "speech.wav"), "--realtime"]
        camera = ["--portrait", str(photo), "--mode", "video", "--camera", "0"]
        for doing, code, arguments, begun in (
            ("imports", RUN, voice, lambda _: True),
            ("prepares", RUN, voice, lambda folder: bool(list(folder.glob(".*.mp4")))),
            ("runs", RUN, voice, lambda folder: has_pictures(folder)),
            ("has a stuck camera", STUCK + RUN, camera, lambda folder: has_pictures(folder)),
        ):
            for number in (signal.SIGINT, signal.SIGTERM):
                ends = [end(code, arguments, begun, number) for _ in range(times)]
                seconds = " ".join(f"{wall_s:.2f}" for wall_s, _ in ends)
                print(f"{doing:20s} {number.name}: {seconds} s, exit code {ends[0][1]}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0


def has_pictures(folder: Path) -> bool:
    return any(path.stat().st_size > 20_000 for path in folder.glob(".*.mp4"))


def end(code: str, arguments: list[str], begun: Callable[[Path], bool], number: signal.Signals) -> tuple[float, int]:
    """Seconds from a signal to the end of the process, and its exit code."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", code, "run", *arguments, "--output", str(Path(name) / "out.mp4")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"AGENT_CACHE": ""}) as process:
            time.sleep(0.5)
            while not begun(Path(name)):
                assert process.poll() is None, "it has ended by itself"
                time.sleep(0.01)
            began_s = time.monotonic()
            process.send_signal(number)
            exit_code = process.wait(60)
            return time.monotonic() - began_s, exit_code


if __name__ == "__main__":
    raise SystemExit(main())
