"""`agent personalise`."""

from agent.config.personalise import Personalise
from agent.interrupt import interruptible
from agent.terminal import progress_of_parts, say
from models.errors import InputError


def personalise(config: Personalise) -> None:
    """Makes a person's networks of a video."""
    try:
        from agent.personalise import Personalising  # torch: seconds, and optional
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise InputError("agent personalise needs torch: .venv/bin/pip install -e '.[neural]'") from None

    with interruptible(at_once=True) as interrupt:
        task = Personalising(config, say)
        interrupt.stop_with(lambda: None)
        with progress_of_parts() as advance:

            def bar(part: str, done: int, total: int) -> None:
                if interrupt.asked:
                    raise KeyboardInterrupt
                advance(part, done, total)

            told = task.run(bar)
    for line in told:
        say(line)
