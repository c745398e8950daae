"""What a face model must have to be laid over a face."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int32

from models.morphable import MorphableModel


@runtime_checkable
class LandmarkedFace(Protocol):
    """A face model in the axes and the unit of `models.bfm.load_bfm`, and where landmarks lie on it."""

    @property
    def model(self) -> MorphableModel:
        """The face model."""
        ...

    @property
    def landmarks468(self) -> Int32[np.ndarray, "468"]:
        """Vertices at mediapipe's landmarks; what `objective.IGNORED` names may be any."""
        ...
