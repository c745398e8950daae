"""Executors: what runs the networks of a frame, on which device."""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from models.real3d.portrait_state import PortraitState
from models.real3d.torso_motion import KeyPoints
from models.real3d.video_model import Image, PortraitParts


class Executor(Protocol):
    """Runs the networks for every avatar of an engine, one at a time."""

    @property
    def name(self) -> str:
        """As in reports."""
        ...

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        """What frames need of a portrait; not in the thread that draws frames, and possibly beside it."""
        ...

    def frame(
        self, state: PortraitState, pncc_target: Image, camera: Float[Tensor, "1 25"], key_points: KeyPoints
    ) -> Image:
        """One picture, -1..1. Inputs lie on the CPU; the picture lies on the CPU or the device."""
        ...

    def close(self) -> None:
        """Frees the device. May be called twice."""
        ...
