"""Two agents in a call, each a process of its own, and what they say and show."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING
from urllib.request import urlopen

import numpy as np
from PIL import Image

from agent.mjpeg import read_jpegs
from models.landmarks import find_faces
from tests.agent.command import agent_process
from tests.browser import reads

if TYPE_CHECKING:
    from playwright.sync_api import Page

PREVIEW = r"http://127[\d.]+:\d+(?=/?\s)"
LINK = r"http://\S+#token=[\w-]+"
SHOWN = ("--size", "256", "--framing", "head", "--quality", "best")


@contextmanager
def ends(*listening: object, calling: list[object]) -> Iterator[tuple[object, object, list[str]]]:
    """Two agents in a call, and what the one that is called has said so far."""
    with ExitStack() as stack:
        said: list[str] = []
        listener = stack.enter_context(agent_process("call", "--listen", "--port", "0", *map(str, listening)))
        link = heard(listener, said, LINK)
        caller = stack.enter_context(agent_process("call", link, *map(str, calling)))
        yield listener, caller, said


def heard(process, said: list[str], pattern: str) -> str:
    """What an agent says next that matches; `said` has all of it."""
    while True:
        said.append(process.stderr.readline())
        assert said[-1], said
        if found := re.search(pattern, said[-1]):
            return found[0]


def faces_at(url: str) -> int:
    """In the preview's newest picture."""
    with closing(read_jpegs(url, 60)) as pictures:
        _, jpeg = next(pictures)
    return len(find_faces(np.asarray(Image.open(io.BytesIO(jpeg)))))


def shown_at(url: str) -> str:
    """What the preview says of it."""
    with urlopen(f"{url}/status.json") as told:
        return str(json.load(told)["portrait"])


def visit(page: "Page", link: str) -> None:
    """Joins by a link in a browser."""
    page.goto(link)
    page.locator("#name").fill("Ben")
    page.locator("#join").click()
    reads(page, state="Live")
