"""Inside the virtual machine: Chromium, whose page opens the camera when told to and says what it sees."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).with_name("watch.html")
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --use-fake-ui-for-media-stream --no-first-run "
    "--user-data-dir=/tmp/chromium --disable-extensions --disable-background-networking --disable-component-update "
    "--disable-features=DialMediaRouteProvider,Translate,OptimizationHints"
)


class Watcher:
    """What the page is told, and what it tells."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        """That it sent, RGBA."""
        self._may_look = threading.Semaphore(0)
        self._come = threading.Condition()

    def look(self) -> tuple[dict[str, Any], list[bytes]]:
        """Lets the page open the camera, look twice and let it go: what it told of it, and both pictures.

        Raises TimeoutError, or RuntimeError if the page fails.
        """
        times = len(self._events("closed")) + 1
        self._may_look.release()
        self.wait_for("closed", times)
        told = {"open": self.wait_for("open", times), "frames": self.wait_for("frames", 2 * times)}
        return told, self.pictures[-2:]

    def await_look(self) -> None:
        """The page's: returns once it may look."""
        self._may_look.acquire()

    def tell(self, path: str, body: bytes) -> None:
        """The page's: a picture or an event."""
        with self._come:
            if path == "/picture":
                self.pictures.append(body)
            else:
                self.told.append(json.loads(body))
            self._come.notify_all()

    def wait_for(self, what: str, count: int = 1, patience_s: float = 1200) -> dict[str, Any]:
        """The event number `count` of that kind. Raises TimeoutError, or RuntimeError if the page fails."""
        with self._come:
            if not self._come.wait_for(lambda: len(self._events(what)) >= count or self._events("error"), patience_s):
                raise TimeoutError(f"the browser told {self.told}, not {what}")
        if failures := self._events("error"):
            raise RuntimeError(f"the browser says {failures}")
        return self._events(what)[count - 1]

    def _events(self, what: str) -> list[dict[str, Any]]:
        return [event for event in self.told if event["event"] == what]


@contextmanager
def browser(log: Path) -> Iterator[Watcher]:
    """Chromium on a page that talks to this process, until the end of the block."""
    watcher = Watcher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class's name
            if self.path == "/look":
                watcher.await_look()
            self._answer()

        def do_POST(self) -> None:
            watcher.tell(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self._answer()

        def _answer(self) -> None:
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    words = ["chromium", *_FLAGS.split(), f"{_PAGE.as_uri()}#{server.server_port}"]
    with log.open("w") as output, subprocess.Popen(words, stdout=output, stderr=output) as process:
        try:
            yield watcher
        finally:
            process.kill()
            server.shutdown()
