"""Frames by ONNX Runtime; portraits by torch."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.backends.cuda_math import repeatable
from models.backends.onnx_runtime import OnnxNetwork
from models.real3d.executor import Picture
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.torso_motion import KeyPoints
from models.real3d.video_model import Image, PortraitParts, VideoModel


class OnnxExecutor:
    """Executor in float32, on the device that ONNX Runtime has."""

    def __init__(self, model: VideoModel, frame: OnnxNetwork) -> None:
        """`model` is moved to the device of `frame`, the frame network."""
        repeatable()
        self._model, self._frame = model.to(frame.device), frame
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
    def frame(
        self, state: PortraitState, pncc_target: Image, camera: Float[Tensor, "1 25"], key_points: KeyPoints
    ) -> Picture:
        """One picture."""
        fresh = (value.to(self.device) for value in (pncc_target, camera, key_points))
        return self._frame(*state, *fresh)[0].cpu().numpy()

    def close(self) -> None:
        """The session goes with this object."""
