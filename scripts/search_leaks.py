"""Searches every output of a run whose parts fail for pixels of the camera.

    python scripts/search_leaks.py [--frames 10000] [--seed 1]

The camera's pictures are a code in two colours that no avatar has. While tracker, engine, camera and outputs fail by a
seeded plan, everything that leaves is searched for it: frames of the virtual camera, JPEGs of the preview page, the
video file; of WebRTC every packet, decoded again as it leaves the encoder, and what a viewer of the page and a media
server get of them. A failing picture must be the one before it. A virtual microphone is sound, and made of blocks that
hold nothing else (`runtime.sound`): it shows nothing.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from failing_parts import Beat, Capture, Engine, Plan, Tracker
from media_server import TOKEN, MediaServer
from searched_outputs import LOST_AT, SIZE, Findings, OnAir, Tape, Viewer, WebRtcViewer, coded_picture

from agent.build import Session
from agent.config.run import Run
from agent.plan import make_plan
from agent.webrtc import WHIP_TOKEN
from models.errors import AgentError
from runtime.frame import Frame
from runtime.picture import Picture
from runtime.sources.camera import Camera
from runtime.sources.media import ClipFrames

OUTPUTS = ("virtual-camera", "preview", "file", "webrtc", "whip")


class Taken:
    """Counts what an output is given, and lets it fail as planned."""

    def __init__(self, sink: Any, kind: str, plan: Plan, beat: Beat) -> None:
        self.offered = self.taken = 0
        send = sink.send

        def watched(picture: Picture) -> None:
            try:
                if plan.now(kind, beat.number):
                    raise RuntimeError(f"{kind} has a hiccup")
                send(picture)
                self.taken += 1
            finally:
                self.offered += 1
                beat.tell()

        sink.send = watched


class FrameWatch:
    """Knows which frame a driver has done with."""

    def __init__(self, driver: Any, beat: Beat) -> None:
        self.read_ns = -1
        push = driver.push

        def watched(frame: Frame) -> Any:
            try:
                return push(frame)
            finally:
                self.read_ns = frame.pts_ns
                beat.tell()

        driver.push = watched


def search(frames: int, seed: int, leak: Callable[[np.ndarray], np.ndarray] | None = None) -> Findings:
    """Runs and searches. `leak`: what is wrong with the engine, for a search that must find something."""
    findings, plan, beat = Findings(), Plan(frames, seed), Beat(frames)
    capture, tracker = Capture(plan, beat, coded_picture()), Tracker(plan, beat)
    with session(plan, beat, findings, capture, tracker, leak) as (run, clip):
        camera, preview, file, *others = (
            Taken(sink, kind, plan, beat) for sink, kind in zip(run.sinks, OUTPUTS, strict=True)
        )
        viewer = Viewer(run.sinks[1].url, beat, findings)
        peer = WebRtcViewer(run.sinks[3].url, findings)
        on_air = [OnAir(sink, output, findings) for sink, output in zip(run.sinks[3:], OUTPUTS[3:], strict=True)]
        wait_for(lambda: all(air.broadcast.watched for air in on_air))
        driver = FrameWatch(run.loop._lanes[0]._driver, beat)
        beat.parts = [
            lambda: all(output.offered > beat.number for output in (preview, file, *others)),
            lambda: camera.offered > beat.number or beat.number > LOST_AT * frames,
            lambda: viewer.seen >= preview.taken,
            lambda: beat.number < 0 or beat.rests("camera"),
            lambda: driver.read_ns >= capture.newest_ns,
        ]
        beat.stop = run.loop.stop
        try:
            run.loop.run_live()
        except AgentError as error:
            findings.ended = str(error)
        viewer.finish()
        peer.finish()
        findings.faults, findings.tracked = run.loop.faults, tracker.tracked
        for frame in ClipFrames(clip):
            findings.search("file", frame.image)
    return findings


@contextmanager
def session(
    plan: Plan,
    beat: Beat,
    findings: Findings,
    capture: Capture,
    tracker: Tracker,
    leak: Callable[[np.ndarray], np.ndarray] | None,
) -> Iterator[tuple[Session, Path]]:
    """A run as the command line builds it, with devices, tracker and engine of the plan; and the file it writes."""
    with ExitStack() as stack:
        clip = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "out.mp4"
        photo = stack.enter_context(as_file(files("agent") / "example" / "portrait.png"))
        replaced = {
            "agent.inputs.open_camera": lambda _, clock: Camera("0", clock, capture.open),
            "agent.inputs.MediapipeTracker": lambda: tracker,
            "agent.build.open_engine": lambda *_: Engine(plan, beat, leak),
            "runtime.sinks.virtual_camera.open_virtual_camera": lambda *_: Tape(plan, beat, findings),
            "runtime.page_server._listen": free_port,
        }
        for name, replacement in replaced.items():
            stack.enter_context(patch(name, replacement))
        server = MediaServer(lambda frame: findings.search("media server", frame.to_ndarray(format="rgb24")))
        stack.callback(server.close)
        stack.enter_context(patch.dict(os.environ, {WHIP_TOKEN: TOKEN}))
        outputs = ("virtual-camera", "preview", str(clip), "webrtc", f"whip:{server.url}")
        config = Run(portrait=photo, mode="video", output=outputs, size=str(SIZE), realtime=True)
        run = Session(replace(make_plan(config, []), microphone=None), beat, lambda _: None)
        stack.callback(run.close)
        yield run, clip


def wait_for(reached: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < until_s, "not within 30 s"
        time.sleep(0.02)


def free_port(host: str, _port: int, _tries: int) -> socket.socket:
    listener = socket.socket()
    listener.bind((host, 0))
    listener.listen()
    return listener


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = search(options.frames, options.seed)
    print(f"{options.frames} ticks, {found.tracked} pictures tracked; failures survived: {found.faults}")
    for output, count in found.pictures.items():
        print(f"{output}: {count} pictures searched, {found.leaks[output]} show the camera's")
    print(f"not drawn: {found.stood + found.not_stood}, of which {found.stood} show the picture before")
    print(f"largest step from one picture to the next: {found.largest_step:.1f} grey levels; ended with: {found.ended}")
    return int(found.leaks.total() > 0 or found.not_stood > 0)


if __name__ == "__main__":
    raise SystemExit(main())
