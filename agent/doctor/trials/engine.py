"""Portrait and engine: prepared as a run prepares them, and drawn for a second."""

import time
from dataclasses import dataclass

from agent.engines import open_engine
from agent.look import first_look
from agent.plan import Plan
from models.errors import AgentError
from models.motion import Motion, expression
from models.weights import with_person

_DRAWN_S = 1.0


@dataclass(frozen=True, slots=True)
class EngineTrial:
    """What came of the portrait and the engine."""

    portrait_refusal: str = ""
    """Why the photo is of no use, in the run's words; empty if it is."""
    notes: tuple[str, ...] = ()
    """What the run would say of the photo."""
    engine_refusal: str = ""
    """Why the engine cannot be used, in the run's words; empty if it can."""
    said: tuple[str, ...] = ()
    """What the engine told while it opened."""
    backend: str = ""
    """What executes it."""
    fps: float = 0.0
    """Pictures per second that it draws here."""


def try_engine(plan: Plan) -> EngineTrial:
    """Opens the engine of a run and draws its portrait, the mouth in motion."""
    config = plan.config
    said: list[str] = []
    try:
        look = first_look(config.portrait, plan.size, config.framing, config.background)
    except AgentError as error:
        return EngineTrial(portrait_refusal=str(error))
    try:
        engine = open_engine(with_person(config.engine, config.person), config.backend, said.append)
    except AgentError as error:
        return EngineTrial(notes=look.notes, engine_refusal=str(error), said=tuple(said))
    try:
        avatar = engine.prepare(look.portrait)
        pictures, begin_s = 0, time.perf_counter()
        while (elapsed_s := time.perf_counter() - begin_s) < _DRAWN_S or pictures == 0:
            jaw = 0.5 if pictures % 2 else 0.2
            engine.render(avatar, Motion(round(elapsed_s * 1e9), expression(jawOpen=jaw, mouthSmileLeft=jaw)))
            pictures += 1
        fps = pictures / (time.perf_counter() - begin_s)
    except (AgentError, RuntimeError) as error:  # RuntimeError: torch's, such as a GPU without memory
        return EngineTrial("", look.notes, " ".join(str(error).split()), tuple(said), engine.backend)
    finally:
        engine.close()
    return EngineTrial("", look.notes, "", tuple(said), engine.backend, fps)
