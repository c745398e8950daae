"""The light in which a portrait's face lies, for what is painted into it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from models.builtin.drawing import LUMA, Box
from models.expression import EYES, EyeContour
from models.skin import cheek_colour

_SKIN = np.array([1.22, 0.95, 0.83], np.float32)
"""A cheek's colour under white light, its mean 1."""
_BOUNCED = np.array([-0.18, 0.075, 0.085], np.float32)
"""How much more of red, green and blue shadows in a mouth take; brightness is left as it is."""
_IRIS = 1.15  # radii of the iris around its centre that are not the eye's white
_FEWEST = 6  # pixels of an eye's white that tell its colour
_AROUND = (0.2, 0.45)  # skin around an eye: so far from its contour, in widths of the eye
_LIDS = 1.3  # how much brighter an eye's white is where no lid shades it, as teeth in recordings show
_DULLEST = 0.9  # an eye's white that is darker than this part of a cheek is not one
_TINTED = 0.8  # how much of a tint is the light's and not the skin's own, on a log scale
_TOLD = 0.35  # how far its hue counts beside the skin's: reddish lids are near


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """What cheeks and eyes tell about the light on a face and about how the picture shows colours."""

    cheek: Float32[np.ndarray, "3"]
    """Colour of the cheeks, RGB 0..255."""
    strength: float
    """0..1: how light something of the same reflectance is in any face; less than skins differ."""
    tint: Float32[np.ndarray, "3"]
    """What white becomes, RGB, its brightness 1."""
    saturation: float
    """0..1: how colourful the picture is; 0 in a picture of greys."""
    white: float
    """Brightness 0..255 above which nothing is: that of the eyes' white, were it where the cheeks are."""

    @property
    def bounced(self) -> Float32[np.ndarray, "3"]:
        """By how much more or less of RGB a shadow in a mouth takes."""
        return 1 + np.float32(self.saturation) * _BOUNCED

    def on(self, colour: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "3"]:
        """How the picture shows what has this colour, RGB 0..255, under white light of full strength."""
        luma = np.float32(colour @ LUMA)
        hue = (colour / luma) ** self.saturation * self.tint
        return np.asarray(hue * (luma * self.strength / (hue @ LUMA)), np.float32)

    def shade(self, shade: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 3"]:
        """Factors of RGB where this part of the light reaches into a mouth: what is left there has met red flesh."""
        return 1 - (1 - shade[..., None]) * self.bounced


def light_on(image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]) -> Light:
    """The light on the face of a portrait."""
    cheek = cheek_colour(image, landmarks)
    luma = float(np.clip(cheek @ LUMA, 20, 250))
    # A cheek under white light is reddish; what is not explained by that is the light's or the painting's own tint.
    hue, skin = np.log(np.maximum(cheek, 1.0) / max(float(cheek.mean()), 1.0)), np.log(_SKIN)
    saturation = float(np.clip(hue @ skin / (skin @ skin), 0, 1))
    tint = hue - saturation * skin
    white = 255.0
    whites = [found for eye in EYES if (found := _eye_white(eye, image, landmarks)) is not None]
    if whites:
        seen = np.log(np.mean([colour / colour.mean() for colour, _ in whites], axis=0))
        tint = (1 - _TOLD) * tint + _TOLD * seen
        white = luma * max(_LIDS * min(float(colour @ LUMA) / around for colour, around in whites), _DULLEST)
    tint = np.exp(_TINTED * tint)
    strength = min(luma / 200, 1.0) ** 0.6
    return Light(cheek, strength, (tint / (tint @ LUMA)).astype(np.float32), saturation, white)


def _eye_white(
    eye: EyeContour, image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> tuple[Float32[np.ndarray, "3"], float] | None:
    """Colour of the lighter half of an eye's white and brightness of the skin around; None when too little is seen."""
    contour, iris = landmarks[eye.closed, :2].astype(np.float64), landmarks[eye.iris, :2]
    width = eye.width(landmarks)
    box = Box.around(contour, round(_AROUND[1] * width) + 2, image.shape)
    if box is None:
        return None
    part, inside = box.cut(image).astype(np.float32), box.mask(contour, 0.5) > 0.5
    luma = part @ LUMA
    y, x = np.mgrid[box.top : box.bottom, box.left : box.right].astype(np.float32)
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    white = inside & (np.hypot(x - iris[0, 0], y - iris[0, 1]) > _IRIS * radius)
    beyond = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5) / width
    around = (beyond > _AROUND[0]) & (beyond < _AROUND[1])
    if white.sum() < _FEWEST or not around.any():
        return None
    lighter = white & (luma >= np.median(luma[white]))
    return np.maximum(part[lighter].mean(0), 1.0), max(float(np.median(luma[around])), 1.0)
