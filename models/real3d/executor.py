"""Executors: what runs the networks of a frame, on which device."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from models.real3d.portrait_state import PortraitState
from models.real3d.torso_motion import KeyPoints
from models.real3d.video_model import Image, PortraitParts

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

    def frame(
        self, state: PortraitState, pncc_target: Image, camera: Float[Tensor, "1 25"], key_points: KeyPoints
    ) -> Picture:
        """One picture, RGB, that the caller owns; inputs but the state lie on the CPU."""
        ...

    def close(self) -> None:
        """Frees the device. May be called twice."""
        ...
