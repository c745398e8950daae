"""Portrait: one photo, prepared for every engine."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

Pixels = UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]
"""A picture: RGB, or RGBA with straight (not premultiplied) alpha."""
Matte = Float32[np.ndarray, "h w"]
"""1 on a person, 0 elsewhere."""

PERSON_MARGIN = 0.1875
"""How far the person is continued beyond the picture's edges, in parts of its longer side."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photo on the output canvas, with what was found in it."""

    image: UInt8[np.ndarray, "h w 3"]
    """The photo scaled and padded to the output size, RGB."""
    matte: Matte
    """1 on the person, 0 on the background."""
    person: UInt8[np.ndarray, "ph pw 4"]
    """The person alone, RGBA with colours multiplied by alpha, as fine as the photo allows and continued beyond the
    picture's edges."""
    person_scale: int
    """Pixels of `person` per pixel of `image`, 1 or more."""
    person_margin: int
    """How far `person` goes beyond each edge of `image`, in its pixels."""
    background: UInt8[np.ndarray, "h w 3"] | None
    """What stands behind the person: the photo's, filled in where the person hides it, or another, RGB; None is
    nothing, and engines then give pictures with transparency."""
    landmarks: Float32[np.ndarray, "478 3"]
    """Face landmarks in pixels of `image`; x right, y down, z away from the camera, weak perspective."""
    notes: tuple[str, ...] = ()
    """What the user should know about the photo, each to be said after its name ("shows two faces; ...")."""
    keepable: bool = False
    """Whether what is made of it may stay on disk; False where any of it was chosen on a page."""
