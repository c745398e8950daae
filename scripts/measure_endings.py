"""How long a run takes to end after Ctrl-C or SIGTERM.

    python scripts/measure_endings.py [--times 3]

While it imports, while it prepares its photo, while it runs, and with a camera or a virtual camera whose driver does
not come back from a read or a write, once that has been said.
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
STUCK = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); import stuck_devices as stuck; "
CAMERA, OUTPUT = (f"{STUCK}stuck.install_{device}(); {RUN}" for device in ("camera", "virtual_camera"))
HANGS, TOLD = "the driver hangs", "does not answer"


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
            ("runs", RUN, voice, has_pictures),
            ("camera hangs", CAMERA, camera, has_told),
            ("virtual camera hangs", OUTPUT, [*voice, "--output", "virtual-camera"], has_told),
        ):
            for number in (signal.SIGINT, signal.SIGTERM):
                ends = [Ending(code, arguments, begun, number) for _ in range(times)]
                seconds = " ".join(f"{ending.wall_s:.2f}" for ending in ends)
                told = " ".join(f"{ending.told_s:.2f}" for ending in ends if ending.told_s is not None)
                after = f", told {told} s after it hung" if told else ""
                print(f"{doing:20s} {number.name}: {seconds} s, exit code {ends[0].exit_code}{after}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0


def has_pictures(folder: Path) -> bool:
    return any(path.stat().st_size > 20_000 for path in folder.glob(".*.mp4"))


def has_told(folder: Path) -> bool:
    return TOLD in (folder / "said").read_text()


class Ending:
    """A run, from its begin to a signal, and from there to the end of the process."""

    def __init__(self, code: str, arguments: list[str], begun: Callable[[Path], bool], number: signal.Signals) -> None:
        self.told_s: float | None = None
        """From when a driver hung to when that was said."""
        with tempfile.TemporaryDirectory() as name, (Path(name) / "said").open("w") as said:
            command = [sys.executable, "-c", code, "run", *arguments, "--output", str(Path(name) / "out.mp4")]
            with subprocess.Popen(command, stderr=said, env=os.environ | {"AGENT_CACHE": ""}) as process:
                time.sleep(0.5)
                hung_s: float | None = None
                while not begun(Path(name)):
                    if hung_s is None and HANGS in (Path(name) / "said").read_text():
                        hung_s = time.monotonic()
                    assert process.poll() is None, "it has ended by itself"
                    time.sleep(0.01)
                began_s = time.monotonic()
                if hung_s is not None:
                    self.told_s = began_s - hung_s
                process.send_signal(number)
                self.exit_code = process.wait(60)
                self.wall_s = time.monotonic() - began_s


if __name__ == "__main__":
    raise SystemExit(main())
