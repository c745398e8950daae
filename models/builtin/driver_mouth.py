"""The driver's own mouth in the portrait's: fitted to its lips, in its light."""

import numpy as np
from jaxtyping import Float32

from models.builtin.drawing import Box, Polygon, spread
from models.motion import MouthPatch

_GAIN = (0.5, 2.0)  # bounds of the change of each channel
_LIGHT, _TINT = 0.5, 0.65  # parts of the differences of two cheeks in brightness and in hue that are light, not skin
_SPREAD_PX = 8.0  # of the patch, to continue it past the driver's lips


def lay(patch: MouthPatch, polygon: Polygon, box: Box, cheek: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "h w 3"]:
    """What fills `box` when the patch's lips lie on `polygon`, the portrait's, as one affine map takes them there.

    `cheek` is the portrait's, RGB 0..255. Where the lips do not meet, what is inside the patch goes on.
    """
    pixels = patch.pixels.astype(np.float32)
    known = pixels.any(axis=2)
    pixels = np.where(known[..., None], pixels, spread(pixels, known.astype(np.float32), _SPREAD_PX))
    place = np.linalg.lstsq(np.column_stack([patch.lips, np.ones(len(patch.lips))]), polygon, rcond=None)[0].T
    ratio = np.maximum(cheek, 1.0) / np.maximum(patch.skin, 1.0)
    brighter = float(np.exp(np.log(ratio).mean()))
    gain = brighter**_LIGHT * (ratio / brighter) ** _TINT
    return box.warp(pixels * np.clip(gain, *_GAIN), place, replicate=True)
