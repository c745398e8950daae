"""Executors: what runs the networks of a frame, on which device."""

from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

Picture = UInt8[np.ndarray, "h w c"]
"""As the paper's frame network gives it."""

PartsT = TypeVar("PartsT", contravariant=True)
StateT = TypeVar("StateT", bound=tuple[Tensor, ...])
DriveT = TypeVar("DriveT", contravariant=True)


@runtime_checkable
class Executor(Protocol[PartsT, StateT, DriveT]):
    """Runs the networks for every avatar of an engine, one at a time."""

    @property
    def name(self) -> str:
        """As in reports."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the tensors of its states lie."""
        ...

    def prepare(self, portrait: PartsT) -> StateT:
        """What frames need of a portrait; not in the thread that draws frames, and possibly beside it."""
        ...

    @property
    def levels(self) -> int:
        """How many levels of quality it draws at; 0 is the best, each further one takes less time."""
        ...

    def frame(self, state: StateT, drive: DriveT, level: int = 0) -> Picture:
        """One picture that the caller owns; the drive, a batch of one, lies on the CPU."""
        ...

    def close(self) -> None:
        """Frees the device. May be called twice."""
        ...
