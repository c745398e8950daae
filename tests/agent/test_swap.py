"""A live run whose portrait and background change, in code and by hand on the preview page."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from scipy.io import wavfile
from search_leaks import free_port

from agent import shown
from agent.build import Session
from agent.config.run import Run
from agent.engines import open_engine
from agent.plan import make_plan
from agent.shown import Shown
from models.errors import AgentError, InputError
from models.portrait import Portrait
from runtime.change import Change, DoubtfulError, Upload
from runtime.clock import MonotonicClock
from runtime.engines.builtin import BuiltinEngine
from tests.browser import reads

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Running:
    """A run in a thread of its own, and the pictures that it makes."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._newest, self._changed = np.zeros((0, 0, 3), np.uint8), threading.Condition()
        send = session.sinks[0].send

        def watch(picture):
            with self._changed:
                self._newest = picture.image
                self._changed.notify_all()
            send(picture)

        session.sinks[0].send = watch
        self.thread = threading.Thread(target=session.loop.run_live)
        self.thread.start()

    def shows(self, condition) -> None:
        """Waits until a picture fulfils a condition."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._newest.size and condition(self._newest.astype(int)), 30)

    def stop(self) -> None:
        self.session.loop.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def running(portrait_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    wavfile.write(tmp_path / "quiet.wav", 16_000, np.zeros(16_000 * 110, np.int16))
    monkeypatch.setattr("runtime.page_server._listen", free_port)
    config = Run(
        portrait=portrait_png, microphone=str(tmp_path / "quiet.wav"), output=("preview",), size="128", realtime=True
    )
    run = Running(Session(make_plan(config, []), MonotonicClock(), lambda _: None))
    yield run
    run.stop()
    run.session.close()


@pytest.fixture(scope="module")
def green(portrait_png: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled portrait with more green in it than any real one has."""
    pixels = np.asarray(Image.open(portrait_png).convert("RGB")).copy()
    pixels[..., 1] = 128 + pixels[..., 1] // 2
    path = tmp_path_factory.mktemp("photos") / "green.png"
    Image.fromarray(pixels).save(path)
    return path


def is_green(image: np.ndarray) -> bool:
    return bool((image[..., 1] >= 120).all())


def corner_is(colour):
    return lambda image: np.abs(image[5, 5] - colour).max() < 6


def test_portrait_and_background_change_while_the_run_goes_on(running: Running, green: Path) -> None:
    session = running.session
    running.shows(lambda image: not is_green(image))
    assert session.swap(Change(portrait=green)) == ()
    running.shows(is_green)
    assert session.status()["portrait"] == "green.png"
    session.swap(Change(background="#ff0000"))
    running.shows(corner_is((255, 0, 0)))
    wall = Path(green).with_name("wall.png")
    Image.new("RGB", (40, 20), (9, 99, 199)).save(wall)
    session.swap(Change(background=Upload("wall.png", wall.read_bytes())))
    running.shows(corner_is((9, 99, 199)))
    session.swap(Change(portrait=Upload("again.png", green.read_bytes()), background=str(wall)))
    assert session.status()["portrait"] == "again.png" and session.status()["background"] == "wall.png"
    session.swap(Change(background="keep"))
    running.shows(is_green)


@pytest.mark.parametrize("wrong", ["portrait", "background", "engine", "nothing there", "transparent"])
def test_a_change_that_cannot_be_made_leaves_everything_as_it_was(running: Running, green: Path, wrong: str) -> None:
    session = running.session
    session.swap(Change(portrait=green))
    running.shows(is_green)
    before = session.status()
    change, reason = {
        "portrait": (Change(portrait=cat()), r"cat\.png shows no human face"),
        "background": (
            Change(portrait=Upload("other.png", green.read_bytes()), background=Upload("x.png", b"x")),
            r"x\.png is not a picture",
        ),
        "engine": (Change(background="blur", engine="steam"), "there is no engine steam; give one of builtin"),
        "nothing there": (Change(portrait=Path("/nowhere.png")), "no such file"),
        "transparent": (Change(background="transparent"), "start it with --background transparent"),
    }[wrong]
    with pytest.raises(InputError, match=reason):
        session.swap(change)
    assert {key: session.status()[key] for key in ("portrait", "background", "engine")} == {
        key: before[key] for key in ("portrait", "background", "engine")
    }
    running.shows(is_green)


def cat() -> Upload:
    data = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).save(data, "png")
    return Upload("cat.png", data.getvalue())


def test_uploads_are_not_left_on_disk(running: Running, green: Path, cache_folder: Path) -> None:
    before = {path: path.stat().st_size for path in cache_folder.rglob("*")}
    pixels = green.read_bytes() + b"another file of the same picture"
    running.session.swap(Change(portrait=Upload("me.png", pixels)))
    assert {path: path.stat().st_size for path in cache_folder.rglob("*")} == before


def test_an_offline_run_keeps_its_portrait(portrait_png: Path, speech_wav: Path, tmp_path: Path, green: Path) -> None:
    config = Run(portrait=portrait_png, microphone=str(speech_wav), output=(str(tmp_path / "o.mp4"),), size="128")
    session = Session(make_plan(config, []), MonotonicClock(), lambda _: None)
    with pytest.raises(InputError, match="an offline run keeps its portrait"):
        session.swap(Change(portrait=green))
    session.loop.close()
    assert list(tmp_path.iterdir()) == []


def test_a_change_that_comes_before_the_first_portrait_is_put_off(running: Running, green: Path) -> None:
    running.session.shown.look = None  # as while it is prepared
    with pytest.raises(AgentError, match="still being prepared"):
        running.session.swap(Change(portrait=green))


def test_a_process_that_ends_costs_one_change_and_no_picture(running: Running, green: Path) -> None:
    session = running.session
    preparing = session.shown._preparing
    ask = preparing.ask

    def killed(wish):
        preparing.start()
        process = preparing._process
        threading.Timer(0.1, process.kill).start()
        return ask(wish)

    preparing.ask = killed
    with pytest.raises(AgentError, match=r"the change failed, since its process has ended \(signal 9"):
        session.swap(Change(portrait=green))
    running.shows(lambda image: not is_green(image))
    preparing.ask = ask
    session.swap(Change(portrait=green))
    running.shows(is_green)


def test_changes_that_come_meanwhile_are_made_together_and_of_a_kind_the_newest(running: Running, green: Path) -> None:
    session = running.session
    said: dict[str, str] = {}
    let_go, begun = threading.Event(), threading.Event()
    ask = session.shown._preparing.ask

    def slowly(wish):
        begun.set()
        assert let_go.wait(30)
        return ask(wish)

    def swap(change: Change) -> None:
        try:
            said[str(change)] = f"done {session.swap(change)}"
        except AgentError as error:
            said[str(change)] = str(error)

    session.shown._preparing.ask = slowly
    changes = [Change(background=colour) for colour in ("#ff0000", "#00ff00", "#0000ff")] + [Change(portrait=green)]
    threads = [threading.Thread(target=swap, args=(change,)) for change in changes]
    for thread, change in zip(threads, changes, strict=True):
        thread.start()
        assert begun.wait(30)
        if change is not changes[0]:
            with session.shown._turn._condition:
                waits = lambda c=change: c in [request.change for request in session.shown._turn._waiting]  # noqa: E731
                assert session.shown._turn._condition.wait_for(waits, 30)
    let_go.set()
    for thread in threads:
        thread.join(30)
    gave_way = "background #00ff00: not done, since a newer choice took its place"
    done = "done ()"
    assert list(said.values()).count(done) == 3 and said["background #00ff00"] == gave_way
    running.shows(lambda image: corner_is((0, 0, 255))(image) and image[64, 64, 1] >= 120)


def test_nobody_is_shown_at_once_whatever_is_being_prepared(running: Running, green: Path) -> None:
    session = running.session
    session.swap(Change(portrait=green))
    running.shows(is_green)
    let_go, begun = threading.Event(), threading.Event()
    ask = session.shown._preparing.ask
    endings: list[str] = []

    def slowly(wish):
        begun.set()
        assert let_go.wait(30)
        return ask(wish)

    def swap(change: Change) -> None:
        try:
            session.swap(change)
        except AgentError as error:
            endings.append(str(error))

    session.shown._preparing.ask = slowly
    threads = [threading.Thread(target=swap, args=(Change(portrait=Upload("late.png", green.read_bytes())),))]
    threads[0].start()
    assert begun.wait(30)
    threads.append(threading.Thread(target=swap, args=(Change(background="blur"),)))
    threads[1].start()
    session.clear()
    running.shows(is_outline)
    assert session.status()["portrait"] == "nobody"
    let_go.set()
    for thread in threads:
        thread.join(30)
    assert endings[0] == "portrait late.png: not done, since nobody is to be shown any more"
    assert session.status()["portrait"] == "nobody"
    running.shows(is_outline)
    session.shown._preparing.ask = ask
    session.swap(Change(portrait=green))
    running.shows(is_green)


def test_who_came_next_is_not_cleared_with_who_left(running: Running, green: Path) -> None:
    session = running.session
    left, here = (Upload(name, green.read_bytes()) for name in ("left.png", "here.png"))
    session.swap(Change(portrait=left))
    session.swap(Change(portrait=here))
    session.clear(left)
    assert session.status()["portrait"] == "here.png"
    session.clear(here)
    assert session.status()["portrait"] == "nobody"


def is_outline(image: np.ndarray) -> bool:
    return bool(np.abs(image[64, 64] - (92, 96, 101)).max() < 6)


def test_an_engine_that_comes_back_runs_on_the_backend_that_was_wished(
    portrait_png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, str]] = []
    engine = BuiltinEngine()
    monkeypatch.setattr(shown, "open_engine", lambda name, backend, say: (opened.append((name, backend)), engine)[1])
    config = Run(portrait=portrait_png, engine="real3d", backend="onnx", output=("preview",), microphone="any")
    what = Shown(make_plan(config, []), engine, print)
    for name in ("real3d", "builtin"):
        what._open(name, print)
    assert opened == [("real3d", "onnx"), ("builtin", "auto")]


def test_an_engine_that_holds_a_device_prepares_in_the_run_itself(running: Running, green: Path) -> None:
    session = running.session
    prepared: list[Portrait] = []
    prepare = session.shown.engine.prepare
    session.shown.engine.portable = False
    session.shown.engine.prepare = lambda portrait: (prepared.append(portrait), prepare(portrait))[1]
    session.swap(Change(portrait=green))
    running.shows(is_green)
    assert len(prepared) == 1
    session.shown.engine.portable = True
    session.swap(Change(background="#ff0000"))
    running.shows(corner_is((255, 0, 0)))
    assert len(prepared) == 1


class Red(BuiltinEngine):
    """As engines of papers are: they hold a device."""

    name, portable = "goha", False

    def render(self, avatar, motion, level=0):
        return np.full_like(super().render(avatar, motion, level), (200, 10, 20))


def test_an_engine_that_holds_a_device_comes_and_goes(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(name, backend="auto", say=print):
        if name == "goha":
            say("its terms")
            engines.append(Red())
            return engines[-1]
        return open_engine(name, backend, say)

    engines: list[Red] = []
    monkeypatch.setattr(shown, "open_engine", opened)
    session = running.session
    for engine, is_its, said in (
        ("goha", corner_is((200, 10, 20)), ("its terms",)),
        ("builtin", lambda image: image[..., 0].std() > 10, ()),
    ):
        assert session.swap(Change(engine=engine, sure=True)) == said, "what the terminal hears, the page shows"
        running.shows(is_its)
        assert session.status()["engine"] == session.status()["chosen"] == engine
    assert len(engines) == 1


def test_an_engine_that_cannot_keep_up_is_doubted_before_it_is_opened(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DoubtfulError, match=r"talk3d:me takes seconds .* not for a call\. .* non-commercial"):
        running.session.swap(Change(engine="talk3d:me"))
    with pytest.raises(InputError, match="talk3d:me is not ready"):
        running.session.swap(Change(engine="talk3d:me", sure=True))
    assert running.session.status()["chosen"] == "builtin"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(InputError, match="goha is not ready"):
        running.session.swap(Change(engine="goha"))


def test_an_uploaded_background_stays_behind_the_next_portrait(running: Running, green: Path) -> None:
    data = io.BytesIO()
    Image.new("RGB", (40, 20), (9, 99, 199)).save(data, "png")
    running.session.swap(Change(background=Upload("wall.png", data.getvalue())))
    assert running.session.swap(Change(portrait=green)) == ()
    running.shows(lambda image: corner_is((9, 99, 199))(image) and image[64, 64, 1] >= 120)
    assert running.session.status()["background"] == "wall.png"


def test_what_is_said_of_a_photo_names_it(running: Running, green: Path) -> None:
    face = Image.open(green)
    both = Image.new("RGB", (2 * face.width, face.height))
    both.paste(face, (0, 0))
    both.paste(face, (face.width, 0))
    for name in ("pair.png", "the same.png"):
        both.save(green.with_name(name))
        said = running.session.swap(Change(portrait=green.with_name(name)))
        assert said == (f"{name} shows 2 faces; the largest one is used",)


def test_the_process_ends_with_the_run(running: Running) -> None:
    running.session.swap(Change(background="blur"))
    process = running.session.shown._preparing._process
    assert process is not None and process.poll() is None
    running.stop()
    running.session.close()
    assert process.returncode is not None
    with pytest.raises(AgentError, match="the run has ended"):
        running.session.swap(Change(background="keep"))


def test_a_person_swaps_the_portrait_on_the_page(running: Running, green: Path, page: "Page", tmp_path: Path) -> None:
    page.goto(running.session.sinks[0].url)
    reads(page, state="Live", portrait="portrait.png")
    page.set_input_files("#portrait-file", green)
    reads(page, portrait="green.png")
    running.shows(is_green)
    page.wait_for_function(SHOWS_GREEN)
    (tmp_path / "cat.png").write_bytes(cat().data)
    page.set_input_files("#portrait-file", tmp_path / "cat.png")
    reads(page, message="cat.png shows no human face; use a photo in which one face is large and looks this way")
    reads(page, portrait="green.png", state="Live")
    page.click("#blur")
    reads(page, message="", background="blur")
    running.shows(is_green)


SHOWS_GREEN = """() => {
    const canvas = new OffscreenCanvas(8, 8).getContext("2d");
    canvas.drawImage(document.getElementById("picture"), 0, 0, 8, 8);
    const seen = canvas.getImageData(0, 0, 8, 8).data;
    return seen.every((value, i) => i % 4 != 1 || value > 110);
}"""
