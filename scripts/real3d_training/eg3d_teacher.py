"""A user's EG3D as a teacher (paper, section 3.1): people who do not exist, each from many sides.

Its pictures show head and background as one and know no face model: they teach image to plane alone, and no outline
(see `losses.outline`).
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from models.camera import labels, row_rotation
from models.real3d.segmentation import HAIR
from models.talk3d.backbone import LATENT
from models.talk3d.generator import Generator
from models.talk3d.needs import BASE
from models.talk3d.personal.generators import base_generator
from models.weight_store import Stock
from real3d_training.clip import ClipWriter, Shot

TRUNCATION = 0.7
"""How far latent vectors go from their mean (the truncation trick), as in the released training."""
_YAW, _PITCH = 0.45, 0.25  # radians to either side
_RADIUS, _CENTRE = 2.7, np.array([0.0, 0.0, 0.2])


def load_eg3d(path: Path, device: torch.device) -> Generator:
    """Raises InputError if the file is not such a generator; nothing in it is run."""
    generator, _ = base_generator(path, Stock(None, {}), BASE)
    return generator.to(device).eval().requires_grad_(False)


@torch.no_grad()
def write_clip(folder: Path, generator: Generator, side: int, count: int, random: np.random.Generator) -> None:
    """Somebody new from so many sides.

    The mapping network is told of one frontal camera, as EG3D's own programs do for several views: it changes who is
    seen with the camera that it is told of.
    """
    device = generator.backbone.mapping.w_avg.device
    draw = torch.from_numpy(random.standard_normal((1, LATENT)).astype(np.float32)).to(device)
    mean = generator.backbone.mapping.w_avg
    latent = mean + TRUNCATION * (generator.backbone.mapping(draw, _camera(0.0, 0.0).to(device))[0] - mean)
    planes = generator.backbone.synthesis(latent)
    clip = ClipWriter(folder)
    for camera in cameras(count, random):
        seen = generator.superresolution(generator.look(planes, camera.to(device)), latent)
        pixels = ((seen[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
        picture = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
        clip.add(Shot(picture, np.full((side, side), HAIR, np.uint8), camera[0].numpy()))
    clip.finish(None, None, "")


def cameras(count: int, random: np.random.Generator) -> Iterator[torch.Tensor]:
    """[1, 25] each, around the head; see `models.camera.labels`."""
    for yaw, pitch in random.uniform(-1, 1, (count, 2)) * [_YAW, _PITCH]:
        yield _camera(yaw, pitch)


def _camera(yaw: float, pitch: float) -> torch.Tensor:
    rotation = row_rotation(np.array([[pitch, yaw, 0.0]]))
    return torch.from_numpy(labels(rotation, _RADIUS * rotation[:, :, 2] + _CENTRE))
