"""The networks run by torch, operation by operation: the reference."""

from typing import Generic

import torch

from models.backends.cuda_math import repeatable
from models.backends.executor import Picture
from models.backends.paper import DriveT, Paper, PartsT, StateT


class TorchExecutor(Generic[PartsT, StateT, DriveT]):
    """Executor in float32; what is painted is painted on the CPU."""

    def __init__(self, paper: Paper[PartsT, StateT, DriveT], device: torch.device) -> None:
        """The paper's model is moved to the device."""
        repeatable()
        self.device = device
        self._paper = paper
        paper.model.to(device)
        self._networks = paper.reference(device)
        self._paint = paper.painter(torch.device("cpu"))
        self.levels = len(self._networks)

    @property
    def name(self) -> str:
        """As in reports."""
        return f"torch {self.device.type}"

    def prepare(self, portrait: PartsT) -> StateT:
        """What frames need of a portrait."""
        return self._paper.prepare(portrait.to(self.device), torch.float32)

    @torch.inference_mode()
    def frame(self, state: StateT, drive: DriveT, level: int = 0) -> Picture:
        """One picture."""
        fresh = (value.to(self.device) for value in self._paint(state, drive))
        return self._networks[level](*self._paper.seen(state), *fresh)[0].cpu().numpy()

    def close(self) -> None:
        """Nothing is held that would not go with this object."""
