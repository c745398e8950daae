"""The fastest executor that draws what the reference draws."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic

from models.backends.built import BuiltFiles, recipe
from models.backends.executor import Executor
from models.backends.machine import machine
from models.backends.paper import DriveT, Paper, PartsT, StateT, Trial
from models.backends.verdict import ENOUGH_DB, Verdicts
from models.metrics.pictures import psnr_db
from models.weight_store import sha256


@dataclass(frozen=True, slots=True)
class Candidate(Generic[PartsT, StateT, DriveT]):
    """A way to open an executor."""

    name: str
    """As in messages."""
    open: Callable[[], Executor[PartsT, StateT, DriveT]]
    """Raises whatever a runtime raises where it does not work."""
    file: Path | None = None
    """What it runs, if that is a file; there once it is open."""


def best(
    candidates: Iterable[Candidate[PartsT, StateT, DriveT]],
    reference: Executor[PartsT, StateT, DriveT],
    paper: Paper[PartsT, StateT, DriveT],
    files: BuiltFiles,
    say: Callable[[str], None],
) -> Executor[PartsT, StateT, DriveT]:
    """The first candidate that works and draws as the reference does; else the reference.

    Args:
        candidates: fastest first. Those that are passed over are closed before the next is opened.
        reference: what their pictures are compared with, once.
        paper: of both; its trial is what they draw then.
        files: where verdicts are kept.
        say: hears of what is passed over, and why.
    """
    verdicts = Verdicts(files)
    here = f"{machine()}, program {recipe(paper.assembled_in, 'models.backends.open_executor')}"
    for candidate in candidates:
        with ExitStack() as opened:
            try:
                executor = candidate.open()
                opened.callback(executor.close)
                content = "" if candidate.file is None else f", file {sha256(candidate.file)[:16]}"
                what = f"{executor.name} at {executor.levels} levels, {here}{content}"
                db = verdicts.of(what, partial(agreement_db, executor, reference, paper.trial))
            except Exception as error:  # runtimes have exceptions of their own, of no common kind
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                say(f"backend {candidate.name} does not work here: {reason}")
                continue
            if db >= ENOUGH_DB:
                opened.pop_all()
                return executor
            said = f"its picture is {db:.1f} dB from the reference's, not {ENOUGH_DB:.0f}"
            say(f"backend {candidate.name} is passed over: {said}")
    return reference


def agreement_db(
    executor: Executor[PartsT, StateT, DriveT],
    reference: Executor[PartsT, StateT, DriveT],
    trial: Callable[[], Trial[PartsT, DriveT]],
) -> float:
    """How near an executor's pictures are to the reference's: PSNR in dB, at the level where it is lowest.

    They are of another drive than executors are captured and traced with: what was frozen in by mistake shows. Levels
    that only one of the two has are left out.
    """
    shown = trial()
    state, of_reference = executor.prepare(shown.parts), reference.prepare(shown.parts)
    return min(
        psnr_db(executor.frame(state, shown.second, level), reference.frame(of_reference, shown.second, level))
        for level in range(min(executor.levels, reference.levels))
    )
