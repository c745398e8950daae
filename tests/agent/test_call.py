"""`agent call`: two agents with files as devices, each a process of its own."""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from agent.call.portraits import KeptPortraits, own_avatar, own_portrait, their_portrait
from agent.cli import main
from models.builtin.package import Package
from models.landmarks import MediapipeTracker, find_faces
from models.topology import LEFT_IRIS, RIGHT_IRIS
from runtime.transports.call_control import Hello, digest_of, offered
from tests.agent.calling import LINK, SHOWN, ends, heard, visit
from tests.agent.clips import decode, speech
from tests.agent.command import agent_process
from tests.browser import reads

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIPS = (13, 14)  # middles of the inner lips


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
