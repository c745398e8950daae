"""The WebRTC page: in a real browser, and by those who mean no good."""

import asyncio
import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import pytest

from models.errors import InputError
from runtime.sinks import DelayingSink
from runtime.sinks.webrtc import WebRtc
from runtime.transports.ice import gatherers
from runtime.transports.peer import close_peer, offer, open_peer
from tests.agent.command import wait_until
from tests.browser import reads
from tests.runtime.calls import End
from tests.runtime.webrtc_feed import HERE, SIZE, coloured, feeding, open_sink

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

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
SLOW = """wait_ms => {
    const really = window.fetch;
    let waiting = 0;
    window.answers = window.most = 0;
    window.fetch = async (url, options) => {
        if (options?.method !== "POST") return really(url, options);
        window.most = Math.max(window.most, ++waiting);
        const answer = await really(url, options);
        await new Promise(resolve => setTimeout(resolve, wait_ms));
        waiting -= 1;
        window.answers += 1;
        return answer;
    };
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


def test_a_link_that_nobody_uses_gives_way_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.sinks.webrtc._LINK_S", 0.5)
    said: list[str] = []
    sink = open_sink(say=said.append)
    first = sink.url
    wait_until(lambda: len(said) > 1)
    assert "nobody has used the link" in said[0] and first not in said[0] and said[0] != said[1]
    assert asyncio.run(watch(sink, first.partition("token=")[2])) == 401
    sink.close()


def test_players_join_with_the_link_once_and_with_a_token_of_the_user_s_at_any_time() -> None:
    standing = "a token of the user's own"
    sink = open_sink(viewers=8, token=standing)
    link = sink.url.partition("token=")[2]
    try:
        assert [asyncio.run(watch(sink, token)) for token in (link, link)] == [201, 401]
        assert [asyncio.run(watch(sink, standing)) for _ in range(3)] == [201] * 3
        assert asyncio.run(watch(sink, standing[:-1])) == 401
        assert asyncio.run(watch(sink, sink.url.partition("token=")[2])) == 201
    finally:
        sink.close()


async def watch(sink: WebRtc, bearer: str) -> int:
    """What a WHEP player is answered."""
    peer = open_peer(HERE)
    peer.addTransceiver("video", "recvonly")
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {bearer}"}
    base = sink.url.partition("/#")[0]
    async with aiohttp.ClientSession() as http:
        body = (await offer(peer, HERE)).encode()
        async with http.post(f"{base}/whep", data=body, headers=headers) as answer:
            if answer.status == 201:
                assert answer.headers["X-Resume-Token"]
                await http.delete(base + answer.headers["Location"])
    await close_peer(peer)
    return answer.status


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


def test_a_browser_whose_network_goes_joins_anew_by_itself(sink: WebRtc, page: "Page") -> None:
    with feeding(sink, lambda: coloured((40, 200, 80))):
        page.goto(sink.url)
        page.wait_for_function(SEES, arg=[40, 200, 80])
        page.evaluate("() => { window.first = peer; }")
        cut_off(sink)
        page.wait_for_function("() => document.body.dataset.state === 'lost'")
        reads(page, state="Reconnecting", notice_title="The connection is lost")
        page.wait_for_function("() => window.first !== peer && document.body.dataset.state === 'live'")
        page.wait_for_function(SEES, arg=[40, 200, 80])
        assert watched_by(sink, 1), "the place of before is free"


def test_a_browser_that_counts_no_signs_of_life_misses_the_sound(sink: WebRtc, page: "Page") -> None:
    page.add_init_script(COUNTS_LITTLE)
    with feeding(sink, lambda: coloured((40, 200, 80))):
        page.goto(sink.url)
        page.wait_for_function(SEES, arg=[40, 200, 80])
        cut_off(sink)
        reads(page, state="Reconnecting", notice_title="The connection is lost")


COUNTS_LITTLE = """
const getStats = RTCPeerConnection.prototype.getStats;
const known = new Map();
RTCPeerConnection.prototype.getStats = async function () {
  for (const [id, { requestsReceived, responsesReceived, ...report }] of await getStats.call(this))
    known.set(id, report);
  return known;
};
Object.defineProperty(RTCPeerConnection.prototype, "connectionState", { get: () => "connected" });
const ask = window.fetch;
window.fetch = (url, how) => String(url).endsWith("/news") ? new Promise(() => {}) : ask(url, how);
"""
"""As Firefox does, and forgets no pair of addresses; and neither it nor the agent says that a line is gone."""


class Nowhere:
    """A socket of a network that is gone."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def sendto(self, data: bytes, address: object = None) -> None: ...

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


def cut_off(sink: WebRtc) -> None:
    """Nothing goes to the only viewer or comes from it any more, signs of life neither."""
    [viewer] = sink._viewers
    for protocol in next(gatherers(viewer.peer))._connection._protocols:
        vars(protocol)["datagram_received"] = lambda data, address: None
        protocol.transport = Nowhere(protocol.transport)


def test_a_link_is_good_for_the_first_browser_and_the_next_gets_another(browser: "Browser", page: "Page") -> None:
    said: list[str] = []
    sink = open_sink(say=said.append)
    first = sink.url
    other = browser.new_context().new_page()
    try:
        with feeding(sink, lambda: coloured((200, 80, 40))):
            page.goto(first)
            reads(page, state="Live")
            assert [first in line for line in said] == [False] and sink.url in said[0]
            other.goto(first)
            reads(other, state="Refused", notice_text="This link is used up, expired or wrong: ask for a new one.")
            assert sink.viewers == 1
            second = sink.url
            other.goto(second)
            reads(other, state="Live")
            assert watched_by(sink, 2) and len(said) == 2
            page.goto("about:blank")
            page.goto(first)  # from where it was sent
            reads(page, state="Live")
            for _ in range(2):
                page.reload()
                reads(page, state="Live")
            assert len(said) == 2 and second not in said[1]
            page.evaluate("() => sessionStorage.clear()")
            page.goto("about:blank")
            page.goto(second)
            reads(page, state="Refused")
    finally:
        other.context.close()
        sink.close()


def test_a_browser_whose_first_answer_is_lost_gets_in_by_itself_and_nobody_else_in_between(page: "Page") -> None:
    said: list[str] = []
    sink = open_sink(viewers=1, say=said.append)
    link, answers = sink.url, []

    def another() -> int:
        with ThreadPoolExecutor() as pool:
            return pool.submit(asyncio.run, watch(sink, link.partition("token=")[2])).result()

    def lose_first(route: "Route") -> None:
        if route.request.method != "POST":
            return route.continue_()
        response = route.fetch()
        answers.append(response.status)
        if len(answers) > 1:
            return route.fulfill(response=response)
        assert another() == 503
        return route.abort()

    page.route("**/whep", lose_first)
    try:
        with feeding(sink, lambda: coloured((200, 80, 40))):
            page.goto(link)
            reads(page, state="Live")
            assert answers == [201, 201], "the one before has made room"
            assert len(said) == 1 and watched_by(sink, 1)
            assert another() == 401
    finally:
        sink.close()


def test_sound_that_was_kept_for_long_makes_a_browser_join_once_however_slow_the_answer(
    sink: WebRtc, page: "Page"
) -> None:
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    with feeding(sink, lambda: coloured((40, 80, 200))):
        page.goto(sink.url)
        page.wait_for_function(LIVE)
        page.evaluate(SLOW, 1500)
        page.evaluate("() => { window.first = peer; kept = { visit, s: -1e6, count: 0, times: 99 }; }")
        page.wait_for_function("() => window.first !== peer && answers === 1")
        page.wait_for_function(SEES, arg=[40, 80, 200])
        page.wait_for_timeout(2500)  # looks twice more
        assert len(posts) == 2
        page.evaluate("() => { for (let i = 0; i < 4; i++) setTimeout(join, 400 * i); }")
        page.wait_for_function("() => answers > 1 && visit > 5 && peer.connectionState === 'connected'")
        reads(page, state="Live")
        assert page.evaluate("() => most") == 1


def test_a_browser_watches_nobody_but_whoever_made_the_link(sink: WebRtc, page: "Page") -> None:
    def forged(route: "Route") -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "x-proof": "0" * 64})

    page.route("**/whep", forged)
    page.goto(sink.url)
    reads(page, state="Refused", notice_title="This is not the agent that made the link")
    assert page.evaluate("() => [session, sessionStorage.getItem('resume')]") == [None, None]


def test_an_agent_that_calls_by_its_link_is_told_to_use_a_browser(sink: WebRtc) -> None:
    ben = End("Ben").call(sink.url).ended()
    assert "is a viewer's link, not a call's: open it in a browser" in str(ben.endings[0])


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
