"""The box around a head that the networks know, and the square of a picture in which they see it.

Box coordinates: x right in the frontal picture, y down, z away from the camera; -1..1 is a window's width and height.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from models.face import FaceModel
from models.pose import Pose
from models.squares import Square
from models.topology import CHIN, EAR_TO_EAR, FOREHEAD_TOP

SIDE = 256
"""Of the networks' pictures, pixels."""
_FACE_HEIGHTS = 2.3
_FROM_CHIN, _BEHIND = 0.48, 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Where the box lies in canonical space (see `models.face.FaceModel`)."""

    centre: Float[np.ndarray, "3"]
    half: float
    """Canonical units."""

    def into(self, canonical: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Canonical points -> box."""
        return (canonical - self.centre) / self.half

    def window(self, pose: Pose) -> Square:
        """The square that shows the box under a pose."""
        side = 2 * self.half * pose.scale
        x, y = pose.to_picture(self.centre[None])[0, :2] + 0.5 - side / 2
        return Square(float(x), float(y), side)


def box_of(model: FaceModel) -> Box:
    """Its centre lies between the ears, at half the height of the face."""
    top, chin = model.mean[FOREHEAD_TOP], model.mean[CHIN]
    down = (1 - _FROM_CHIN) * top[1] + _FROM_CHIN * chin[1]
    centre = np.array([0.0, down, _BEHIND * model.mean[EAR_TO_EAR, 2].mean()])
    return Box(centre, 0.5 * _FACE_HEIGHTS * float(np.linalg.norm(chin - top)))


def to_pixels(box: Float[np.ndarray, "n 3"], side: int, reach: float = 1.0) -> Float32[np.ndarray, "n 3"]:
    """Box points in the frontal picture of -reach..reach: column and row, the first pixel's centre at (0, 0), depth."""
    flat = (box[:, :2] / reach + 1) * (side / 2) - 0.5
    return np.column_stack([flat, box[:, 2]]).astype(np.float32)
