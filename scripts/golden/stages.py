"""Stages of a network, what the released code gave for each, and how far ours is from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

Index = tuple[int | slice, ...]
Distance = Callable[[np.ndarray, np.ndarray], float]
"""Of what was computed from what was stored."""


def relative_l2(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


def largest(got: np.ndarray, want: np.ndarray) -> float:
    """Of the differences."""
    return float(np.abs(got - want).max())


def largest_of_spread(got: np.ndarray, want: np.ndarray) -> float:
    """The same over the values' standard deviation."""
    return largest(got, want) / float(want.std())


def share(got: np.ndarray, want: np.ndarray) -> float:
    """Of values that differ."""
    return float(np.mean(got != want))


def outliers(got: np.ndarray, want: np.ndarray) -> float:
    """Share of values that are off by more than a hundredth of the values' spread."""
    return float(np.mean(np.abs(got - want) > 0.01 * want.std()))


def every(*steps: int) -> Index:
    """The first of the batch; of each further axis every so manieth value."""
    return (0, *(slice(None, None, step) for step in steps))


@dataclass(frozen=True, slots=True)
class Stage:
    """One array that the released code computes on its way."""

    part: Index
    """Which of its values are stored."""
    tolerance: float
    """Largest distance of these values."""
    module: str = ""
    """The module whose output it is; empty: it is handed over by hand."""
    pick: Callable[[Any], Tensor] = lambda output: output
    """Which of the module's outputs."""
    distance: Distance = relative_l2


class Measured(NamedTuple):
    """How far a stage is from the released code."""

    name: str
    error: float
    """Distance of the stored values; infinite for another shape."""
    tolerance: float

    @property
    def good(self) -> bool:
        """Within tolerance."""
        return self.error <= self.tolerance


class Comparison:
    """Watches a network while it runs and measures every stage that it passes."""

    def __init__(self, golden: Path, stages: Mapping[str, Stage]) -> None:
        with np.load(golden) as stored:
            self._golden = dict(stored)
        self._stages = stages
        self.measured: dict[str, Measured] = {}

    def watch(self, network: nn.Module) -> None:
        """From now on, what these modules give is measured."""
        for name, stage in self._stages.items():
            if stage.module:
                network.get_submodule(stage.module).register_forward_hook(self._hook(name, stage))

    def _hook(self, name: str, stage: Stage) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, inputs, output: self.measure(name, stage.pick(output))

    def measure(self, name: str, value: Tensor) -> None:
        """Compares a value with the stage of that name."""
        stage, want = self._stages[name], self._golden[f"{name}/sub"].astype(np.float64)
        error = float("inf")
        if value.shape == tuple(self._golden[f"{name}/shape"]):
            got = value[stage.part].double().cpu().numpy()
            error = stage.distance(got, want)
        self.measured[name] = Measured(name, error, stage.tolerance)


class Run(Protocol):
    """One paper's networks on the stored inputs."""

    comparison: Comparison


RunT = TypeVar("RunT", bound=Run)


def measure(run: RunT, groups: Iterable[Callable[[RunT], object]]) -> Iterable[Measured]:
    """All stages that these groups pass."""
    with torch.inference_mode():
        for group in groups:
            group(run)
    return run.comparison.measured.values()


def table(measured: Iterable[Measured]) -> str:
    """One line per stage."""
    rows = [f"{'stage':<28} {'error':>9} {'tolerance':>9}"]
    rows += [f"{m.name:<28} {m.error:9.1e} {m.tolerance:9.0e}{'' if m.good else '  too far'}" for m in measured]
    return "\n".join(rows)
