"""A real browser as a call's other end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from models.motion import Motion, expression
from tests.agent.command import wait_until
from tests.runtime.calls import CLOCK, End

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIVE = "() => document.body.dataset.state === 'live'"
KEEP_PEER = """
    const Peer = RTCPeerConnection;
    window.RTCPeerConnection = class extends Peer { constructor(...told) { super(...told); window.peer = this; } };
"""
MOTIONS = {
    "speaks": Motion(0, expression(jawOpen=0.7, mouthFunnel=0.5)),
    "turns": Motion(0, expression(mouthSmileLeft=0.8, mouthSmileRight=0.8), np.array([0.05, 0.25, 0], np.float32)),
}


@contextmanager
def moving(end: End, motion: Motion) -> Iterator[None]:
    """25 motions a second, all alike."""
    stop = threading.Event()

    def send() -> None:
        due_ns = CLOCK.now_ns()
        while CLOCK.wait_until(due_ns, stop):
            end.line.give(motion.at(due_ns))
            due_ns += 40_000_000

    thread = threading.Thread(target=send)
    thread.start()
    yield
    stop.set()
    thread.join()


def open_page(page: "Page", link: object) -> None:
    page.add_init_script(KEEP_PEER)
    page.goto(str(link))


def join(page: "Page", end: End) -> None:
    open_page(page, end.link)
    page.locator("#name").fill("Ben")
    page.locator("#join").click()
    page.wait_for_function(LIVE)
    wait_until(end.is_shown.is_set, 10)
