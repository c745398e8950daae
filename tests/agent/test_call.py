"""`agent call`: two agents with files as devices, each a process of its own."""

import asyncio
import io
import json
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import av
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from agent.call.conversation import Conversation
from agent.call.portraits import KeptPortraits, own_avatar, own_portrait, their_portrait
from agent.cli import main
from agent.config.call import Call
from agent.far import Far
from agent.mjpeg import read_jpegs
from models.builtin.package import Package
from models.landmarks import MediapipeTracker, find_faces
from models.topology import LEFT_IRIS, RIGHT_IRIS
from runtime.change import Nobody
from runtime.transports.call_control import Hello, digest_of, offered
from runtime.transports.call_peer import CallPeer
from tests.agent.clips import decode, speech
from tests.agent.command import agent_process, wait_until
from tests.browser import reads
from tests.runtime.calls import End

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIPS = (13, 14)  # middles of the inner lips
PREVIEW = r"http://127[\d.]+:\d+(?=/?\s)"
LINK = r"http://\S+#token=[\w-]+"
SHOWN = ("--size", "256", "--framing", "head", "--quality", "best")


@pytest.fixture
def quiet_wav(tmp_path: Path) -> Path:
    path = tmp_path / "quiet.wav"
    wavfile.write(path, 16_000, np.zeros(16_000 * 60, np.int16))
    return path


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


def mouth(path: Path) -> np.ndarray:
    """How far the lips are apart, in eye distances, 25 times a second of the video's time, until nobody is there."""
    gaps, times = [], []
    with av.open(str(path)) as container, closing(MediapipeTracker()) as tracker:
        for frame in container.decode(video=0):
            landmarks = tracker.track(frame.to_ndarray(format="rgb24"))
            if landmarks is None:
                break
            face = landmarks[:, :2]
            eyes = np.linalg.norm(face[RIGHT_IRIS[0]] - face[LEFT_IRIS[0]])
            gaps.append(np.linalg.norm(np.subtract(*face[list(LIPS)])) / eyes)
            times.append(frame.time)
    return np.interp(np.arange(0, times[-1], 0.04), times, gaps)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The best correlation of `one` with any part of `other`, which is longer."""
    return max(
        float(np.corrcoef(one, other[at : at + len(one)])[0, 1]) for at in range(len(other) - len(one) + 1)
    )  # fmt: skip


@pytest.mark.alone
@pytest.mark.timeout(400)
def test_a_far_face_speaks_with_its_sender_s_mouth_and_voice(
    portrait_png: Path, speech_wav: Path, quiet_wav: Path, tmp_path: Path
) -> None:
    own, said_wav = tmp_path / "own.mp4", tmp_path / "said.wav"
    rate_hz, samples = wavfile.read(speech_wav)
    wavfile.write(said_wav, rate_hz, samples[: 5 * rate_hz])
    speaks = ["--portrait", portrait_png, "--microphone", said_wav, *SHOWN]
    assert main(["run", *map(str, speaks), "--output", str(own), "--offline"]) == 0
    listens = ["--portrait", portrait_png, "--microphone", quiet_wav, "--mute", *SHOWN]
    far, near, report = tmp_path / "far.mp4", tmp_path / "near.mp4", tmp_path / "report.json"
    calling = [*speaks, "--output", near, "--name", "Anna"]
    with ends(*listens, "--output", far, "--report", report, calling=calling) as (listener, caller, said):
        _, caller_said = caller.communicate(timeout=200)
        assert caller.returncode == 0, caller_said
        assert "the call is over: hung up" in caller_said
        heard(listener, said, "is over")
        listener.send_signal(2)
        _, rest = listener.communicate(timeout=60)
        assert listener.returncode == 0, rest
    assert "Anna is there and shows a portrait, which is drawn here and kept for the next call\n" in said
    assert "Anna is given your portrait portrait.png\n" in said
    assert said[0] not in said[-1] and "#token=" in said[-1]  # another link
    gaps = mouth(far)
    assert len(gaps) > 100
    assert likeness(mouth(own)[10:-10], gaps) > 0.7
    assert likeness(mouth(own)[10:-10], np.resize(mouth(near), 4 * len(gaps))) < 0.6
    figures = json.loads(report.read_text())
    assert figures["mode"] == "call"
    assert figures["call"]["packets_received"] > 30 and figures["call"]["packets_dropped"] == 0
    assert abs(figures["audio_video_offset_ms"]) < 150
    assert decode(far)[1] > 2


@pytest.mark.alone
@pytest.mark.timeout(400)
def test_a_browser_is_heard_and_an_outline_stands_for_it(
    portrait_png: Path, speech_wav: Path, quiet_wav: Path, tmp_path: Path, page: "Page"
) -> None:
    page.context.grant_permissions(["microphone"])
    far, said_wav, said = tmp_path / "far.mp4", tmp_path / "said.wav", []
    rate_hz, samples = wavfile.read(speech_wav)
    wavfile.write(said_wav, rate_hz, samples[:rate_hz])
    listening = ("--portrait", str(portrait_png), "--microphone", str(quiet_wav), "--name", "Anna", *SHOWN)
    with agent_process("call", "--listen", "--port", "0", *listening, "--output", str(far)) as listener:
        visit(page, heard(listener, said, LINK))
        heard(listener, said, "Ben is there and shows none: an outline is drawn here")
        page.locator("#microphone").click()
        page.wait_for_timeout(3000)
        page.locator("#leave").click()
        link = heard(listener, said, LINK)
        calling = ("--portrait", str(portrait_png), "--microphone", str(said_wav), "--size", "128")
        with agent_process("call", link, *calling, "--output", str(tmp_path / "near.mp4")) as caller:
            heard(listener, said, "now shown: the portrait, background keep, engine builtin")
            assert caller.wait(60) == 0
        link = heard(listener, said, LINK)
        heard(listener, said, "now shown: nobody, background keep, engine still")
        page.wait_for_timeout(2000)
        visit(page, link)
        page.wait_for_timeout(500)
        listener.send_signal(2)
        _, rest = listener.communicate(timeout=60)
        assert listener.returncode == 0, rest
    reads(page, what="Anna has hung up")
    pictures, _ = decode(far)
    seen = [len(find_faces(picture)) for picture in pictures[::10]]
    assert max(seen) == 1
    assert seen[0] == sum(seen[-5:]) == 0, "two seconds before the next guest comes"
    with av.open(str(far)) as container:
        assert max(np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0)) > 0.05


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


def faces_at(url: str) -> int:
    """In the preview's newest picture."""
    with closing(read_jpegs(url, 60)) as pictures:
        _, jpeg = next(pictures)
    return len(find_faces(np.asarray(Image.open(io.BytesIO(jpeg)))))


def shown_at(url: str) -> str:
    """What the preview says of it."""
    with urlopen(f"{url}/status.json") as told:
        return str(json.load(told)["portrait"])


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


def visit(page: "Page", link: str) -> None:
    """Joins by a link in a browser."""
    page.goto(link)
    page.locator("#name").fill("Ben")
    page.locator("#join").click()
    reads(page, state="Live")


def test_an_avatar_is_as_wide_as_the_photo(portrait_png: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.png"
    with Image.open(portrait_png) as photo:
        photo.crop((0, 0, photo.width, photo.width * 5 // 8)).save(wide)
    assert Package.from_bytes(own_avatar(wide)).numbers["size"] == [512, 320]


def test_wrong_usage_costs_one_line(portrait_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    me = ("--portrait", str(portrait_png), "--output", str(tmp_path / "far.mp4"))
    wav = tmp_path / "a.wav"
    wavfile.write(wav, 16_000, speech(1.0, 16_000))
    heard = ("--microphone", str(wav))
    for line, message in {
        (): "give either a link",
        ("http://127.0.0.1:1/#token=a", "--listen"): "give either a link",
        ("http://127.0.0.1:1/", *heard): "no link of an agent",
        ("http://127.0.0.1:9/#token=a", *heard): "http://127.0.0.1:9/call does not answer",
        ("--listen", "--host", "example.org", *heard): "no address of this machine",
        ("--listen", "--host", "192.0.2.7", *heard): "no address of this machine",
        ("--listen", "--ice-server", "http://x", *heard): "no STUN or TURN server",
        ("--listen", "--ice-server", "turn:ann:pw@127.0.0.1", *heard): "AGENT_TURN_USER and AGENT_TURN_PASSWORD",
        ("--listen", "--ice-server", "stuns:example.org", *heard): "give stun:HOST:PORT",
        ("--listen", "--ice-server", "turns:example.org?transport=udp", *heard): "give turns:HOST:PORT",
        ("--listen", "--ice-server", "turn:a", "--ice-server", "turns:b", *heard): "one STUN and one TURN server",
        ("--listen", "--relay-only", *heard): "give --ice-server turn:HOST:PORT",
        ("http://127.0.0.1:9/#token=a", "--relay-only", *heard): "give --ice-server turn:HOST:PORT",
        ("--listen", "--microphone", "nowhere.wav"): "nowhere.wav",
        ("--listen", "--speaker", "nobody's", *heard): "no loudspeaker",
    }.items():
        assert main(["call", *line, *me]) in (1, 2), line
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and message in lines[0], lines
        assert not (tmp_path / "far.mp4").exists()


def test_a_portrait_is_kept_only_if_it_may_be_and_under_its_digest_alone(
    portrait_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path))
    data = own_portrait(portrait_png)
    hello = Hello("Anna", offered(data), may_keep=False)
    assert their_portrait(hello, data).name == "the portrait of Anna"
    kept = KeptPortraits()
    kept.save(hello, data)
    digest = digest_of(data)
    assert kept.load(digest) is None
    kept.save(Hello("Anna", offered(data), may_keep=True), data)
    assert kept.load(digest) == data
    assert kept.save(hello, data), "what was kept is removed when its owner wants that"
    assert kept.load(digest) is None and not kept.save(hello, data)
    kept.save(Hello("Anna", offered(data), may_keep=True), data)
    [entry] = (tmp_path / "call-portraits").iterdir()
    assert entry.stem == digest
    entry.write_bytes(entry.read_bytes()[:-1] + b"x")
    assert kept.load(digest) is None
