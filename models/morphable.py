"""What all 3D morphable face models share: a mean, two linear bases, a surface, key points and colour codes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int32


@dataclass(frozen=True, slots=True, eq=False)
class MorphableModel:
    """A face as mean + identity + expression; every array is read-only.

    Origin, axes and unit are each model's own; in all of them the frontal face looks out of the picture upright, and
    they differ by a similarity (no reflection).
    """

    mean: Float32[np.ndarray, "n 3"]
    """The mean face."""
    identity: Float32[np.ndarray, "i n 3"]
    """Displacements at one standard deviation; coefficients are about N(0, 1)."""
    expression: Float32[np.ndarray, "e n 3"]
    """Displacements at coefficient 1."""
    triangles: Int32[np.ndarray, "t 3"]
    """The surface."""
    keypoints68: Int32[np.ndarray, "68"]
    """Vertices at the 68 points of the iBUG (300-W) scheme, in its order."""
    ncc: Float32[np.ndarray, "n 3"]
    """Normalised coordinate code of every vertex, 0..1: the colours of PNCC images (see `coordinate_code`)."""

    def shape(
        self, identity: Float[np.ndarray, "i"] | None = None, expression: Float[np.ndarray, "e"] | None = None
    ) -> Float32[np.ndarray, "n 3"]:
        """The face with these coefficients; None is the mean person, and the face at rest."""
        out = self.mean
        for basis, coefficients in ((self.identity, identity), (self.expression, expression)):
            if coefficients is not None:
                out = out + np.tensordot(coefficients.astype(np.float32), basis, 1)
        return out


def coordinate_code(mean: Float[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
    """Normalised coordinate code: each axis of the mean face stretched to 0..1.

    Args:
        mean: x right in the picture, y up, z towards the camera, so that red grows to the right, green upwards and
            blue with nearness.
    """
    low, high = mean.min(0), mean.max(0)
    return ((mean - low) / (high - low)).astype(np.float32)
