"""What stands behind the person: near rest the photo itself, else the photo with the person filled in.

Strands that the matte has missed stay behind when the head moves, so a narrow band around the person shows filled
background. While the head is where the photo has it, nothing stays behind, and the band shows the photo.
"""

import cv2
import numpy as np
from jaxtyping import UInt8

from models.ease import smoothstep
from models.portrait import Portrait

_FREE = 0.004  # alpha under which no person is drawn
_BAND = 16 / 512  # of the picture's longer side: wider than any band
_AT_REST, _MOVED = 0.004, 0.02  # how far the crown has gone, in parts of the longer side


class Backdrop:
    """The background of one portrait. Keeps what it showed last: one thread."""

    def __init__(self, portrait: Portrait, plate: UInt8[np.ndarray, "h w 3"]) -> None:
        longest = max(portrait.matte.shape)
        reach = 2 * round(_BAND * longest) + 1
        far = cv2.dilate(portrait.matte, np.ones((reach, reach), np.uint8)) == 0
        filled = (plate != portrait.image).any(2)
        is_photo = bool(far.any()) and not filled[far].any()  # not a colour or another picture
        self._band = np.nonzero(filled & (portrait.matte < _FREE) & is_photo)
        self._photo = portrait.image[self._band].astype(np.float32)
        self._filled = plate[self._band].astype(np.float32)
        self._shown, self._share = plate.copy(), 0.0
        self._near, self._gone = _AT_REST * longest, _MOVED * longest

    def behind(self, moved_px: float) -> UInt8[np.ndarray, "h w 3"]:
        """The background when the crown of the head has moved so far; valid until the next call."""
        share = 1 - smoothstep(self._near, self._gone, moved_px)
        if share != self._share:
            colours = self._filled + np.float32(share) * (self._photo - self._filled)
            self._shown[self._band] = (colours + 0.5).astype(np.uint8)
            self._share = share
        return self._shown
