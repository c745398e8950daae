"""The preview page's pictures as a program reads them."""

import http.client
import time
from collections.abc import Generator

_BEGINS, _ENDS = b"\xff\xd8", b"\xff\xd9"
_CHUNK = 1 << 16


def read_jpegs(url: str, timeout_s: float | None = None) -> Generator[tuple[int, bytes], None, None]:
    """Connects, and gives each picture from then on: when it was there, monotonic nanoseconds, and its JPEG file.

    Args:
        url: of the page, as the run names it.
        timeout_s: how long the next piece of a picture may take; None waits for ever.

    Raises OSError or http.client.HTTPException where nothing answers or the answer breaks off.
    """
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=timeout_s)
    connection.request("GET", "/stream.mjpeg")
    return _jpegs(connection.getresponse())


def _jpegs(stream: http.client.HTTPResponse) -> Generator[tuple[int, bytes], None, None]:
    with stream:
        data = b""
        while chunk := stream.read1(_CHUNK):
            data += chunk
            while (end := data.find(_ENDS)) >= 0:
                at_ns = time.monotonic_ns()
                yield at_ns, data[data.find(_BEGINS) : end + 2]
                data = data[end + 2 :]
