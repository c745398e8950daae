"""What a run shows, and how that changes between two of its pictures."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.engines import doubt, open_engine
from agent.look import Look
from agent.plan import Plan
from agent.preparing import Prepared, Wish, prepare, warm_up
from models.errors import AgentError, InputError
from models.portrait import Pixels
from models.weights import with_person
from runtime.change import Change, DoubtfulError, Nobody, Upload
from runtime.engines import Engine
from runtime.engines.still import StillEngine
from runtime.loop import Loop
from runtime.turn import Turn
from runtime.worker import Worker


class Shown:
    """A look, drawn by an engine; there is none until `begin`."""

    def __init__(self, plan: Plan, engine: Engine[Any], say: Callable[[str], None], softly: bool = False) -> None:
        """`softly`: whether one look fades into the next."""
        self._lock = threading.Lock()  # guards what is shown and who may be, not the preparing
        self._expected: list[Path | Upload | Nobody] = []  # portraits that were asked for since the last `clear`
        self._portrait: Path | Upload | Nobody | None = None  # that was changed to last
        self.look: Look | None = None
        self.engine = engine
        self._own = with_person(plan.config.engine, plan.config.person)
        self.chosen = self._own
        """The engine and whom it draws, as in `Change.engine`; while nobody is shown, of whoever comes next."""
        self._plan, self._say, self._softly = plan, say, softly
        self._loop: Loop | None = None
        self._turn = Turn(self._change)
        self._preparing: Worker[Wish, Prepared] = Worker("the change", warm_up, prepare)

    def begin(self, look: Look, loop: Loop) -> None:
        """This look is what the loop shows: from now on it can be changed."""
        self.look, self._loop = look, loop

    def expect_changes(self) -> None:
        """Imports in the other process by now what the first change would have to wait for."""
        self._preparing.start()

    def change(self, change: Change) -> tuple[str, ...]:
        """Does what `Session.swap` promises. Any thread."""
        if self._plan.offline:
            raise InputError("an offline run keeps its portrait; give --realtime to change it")
        if change.background == "transparent" and self._plan.config.background != "transparent":
            raise InputError("a run that has a background keeps one; start it with --background transparent")
        if change.portrait is None:
            return self._turn.take(change)
        with self._lock:
            self._expected.append(change.portrait)
        try:
            return self._turn.take(change)
        finally:
            with self._lock:
                self._expected = [portrait for portrait in self._expected if portrait is not change.portrait]

    def clear(self, portrait: Upload | Nobody | None = None) -> None:
        """Does what `Session.clear` promises. Any thread."""
        with self._lock:
            if portrait is not None and portrait is not self._portrait:
                return
            self._expected.clear()
            if self._loop is not None and self.look is not None:
                nobody = self.engine if isinstance(self.engine, StillEngine) else StillEngine()
                look = self._nobody(self.look)
                self._show(self._loop, look, nobody, nobody.prepare(look.portrait), self._own)

    def outline(self) -> Pixels | None:
        """Nobody, before the present background; None where nothing is shown yet. Any thread."""
        with self._lock:
            return None if self.look is None else StillEngine().prepare(self._nobody(self.look).portrait)

    def close(self) -> None:
        """Ends the other process, and a change that is being prepared there."""
        self._preparing.close()

    def _change(self, change: Change) -> tuple[str, ...]:
        with self._lock:
            loop, look, before = self._loop, self.look, self.engine
        if loop is None or look is None:
            raise AgentError("the first portrait is still being prepared; try again")
        chosen, heard = self._chosen(change), list[str]()
        engine = self._engine_of(change, chosen, heard.append)
        try:
            prepared = self._preparing.ask(Wish(look, change, engine.name if engine.portable else None))
            avatar = prepared.avatar if engine.portable else engine.prepare(prepared.look.portrait)
            with self._lock:
                if not self._is_expected(change, look):
                    raise AgentError(f"{change}: not done, since nobody is to be shown any more")
                self._show(loop, prepared.look, engine, avatar, chosen)
                self._portrait = change.portrait or self._portrait
        except BaseException:
            if engine is not before:
                engine.close()
            raise
        return (*(prepared.look.notes if change.portrait is not None else ()), *heard)

    def _is_expected(self, change: Change, before: Look) -> bool:
        """Whether a change, which was prepared from what was shown `before`, is still to be made."""
        if change.portrait is None:
            return self.look is before
        return any(portrait is change.portrait for portrait in self._expected)

    def _nobody(self, look: Look) -> Look:
        return look.changed(Change(portrait=Nobody()))

    def _show(self, loop: Loop, look: Look, engine: Engine[Any], avatar: Any, chosen: str) -> None:
        loop.swap(engine, avatar, self._softly)
        self.look, self.engine, self.chosen = look, engine, chosen
        self._say(f"now shown: {look.name}, background {look.background}, engine {engine.name}")

    def _chosen(self, change: Change) -> str:
        """What `chosen` becomes. Raises DoubtfulError."""
        if isinstance(change.portrait, Nobody):
            return self._own
        chosen = change.engine or self.chosen
        if chosen != self.chosen and not change.sure and (reason := doubt(chosen)):
            raise DoubtfulError(reason)
        return chosen

    def _engine_of(self, change: Change, chosen: str, hear: Callable[[str], None]) -> Engine[Any]:
        """Nobody is drawn by an engine of their own. `hear` is told what a new engine says, as the terminal is."""
        still = isinstance(self.engine, StillEngine)
        if isinstance(change.portrait, Nobody):
            return self.engine if still else StillEngine()
        return self.engine if chosen == self.chosen and not still else self._open(chosen, hear)

    def _open(self, chosen: str, hear: Callable[[str], None]) -> Engine[Any]:
        """`--backend` was said of the run's own engine."""

        def say(line: str) -> None:
            self._say(line)
            hear(line)

        return open_engine(chosen, self._plan.config.backend if chosen == self._own else "auto", say)
