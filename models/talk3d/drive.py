"""What is new with every frame."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from models.talk3d.conditions import FrameSound


class Drive(NamedTuple):
    """One instant of a person: of `conditions.Frame`, and the camera."""

    sound: FrameSound
    eye: Float[Tensor, "b 1"]
    angles: Float[Tensor, "b 3"]
    landmarks: Float[Tensor, "b 3 2"]
    camera: Float[Tensor, "b 25"]
    """Of `camera.camera_label`."""
