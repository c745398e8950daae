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
import asyncio
import os
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import av
import cv2
import numpy as np
from failing_parts import HEIGHT, WIDTH, Beat, Capture, Engine, Plan, Tracker
from media_server import HERE, TOKEN, MediaServer, watch

from agent.build import Session
from agent.config import Run
from agent.mjpeg import read_jpegs
from agent.plan import make_plan
from agent.webrtc import WHIP_TOKEN
from models.errors import AgentError
from runtime.frame import Frame
from runtime.picture import Picture
from runtime.sinks.webrtc import PATH
from runtime.sources.camera import Camera
from runtime.sources.media import ClipFrames
from runtime.transports.broadcast import Rung
from runtime.transports.encoding import Encoded, VideoEncoder
from runtime.transports.joining import join
from runtime.transports.links import parse_link
from runtime.transports.peer import open_peer

SIZE = 128
OUTPUTS = ("virtual-camera", "preview", "file", "webrtc", "whip")
GREEN, MAGENTA = (0, 255, 0), (255, 0, 255)
CODE = np.random.default_rng(0).choice((-1.0, 1.0), (12, 16))
COLOUR, LIKENESS = 130.0, 0.35
"""From which a pixel has one of the code's colours, and a picture's colours go with the code."""
LOST_AT = 0.8  # part of the run after which the virtual camera takes no more


def coded_picture() -> np.ndarray:
    """What the camera sees, RGB."""
    signs = cv2.resize(CODE, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.where(signs[..., None] > 0, np.uint8(GREEN), np.uint8(MAGENTA))


def shows_code(image: np.ndarray) -> bool:
    """Whether any part of the camera's picture, or a trace of all of it, is in an RGB picture."""
    red, green, blue = np.moveaxis(image.astype(np.float32), 2, 0)
    hue = green - (red + blue) / 2
    if np.abs(cv2.blur(hue, (3, 3))).max() > COLOUR:
        return True
    cells = cv2.resize(hue, CODE.shape[::-1], interpolation=cv2.INTER_AREA)
    if np.ptp(cells) == 0:
        return False
    return abs(np.corrcoef(cells.ravel(), CODE.ravel())[0, 1]) > LIKENESS


@dataclass
class Findings:
    """What a run came to."""

    pictures: Counter[str] = field(default_factory=Counter)
    """Searched, by output."""
    leaks: Counter[str] = field(default_factory=Counter)
    """Pictures that show the camera's, by output."""
    stood: int = 0
    """Pictures that could not be drawn, where the one before was shown again."""
    not_stood: int = 0
    """The same, where another was shown."""
    largest_step: float = 0.0
    """Mean difference between two pictures that follow one another, grey levels."""
    tracked: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    ended: str = ""
    """What the run raised at its end."""

    def search(self, output: str, image: np.ndarray) -> None:
        self.pictures[output] += 1
        self.leaks[output] += shows_code(image)


class Tape:
    """A virtual camera's device that searches what it is given."""

    device = "/dev/video77"

    def __init__(self, plan: Plan, beat: Beat, findings: Findings) -> None:
        self._plan, self._beat, self._findings = plan, beat, findings
        self._last, self._last_beat = np.zeros((SIZE, SIZE, 3), np.float32), -1

    def send(self, frame: np.ndarray) -> None:
        if self._beat.number >= LOST_AT * self._plan.beats:
            raise OSError("the device is gone")
        image = cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420)
        self._findings.search("virtual-camera", image)
        beat = self._beat.number
        if beat > 0:
            step = float(np.abs(image.astype(np.float32) - self._last).mean())
            self._findings.largest_step = max(self._findings.largest_step, step)
            undrawn = any(self._plan.now(kind, beat) for kind in ("engine", "engine for long", "memory"))
            if undrawn and self._last_beat == beat - 1:  # it had the picture before
                self._findings.stood += step == 0.0
                self._findings.not_stood += step > 0.0
        self._last, self._last_beat = image.astype(np.float32), beat

    def close(self) -> None:
        pass


class Viewer:
    """Watches the preview page's stream and searches its pictures."""

    def __init__(self, url: str, beat: Beat, findings: Findings) -> None:
        self.seen = 0
        self._jpegs, self._beat, self._findings = read_jpegs(url), beat, findings
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._thread.join(30)

    def _watch(self) -> None:
        for _, jpeg in self._jpegs:
            bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            self._findings.search("preview", cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
            self.seen += 1
            self._beat.tell()


class OnAir:
    """Searches all that the encoders of a WebRTC output make, as whoever watches decodes it."""

    def __init__(self, sink: Any, output: str, findings: Findings) -> None:
        self.broadcast = sink._on_air.broadcast
        self._open, self._output, self._findings = self.broadcast._open, output, findings
        self.broadcast._open = self._opened

    def _opened(self, rung: Rung) -> "OnAir.Encoder":
        return OnAir.Encoder(self._open(rung), rung, self._output, self._findings)

    class Encoder:
        """In the place of one."""

        def __init__(self, encoder: VideoEncoder, rung: Rung, output: str, findings: Findings) -> None:
            self._encoder, self._output, self._findings = encoder, output, findings
            self._decoder: Any = av.CodecContext.create(rung.codec.lower(), "r")

        def encode(self, *picture: Any) -> Encoded | None:
            encoded = self._encoder.encode(*picture)
            if encoded is not None:
                for frame in self._decoder.decode(av.Packet(bytes(encoded.packet))):
                    self._findings.search(self._output, frame.to_ndarray(format="rgb24"))
            return encoded


class WebRtcViewer:
    """Joins the page as a browser does, and searches what comes."""

    def __init__(self, url: str, findings: Findings) -> None:
        self._url, self._findings = url, findings
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._thread.join(30)

    def see(self, frame: av.VideoFrame) -> None:
        self._findings.search("webrtc viewer", frame.to_ndarray(format="rgb24"))

    async def _watch(self) -> None:
        peer = open_peer(HERE)
        peer.addTransceiver("video", "recvonly")
        async with aiohttp.ClientSession() as http:
            session = await join(http, parse_link(self._url), PATH, peer, HERE)
            await watch(peer, self.see)
            await session.leave()


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
