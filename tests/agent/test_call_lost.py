"""`agent call`: whoever is lost, or leaves early, gives way to an outline or to the next."""

import asyncio
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.call.conversation import Conversation
from agent.config.call import Call
from agent.far import Far
from runtime.change import Nobody
from runtime.transports.call_control import Hello, offered
from runtime.transports.call_peer import CallPeer
from tests.agent.calling import LINK, PREVIEW, SHOWN, ends, faces_at, heard, shown_at, visit
from tests.agent.command import agent_process, wait_until
from tests.browser import reads
from tests.runtime.calls import End

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.alone
@pytest.mark.timeout(400)
def test_an_outline_stands_for_somebody_who_is_lost_until_they_are_back(
    portrait_png: Path, quiet_wav: Path, tmp_path: Path
) -> None:
    both = ["--portrait", portrait_png, "--microphone", quiet_wav, "--mute", *SHOWN]
    calling = [*both, "--name", "Anna", "--output", tmp_path / "near.mp4"]
    with ends(*both, "--output", "preview", "--speaker", "none", calling=calling) as (listener, caller, said):
        url = heard(listener, said, PREVIEW)
        wait_until(lambda: faces_at(url) == 1)
        time.sleep(3)  # who stops before their motion was heard is missed only when the connection is
        caller.send_signal(signal.SIGSTOP)
        heard(listener, said, "may come back")
        try:
            wait_until(lambda: faces_at(url) == 0, 10)
            shown = shown_at(url)
        finally:
            caller.send_signal(signal.SIGCONT)  # long before it may not come back any more
        assert shown == "connection lost: waiting for Anna"
        wait_until(lambda: faces_at(url) == 1)
        assert shown_at(url) == "Anna"


class Drawn:
    """In place of a session."""

    def __init__(self, *_: object, far: Far) -> None:
        self.far = far

    def swap(self, change: object) -> None: ...

    def outline(self) -> np.ndarray:
        return np.zeros((256, 256, 3), np.uint8)

    def close(self) -> None: ...


def test_who_is_lost_while_their_portrait_is_prepared_stays_lost_until_they_are_back(
    portrait_png: Path, quiet_wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, begun = threading.Event(), threading.Event()

    def prepare(*_: object) -> Nobody:
        begun.set()
        prepared.wait(10)
        return Nobody()

    monkeypatch.setattr("agent.call.conversation.Session", Drawn)
    monkeypatch.setattr("agent.call.conversation.their_portrait", prepare)
    config = Call(listen=True, port=0, portrait=portrait_png, microphone=str(quiet_wav), speaker="none")
    anna = Conversation(config, lambda line: None, lambda: False)
    ben = Hello("Ben", offered(b"portrait"), may_keep=False)
    with closing(anna), ThreadPoolExecutor() as pool:
        anna.called(ben)
        shown = pool.submit(anna.show, ben, b"portrait")
        begun.wait(10)
        anna.lost()
        prepared.set()
        shown.result(10)
        assert anna.session.far.status()["portrait"] == "connection lost: waiting for Ben"
        anna.show(ben, b"portrait")
        assert anna.session.far.status()["portrait"] == "Ben"


@pytest.mark.timeout(400)
def test_a_caller_who_leaves_before_anything_is_shown_makes_room_for_a_browser(
    portrait_png: Path, quiet_wav: Path, page: "Page", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(peer: CallPeer, data: bytes) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(CallPeer, "_send", never)
    said: list[str] = []
    shows = ("--portrait", str(portrait_png), *SHOWN, "--output", "preview", "--speaker", "none")
    with agent_process("call", "--listen", "--port", "0", "--microphone", str(quiet_wav), *shows) as listener:
        ben = End("Ben").call(heard(listener, said, LINK))
        heard(listener, said, "Ben is there and shows a portrait")
        ben.close("never mind")
        heard(listener, said, "the call is over: never mind")
        visit(page, re.search(LINK, said[-1])[0])
        heard(listener, said, "Ben is there and shows none: an outline is drawn here")
        url = heard(listener, said, PREVIEW)
        wait_until(lambda: shown_at(url) == "none: Ben is an outline")
        assert faces_at(url) == 0
        listener.send_signal(signal.SIGINT)
        _, rest = listener.communicate(timeout=60)
        assert listener.returncode == 0, rest
    reads(page, what="The other end has hung up")
