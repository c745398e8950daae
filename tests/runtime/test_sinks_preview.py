"""The preview page over real HTTP, and in a real browser where there is one."""

import http.client
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from models.motion import Motion
from runtime import page_server
from runtime.clock import FakeClock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.sinks import preview as preview_module
from runtime.sinks.preview import Preview
from runtime.trail import Driven, Step, Trail, note, paths
from tests.browser import reads, shows

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

STATUS = {
    "portrait": "me <b>.png",
    "engine": "builtin",
    "backend": "numpy",
    "mode": "audio",
    "fps": 25,
    "fps_rendered": 24.41,
    "frames": 1834,
    "dropped": 3,
    "stages": {
        "render": {"p50_ms": 14.23, "p95_ms": 18.81},
        "sink /home/me/secret/talk.mp4": {"p50_ms": 1.0, "p95_ms": 2.0},
    },
}
RED, BLUE = (200, 10, 20), (20, 30, 210)


def picture(colour: tuple[int, int, int]) -> Picture:
    return Picture(np.full((64, 64, 3), colour, np.uint8), Motion(0), 0)


@pytest.fixture
def preview() -> Iterator[Preview]:
    sink = Preview(0, title="Me & <i>", status=lambda: STATUS)
    yield sink
    sink.close()


def port_of(preview: Preview) -> int:
    return int(preview.url.rsplit(":", 1)[1].strip("/"))


def get(preview: Preview, path: str, host: str | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(preview), timeout=20)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    return connection.getresponse()


def viewer_with_little_room(preview: Preview) -> http.client.HTTPResponse:
    """A stream whose sender must soon wait for the one who reads it."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(preview))
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sock.settimeout(20)
    connection.sock.connect(("127.0.0.1", port_of(preview)))
    connection.request("GET", "/stream.mjpeg")
    return connection.getresponse()


def next_jpeg(stream: http.client.HTTPResponse) -> tuple[bytes, np.ndarray]:
    """The next part of the stream, as sent and decoded. Its end is known before anything else is sent."""
    lines: list[bytes] = []
    while True:
        lines.append(stream.readline())
        assert lines[-1] != b"", "the stream has ended"
        if lines[-3:] == [b"--picture\r\n", b"Content-Type: image/jpeg\r\n", b"\r\n"]:
            jpeg = b"".join(lines[:-3]).removesuffix(b"\r\n")
            if jpeg:
                return jpeg, np.asarray(Image.open(io.BytesIO(jpeg)))
            lines.clear()  # the head of the first


def test_the_stream_shows_the_last_picture_and_each_new_one(preview: Preview) -> None:
    preview.send(picture(RED))
    stream = get(preview, "/stream.mjpeg")
    assert stream.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
    np.testing.assert_allclose(next_jpeg(stream)[1][30, 30], RED, atol=4)
    preview.send(picture(BLUE))
    np.testing.assert_allclose(next_jpeg(stream)[1][30, 30], BLUE, atol=4)


def test_a_picture_is_encoded_once_for_all_viewers_and_never_for_none(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, calls = preview_module.cv2.imencode, []
    monkeypatch.setattr(preview_module.cv2, "imencode", lambda *args: (calls.append(1), encode(*args))[1])
    for _ in range(10):
        preview.send(picture(BLUE))
    preview.send(picture(RED))
    get(preview, "/status.json").read()
    assert calls == []
    first, second = get(preview, "/stream.mjpeg"), get(preview, "/stream.mjpeg")
    assert next_jpeg(first)[0] == next_jpeg(second)[0]
    assert calls == [1]
    first.close()
    second.close()
    quiet = 0
    for _ in range(500):  # the server learns of it when it writes to them
        before = len(calls)
        preview.send(picture(BLUE))
        threading.Event().wait(0.01)
        quiet = quiet + 1 if len(calls) == before else 0
        if quiet == 5:
            return
    pytest.fail("pictures are encoded for viewers that have gone")


@pytest.mark.timeout(30)
def test_a_viewer_that_does_not_read_delays_nobody_and_skips_to_the_newest(preview: Preview) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (640, 640, 3), np.uint8)

    def numbered(index: int) -> Picture:
        image = noise.copy()
        image[:64, :64] = index * 8
        return Picture(image, Motion(0), 0)

    slow, fast = viewer_with_little_room(preview), get(preview, "/stream.mjpeg")
    numbers = range(1, 31)  # more than the buffers on the way can hold
    for index in numbers:
        preview.send(numbered(index))
        assert abs(int(next_jpeg(fast)[1][32, 32, 0]) - index * 8) < 4
    seen = []
    while not seen or seen[-1] != numbers[-1]:
        seen.append(round(int(next_jpeg(slow)[1][32, 32, 0]) / 8))
    assert seen == sorted(seen)
    assert len(seen) < len(numbers)


def test_how_old_a_picture_is_when_a_viewer_has_it_is_learnt_where_one_looks() -> None:
    clock, metrics = FakeClock(50_000_000), Metrics()
    sink = Preview(0, status=dict, clock=clock, metrics=metrics)
    moved = Trail(Driven(Motion(0), 0, 10_000_000, 20_000_000), 30_000_000, 40_000_000)
    try:
        sink.send(replace(picture(RED), trail=moved))
        assert paths(metrics) == {}
        next_jpeg(get(sink, "/stream.mjpeg"))
    finally:
        sink.close()  # waits for what is being written
    path = paths(metrics)["browser"]
    assert [step.name for step in path.steps][-3:] == ["wait for viewer", "encode", "write"]
    assert path.p50_ms == sum(step.p50_ms for step in path.steps) == 50.0


def test_close_does_not_wait_for_a_viewer_that_does_not_read(preview: Preview) -> None:
    stuck = viewer_with_little_room(preview)
    noise = np.random.default_rng(1).integers(0, 255, (3000, 3000, 3), np.uint8)
    preview.send(Picture(noise, Motion(0), 0))
    stuck.read(100_000)  # it is being sent
    ended = threading.Thread(target=preview.close)
    ended.start()
    ended.join(20)
    assert not ended.is_alive()


def test_the_status_is_what_the_agent_says(preview: Preview) -> None:
    answer = get(preview, "/status.json")
    said = json.loads(answer.read())
    assert len(said.pop("run")) == 16
    assert said == STATUS


@pytest.mark.parametrize("path", ["/", "/status.json", "/stream.mjpeg"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1"])
def test_another_host_name_is_refused(preview: Preview, path: str, host: str) -> None:
    preview.send(picture(RED))
    answer = get(preview, path, host.format(port=port_of(preview)))
    assert answer.status == 403
    assert b"127.0.0.1" in answer.read()


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}"])
def test_this_machine_is_let_in(preview: Preview, host: str) -> None:
    answer = get(preview, "/", host.format(port=port_of(preview)))
    assert answer.status == 200
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_page_loads_nothing_from_elsewhere_and_escapes_the_title(preview: Preview) -> None:
    first, second = get(preview, "/"), get(preview, "/")
    policy = first.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert policy != second.headers["Content-Security-Policy"]  # a nonce is used once
    page = first.read().decode()
    assert "<h1>Me &amp; &lt;i&gt;</h1>" in page
    assert "{{" not in page
    assert not re.search(r"""https?:|["'(=]//""", page.replace("http://www.w3.org/2000/svg", ""))


def test_only_this_machine_is_listened_to(preview: Preview) -> None:
    assert preview._server.socket.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_leads_to_the_next_one(preview: Preview) -> None:
    with socket.socket() as blocker:
        blocker.bind(("127.0.0.1", 0))
        blocker.listen()
        taken = blocker.getsockname()[1]
        other = Preview(taken, status=dict)
        try:
            assert taken < port_of(other) <= taken + 20
            assert get(other, "/").status == 200
        finally:
            other.close()


def test_no_free_port_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch, preview: Preview) -> None:
    monkeypatch.setattr(page_server, "_PORTS_TRIED", 1)
    with pytest.raises(InputError, match=r"is taken.*choose another"):
        Preview(port_of(preview), status=dict)


def test_close_ends_open_streams_and_frees_the_port(preview: Preview) -> None:
    preview.send(picture(RED))
    stream = get(preview, "/stream.mjpeg")
    next_jpeg(stream)
    ended = threading.Thread(target=preview.close)
    ended.start()
    assert stream.read() == b""  # comes to its end rather than breaking off
    ended.join(20)
    assert not ended.is_alive()
    preview.close()
    preview.send(picture(BLUE))
    with pytest.raises(ConnectionRefusedError):
        get(preview, "/")


def test_the_page_shows_each_picture_without_waiting_for_the_next(preview: Preview, page: "Page") -> None:
    page.goto(preview.url)
    reads(page, notice_title="Waiting for the first picture")
    page.locator("#notice").wait_for(state="visible")
    for colour in (RED, BLUE):
        preview.send(picture(colour))
        shows(page, colour)


def test_the_meters_show_what_the_status_says(page: "Page") -> None:
    status: dict[str, object] = dict(STATUS)
    sink = Preview(0, status=lambda: status)
    try:
        page.goto(sink.url)
        reads(page, fps="24.4 / 25", frames="1834", dropped="3", p50="–", p95="–", p99="–", end="picture")
        reads(page, portrait="me <b>.png", mode="microphone", engine="builtin, numpy")
        assert page.locator("#stages tr").all_inner_texts() == ["render\t14.2\t18.8", "sink talk.mp4\t1.0\t2.0"]
        assert "warn" in (page.locator("#dropped-tile").get_attribute("class") or "")

        reads(page, still="")
        status |= {"since_picture_s": 9.7}
        reads(page, still=": no new one for 10 s")
        status |= {"fps_rendered": 119.96, "fps": 120, "frames": 2_160_000, "dropped": 0}
        reads(page, fps="120.0 / 120", frames="2.16M", dropped="0")
        assert page.locator("#dropped-tile").get_attribute("class") == ""
        assert page.evaluate(CUT_OFF) == []

        assert page.locator("#offset").is_hidden()
        for offset_ms, said in ((-0.3, "0 ms"), (12.6, "13 ms")):
            status["audio_video_offset_ms"] = offset_ms
            reads(page, offset=said)
        assert page.locator("#offset").is_visible()

        status.clear()
        reads(page, fps="–", frames="–", dropped="–", p50="–", portrait="–", mode="–", engine="–", stages="")
    finally:
        sink.close()


def test_the_meters_name_what_does_not_answer(page: "Page") -> None:
    status: dict[str, object] = {**STATUS, "silent": ["camera 0 (Webcam)", "the output /home/me/secret/talk.mp4"]}
    sink = Preview(0, status=lambda: status)
    try:
        page.goto(sink.url)
        reads(page, silent="camera 0 (Webcam), talk.mp4")
        assert page.evaluate(CUT_OFF) == []
        status["silent"] = []
        page.locator("#silent").wait_for(state="hidden")
    finally:
        sink.close()


def test_the_meters_show_where_the_time_goes_and_how_far_quality_is_reduced(page: "Page") -> None:
    metrics = Metrics()
    ends = (("/home/me/secret/talk.mp4", 900), ("preview", 60), ("virtual-camera", 80))
    ends += (("browser", 70), ("whip:live.example.org", 75))
    for end, last_ms in ends:
        driven = Driven(Motion(0), 0, 10_000_000, 30_000_000)
        note(metrics, end, Trail(driven, 40_000_000, 60_000_000), [Step("wait for viewer", last_ms * 1_000_000)])
    status: dict[str, object] = dict(STATUS)
    status["paths"] = {end: asdict(path) for end, path in paths(metrics).items()}
    status["quality"] = {"rung": 2, "seconds": [1.0, 2.0, 3.0, 0.0, 0.0]}
    sink = Preview(0, status=lambda: status)
    try:
        page.goto(sink.url)
        reads(page, end="virtual camera", p50="80 ms", p95="80 ms", p99="80 ms", quality="reduced, step 2 of 4")
        reads(page, ends="whip:live.example.org 75 ms, this page 70 ms, talk.mp4 900 ms")
        names = ["wait for driver", "driver", "wait for tick", "draw", "wait for viewer"]
        assert [text.strip() for text in page.locator("#stages th").all_inner_texts()] == names
        bars = page.locator(".track i").evaluate_all(
            "bars => bars.map(bar => [bar.className, bar.style.marginLeft, bar.style.width])"
        )
        assert bars == [
            ["wait", "0%", "12.5%"],
            ["work", "12.5%", "25%"],
            ["wait", "37.5%", "12.5%"],
            ["work", "50%", "25%"],
            ["wait", "75%", "25%"],
        ]
        assert page.evaluate(CUT_OFF) == []
        status["quality"] = {"rung": 0, "seconds": [1.0, 2.0, 3.0, 0.0, 0.0]}
        reads(page, quality="full")
        assert "secret" not in page.locator("body").inner_text()
        status["paths"] = {
            end: path for end, path in status["paths"].items() if end in ("browser", "/home/me/secret/talk.mp4")
        }
        reads(page, end="this page", p50="70 ms", ends="talk.mp4 900 ms")
        status["paths"] = {}
        reads(page, end="picture", p50="–")
        assert page.locator("#stages tr").first.inner_text().split() == ["render", "14.2", "18.8"]
        assert page.locator("#key").is_hidden()
    finally:
        sink.close()


CUT_OFF = """[...document.querySelectorAll("section, section *")]
    .filter(element => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display != "inline"
        || element.getBoundingClientRect().right > innerWidth)
    .map(element => element.outerHTML)"""


def test_the_page_says_when_the_agent_ends_and_continues_with_the_next(preview: Preview, page: "Page") -> None:
    preview.send(picture(RED))
    page.goto(preview.url)
    shows(page, RED)
    preview.close()
    reads(page, state="Ended", notice_title="The agent has ended")
    page.locator("#notice").wait_for(state="visible")
    again = Preview(port_of(preview), status=lambda: {"frames": 7})
    try:
        assert again.url == preview.url
        again.send(picture(BLUE))
        shows(page, BLUE)
        reads(page, frames="7")
    finally:
        again.close()


def test_the_page_notices_another_agent_even_if_it_saw_no_gap(preview: Preview, page: "Page") -> None:
    preview.send(picture(RED))
    page.goto(preview.url)
    shows(page, RED)
    held: list[Route] = []
    # the page asks while one agent goes and is answered by the next
    page.route("**/status.json", lambda route: held.append(route), times=1)
    while not held:
        page.wait_for_timeout(20)
    preview.close()
    again = Preview(port_of(preview), status=dict)
    try:
        again.send(picture(BLUE))
        held[0].continue_()
        shows(page, BLUE)
    finally:
        again.close()


def test_the_page_says_when_the_agent_does_not_answer(page: "Page") -> None:
    answering = threading.Event()
    sink = Preview(0, status=lambda: {} if answering.is_set() else {}["nothing"])
    try:
        page.goto(sink.url)
        reads(page, state="No answer", notice_title="The agent does not answer")
        answering.set()
        sink.send(picture(BLUE))
        shows(page, BLUE)
    finally:
        sink.close()


def test_another_site_cannot_embed_the_picture(preview: Preview, page: "Page") -> None:
    preview.send(picture(RED))
    with page.expect_event("requestfailed") as failed:
        page.set_content(f'<img src="{preview.url}stream.mjpeg">', wait_until="commit")
    assert "BLOCKED_BY_RESPONSE" in str(failed.value.failure)
