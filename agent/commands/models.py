"""`agent models`."""

import json
from typing import assert_never

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agent.config.models import Models, ModelsBuild, ModelsImport, ModelsList, ModelsRemove
from agent.interrupt import interruptible
from agent.patience import patiently
from agent.terminal import console, progress, say
from agent.weights import Import, describe, remove, status
from models.errors import AgentError

_MEGABYTE = 1_000_000


def models(config: Models) -> None:
    """Lists, imports, builds or removes weights."""
    match config.action:
        case ModelsImport():
            _import(config.action)
        case ModelsBuild():
            _build(config.action)
        case ModelsList(as_json, verify):
            known = status(verify)
            print(json.dumps(known, indent=2) if as_json else describe(known))
        case ModelsRemove():
            say(remove(config.action))
        case _:
            assert_never(config.action)


def _import(config: ModelsImport) -> None:
    with interruptible() as interrupt:
        task = Import(config)
        with progress(task.total_bytes // _MEGABYTE, "importing, MB") as advance:
            done = 0

            def more(new_bytes: int) -> None:
                nonlocal done
                if interrupt.asked:
                    raise KeyboardInterrupt
                done += new_bytes
                advance(done // _MEGABYTE)

            told = task.run(more)
    for line in told:
        say(line)


def _build(config: ModelsBuild) -> None:
    from agent.building import build  # numba: a second that the others need not pay

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with interruptible() as interrupt, bar:
        task = bar.add_task("", total=None)

        def told(phase: str, done: int, total: int) -> bool:
            bar.update(task, description=phase, completed=done, total=total)
            return not interrupt.asked

        tell = (lambda line: None) if console.is_terminal else say
        try:
            path = patiently("building", lambda: build(config, say, told), lambda: interrupt.asked, tell)
        except AgentError:
            if interrupt.asked:
                raise KeyboardInterrupt from None
            raise
    say(f"wrote {path}")
