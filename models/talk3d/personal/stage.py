"""A stage of the procedure: steps that can be left off anywhere, and gone on with to the same numbers.

What a step draws at random, it draws from a generator seeded by stage and step; all else that it depends on is kept.
"""

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from models.checkpoint import read_content
from models.errors import AgentError, InputError

State = dict[str, Any]
"""Tensors, numbers, and lists and dictionaries of such."""
Told = Callable[["Stage", int, float], None]
"""Hears the stage, how many of its steps are done, and the last one's loss; whatever it raises ends the work."""


@runtime_checkable
class Stage(Protocol):
    """One of the procedure's stages."""

    name: str
    steps: int
    """At most."""
    renders: float
    """How many pictures a step draws and learns from, about: what it costs."""
    saved_every: int
    """Steps between two states that are kept."""

    def step(self, number: int) -> float:
        """Does a step, the first being 0; returns its loss."""
        ...

    def ended(self) -> bool:
        """Whether what is learnt is good enough."""
        ...

    def state(self) -> State:
        """All that the next step depends on."""
        ...

    def resume(self, state: State) -> None:
        """Goes on from such a state."""
        ...

    def result(self) -> State:
        """What later stages need."""
        ...


def draws(stage: str, step: int) -> torch.Generator:
    """The random numbers of a step, on the CPU."""
    return torch.Generator().manual_seed(zlib.crc32(f"{stage} {step}".encode()))


class Kept:
    """Where stages keep their states and results: whole files or none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def result(self, name: str) -> State | None:
        """Of a stage that has ended; None for one that has not."""
        path = self._folder / f"{name}.done.pt"
        return self._read(path) if path.exists() else None

    def losses(self, name: str) -> list[float]:
        """Of every step of a stage that has ended."""
        return list((self.result(name) or {}).get("losses", []))

    def state(self, name: str) -> State | None:
        """The last that a stage kept."""
        path = self._folder / f"{name}.pt"
        return self._read(path) if path.exists() else None

    def keep(self, name: str, state: State) -> None:
        """Takes the place of the last one. Raises AgentError: it cannot be written."""
        self._write(self._folder / f"{name}.pt", state)

    def finish(self, name: str, result: State) -> None:
        """Keeps a result, and no state any more. Raises AgentError: it cannot be written."""
        self._write(self._folder / f"{name}.done.pt", result)
        (self._folder / f"{name}.pt").unlink(missing_ok=True)

    def _read(self, path: Path) -> State:
        try:
            state: State = read_content(path)
        except InputError:
            raise InputError(f"{path} is damaged; delete it, and this stage begins anew") from None
        return state

    def _write(self, path: Path, state: State) -> None:
        partial = path.with_suffix(".part")
        try:
            with partial.open("wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except (OSError, RuntimeError) as error:  # RuntimeError: torch's, of a file that cannot be written
            partial.unlink(missing_ok=True)
            reason = error.strerror if isinstance(error, OSError) else "it could not be written"
            raise AgentError(
                f"{path}: {reason}; make room in its folder and give the same command again: it goes on from the last "
                "state"
            ) from None


def carry_out(stage: Stage, kept: Kept, told: Told) -> State:
    """Does a stage from where it was left; returns its result. Raises AgentError: a state cannot be written."""
    if (result := kept.result(stage.name)) is not None:
        return result
    done, losses = 0, []
    if (known := kept.state(stage.name)) is not None:
        done, losses = known["done"], known["losses"]
        stage.resume(known["state"])
    while done < stage.steps and not (done and stage.ended()):
        losses.append(stage.step(done))
        done += 1
        try:
            told(stage, done, losses[-1])
        except BaseException:
            kept.keep(stage.name, {"done": done, "losses": losses, "state": stage.state()})
            raise
        if done % stage.saved_every == 0:
            kept.keep(stage.name, {"done": done, "losses": losses, "state": stage.state()})
    result = {**stage.result(), "losses": losses}
    kept.finish(stage.name, result)
    return result
