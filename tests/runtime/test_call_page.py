"""A call whose other end is a real browser."""

import base64
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model
from models.motion_codec import MotionEncoder
from runtime.glimpse import Glimpse
from runtime.transports.call_control import Hello
from runtime.transports.call_peer import CallPeer
from runtime.transports.links import prove, resume_token
from tests.agent.command import wait_until
from tests.browser import reads
from tests.models.motions import talking
from tests.runtime.calling_browser import LIVE, MOTIONS, join, moving, open_page
from tests.runtime.calls import End, lose

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIDE = 128
LEAST_DB = 34.0
PICTURE = f"""() => {{
    const canvas = new OffscreenCanvas({SIDE}, {SIDE}).getContext("2d", {{ willReadFrequently: true }});
    canvas.imageSmoothingQuality = "high";
    canvas.drawImage(document.getElementById("picture"), 0, 0, {SIDE}, {SIDE});
    return btoa(String.fromCharCode(...canvas.getImageData(0, 0, {SIDE}, {SIDE}).data));
}}"""
HEARS = """async () => {
    for (const report of (await peer.getStats()).values())
        if (report.type === "inbound-rtp" && report.kind === "audio") return report.totalAudioEnergy > 0.001;
    return false;
}"""


@pytest.fixture
def anna(package) -> Iterator[End]:
    end = End("Anna", avatar=package).listen()
    yield end
    end.close()


def picture(page: "Page") -> np.ndarray:
    data = np.frombuffer(base64.b64decode(page.evaluate(PICTURE)), np.uint8)
    return data.reshape(SIDE, SIDE, 4)[..., :3].astype(float)


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one - other) ** 2)))


@pytest.mark.alone
def test_a_browser_is_asked_then_sees_the_portrait_move_as_its_sender_does(page, anna, portrait_png) -> None:
    open_page(page, anna.link)
    reads(page, what="Anna wants to show you their portrait", state="Not connected")
    assert "token" not in page.url
    assert anna.calls == [] and anna.line.peer is None
    page.locator("#name").fill("Ben")
    page.locator("#join").click()
    page.wait_for_function(LIVE)
    reads(page, title="Anna")
    wait_until(anna.is_shown.is_set, 10)
    assert anna.calls == [Hello("Ben", None, False)]
    assert anna.portraits == [None]
    avatar = BuiltinAvatar(prepare_portrait(read_photo(portrait_png), (512, 512)), load_face_model())
    drawn = {what: avatar.render(motion) for what, motion in MOTIONS.items()}
    seen = {}
    for what, motion in MOTIONS.items():
        with moving(anna, motion):
            page.wait_for_timeout(1500)
            seen[what] = picture(page)
    for what, reference in drawn.items():
        small = cv2.resize(reference, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(float)
        near = {other: decibels(shown, small) for other, shown in seen.items()}
        assert near[what] > LEAST_DB and near[what] == max(near.values()), near
    assert np.ptp(list(near.values())) > 3


CAMERA = """() => {
    const camera = document.getElementById("camera"), canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.drawImage(camera, 0, 0, 1, 1);
    return [getComputedStyle(camera).opacity, ...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)].map(Number);
}"""


def colour(rgb: tuple[int, int, int], side: int = 64, **options: object) -> Glimpse:
    file = io.BytesIO()
    Image.new("RGB", (side, side), rgb).save(file, "WEBP", **options)
    return Glimpse(file.getvalue())


@pytest.mark.alone
def test_it_shows_the_camera_while_pictures_come_and_no_other_files(page, package) -> None:
    anna = End("Anna", avatar=package, camera=True).listen()
    join(page, anna)
    assert "Anna may show small pictures of their camera" in page.locator("#camera-hint").inner_text()
    with moving(anna, MOTIONS["speaks"]):
        for _ in range(8):
            anna.line.glimpse(colour((200, 30, 30), quality=20))
            page.wait_for_timeout(160)
        opacity, *seen = page.evaluate(CAMERA)
        assert opacity == 1 and np.abs(np.subtract(seen, (200, 30, 30))).max() < 12
        assert page.locator("#badge").is_visible()
        for bad in (colour((30, 200, 30), lossless=True), colour((30, 200, 30), 194, quality=1), Glimpse(b"RIFF" * 9)):
            anna.line.glimpse(bad)
            page.wait_for_timeout(160)
        assert page.evaluate(CAMERA)[1:] == seen
        anna.line.glimpse(Glimpse(b""))
        page.wait_for_timeout(700)
        assert page.evaluate(CAMERA)[0] == 0
        reads(page, dropped="3")
        anna.line.glimpse(colour((30, 30, 200), quality=20))
        page.wait_for_timeout(700)
        assert page.evaluate(CAMERA)[0] == 1
        page.wait_for_function("() => document.getElementById('stage').dataset.shows === 'portrait'")
    anna.close()


LATE = """async picture => {
    const { Glimpses } = await import("/page/call/glimpse.js");
    const data = Uint8Array.from(atob(picture), letter => letter.charCodeAt(0)), packets = {
        good: number => new Uint8Array([1, number, 0, ...data]),
        bad: number => new Uint8Array([1, number, 0, ...data.slice(0, -1)]),
    };
    const told = [], glimpses = new Glimpses(document.createElement("canvas"), shown => told.push(shown));
    await glimpses.push(packets.bad(200));
    await glimpses.push(packets.good(5));
    const former = glimpses.push(packets.good(6));
    glimpses.forget();
    await former;
    await glimpses.push(packets.good(1));
    return { told, newest: glimpses.newest, dropped: glimpses.dropped };
}"""


def test_a_picture_counts_as_the_newest_only_once_it_is_decoded_and_in_its_own_connection(page, anna) -> None:
    page.goto(str(anna.link))
    picture = base64.b64encode(colour((200, 30, 30), quality=20).data).decode()
    assert page.evaluate(LATE, picture) == {"told": [True, False, True], "newest": 1, "dropped": 1}


@pytest.mark.alone
def test_it_reads_no_more_motion_than_anybody_sends_and_counts_the_rest(page, anna) -> None:
    join(page, anna)
    peer, encoder = anna.line.peer, MotionEncoder(motions_per_packet=1)
    packets = [encoder.push(motion) for motion in talking(100)]
    anna.tell(lambda: [peer._motion.send(packet) for packet in packets])
    page.wait_for_function("() => Number(document.getElementById('dropped').textContent) > 50")
    assert int(page.locator("#dropped").text_content() or 0) <= 100 - 12


@pytest.mark.alone
def test_it_shows_no_camera_that_was_not_announced(page, anna) -> None:
    join(page, anna)
    peer = anna.line.peer
    assert not page.locator("#camera-hint").is_visible()
    anna.tell(lambda: peer.glimpses.give(colour((200, 30, 30), quality=20)))
    page.wait_for_timeout(700)
    assert peer.glimpses.sent == 1 and page.evaluate(CAMERA)[0] == 0


@pytest.mark.alone
def test_it_hears_and_is_heard_only_once_it_wants_to_be(page, anna) -> None:
    page.context.grant_permissions(["microphone"])
    join(page, anna)
    page.wait_for_function(HEARS)
    loud = lambda: any(np.abs(sound.samples).max() > 0.05 for sound in anna.sounds)  # noqa: E731
    page.wait_for_timeout(1500)
    assert not loud()
    page.locator("#microphone").click()
    reads(page, microphone="Turn off microphone")
    wait_until(loud, 10)
    heard = page.evaluate("() => peer.getSenders().find(({ track }) => track?.kind === 'audio').track.getSettings()")
    assert heard["echoCancellation"] is True
    page.locator("#microphone").click()
    reads(page, microphone="Turn on microphone")
    page.wait_for_timeout(500)
    anna.sounds.clear()
    page.wait_for_timeout(1500)
    assert not loud()


@pytest.mark.parametrize("link", ["nothing", "#token=abc"])
def test_without_the_link_there_is_no_portrait(page, anna, link: str) -> None:
    open_page(page, anna.link.base + ("/" if link == "nothing" else f"/{link}"))
    if link == "nothing":
        reads(page, state="No link", what="This page needs a link")
        return
    page.locator("#join").click()
    reads(page, state="Failed", what="This link does not work")
    assert not page.locator("#ask").is_visible()
    assert "expired or wrong" in page.locator("#why").inner_text()
    assert anna.calls == []


def test_where_nobody_answers_it_can_try_again(page, anna) -> None:
    open_page(page, anna.link)
    page.route("**/call", lambda route: route.abort())
    page.locator("#join").click()
    reads(page, state="Failed", what="Nobody answers", join="Try again")
    page.unroute("**/call")
    page.locator("#join").click()
    page.wait_for_function(LIVE)


def test_where_many_try_to_join_it_waits_and_gets_in(page, anna) -> None:
    asked: list[str] = []

    def crowded(route) -> None:
        asked.append(route.request.method)
        if asked.count("POST") > 1 or asked[-1] != "POST":
            return route.continue_()
        return route.fulfill(status=429, body="Too many attempts: wait a moment.")

    open_page(page, anna.link)
    page.route("**/call", crowded)
    page.locator("#join").click()
    reads(page, what="Many are trying to join")
    page.wait_for_function(LIVE)


def test_it_gets_in_although_its_first_answer_is_lost_and_nobody_else_in_between(page, anna) -> None:
    link, lost = anna.link, []

    def lose_first(route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            assert "joining with this link" in str(End("Eve").call(link).ended().endings[0])
            route.abort()
        else:
            route.continue_()

    open_page(page, link)
    page.route("**/call", lose_first)
    page.locator("#join").click()
    reads(page, state="Failed", what="Nobody answers", join="Try again")
    page.locator("#join").click()
    page.wait_for_function(LIVE)
    assert "used up" in str(End("Eve").call(link).ended().endings[0])
    assert lost == [201] and len(anna.calls) == 1 and anna.endings == []


def test_without_permission_it_says_how_to_give_it(page, anna) -> None:
    join(page, anna)
    page.locator("#microphone").click()
    reads(page, microphone="Turn on microphone")
    page.wait_for_function("() => document.getElementById('hint').textContent.includes('Allow it beside the address')")


def test_a_link_is_good_for_one(page, browser, anna) -> None:
    before = anna.link
    join(page, anna)
    other = browser.new_page()
    open_page(other, before)
    other.locator("#join").click()
    reads(other, state="Failed")
    other.close()
    page.locator("#leave").click()
    reads(page, state="Ended", what="You have hung up")
    wait_until(lambda: anna.endings == ["hung up"], 10)
    assert anna.link != before
    assert not page.locator("#picture").is_visible()


def test_it_learns_that_the_other_end_has_hung_up(page, anna) -> None:
    join(page, anna)
    anna.close()
    reads(page, state="Ended", what="Anna has hung up", why="To talk again, ask for a new link.")


@pytest.mark.alone
def test_it_comes_back_by_itself_and_after_a_reload(page, anna) -> None:
    join(page, anna)
    with moving(anna, MOTIONS["speaks"]):
        page.wait_for_timeout(500)
        lose(anna, 1.0)
        page.wait_for_function("() => document.body.dataset.state === 'lost'")
        page.wait_for_function(LIVE)
        page.reload()
        reads(page, what="Your call with Anna is still open")
        page.locator("#join").click()
        page.wait_for_function(LIVE)
    assert len(anna.calls) == 3
    assert anna.endings == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('{"type": "hello", "version": 1, "motion": 3}', "The other end says hello twice."),
        ('{"type": "later", "text": "' + 2048 * "x" + '"}', "The other end says something too long."),
        (b"more", "The other end sends what it did not announce."),
    ],
    ids=["hello", "long", "parts"],
)
def test_what_no_agent_says_ends_the_call(page, anna, said: str | bytes, why: str) -> None:
    join(page, anna)
    peer = anna.line.peer
    anna.tell(lambda: peer._control.send(said))
    reads(page, state="Failed", why=why)
    wait_until(lambda: anna.endings == [why], 10)


@pytest.mark.parametrize("what", ["damaged", "none"])
def test_a_portrait_that_cannot_be_drawn_ends_the_call(page, package, what: str) -> None:
    anna = End("Anna", avatar=package[:-1] if what == "damaged" else None).listen()
    open_page(page, anna.link)
    page.locator("#join").click()
    reads(page, state="Failed")
    why = page.locator("#why").inner_text()
    assert ("damaged" if what == "damaged" else "no portrait that a browser can draw") in why
    wait_until(lambda: anna.endings == [why], 10)
    assert not anna.is_shown.is_set()
    anna.close()


def test_it_takes_no_answer_but_of_whoever_made_the_link(page, anna) -> None:
    def forged(route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "x-proof": "0" * 64})

    page.route("**/call", forged)
    open_page(page, anna.link)
    page.locator("#join").click()
    reads(page, state="Failed", why="The answer does not come from whoever made the link.")
    assert anna.calls == []


def test_it_draws_no_portrait_but_the_announced_one(page, anna, monkeypatch) -> None:
    send = CallPeer._send
    monkeypatch.setattr(CallPeer, "_send", lambda self, data: send(self, data[::-1]))
    open_page(page, anna.link)
    page.locator("#join").click()
    reads(page, state="Failed", why="The portrait is not the announced one.")
    assert not anna.is_shown.is_set()


def test_proofs_are_those_of_the_agent(page, anna) -> None:
    answer, offer = (
        "no fingerprint",
        "v=0\r\na=fingerprint:sha-256 AB:CD\r\na=fingerprint:SHA-384  01:EF\r\na=fingerprint:sha-256 AB:CD\r\n",
    )
    open_page(page, anna.link)
    for secret in ("secret", "Geheimnis ä" * 20):
        told = page.evaluate(
            """async ([secret, offer, answer]) => {
                const { prove, resumeSecret } = await import("/page/call/proof.js");
                return [prove(secret, "guest", offer), prove(secret, "host", answer),
                    resumeSecret(secret, offer, answer)];
            }""",
            [secret, offer, answer],
        )
        assert told == [
            prove(secret, "guest", offer),
            prove(secret, "host", answer),
            resume_token(secret, offer, answer),
        ]
