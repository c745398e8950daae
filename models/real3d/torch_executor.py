"""The networks run by torch, operation by operation: the reference."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.backends.cuda_math import repeatable
from models.real3d.executor import Picture
from models.real3d.folded import FrameNetwork
from models.real3d.networks import FramePicture
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.torso_motion import KeyPoints
from models.real3d.video_model import Image, PortraitParts, VideoModel


class TorchExecutor:
    """Executor in float32."""

    def __init__(self, model: VideoModel, device: torch.device) -> None:
        """`model` is moved to the device."""
        repeatable()
        self.device = device
        self._model = model.to(device)
        self._network = FramePicture(FrameNetwork(self._model))

    @property
    def name(self) -> str:
        """As in reports."""
        return f"torch {self.device.type}"

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        """What frames need of a portrait."""
        return prepare(self._model, portrait.to(self.device))

    @torch.inference_mode()
    def frame(
        self, state: PortraitState, pncc_target: Image, camera: Float[Tensor, "1 25"], key_points: KeyPoints
    ) -> Picture:
        """One picture."""
        fresh = (value.to(self.device) for value in (pncc_target, camera, key_points))
        return self._network(*state, *fresh)[0].cpu().numpy()

    def close(self) -> None:
        """Nothing is held that would not go with this object."""
