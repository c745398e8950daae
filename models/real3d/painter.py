"""Who makes a frame's PNCC pictures: loops compiled for the CPU there, torch on every other device."""

from collections.abc import Callable

import numpy as np
import torch

from models.real3d.blink import eyes_closed
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.pncc import PnccPainter
from models.real3d.torch_blink import eyes_closed as torch_eyes_closed
from models.real3d.torch_pncc import TorchPnccPainter
from models.real3d.video_model import Image

Painter = Callable[[Drive], Image]
"""PNCC pictures of driven faces, their eyes closed as far as the drive says; where the drive lies."""


def painter_on(device: torch.device, face: Real3dFace) -> Painter:
    """The painter for networks that run there."""
    return CpuPainter(face) if device.type == "cpu" else TorchPainter(face, device)


class CpuPainter:
    """Painter of drives that lie on the CPU."""

    def __init__(self, face: Real3dFace) -> None:
        self._painter = PnccPainter(face)

    def __call__(self, drive: Drive) -> Image:
        """The pictures."""
        faces = zip(drive.identity.numpy(), drive.expression.numpy(), drive.closures.tolist(), strict=True)
        drawn = [eyes_closed(self._painter(who, how), *closures) for who, how, closures in faces]
        return torch.from_numpy(np.stack(drawn))


class TorchPainter:
    """Painter on a device. Nothing waits for it, and what is done does not depend on the drive."""

    def __init__(self, face: Real3dFace, device: torch.device) -> None:
        self._painter = TorchPnccPainter(face, device)

    def __call__(self, drive: Drive) -> Image:
        """The pictures."""
        return torch_eyes_closed(self._painter(drive.identity, drive.expression), drive.closures)
