"""The preview page: opened, and fetched as a browser does."""

import http.client
from contextlib import closing
from urllib.parse import urlsplit

import cv2
import numpy as np

from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.pattern import compare_pattern, draw_pattern
from agent.mjpeg import read_jpegs
from models.errors import AgentError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.preview import Preview

_PATIENCE_S = 5.0


def try_preview(size: tuple[int, int]) -> OutputTrial:
    """Opens the page where a run would, fetches it and one picture of its stream."""
    try:
        preview = Preview(status=dict)
    except AgentError as error:
        return OutputTrial("preview", refusal=str(error))
    try:
        preview.send(Picture(draw_pattern(size), Motion(0), 0))
        status, page = _get(urlsplit(preview.url).netloc, "/")
        well = status == 200 and b"<html" in page
        difference = _stream(preview.url) if well else f"it answers with status {status}"
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


def _stream(url: str) -> str:
    """What is wrong with the first picture of the stream; empty if nothing."""
    with closing(read_jpegs(url, _PATIENCE_S)) as jpegs:
        _, jpeg = next(jpegs, (0, b""))
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    return "its stream shows no picture" if image is None else compare_pattern(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
