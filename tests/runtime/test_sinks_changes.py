"""What the preview page may change, over real HTTP and in a real browser, and who else may not."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from models.errors import InputError
from runtime.change import Change, DoubtfulError, Upload
from runtime.sinks import changes as changes_module
from runtime.sinks.preview import Preview
from runtime.turn import Turn
from tests.browser import reads

if TYPE_CHECKING:
    from playwright.sync_api import Page

STATUS: dict[str, object] = {
    "portrait": "me.png",
    "title": "me",
    "background": "keep",
    "engine": "one",
    "engines": ["one", "two"],
}


class Person:
    """Takes every change; the n-th answer is notes, or an error to raise."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.answers: list[tuple[str, ...] | Exception] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Condition()

    def wait_for(self, count: int) -> None:
        """Until so many changes have begun."""
        with self.begun:
            assert self.begun.wait_for(lambda: len(self.changes) == count, 20)

    def __call__(self, change: Change) -> tuple[str, ...]:
        with self.begun:
            self.changes.append(change)
            self.begun.notify_all()
        assert self.gate.wait(20)
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def preview(person: Person) -> Iterator[Preview]:
    sink = Preview(0, status=lambda: STATUS, change=person)
    yield sink
    person.gate.set()
    sink.close()


Post = Callable[..., tuple[int, dict[str, object]]]


@pytest.fixture
def post(preview: Preview) -> Post:
    """Asks as the page does, but for what is given."""
    port = int(preview.url.rsplit(":", 1)[1].strip("/"))
    own = {"Origin": preview.url.rstrip("/"), "X-Token": preview._server._token}

    def ask(path: str, body: bytes = b"", **headers: str | None) -> tuple[int, dict[str, object]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in (own | changed).items() if value is not None}
        connection.request("POST", f"/change/{path}", body, sent)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if answer.headers["Content-Type"].startswith("application/json") else {}

    return ask


def test_files_and_choices_arrive_as_they_were_sent(person: Person, post: Post) -> None:
    photo = bytes(range(256)) * 5000
    person.answers = [("two faces",), (), (), ()]
    assert post("portrait?name=me%20%C3%A9.png", photo) == (200, {"notes": ["two faces"]})
    assert post("background?name=wall.png", b"wall") == (200, {"notes": []})
    assert post("background?choice=%23a0B0c0") == (200, {"notes": []})
    assert post("engine?choice=two") == (200, {"notes": []})
    portrait, wall, colour, engine = person.changes
    assert isinstance(portrait.portrait, Upload)
    assert (portrait.portrait.name, portrait.portrait.data) == ("me é.png", photo)
    assert (portrait.background, portrait.engine) == (None, None)
    assert isinstance(wall.background, Upload)
    assert (wall.background.name, wall.background.data, wall.portrait) == ("wall.png", b"wall", None)
    assert (colour.background, engine.engine) == ("#a0B0c0", "two")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"X_Token": None},
        {"X_Token": ""},
        {"X_Token": "é" * 32},
        {"Host": "evil.example"},
    ],
)
def test_nobody_but_the_page_may_change_anything(person: Person, post: Post, headers: dict[str, str | None]) -> None:
    status, _ = post("background?choice=blur", **headers)
    assert status == 403
    assert person.changes == []


@pytest.mark.parametrize(
    "path",
    ["background?choice=/etc/passwd", "background?choice=transparent", "engine", "camera?choice=0", "portrait/x"],
)
def test_only_what_the_page_offers_is_taken(person: Person, post: Post, path: str) -> None:
    assert post(path)[0] == 404
    assert person.changes == []


def test_what_goes_wrong_is_said_in_json(person: Person, post: Post) -> None:
    person.answers = [InputError("cat.jpg shows no human face"), RuntimeError("odd picture")]
    assert post("portrait", b"cat") == (422, {"error": "cat.jpg shows no human face"})
    assert post("portrait", b"odd") == (500, {"error": "failed: RuntimeError: odd picture"})
    assert post("portrait", b"good") == (200, {"notes": []})


def test_a_file_that_is_too_large_is_refused_unread(
    person: Person, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "MAX_BYTES", 3 << 20)
    status, said = post("portrait?name=big.png", bytes((3 << 20) + 1))
    assert (status, said) == (413, {"error": "big.png is larger than 3 MB; choose a smaller picture"})
    assert post("portrait", bytes(3 << 20))[0] == 200
    assert len(person.changes) == 1


def test_a_file_of_unknown_length_is_read_no_further_than_the_limit(
    person: Person, preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "MAX_BYTES", 1 << 20)
    host = preview.url.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    headers = {"Origin": f"http://{host}", "X-Token": preview._server._token}
    connection.request("POST", "/change/portrait", iter([bytes(1 << 19)] * 3), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    assert person.changes == []


def test_names_are_short_and_printable(person: Person, post: Post) -> None:
    post("portrait?name=%1b%5b2J%0a" + "n" * 500 + ".png", b"x")
    post("portrait", b"x")
    long, none = (change.portrait for change in person.changes)
    assert isinstance(long, Upload) and isinstance(none, Upload)
    assert (len(long.name), long.name[-5:], none.name) == (80, "n.png", "the picture")
    assert long.name.isprintable()


def test_no_more_changes_wait_than_a_few(person: Person, post: Post) -> None:
    person.gate.clear()
    answers: list[tuple[int, dict[str, object]]] = []
    asking = [threading.Thread(target=lambda: answers.append(post("background?choice=blur"))) for _ in range(4)]
    for thread in asking:
        thread.start()
    person.wait_for(4)
    assert post("background?choice=keep") == (429, {"error": "too many changes at once; wait for one of them"})
    person.gate.set()
    for thread in asking:
        thread.join(20)
    assert answers == [(200, {"notes": []})] * 4
    assert post("background?choice=keep")[0] == 200


def test_closing_waits_for_no_change_and_tells_who_asked(person: Person, preview: Preview, post: Post) -> None:
    person.gate.clear()
    first: list[tuple[int, dict[str, object]]] = []
    asking = threading.Thread(target=lambda: first.append(post("background?choice=blur")))
    asking.start()
    person.wait_for(1)
    preview.close()
    asking.join(20)
    assert first == [(503, {"error": "the run has ended"})]


def test_without_a_way_to_change_there_are_no_controls(page: "Page") -> None:
    sink = Preview(0, status=lambda: STATUS)
    try:
        page.goto(sink.url)
        reads(page, portrait="me.png")
        assert page.locator("#look").is_hidden()
        assert page.evaluate(ASK) == 404
    finally:
        sink.close()


ASK = """() => {
    const headers = {"X-Token": document.querySelector("meta[name=page-token]").content};
    return fetch("/change/engine?choice=two", {method: "POST", headers}).then(answer => answer.status);
}"""


def test_the_controls_ask_for_what_they_say(person: Person, preview: Preview, page: "Page") -> None:
    person.answers = [("wide.png shows 2 faces",), InputError("wall.txt is not a picture")]
    page.goto(preview.url)
    photo = {"name": "wide.png", "mimeType": "image/png", "buffer": b"pixels"}
    page.set_input_files("#portrait-file", photo)
    reads(page, message="wide.png shows 2 faces")
    page.set_input_files("#background-file", photo | {"name": "wall.txt"})
    reads(page, message="wall.txt is not a picture")
    assert page.locator("#message").get_attribute("class") == "warn"
    page.click("#blur")
    reads(page, message="")
    person.wait_for(3)
    page.click("#keep")
    person.wait_for(4)
    page.fill("#colour", "#102030")
    person.wait_for(5)
    page.select_option("#engine-choice", "two")
    person.wait_for(6)
    assert isinstance(person.changes[0].portrait, Upload) and isinstance(person.changes[1].background, Upload)
    assert person.changes[0].portrait.data == person.changes[1].background.data == b"pixels"
    assert [change.background or change.engine for change in person.changes[2:]] == ["blur", "keep", "#102030", "two"]


def test_an_engine_that_is_doubted_is_changed_to_by_who_is_sure(
    person: Person, preview: Preview, page: "Page", post: Post
) -> None:
    person.answers = [DoubtfulError("two is slow")] * 3 + [("its terms",)]
    assert post("engine?choice=two") == (409, {"doubt": "two is slow"})
    page.goto(preview.url)
    for _ in range(2):
        page.select_option("#engine-choice", "two")
        reads(page, message="two is slow")
        page.locator("#doubt").wait_for()
        page.wait_for_function("() => document.getElementById('engine-choice').value == 'one'")
        if len(person.answers) == 2:
            page.click("#leave-it")
            reads(page, message="")
            page.locator("#doubt").wait_for(state="hidden")
    page.click("#change-anyway")
    reads(page, message="its terms")
    page.locator("#doubt").wait_for(state="hidden")
    assert [(change.engine, change.sure) for change in person.changes] == [("two", False)] * 3 + [("two", True)]


DROP = """name => {
    const files = new DataTransfer();
    files.items.add(new File(["dropped"], name));
    document.getElementById("stage").dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true}));
}"""


def test_a_photo_is_dropped_onto_the_picture(person: Person, preview: Preview, page: "Page") -> None:
    person.gate.clear()
    page.goto(preview.url)
    page.evaluate(DROP, "me.png")
    reads(page, message="Preparing me.png…")
    person.gate.set()
    reads(page, message="")
    assert isinstance(person.changes[0].portrait, Upload)
    assert person.changes[0].portrait.data == b"dropped"


def test_what_is_chosen_meanwhile_waits_and_what_gave_way_is_said(person: Person, page: "Page") -> None:
    turn = Turn(person)
    person.gate.clear()
    sink = Preview(0, status=lambda: STATUS, change=turn.take)
    try:
        page.goto(sink.url)
        page.evaluate(DROP, "a.png")
        reads(page, message="Preparing a.png…")
        person.wait_for(1)
        page.evaluate(DROP, "b.png")
        reads(page, message="Preparing a.png… Next: b.png.")
        page.click("#blur")
        reads(page, message="Preparing a.png… Next: b.png. Next: background blur.")
        page.evaluate(DROP, "c.png")
        gave_way = "portrait b.png: not done, since a newer choice took its place"
        reads(page, message=f"{gave_way} Preparing a.png… Next: background blur. Next: c.png.")
        person.gate.set()
        reads(page, message=gave_way)
        assert [str(made) for made in person.changes] == ["portrait a.png", "portrait c.png, background blur"]
    finally:
        person.gate.set()
        sink.close()


def test_the_controls_show_what_is_chosen(page: "Page") -> None:
    status = dict(STATUS)
    sink = Preview(0, status=lambda: status, change=lambda _: ())
    try:
        page.goto(sink.url)
        for background, marked in (
            ("keep", "keep"),
            ("blur", "blur"),
            ("#102030", "colour-choice"),
            ("wall.png", "choose-background"),
        ):
            status["background"] = background
            page.locator(f"#{marked}.on").wait_for()
            assert page.locator("#look .on").count() == 1
        assert page.input_value("#colour") == "#102030"
        assert page.locator("#engine-row").is_visible()
        status |= {"engines": ["one"], "title": "another <b>"}
        page.locator("#engine-row").wait_for(state="hidden")
        assert page.title() == page.locator("h1").inner_text() == "another <b>"
    finally:
        sink.close()
