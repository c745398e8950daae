"""The WebRTC page: in a real browser, and by those who mean no good."""

import http.client
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from models.errors import InputError
from runtime.sinks import DelayingSink
from runtime.sinks.webrtc import WebRtc
from tests.browser import reads
from tests.runtime.webrtc_feed import SIZE, coloured, feeding, open_sink

if TYPE_CHECKING:
    from playwright.sync_api import Page

SEES = """colour => {
    const video = document.getElementById("picture");
    if (!video.videoWidth) return false;
    const canvas = new OffscreenCanvas(8, 8).getContext("2d");
    canvas.drawImage(video, 0, 0, 8, 8);
    const seen = canvas.getImageData(4, 4, 1, 1).data;
    return colour.every((value, i) => Math.abs(value - seen[i]) < 12);
}"""
HEARS = """async () => {
    for (const report of (await peer.getStats()).values()) {
        if (report.type === "inbound-rtp" && report.kind === "audio") return report.totalAudioEnergy > 0.001;
    }
    return false;
}"""
LIVE = "() => document.body.dataset.state === 'live'"


@pytest.fixture
def sink() -> Iterator[WebRtc]:
    sink = open_sink()
    yield sink
    sink.close()


def ask(sink: WebRtc, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(sink.url).netloc, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def watched_by(sink: WebRtc, viewers: int) -> bool:
    for _ in range(100):
        if sink.viewers == viewers:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_browser_sees_hears_leaves_and_comes_back(sink: WebRtc, page: "Page", codec: str) -> None:
    with feeding(sink, lambda: coloured((200, 80, 40))):
        page.goto(sink.url.replace("/#", f"/?codec={codec}#"))
        page.wait_for_function(LIVE)
        page.wait_for_function(SEES, arg=[200, 80, 40])
        assert "token" not in page.url
        page.locator("#hear").click()
        page.wait_for_function(HEARS)
        page.locator("#show-figures").click()
        reads(page, state="Live", codec=codec, size=f"{SIZE[0]} × {SIZE[1]}", viewers="1")
        assert page.title() == "Ada"
        page.reload()
        page.wait_for_function(LIVE)
        assert watched_by(sink, 1)
        page.goto("about:blank")
        assert watched_by(sink, 0)
        page.go_back()
        page.wait_for_function(LIVE)
        page.wait_for_function(SEES, arg=[200, 80, 40])
    sink.close()
    reads(page, state="Ended", notice_title="The avatar has left")


def test_a_browser_comes_back_by_itself(sink: WebRtc, page: "Page") -> None:
    with feeding(sink, lambda: coloured((40, 80, 200))):
        page.goto(sink.url)
        page.wait_for_function(LIVE)
        page.evaluate("() => { window.first = peer; peer.dispatchEvent(new Event('connectionstatechange')); }")
        page.evaluate("() => { const lost = peer; retry('The connection is lost'); }")
        page.wait_for_function("() => window.first !== peer && document.body.dataset.state === 'live'")
        page.wait_for_function(SEES, arg=[40, 80, 200])


def test_without_the_link_nobody_gets_in(sink: WebRtc, page: "Page") -> None:
    page.goto(sink.url.partition("#")[0])
    reads(page, state="No link")
    page.goto("about:blank")
    page.goto(sink.url[:-3] + "abc")
    reads(page, state="Refused")
    assert sink.viewers == 0


def test_strangers_are_refused(sink: WebRtc) -> None:
    token = sink.url.partition("token=")[2]
    good = {"Authorization": f"Bearer {token}", "Content_Type": "application/sdp"}
    for path, headers, status in (
        ("/whep", {}, 415),
        ("/whep", good | {"Authorization": "Bearer x"}, 401),
        ("/whep", good | {"Origin": "http://evil.example"}, 403),
        ("/whep", good | {"Host": "evil.example"}, 403),
        ("/whep", good, 400),
        ("/other", good, 403),
        ("/whep/other", good, 405),
    ):
        assert ask(sink, "POST", path, "hello", **headers)[0] == status, (path, headers)
    assert ask(sink, "DELETE", "/whep/x")[0] == 404
    assert ask(sink, "GET", "/whep/x/news")[0] == 404
    assert ask(sink, "GET", "/whep/../../etc/passwd")[0] == 404
    assert sink.viewers == 0


def test_a_port_that_is_taken_or_an_address_of_somebody_else(sink: WebRtc) -> None:
    from runtime.clock import MonotonicClock
    from runtime.metrics import Metrics
    from runtime.transports.ice import IcePolicy

    port = int(urlsplit(sink.url).port or 0)
    for host, wanted, words in (("127.0.0.1", port, "taken"), ("192.0.2.77", 0, "no address of this machine")):
        with pytest.raises(InputError, match=words):
            WebRtc(
                SIZE,
                25,
                host=host,
                port=wanted,
                policy=IcePolicy(),
                viewers=1,
                sound=False,
                status=dict,
                say=print,
                clock=MonotonicClock(),
                metrics=Metrics(),
            )


def test_it_is_a_sink_whose_sound_is_late(sink: WebRtc) -> None:
    assert isinstance(sink, DelayingSink)
    assert sink.encoders_opened == 0  # nobody watches: nothing is encoded
    sink.close()
    sink.close()
