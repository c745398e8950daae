"""The push to a media server: a real one of our own, that takes the offer, watches, goes away and comes back."""

import time
from collections.abc import Iterator

import pytest
from media_server import HERE, TOKEN, MediaServer

from models.errors import AgentError, InputError
from runtime.metrics import Metrics
from runtime.sinks import whip
from runtime.sinks.whip import Whip, whip_policy
from tests.runtime.webrtc_feed import CLOCK, SIZE, coloured, feeding


class Server(MediaServer):
    """Notes how light the pictures are."""

    def __init__(self) -> None:
        self.levels: list[int] = []
        super().__init__(lambda frame: self.levels.append(int(frame.to_ndarray()[40, 40])))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def push(url: str, bearer: str = TOKEN) -> Whip:
    return Whip(url, SIZE, 25, bearer=bearer, policy=HERE, sound=True, clock=CLOCK, metrics=Metrics())


def wait(reached) -> None:
    for _ in range(400):
        if reached():
            return
        time.sleep(0.05)
    raise AssertionError("not within 20 s")


def test_a_server_gets_the_avatar_and_gets_it_again(server: Server) -> None:
    sink = push(server.url)
    with feeding(sink, lambda: coloured((128, 128, 128))):
        wait(lambda: len(server.levels) > 3)
        assert abs(server.levels[-1] - 126) < 6  # of 128 in limited range
        server.drop()
        wait(lambda: len(server.peers) == 2)
        seen = len(server.levels)
        wait(lambda: len(server.levels) > seen + 3)
    left = server.left
    sink.close()
    sink.close()
    assert server.left == left + 1


def test_an_answer_that_nobody_expected_does_not_end_the_push(server: Server, monkeypatch) -> None:
    offers, post = [], whip.post_offer

    async def surprising(*told: object) -> object:
        offers.append(told)
        if len(offers) == 1:
            raise ValueError("a defect")
        return await post(*told)

    sink = push(server.url)
    monkeypatch.setattr(whip, "post_offer", surprising)
    server.drop()
    wait(lambda: len(server.peers) == 2)
    assert len(offers) == 2
    sink.close()


def test_refusals_in_one_line(server: Server) -> None:
    with pytest.raises(InputError, match=r"refuses \(401\): Wrong key$"):
        push(server.url, "no")
    with pytest.raises(AgentError, match="does not answer"):
        push("http://127.0.0.1:9/whip")
    for url in ("", "ftp://a/b", "https:///x"):
        with pytest.raises(InputError, match="give whip:"):
            whip_policy(url, (), "", "")


def test_only_a_server_elsewhere_learns_of_addresses() -> None:
    assert whip_policy("http://localhost:8080/whip", (), "", "").stays_here
    assert whip_policy("https://live.example/whip", (), "", "").addresses is None
