"""The networks run by torch, operation by operation: the reference."""

from functools import partial

import torch

from models.backends.cuda_math import repeatable
from models.backends.layout import channels_last
from models.real3d.drive import Drive
from models.real3d.executor import Picture
from models.real3d.face import Real3dFace
from models.real3d.folded import FrameNetwork
from models.real3d.folded_adapter import FoldedRenderer
from models.real3d.levels import LEVELS
from models.real3d.networks import FramePicture
from models.real3d.painter import CpuPainter
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.video_model import PortraitParts, VideoModel
from models.triplane import look_up, look_up_on_cpu


class TorchExecutor:
    """Executor in float32, its PNCC pictures made on the CPU."""

    levels = len(LEVELS)

    def __init__(self, model: VideoModel, face: Real3dFace, device: torch.device) -> None:
        """`model` is moved to the device."""
        repeatable()
        self.device = device
        self._model = model.to(device)
        read = look_up_on_cpu if device.type == "cpu" else look_up
        network = channels_last(FrameNetwork(self._model, renderer=partial(FoldedRenderer, look_up=read)))
        self._networks = [FramePicture(network, level) for level in LEVELS]
        self._paint = CpuPainter(face)

    @property
    def name(self) -> str:
        """As in reports."""
        return f"torch {self.device.type}"

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        """What frames need of a portrait."""
        return prepare(self._model, portrait.to(self.device))

    @torch.inference_mode()
    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> Picture:
        """One picture."""
        fresh = (value.to(self.device) for value in (self._paint(drive), drive.camera, drive.key_points))
        return self._networks[level](*state, *fresh)[0].cpu().numpy()

    def close(self) -> None:
        """Nothing is held that would not go with this object."""
