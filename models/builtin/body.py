"""The mesh of a portrait: face, strips between lips and lids, and what surrounds the face."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int32

from models.builtin.puppet import Puppet
from models.builtin.slopes import with_gentle_slopes
from models.builtin.surround import build_surround
from models.face import FaceModel
from models.portrait import Portrait
from models.pose import fit_pose
from models.topology import SURFACE_COUNT


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The geometry of one portrait. Vertices are the 468 points of the face, then the grid around it."""

    puppet: Puppet
    uv: Float[np.ndarray, "n 2"]
    """Where each vertex lies on the portrait's `person`, in its pixels."""
    skin: Int32[np.ndarray, "t 3"]
    surround: Int32[np.ndarray, "u 3"]
    strips: Int32[np.ndarray, "v 3"]
    """Between the lips and between the lids."""
    head_weight: Float[np.ndarray, "n"]
    """1 moves rigidly with the head, 0 with the torso."""

    @property
    def triangles(self) -> Int32[np.ndarray, "w 3"]:
        """All of them: skin before the strips between lips and lids, so that where they meet, skin is seen."""
        return np.ascontiguousarray(np.vstack([self.skin, self.surround, self.strips]), np.int32)


def build_body(portrait: Portrait, model: FaceModel) -> Body:
    """Lays the mesh over a portrait."""
    scale, margin = portrait.person_scale, portrait.person_margin
    surface = with_gentle_slopes(portrait.landmarks)
    surround = build_surround(surface, portrait.person[::scale, ::scale, 3] > 0, margin)
    height, width = portrait.matte.shape
    puppet = Puppet(surface, fit_pose(portrait.landmarks, model.mean), (width, height), surround, model)
    return Body(
        puppet=puppet,
        # Pixel centres: a pixel x of the picture covers [x + margin, x + margin + 1) * scale of the texture.
        uv=(puppet.rest_vertices[:, :2] + margin + 0.5) * scale - 0.5,
        skin=model.triangles,
        surround=surround.triangles,
        strips=np.vstack([model.mouth_strip, model.eye_strips]),
        head_weight=np.concatenate([np.ones(SURFACE_COUNT), surround.head_weight]),
    )
