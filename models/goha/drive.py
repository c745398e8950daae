"""What is new with every frame."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Drive(NamedTuple):
    """One instant of a person."""

    expression: Float[Tensor, "b 64"]
    """Of the face model."""
    camera: Float[Tensor, "b 25"]
    """Of `camera.camera_labels`."""
