"""Eyelids: skin that comes down over the eye as it closes, and the line of the lashes.

Stretching the photo's own lid would spread its lashes and shadows over the closed eye. The lid is painted instead,
with the skin around the eye continued over it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from models.builtin.constants import LID
from models.builtin.drawing import LUMA, Box, blur_px, spread, translate
from models.builtin.lens import Lens
from models.builtin.part import Part
from models.builtin.puppet import Puppet, Shape
from models.ease import smoothstep
from models.expression import EyeContour

# Parts of the eye's width.
_ABOVE = 0.1  # where lashes and liner lie above the contour: covered by skin
_CLEAR_ABOVE, _CLEAR_BELOW = 0.14, 0.14  # skin is taken from outside this
_CORNER = np.array(LID.corner)
_LASH_SHADE = 0.25  # how dark lashes are, seen against skin
_CLEAR, _REACH = 0.06, 0.16  # skin is taken from so far beyond that, and over this distance
_HAIR = 0.66  # what is darker than this part of the skin around it is hair
_SHADED = 0.03  # a darker half that differs less, on a log scale, tells nothing about shadows
_SHADOW = (0.6, 1.6)


@dataclass(frozen=True, slots=True, eq=False)
class _Skin:
    """What a lid is painted with."""

    colours: Float32[np.ndarray, "h w 3"]
    """RGB 0..255 where the eye is."""
    shadow: Float32[np.ndarray, "3"]
    """By which power of a shade each channel darkens: a shadow's hue is seldom the skin's, least of all painted."""
    lash: Float32[np.ndarray, "3"]
    """Colour of the lashes, RGB 0..255."""


class Lid:
    """The upper lid of one eye."""

    def __init__(
        self,
        contour: EyeContour,
        image: UInt8[np.ndarray, "h w 3"],
        landmarks: Float32[np.ndarray, "478 3"],
        puppet: Puppet,
        lens: Lens | None,
    ) -> None:
        self._contour, self._puppet, self._lens = contour, puppet, lens
        upper = landmarks[contour.upper, :2].astype(np.float64)
        lower = landmarks[contour.lower, :2].astype(np.float64)
        self._width = float(np.linalg.norm(upper[0] - upper[-1]))
        self._down = _down(upper, lower)
        self._rest_openness = contour.openness(puppet.rest)
        # 0 at the corners, 1 in the middle: lashes stand out most there.
        self._bulge = np.sqrt(np.sin(np.linspace(0, np.pi, len(upper))))[:, None]
        self._out = (upper[0] - upper[-1]) / self._width
        self._crease = upper - self._down * self._bulge * _ABOVE * self._width
        box = Box.around(np.concatenate([upper, lower]), round(0.55 * self._width) + 2, image.shape)
        self._skin: _Skin | None = None
        if box is not None:
            self._origin = np.array([box.left, box.top], np.float64)
            around = box.cut(image).astype(np.float32)
            self._skin = self._paint(box, around, upper, lower)

    def _paint(
        self,
        box: Box,
        around: Float32[np.ndarray, "h w 3"],
        upper: Float[np.ndarray, "9 2"],
        lower: Float[np.ndarray, "9 2"],
    ) -> "_Skin | None":
        """Continues the skin nearest to the eye over it; None when the picture ends there."""
        top = upper - self._down * (_CLEAR_ABOVE * self._width)
        bottom = lower + self._down * (_CLEAR_BELOW * self._width)
        top[0], bottom[0] = (corner + self._out * (_CORNER[0] * self._width) for corner in (top[0], bottom[0]))
        eye = box.mask(np.concatenate([top, bottom[::-1]]), 0.5)
        beyond = cv2.distanceTransform((eye < 0.05).astype(np.uint8), cv2.DIST_L2, 5) / self._width
        near = np.exp(-((np.maximum(beyond - _CLEAR, 0) / _REACH) ** 2)) * (beyond > _CLEAR)
        ring, luma = near > 0.3, around @ LUMA
        if not ring.any():
            return None
        lit = luma >= _HAIR * np.median(luma[ring])
        skin = spread(around, (near * lit).astype(np.float32), 0.45 * self._width)
        shadow = _shadow(around[ring & lit])
        lash = skin.mean((0, 1)) * _LASH_SHADE ** (0.5 + 0.5 * shadow)
        line = box.mask(np.concatenate([upper, lower[::-1]]), 0.5) > 0.5
        if line.any():  # half of it is what is darkest in the eye
            inked = line & (luma <= np.percentile(luma[line], 12))
            lash = 0.5 * lash + 0.5 * np.minimum(around[inked].mean(0), lash)
        return _Skin(skin, shadow, lash.astype(np.float32))

    def for_player(self) -> Part:
        """The skin it is painted with, if any."""
        if self._skin is None:
            return Part({})
        numbers = {
            "lid_origin": self._origin,
            "down": self._down,
            "out": self._out,
            "crease": self._crease,
            "shadow": self._skin.shadow,
            "lash": self._skin.lash,
        }
        return Part(numbers, layers={"lid": self._skin.colours})

    def draw(self, image: UInt8[np.ndarray, "h w 3"], shape: Shape) -> None:
        """Paints the lid into the picture, in place; nothing changes while the eye is as open as in the photo."""
        closed = 1 - self._contour.openness(shape.canonical) / self._rest_openness
        strength = smoothstep(*LID.closing, closed)
        if self._skin is None or strength == 0:
            return
        zoom = shape.pose.scale / self._puppet.rest_pose.scale
        size = self._width * zoom
        place = self._puppet.near(shape, self._contour.upper[[0, -1]])
        crease = self._crease @ place[:, :2].T + place[:, 2]
        down = place[:, :2] @ self._down
        shut = smoothstep(*LID.shut, closed)
        edge = shape.vertices[self._contour.upper, :2]
        hem = edge + down * self._bulge * (LID.below * self._width * shut)
        out, aside = (place[:, :2] @ np.column_stack([self._out, self._down]) * (_CORNER * self._width * shut)).T
        crease[0] += out - aside
        hem[0] += out + aside
        polygon = np.concatenate([crease, hem[::-1]])
        box = Box.around(polygon, 4 + round(0.1 * size), image.shape)
        if box is None:
            return
        skin = box.warp(self._skin.colours, translate(place, place[:, :2] @ self._origin), replicate=True)
        skin = skin * self._shade(box, crease, edge)[..., None] ** self._skin.shadow
        ends, middle = (
            box.stroke(line, max(1, round(thickness * size)), blur_px(LID.lash_blur, size))
            for line, thickness in ((edge[:-1], LID.lash_ends), (edge[2:-2], LID.lash))
        )
        stroke = np.maximum(ends, middle)
        lash = np.broadcast_to(self._skin.lash, skin.shape)
        if self._lens is not None:
            skin, lash = (self._lens.over(colour, box, place) for colour in (skin, lash))
        box.blend(image, skin, box.mask(polygon, blur_px(LID.blur, size)) * np.float32(strength))
        box.blend(image, lash, stroke * np.float32(LID.lash_strength * strength))

    def _shade(
        self, box: Box, crease: Float[np.ndarray, "9 2"], edge: Float[np.ndarray, "9 2"]
    ) -> Float32[np.ndarray, "h w"]:
        """A lid is round: lighter in its middle, darker in the crease, towards the corners and at the lashes."""
        middle = 0.5 * (crease + edge)
        thickness = max(1, round(LID.light_width * self._width))
        light = box.stroke(middle[2:-2], thickness, blur_px(LID.light_blur, self._width))
        return LID.light[0] + LID.light[1] * np.clip(LID.light_gain * light, 0, 1)


def _shadow(skin: Float32[np.ndarray, "n 3"]) -> Float32[np.ndarray, "3"]:
    """By which power of a shade each channel darkens, as the skin's darker half tells."""
    luma = skin @ LUMA
    dark, bright = (np.maximum(skin[half].mean(0), 1.0) for half in (luma <= np.median(luma), luma >= np.median(luma)))
    shade = np.log((dark @ LUMA) / (bright @ LUMA))
    if shade > -_SHADED:
        return np.ones(3, np.float32)
    return np.clip(np.log(dark / bright) / shade, *_SHADOW).astype(np.float32)


def _down(upper: Float[np.ndarray, "9 2"], lower: Float[np.ndarray, "9 2"]) -> Float[np.ndarray, "2"]:
    """Unit vector across the eye, from the upper lid to the lower."""
    along = upper[-1] - upper[0]
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    return across if across @ (lower - upper).sum(0) > 0 else -across
