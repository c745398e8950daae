"""Where a face has to be for a generator to know it: where its average face is."""

import numpy as np
import torch
from jaxtyping import Float

from models.backends.picture_bytes import to_picture
from models.face import load_face_model
from models.landmarks import find_faces
from models.talk3d.camera import camera_labels
from models.talk3d.generator import Generator
from models.talk3d.personal.views import FRONTAL_PITCH, latents, view
from models.topology import OUTER_EYE_CORNERS

_EYES_APART, _EYES_AT = 0.35, (0.5, 0.47)
"""Parts of the picture: of the faces that EG3D learnt, seen by this engine's camera."""


@torch.no_grad()
def average_face(generator: Generator, samples: int) -> Float[np.ndarray, "478 2"] | None:
    """Landmarks of the face that it draws of its mean latent vector, 0..1; None if that is no face."""
    mean = latents(generator).mean
    pitch = mean.new_full((1,), FRONTAL_PITCH)
    planes = generator.backbone.synthesis(mean)
    seen = view(generator, planes, mean, camera_labels(torch.zeros_like(pitch), pitch), samples)
    faces = find_faces(to_picture(seen.picture.clamp(-1, 1))[0].cpu().numpy())
    return faces[0][:, :2] / seen.picture.shape[-1] if faces else None


def usual_face() -> Float[np.ndarray, "478 2"]:
    """Landmarks of the mean face where the faces are mostly that a generator of EG3D's learnt."""
    mean = load_face_model().mean[:, :2]
    corners = mean[list(OUTER_EYE_CORNERS)]
    scale = _EYES_APART / np.linalg.norm(corners[0] - corners[1])
    return scale * (mean - corners.mean(0)) + np.array(_EYES_AT)
