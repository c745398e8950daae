"""Frames by ONNX Runtime; portraits by torch."""

from typing import Generic

import torch

from models.backends.cuda_math import repeatable
from models.backends.executor import Picture
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.paper import DriveT, Paper, PartsT, StateT


class OnnxExecutor(Generic[PartsT, StateT, DriveT]):
    """Executor in float32, on the device that ONNX Runtime has, at full quality alone."""

    levels = 1

    def __init__(self, paper: Paper[PartsT, StateT, DriveT], frame: OnnxNetwork) -> None:
        """The paper's model is moved to the device of `frame`, the frame network."""
        repeatable()
        self._paper, self._frame = paper, frame
        paper.model.to(frame.device)
        self._paint = paper.painter(frame.device)
        self.device = frame.device

    @property
    def name(self) -> str:
        """As in reports."""
        return f"onnx {self._frame.device.type}"

    def prepare(self, portrait: PartsT) -> StateT:
        """What frames need of a portrait."""
        state = self._paper.prepare(portrait.to(self.device), torch.float32)
        return self._paper.state.make(tensor.contiguous() for tensor in state)

    @torch.inference_mode()
    def frame(self, state: StateT, drive: DriveT, level: int = 0) -> Picture:
        """One picture."""
        assert level < self.levels
        fresh = self._paint(state, self._paper.drive(values.to(self.device) for values in drive))
        return self._frame(*self._paper.seen(state), *fresh)[0].cpu().numpy()

    def close(self) -> None:
        """The session goes with this object."""
