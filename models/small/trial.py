"""A fixed portrait and two drives, drawn by rule: networks are captured and exported on one, judged on the other."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from models.backends.paper import Trial
from models.face import FaceModel
from models.motion import expression
from models.small.code_picture import CodePainter
from models.small.drive import Drive
from models.small.frame_box import SIDE, Box
from models.small.lifting import GRID
from models.small.portrait_state import PortraitParts


def trial(model: FaceModel, box: Box) -> Trial[PortraitParts, Drive]:
    """Waves of colour on a head that speaks and turns one way, then smiles, winks and turns the other."""
    paint, face = CodePainter(model, box), model.mean.astype(np.float64)
    codes, places = (torch.from_numpy(x)[None] for x in (paint(face), paint.places(face)))
    return Trial(
        PortraitParts(_head(), _geometry(), codes, places),
        _drive(model, [0.1, -0.2, 0.05], jawOpen=0.6),
        _drive(model, [-0.1, 0.25, -0.1], mouthSmileLeft=0.8, mouthSmileRight=0.8, eyeBlinkLeft=1.0),
    )


def _drive(model: FaceModel, turn: list[float], **coefficients: float) -> Drive:
    face = model.shape(expression=expression(**coefficients)).astype(np.float32)
    rotation = Rotation.from_rotvec(turn).as_matrix().astype(np.float32)
    return Drive(torch.from_numpy(face)[None], torch.from_numpy(rotation)[None])


def _head() -> torch.Tensor:
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, SIDE)] * 2, indexing="ij")
    alpha = (20 * (1 - (x / 0.5).square() - (y / 0.65).square())).clamp(0, 1)
    waves = torch.stack([0.5 + 0.5 * torch.sin(3 * (3 * x + k + (2 - k) * y)) for k in range(3)])
    return torch.cat([waves * alpha, alpha[None]])[None]


def _geometry() -> torch.Tensor:
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, GRID)] * 2, indexing="ij")
    away = ((x / 0.5).square() + (y / 0.65).square()).sqrt()
    return torch.stack([0.7 * away.clamp(max=1.2).square() - 0.5, (0.5 * (away - 1)).clamp(-0.3, 0.3)])[None]
