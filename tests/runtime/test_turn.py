"""Of those who wait for their turn only the newest stays, and the others hear of it."""

import threading

import pytest

from models.errors import AgentError
from runtime.turn import Turn

PATIENCE_S = 20


class Crowd:
    """Takes turns in threads; each turn lasts until it is let go."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.had: list[str] = []
        self.refused: dict[str, str] = {}
        self.changed = threading.Condition()
        self.gates: dict[str, threading.Event] = {}
        self.threads: list[threading.Thread] = []

    def come(self, name: str) -> None:
        """Returns once the turn knows of the newcomer."""
        before = self.turn._newest
        self.gates[name] = threading.Event()
        self.threads.append(threading.Thread(target=self._work, args=(name,)))
        self.threads[-1].start()
        with self.turn._condition:
            assert self.turn._condition.wait_for(lambda: self.turn._newest > before, PATIENCE_S)

    def wait(self, condition) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_S)

    def end(self) -> None:
        for gate in self.gates.values():
            gate.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _work(self, name: str) -> None:
        try:
            with self.turn.take(name):
                self._note(lambda: self.had.append(name))
                assert self.gates[name].wait(PATIENCE_S)
        except AgentError as error:
            text = str(error)
            self._note(lambda: self.refused.update({name: text}))

    def _note(self, what) -> None:
        with self.changed:
            what()
            self.changed.notify_all()


def test_the_newest_of_those_who_wait_is_next_and_the_others_are_told() -> None:
    crowd = Crowd()
    crowd.come("first")
    crowd.wait(lambda: crowd.had == ["first"])
    crowd.come("second")
    crowd.come("third")
    crowd.wait(lambda: "second" in crowd.refused)
    crowd.come("fourth")
    crowd.wait(lambda: "third" in crowd.refused)
    assert crowd.had == ["first"]
    assert crowd.refused == {name: f"{name}: {REPLACED}" for name in ("second", "third")}
    crowd.gates["first"].set()
    crowd.wait(lambda: crowd.had == ["first", "fourth"])
    crowd.end()


REPLACED = "not done, since a newer choice took its place"


def test_a_turn_that_fails_is_over() -> None:
    turn = Turn()
    with pytest.raises(ZeroDivisionError), turn.take("one"):
        raise ZeroDivisionError
    with turn.take("two"):
        pass
