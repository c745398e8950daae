"""What stands behind the person: near rest the photo itself, else the photo with the person filled in.

Strands that the matte has missed stay behind when the head moves, so a narrow band around the person shows filled
background. While head or torso is where the photo has it, nothing stays behind it: there the band shows the photo, and
what is seen through the person's soft edges is what makes the photo of them.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from models.builtin.constants import BACKDROP
from models.builtin.part import Part
from models.builtin.surround import head_weight
from models.ease import smoothstep
from models.portrait import Portrait
from models.topology import FACE_OVAL

_OPAQUE = 0.95  # alpha through which nothing is seen
_BAND = 28 / 512  # of the picture's longer side: wider than any band
_HEAD = 0.25  # weight of the head from which a place counts as moving with it alone


class Backdrop:
    """The background of one portrait. Keeps what it showed last: one thread."""

    def __init__(self, portrait: Portrait, plate: UInt8[np.ndarray, "h w 3"]) -> None:
        longest = max(portrait.matte.shape)
        reach = 2 * round(_BAND * longest) + 1
        far = cv2.dilate((portrait.matte > 0).astype(np.uint8), np.ones((reach, reach), np.uint8)) == 0
        filled = (plate != portrait.image).any(2)
        is_photo = bool(far.any()) and not filled[far].any()  # not a colour or another picture
        person = _person(portrait)
        alpha = person[..., 3]
        self._band = np.nonzero(filled & (alpha < _OPAQUE) & is_photo)
        through = (portrait.image[self._band] - person[self._band][:, :3]) / (1 - alpha[self._band])[:, None]
        self._filled = plate[self._band].astype(np.float32)
        self._to_photo = np.clip(through, 0, 255) - self._filled
        self._head = np.clip(_head_weight(portrait, self._band) / _HEAD, 0, 1).astype(np.float32)[:, None]
        self._plate, self._shown, self._shares = plate, plate.copy(), (0.0, 0.0)
        self._near, self._gone = (part * longest for part in BACKDROP.gone)

    def behind(self, head_px: float, torso_px: float) -> UInt8[np.ndarray, "h w 3"]:
        """The background when crown and torso have moved so far; valid until the next call."""
        head, torso = (1 - smoothstep(self._near, self._gone, moved) for moved in (head_px, torso_px))
        if (head, torso) != self._shares:
            share = np.float32(torso) + np.float32(head - torso) * self._head
            self._shown[self._band] = (self._filled + share * self._to_photo + np.float32(0.5)).astype(np.uint8)
            self._shares = head, torso
        return self._shown

    def for_player(self) -> Part:
        """The backdrop at rest, the one that is seen when everything has gone, and where and with what they change."""
        where = np.zeros(self._plate.shape[:2], np.float32)
        where[self._band] = 1 / 255 + 254 / 255 * self._head[:, 0]
        rest = self.behind(0.0, 0.0).copy()
        return Part({}, layers={"rest": rest, "gone": self._plate, "where": where})


def _person(portrait: Portrait) -> Float32[np.ndarray, "h w 4"]:
    """The person at rest: colours multiplied by alpha, 0..255, and alpha, 0..1."""
    edge = portrait.person_margin * portrait.person_scale
    height, width = portrait.matte.shape
    inner = portrait.person[edge : edge + height * portrait.person_scale, edge : edge + width * portrait.person_scale]
    person = cv2.resize(inner, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    person[..., 3] /= 255
    return person


def _head_weight(portrait: Portrait, band: tuple[np.ndarray, ...]) -> Float[np.ndarray, "n"]:
    """How much the person beside each pixel of the band follows the head."""
    beside = np.ones(portrait.matte.shape, np.uint8)
    outline = portrait.landmarks[FACE_OVAL, :2].round().astype(np.int32)
    distance = cv2.distanceTransform(cv2.fillConvexPoly(beside, cv2.convexHull(outline), 0), cv2.DIST_L2, 5)
    points = np.column_stack(band[::-1]).astype(np.float64)
    return head_weight(points, distance[band].astype(np.float64), portrait.landmarks)
