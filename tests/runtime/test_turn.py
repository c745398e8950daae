"""Changes that wait are made together; what is chosen again gives way, and whoever chose it hears of it."""

import threading
from pathlib import Path

import pytest

from models.errors import AgentError, InputError
from runtime.change import Change
from runtime.turn import Turn

PATIENCE_S = 20
REPLACED = "not done, since a newer choice took its place"


class Crowd:
    """Asks for changes in threads. The first takes until `end`."""

    def __init__(self) -> None:
        self.turn = Turn(self._make)
        self.made: list[str] = []
        self.answers: dict[str, str] = {}
        self.changed = threading.Condition()
        self.gate = threading.Event()
        self.threads: list[threading.Thread] = []
        self.come(Change(engine="first"))
        self.wait(lambda: self.made == ["engine first"])

    def come(self, change: Change) -> None:
        """Returns once the turn knows of the newcomer."""
        self.threads.append(threading.Thread(target=self._ask, args=(change,)))
        self.threads[-1].start()
        with self.turn._condition:
            known = lambda: self.turn._taken if len(self.threads) == 1 else change in self._waiting()  # noqa: E731
            assert self.turn._condition.wait_for(known, PATIENCE_S)

    def wait(self, condition) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_S)

    def end(self) -> None:
        self.gate.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _waiting(self) -> list[Change]:
        return [request.change for request in self.turn._waiting]

    def _make(self, change: Change) -> tuple[str, ...]:
        self._note(lambda: self.made.append(str(change)))
        assert self.gate.wait(PATIENCE_S)
        if change.portrait == Path("cat.png"):
            raise InputError("no human face")
        return ("two faces",)

    def _ask(self, change: Change) -> None:
        try:
            answer = ", ".join(self.turn.take(change))
        except AgentError as error:
            answer = str(error)
        self._note(lambda: self.answers.update({str(change): answer}))

    def _note(self, what) -> None:
        with self.changed:
            what()
            self.changed.notify_all()


@pytest.fixture
def crowd():
    crowd = Crowd()
    yield crowd
    crowd.end()


def test_choices_that_do_not_conflict_are_made_together(crowd: Crowd) -> None:
    crowd.come(Change(background="blur"))
    crowd.come(Change(engine="two"))
    crowd.come(Change(portrait=Path("me.png")))
    crowd.end()
    assert crowd.made == ["engine first", "portrait me.png, background blur, engine two"]
    assert set(crowd.answers.values()) == {"two faces"} and len(crowd.answers) == 4


def test_of_the_same_choice_the_newest_is_made_and_the_others_are_told_at_once(crowd: Crowd) -> None:
    for background in ("#000001", "#000002", "#000003"):
        crowd.come(Change(background=background))
    told = {f"background #00000{n}": f"background #00000{n}: {REPLACED}" for n in (1, 2)}
    crowd.wait(lambda: crowd.answers == told)
    crowd.end()
    assert crowd.made == ["engine first", "background #000003"]
    assert crowd.answers["background #000003"] == "two faces"


def test_what_gives_way_in_part_is_made_for_the_rest(crowd: Crowd) -> None:
    crowd.come(Change(portrait=Path("me.png"), background="blur"))
    crowd.come(Change(background="keep"))
    crowd.wait(lambda: crowd.answers == {"portrait me.png, background blur": f"background blur: {REPLACED}"})
    crowd.end()
    assert crowd.made == ["engine first", "portrait me.png, background keep"]


def test_the_same_choice_twice_is_made_for_both(crowd: Crowd) -> None:
    crowd.come(Change(background="blur"))
    crowd.come(Change(background="blur", engine="two"))
    crowd.end()
    assert crowd.made == ["engine first", "background blur, engine two"]
    assert crowd.answers["background blur"] == crowd.answers["background blur, engine two"] == "two faces"


def test_one_that_cannot_be_made_takes_no_other_along(crowd: Crowd) -> None:
    crowd.come(Change(portrait=Path("cat.png")))
    crowd.come(Change(background="keep"))
    crowd.come(Change(background="blur"))
    crowd.end()
    assert crowd.made[2:] == ["portrait cat.png", "background blur"]
    assert crowd.answers["portrait cat.png"] == "no human face"
    assert crowd.answers["background blur"] == "two faces"


def test_a_turn_that_fails_is_over() -> None:
    answers = [ZeroDivisionError(), None]

    def make(_: Change) -> tuple[str, ...]:
        if error := answers.pop(0):
            raise error
        return ()

    turn = Turn(make)
    with pytest.raises(ZeroDivisionError):
        turn.take(Change(engine="one"))
    assert turn.take(Change(engine="two")) == ()
