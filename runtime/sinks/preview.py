"""A web page on this machine that shows the live picture and the agent's meters."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import cv2
from aiohttp import web

from runtime.change import Change
from runtime.clock import Clock, MonotonicClock
from runtime.metrics import Metrics
from runtime.page_server import HEADERS, PageServer
from runtime.picture import Picture
from runtime.sinks.changes import MAX_BYTES, Changes
from runtime.sound import Sound
from runtime.trail import VIEWERS, Step, note

_JPEG_QUALITY = 88
_PAGE = Path(__file__).with_name("page") / "index.html"
_NEXT_PART = b"\r\n--picture\r\nContent-Type: image/jpeg\r\n\r\n"


class _Shot:
    """A picture that becomes a JPEG when the first viewer asks, and only once."""

    def __init__(self, picture: Picture, clock: Clock) -> None:
        self.picture = picture
        self.steps: list[Step] = []
        """Of its way, once it is encoded."""
        self._clock = clock
        self._lock = threading.Lock()
        self._jpeg: bytes | None = None

    def jpeg(self) -> bytes:
        """The picture as JPEG. Any thread."""
        with self._lock:
            if self._jpeg is None:
                asked = Step("wait for viewer", self._clock.now_ns())
                bgr = cv2.cvtColor(self.picture.image, cv2.COLOR_RGB2BGR)
                _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
                self._jpeg = data.tobytes()
                self.steps = [asked, Step("encode", self._clock.now_ns())]
            return self._jpeg


class Preview:
    """Serves `/` (the page), `/stream.mjpeg` and `/status.json` at 127.0.0.1 from a thread of its own.

    Pictures are encoded only while somebody watches, once for all viewers; a viewer that cannot keep up skips
    to the newest one. Requests that name another host are refused (DNS rebinding), and no other site can
    embed the stream or change the picture.

    `status` is called in the server's thread twice a second per viewer and must not block. The page shows
    these keys of what it returns, as in `--report`, and a dash for what is missing: `portrait`, `engine`,
    `backend`, `mode`, `fps` (the target), `fps_rendered`, `frames`, `dropped`, `paths` (the way to
    the output that others see, else to this page; until there is one `stages`, {name: {"p50_ms", "p95_ms"}}),
    `quality` {"rung", "seconds"} where there is a ladder, `silent` (what does not answer) where there is any and, where
    it is a number, `audio_video_offset_ms`; its title shows `title`, if there is one, and its controls `background` and
    `engines` (names of those that can be chosen); `link`, where there is one, lets the next viewer in elsewhere. Of
    files only the name is shown.
    """

    name: ClassVar[str] = "preview"
    shows: ClassVar[bool] = True

    def __init__(
        self,
        port: int = 8765,
        *,
        title: str = "Avatar",
        status: Callable[[], Mapping[str, object]],
        change: Callable[[Change], Sequence[str]] | None = None,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Starts to serve. Where `port` is taken, the next 20 are tried; 0 takes any free one.

        `change` does what the person asks for, as `Changes` says; without it the page has no controls. `metrics` learn
        how old pictures are by the `clock` of the run (None: the machine's own) when viewers have been given them.

        Raises InputError when none is free.
        """
        self._status = status
        self._clock, self._metrics = clock or MonotonicClock(), metrics or Metrics()
        self._shot: _Shot | None = None
        self._encoder = ThreadPoolExecutor(1, "preview-jpeg")
        routes = [web.get("/status.json", self._status_json), web.get("/stream.mjpeg", self._stream)]
        self._changeable: dict[str, object] = {}
        if change is not None:
            changes = Changes(change, lambda: self._server.closing)
            routes.append(web.post("/change/{what}", changes.answer))
            self._changeable = {"largest_upload": MAX_BYTES}
        self._server = PageServer("preview", _PAGE, title, port, routes)
        self._server.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._server.url

    def send(self, picture: Picture) -> None:
        """Shows one picture to whoever watches."""
        self._shot = _Shot(picture, self._clock)
        self._server.wake()

    def hear(self, sound: Sound) -> None:
        """The page is silent."""

    def close(self, complete: bool = True) -> None:
        """Ends the streams, open ones too, and frees the port."""
        self._server.close()
        self._encoder.shutdown()

    async def _status_json(self, _: web.Request) -> web.Response:
        return self._server.answer({**self._status(), **self._changeable})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """JPEGs, each followed at once by the head of the next: until then browsers do not show it."""
        response = web.StreamResponse(headers=HEADERS)
        response.content_type = "multipart/x-mixed-replace; boundary=picture"
        shown: _Shot | None = None
        try:
            await response.prepare(request)
            await response.write(_NEXT_PART)
            while not self._server.closing:
                changed, shot = self._server.changed, self._shot
                if shot is None or shot is shown:
                    await changed.wait()
                    continue
                jpeg = await asyncio.get_running_loop().run_in_executor(self._encoder, shot.jpeg)
                await response.write(jpeg + _NEXT_PART)
                shown = shot
                if shot.picture.trail is not None:
                    steps = [*shot.steps, Step("write", self._clock.now_ns())]
                    note(self._metrics, VIEWERS, shot.picture.trail, steps)
        except ConnectionError:
            pass  # the viewer has gone
        return response
