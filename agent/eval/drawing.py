"""Pictures of a case, drawn as `agent run` draws them offline."""

from collections.abc import Callable

from agent.build import Session
from agent.config.engines import ComparedName
from agent.config.eval import Eval
from agent.eval.cases import Case
from agent.probe import Probe
from models.portrait import Pixels
from runtime.change import Upload
from runtime.clock import MonotonicClock
from runtime.engines.still import StillEngine
from runtime.picture import Picture

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

    def looked_at(picture: Picture) -> Picture:
        take(picture.due_ns, picture.image)
        return picture

    plan = case.plan(config, engine)
    probe = Probe(
        portrait=case.photo if isinstance(case.photo, Upload) else None,
        engine=StillEngine() if engine == "still" else None,
        instrument=looked_at,
    )
    session = Session(plan, MonotonicClock(), say, probe=probe)
    try:
        session.loop.run_offline(plan.frames, progress)
    finally:
        session.close()
