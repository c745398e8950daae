"""The preview page: opened, and fetched as a browser does."""

import http.client
from urllib.parse import urlsplit

import cv2
import numpy as np

from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.pattern import compare_pattern, draw_pattern
from models.errors import AgentError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.preview import Preview

_PATIENCE_S = 5.0
_JPEG_BEGIN, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_MOST_BYTES = 1_000_000


def try_preview(size: tuple[int, int]) -> OutputTrial:
    """Opens the page where a run would, fetches it and one picture of its stream."""
    try:
        preview = Preview(status=dict)
    except AgentError as error:
        return OutputTrial("preview", refusal=str(error))
    try:
        preview.send(Picture(draw_pattern(size), Motion(0), 0))
        address = urlsplit(preview.url).netloc
        status, page = _get(address, "/")
        difference = f"it answers with status {status}" if status != 200 or b"<html" not in page else _stream(address)
    except (OSError, http.client.HTTPException) as error:
        difference = f"it does not answer ({type(error).__name__})"
    finally:
        preview.close()
    return OutputTrial("preview", preview.url, difference=difference)


def _get(address: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=_PATIENCE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _stream(address: str) -> str:
    """What is wrong with the first picture of the stream; empty if nothing."""
    connection = http.client.HTTPConnection(address, timeout=_PATIENCE_S)
    data = b""
    try:
        connection.request("GET", "/stream.mjpeg")
        answer = connection.getresponse()
        while _JPEG_END not in data and len(data) < _MOST_BYTES:
            part = answer.read1(65_536)
            if not part:
                break
            data += part
    finally:
        connection.close()
    jpeg = data[data.find(_JPEG_BEGIN) : data.find(_JPEG_END) + 2]
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    return "its stream shows no picture" if image is None else compare_pattern(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
