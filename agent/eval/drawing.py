"""Pictures of a case, drawn as `agent run` draws them offline."""

from collections.abc import Callable

from agent.build import Session
from agent.config import ComparedName, Eval
from agent.eval.cases import Case
from agent.probe import Probe
from models.portrait import Pixels
from runtime.change import Upload
from runtime.clock import MonotonicClock
from runtime.engines.still import StillEngine
from runtime.picture import Picture
from runtime.sinks import Sink
from runtime.sound import Sound

Take = Callable[[int, Pixels], None]
"""Is given the instant of a picture, and the picture."""


def draw(
    case: Case,
    config: Eval,
    engine: ComparedName,
    take: Take,
    say: Callable[[str], None],
    progress: Callable[[int], None],
) -> None:
    """Draws every picture of a case, and keeps them as a video beside the page.

    Args:
        case: what to draw.
        config: of the comparison.
        engine: which one draws.
        take: is given each picture, as the engine drew it.
        say: hears what the user should know.
        progress: hears how many pictures are done.

    Raises:
        InputError: the engine cannot be opened, or does not draw this portrait.
    """
    plan = case.plan(config, engine)
    probe = Probe(
        portrait=case.photo if isinstance(case.photo, Upload) else None,
        engine=StillEngine() if engine == "still" else None,
        instrument=lambda sink: _Watched(sink, take),
    )
    session = Session(plan, MonotonicClock(), say, probe=probe)
    try:
        session.loop.run_offline(plan.frames, progress)
    finally:
        session.close()


class _Watched:
    """Sink: `sink`, of whose pictures somebody takes a look."""

    def __init__(self, sink: Sink, take: Take) -> None:
        self.name, self.shows = sink.name, sink.shows
        self._sink, self._take = sink, take

    def send(self, picture: Picture) -> None:
        """Shows it and passes it on."""
        self._take(picture.due_ns, picture.image)
        self._sink.send(picture)

    def hear(self, sound: Sound) -> None:
        """Passes it on."""
        self._sink.hear(sound)

    def close(self, complete: bool = True) -> None:
        """Closes the output."""
        self._sink.close(complete)
