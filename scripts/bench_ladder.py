"""Deadlines that a live run misses beside other work, with the quality ladder off and on.

    python scripts/bench_ladder.py CLIP [PHOTO] [--hogs 1 2 4] [--seconds 30] [--size 512]

The clip, played again and again, drives the photo in real time, 25 pictures a second, while busy processes, pinned to
the cores in turn (the first to the last core), take what they get of the time. Each number of hogs is run with
--quality best and auto, which take turns for `--rounds`. Prints the machine's load before each, and

- late: pictures that were drawn when the next one was due already;
- left out: pictures that there was no time for, without those that half the rate leaves out;
- p50, p95: milliseconds from when a picture is due to when it is drawn;
- lost: frames of the clip that the tracker had no time for;
- seconds on each rung of the ladder, the best first, and changes from rung to rung.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from agent import inputs
from agent.build import build
from agent.config.run import Run
from runtime.frame import Frame
from runtime.picture import Picture
from runtime.sound import Sound
from runtime.sources.media import ClipFrames

SETTLING_S = 3.0  # before the hogs come
PHOTO = Path(str(files("agent") / "example" / "portrait.png"))
HOG = "while True: pass"


class Endless(ClipFrames):
    """A clip that goes forwards and backwards for ever, decoded once."""

    def __iter__(self) -> Iterator[Frame]:
        frames = list(super().__iter__())
        period_ns = (frames[-1].pts_ns - frames[0].pts_ns) // (len(frames) - 1)
        turn, count = [*frames, *frames[-2:0:-1]], 0
        while True:
            yield replace(turn[count % len(turn)], pts_ns=count * period_ns)
            count += 1


class Drawn:
    """A sink that shows nothing and knows when each picture came."""

    name, shows = "null", True

    def __init__(self) -> None:
        self.after_ms: list[float] = []

    def send(self, picture: Picture) -> None:
        self.after_ms.append((time.monotonic_ns() - picture.due_ns) / 1e6)

    def hear(self, sound: Sound) -> None:
        pass

    def close(self, complete: bool = True) -> None:
        pass


@contextmanager
def hogs(count: int) -> Iterator[None]:
    cores = sorted(os.sched_getaffinity(0), reverse=True)
    commands = [["taskset", "-c", str(cores[k % len(cores)]), sys.executable, "-c", HOG] for k in range(count)]
    running = [subprocess.Popen(command) for command in commands]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure(config: Run, quality: Literal["auto", "best"], count: int, seconds: float) -> str:
    """One row of the table."""
    session = build(replace(config, quality=quality), lambda _: None)
    drawn = Drawn()
    session.sinks.append(drawn)
    running = threading.Thread(target=session.loop.run_live)
    running.start()
    time.sleep(SETTLING_S)
    first, missed, before = len(drawn.after_ms), session.loop.missed, session.report()
    with hogs(count):
        time.sleep(seconds)
        after_ms, left_out, report = np.array(drawn.after_ms[first:]), session.loop.missed - missed, session.report()
    session.loop.stop()
    running.join()
    session.close()
    late = report.quality["late"] - before.quality["late"]
    stood = " ".join(
        f"{now - then:.0f}"
        for now, then in zip(report.quality["seconds"], before.quality["seconds"], strict=True)
    )  # fmt: skip
    changes = report.quality["changes"] - before.quality["changes"]
    p50, p95 = np.percentile(after_ms, (50, 95))
    return (
        f"{len(after_ms):9d}{late:6d}{100 * late / len(after_ms):7.2f}%{left_out:10d}{p50:7.1f}{p95:7.1f}"
        f"{report.lost['video'] - before.lost['video']:6d}   {stood} ({changes})"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("photo", type=Path, nargs="?", default=PHOTO)
    parser.add_argument("--hogs", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--size", default="512")
    given = parser.parse_args(arguments)
    inputs.ClipFrames = Endless  # type: ignore[misc]
    config = Run(
        portrait=given.photo,
        mode="video",
        camera=str(given.clip),
        output=("preview",),
        size=given.size,
        realtime=True,
    )
    print(f"{'hogs':>4s}{'load':>7s} {'quality':8s}{'pictures':>9s}{'late':>6s}{'':8s}{'left out':>10s}"
          f"{'p50':>7s}{'p95':>7s}{'lost':>6s}   seconds on rungs (changes)")  # fmt: skip
    for count in given.hogs:
        for _ in range(given.rounds):
            for quality in ("best", "auto"):
                load = os.getloadavg()[0]
                row = measure(config, quality, count, given.seconds)
                print(f"{count:4d}{load:7.1f} {quality:8s}{row}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
