"""An optimiser's way down: steps whose gradients are not finite are left out, and too many of them end the run."""

import math

import torch
from torch import Tensor, nn

from models.errors import AgentError

MOST_LEFT_OUT = 50
"""In a row. A scale for 16 bits that begins too high costs fewer."""


class Descent:
    """Gradients, their scale, and steps."""

    def __init__(self, what: str, optimiser: torch.optim.Optimizer, scales: bool, most: float = math.inf) -> None:
        """`what`: who learns, for messages; `scales`: for gradients of 16 bits; `most`: the norm they are cut to."""
        self.optimiser = optimiser
        self.scaler = torch.amp.GradScaler(enabled=scales)
        self._what, self._most, self._left_out = what, most, 0

    def gather(self, loss: Tensor) -> None:
        """Adds the loss's gradients to those of the step."""
        self.scaler.scale(loss).backward()

    def step(self) -> bool:
        """Whether it was taken. Raises AgentError where none has been for long."""
        self.scaler.unscale_(self.optimiser)
        learning = [p for group in self.optimiser.param_groups for p in group["params"] if p.grad is not None]
        taken = bool(nn.utils.clip_grad_norm_(learning, self._most).isfinite())
        if taken:
            self.scaler.step(self.optimiser)
        self.scaler.update()
        self._left_out = 0 if taken else self._left_out + 1
        if self._left_out == MOST_LEFT_OUT:
            raise AgentError(
                f"{self._what} had no finite gradients in {MOST_LEFT_OUT} steps in a row, and learns nothing so: begin "
                "in another --out with a lower --rate or another --precision"
            )
        return taken
