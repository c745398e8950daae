"""What every page of the agent shares: who may ask, and who may press buttons."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from runtime.page_server import TOKEN_HEADER, PageServer


class Counter:
    """A page with one button."""

    def __init__(self, page: Path) -> None:
        self.pressed = 0
        routes = [web.post("/press", self.press)]
        self.server = PageServer("test page", page, "A <b>", 0, routes, public="https://avatar.example.org")
        self.server.start()
        self.port = int(self.server.url.rsplit(":", 1)[1].strip("/"))

    async def press(self, _: web.Request) -> web.Response:
        self.pressed += 1
        return self.server.answer({"pressed": self.pressed})

    def ask(self, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, headers=headers)
        return connection.getresponse()


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    page = tmp_path / "page.html"
    page.write_text("<title>{{title}}</title><meta content='{{token}}'><script nonce='{{nonce}}'></script>")
    counter = Counter(page)
    yield counter
    counter.server.close()


def token_of(counter: Counter) -> str:
    found = re.search("content='(.*?)'", counter.ask("GET", "/").read().decode())
    assert found is not None
    return found[1]


def test_the_page_itself_may_press(counter: Counter) -> None:
    origin = counter.server.url.rstrip("/")
    answer = counter.ask("POST", "/press", Origin=origin, **{TOKEN_HEADER: token_of(counter)})
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert counter.pressed == 1


def test_nobody_else_may(counter: Counter) -> None:
    origin, token = counter.server.url.rstrip("/"), token_of(counter)
    for headers in (
        {},
        {"Origin": origin},
        {TOKEN_HEADER: token},
        {"Origin": origin, TOKEN_HEADER: token[:-1]},
        {"Origin": origin, TOKEN_HEADER: "\u00e9"},
        {"Origin": "http://evil.example", TOKEN_HEADER: token},
        {"Origin": origin, TOKEN_HEADER: token, "Host": "evil.example"},
    ):
        assert counter.ask("POST", "/press", **headers).status == 403, headers
    assert counter.pressed == 0


def test_the_page_is_filled_in(counter: Counter) -> None:
    page = counter.ask("GET", "/").read().decode()
    assert "A &lt;b&gt;" in page and "{{" not in page
    assert len(token_of(counter)) > 20


def test_close_twice_and_wake_after_it(counter: Counter) -> None:
    counter.server.close()
    counter.server.close()
    counter.server.wake()
    with pytest.raises(ConnectionRefusedError):
        counter.ask("GET", "/")


def test_the_proxy_before_it_may_ask_and_its_page_may_press(counter: Counter) -> None:
    proxied = {"Host": "avatar.example.org", "Origin": "https://avatar.example.org"}
    token = token_of(counter)
    assert counter.ask("GET", "/", Host="avatar.example.org").status == 200
    assert counter.ask("POST", "/press", **proxied, **{TOKEN_HEADER: token}).status == 200
    for headers in (
        {"Host": "avatar.example.org.evil"},
        {"Host": "avatar.example.org:8443"},
        {"Origin": ""},
    ):
        assert counter.ask("POST", "/press", **proxied | headers, **{TOKEN_HEADER: token}).status == 403, headers


def test_a_request_that_cannot_be_read_is_nobody_s_trouble(counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
    assert counter.ask("GET", "/", Cookie="x" * 10_000).status == 400
    assert caplog.records == []
