"""What the search for pixels of the camera looks at: the code that its camera sees, and who watches each output."""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import av
import cv2
import numpy as np
from failing_parts import HEIGHT, WIDTH, Beat, Plan
from media_server import HERE, watch

from agent.mjpeg import read_jpegs
from runtime.sinks.webrtc import PATH
from runtime.transports.broadcast import Rung
from runtime.transports.encoding import Encoded, VideoEncoder
from runtime.transports.joining import join
from runtime.transports.links import parse_link
from runtime.transports.peer import open_peer

SIZE = 128
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
