"""Executors: what runs the networks of a frame, on which device."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import UInt8

from models.real3d.drive import Drive
from models.real3d.portrait_state import PortraitState
from models.real3d.video_model import PortraitParts

Picture = UInt8[np.ndarray, "512 512 3"]


@runtime_checkable
class Executor(Protocol):
    """Runs the networks for every avatar of an engine, one at a time."""

    @property
    def name(self) -> str:
        """As in reports."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the tensors of its states lie."""
        ...

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        """What frames need of a portrait; not in the thread that draws frames, and possibly beside it."""
        ...

    @property
    def levels(self) -> int:
        """How many levels of quality it draws at; 0 is the best, each further one takes less time."""
        ...

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> Picture:
        """One picture, RGB, that the caller owns; the drive, a batch of one, lies on the CPU."""
        ...

    def close(self) -> None:
        """Frees the device. May be called twice."""
        ...
