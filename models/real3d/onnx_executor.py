"""Frames by ONNX Runtime; portraits by torch."""

import torch

from models.backends.cuda_math import repeatable
from models.backends.onnx_runtime import OnnxNetwork
from models.real3d.drive import Drive
from models.real3d.executor import Picture
from models.real3d.face import Real3dFace
from models.real3d.painter import painter_on
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.video_model import PortraitParts, VideoModel


class OnnxExecutor:
    """Executor in float32, on the device that ONNX Runtime has, at full quality alone."""

    levels = 1

    def __init__(self, model: VideoModel, face: Real3dFace, frame: OnnxNetwork) -> None:
        """`model` is moved to the device of `frame`, the frame network."""
        repeatable()
        self._model, self._frame = model.to(frame.device), frame
        self._paint = painter_on(frame.device, face)
        self.device = frame.device

    @property
    def name(self) -> str:
        """As in reports."""
        return f"onnx {self._frame.device.type}"

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        """What frames need of a portrait."""
        state = prepare(self._model, portrait.to(self.device))
        return PortraitState(*(tensor.contiguous() for tensor in state))

    @torch.inference_mode()
    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> Picture:
        """One picture."""
        assert level < self.levels
        given = drive.to(self.device)
        return self._frame(*state, self._paint(given), given.camera, given.key_points)[0].cpu().numpy()

    def close(self) -> None:
        """The session goes with this object."""
