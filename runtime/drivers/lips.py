"""What lips look like against the skin around them: known of people in general, then learnt of the one who is seen.

A tracker draws a mouth on whatever covers it. What stays when lips move, open and smile is that they are darker and
redder than the skin beside them, all along their contour and in each person's own way; a hand, a mug or a mask has no
such contour where the tracker believes it to be.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from models.ease import smoothstep
from models.expression import eye_distance
from models.landmarks import Landmarks
from models.topology import INNER_LIPS, OUTER_LIPS
from runtime.drivers.kernels import read_spots

_CHEEKS = np.array([50, 280, 205, 425, 101, 330])
_UPPER, _LOWER = np.arange(1, 10), np.arange(11, 20)  # of the contours, without the corners
_BESIDE = 0.07  # eye distances from the outer contour to the skin that is compared with the lip
_SPOT, _SIDE = 0.018, 4  # half an edge of a spot in eye distances, and how many pixels of an edge are read
_DARKEST = 4.0  # levels; below, the ratio of channels is noise
_LUMA, _COLOURED = np.array([0.299, 0.587, 0.114]), (0.02, 0.06)  # ratios of a cheek's channels: a monochrome camera's

# Logarithm of brightness, of red by green and of blue by green. Contrast: lip against skin beside it. Tone: upper and
# lower lip, skin above and below them, against the cheeks.
_CONTRAST = np.array([[-0.12, 0.08, 0.04], [-0.07, 0.08, 0.06]])
_CONTRAST_SD, _CONTRAST_FLOOR = np.array([0.25, 0.06, 0.06]), np.array([0.06, 0.025, 0.025])
_TONE = np.array([[-0.35, 0.15, 0.08], [-0.25, 0.15, 0.08], [-0.1, 0.0, 0.0], [-0.1, 0.0, 0.0]])
_TONE_SD, _TONE_FLOOR = np.array([0.5, 0.15, 0.15]), np.array([0.12, 0.04, 0.04])
_PRIOR_S, _MEMORY_S = 0.15, 8.0  # of sight: what people in general count for, and the most that a person's own does

_FARTHEST = 5.0  # standard deviations that one tone can be off
_TONE_OFF, _CONTRAST_LOST = 1.6, 0.55  # where lips are doubted: mean deviation; part of the contrast that is missing

Contrast = Float[np.ndarray, "20 3"]
Tone = Float[np.ndarray, "4 3"]


@dataclass(frozen=True, slots=True, eq=False)
class Lips:
    """What a frame shows where the tracker has the lips."""

    contrast: Contrast
    """Lip against the skin beside it, along the contour."""
    tone: Tone
    """Upper lip, lower lip, skin above and below, against the cheeks."""
    coloured: float
    """0..1: 0 in the picture of a monochrome camera, where only brightness counts."""
    light: float
    """Mean level, 0..255."""
    grain: float
    """Standard deviation of neighbouring pixels, levels: the camera's noise, and the finest texture."""

    @classmethod
    def of(cls, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks) -> "Lips":
        """Reads an RGB frame; spots beyond its edge are taken at the edge."""
        colours, grain = _read(image, landmarks)
        logs = np.log(np.maximum(colours, _DARKEST))
        shades = np.stack(
            [np.log(np.maximum(colours @ _LUMA, _DARKEST)), logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1]], 1
        )
        cheek, skin, lip = shades[:6].mean(0), shades[6:26], shades[26:46]
        parts = np.stack([lip[_UPPER], lip[_LOWER], skin[_UPPER], skin[_LOWER]])
        return cls(
            contrast=lip - skin,
            tone=parts.mean(1) - cheek,
            coloured=smoothstep(*_COLOURED, float(np.abs(cheek[1:]).sum())),
            light=float(colours[6:].mean()),
            grain=grain,
        )


class LipMemory:
    """Mean and spread of what lips looked like. Starts from people in general."""

    def __init__(self) -> None:
        self._begin(_GENERAL_CONTRAST, _TONE)

    def begin_with(self, lips: Lips) -> None:
        """Forgets what was seen before these."""
        self._begin(lips.contrast, lips.tone)

    def _begin(self, contrast: Contrast, tone: Tone) -> None:
        self._contrast, self._tone = contrast.copy(), tone.copy()
        self._contrast_var, self._tone_var = np.tile(_CONTRAST_SD**2, (20, 1)), np.tile(_TONE_SD**2, (4, 1))
        self._known_s = _PRIOR_S

    def doubt(self, lips: Lips) -> float:
        """0 and more; from 1 on these are not the lips that are known."""
        off = _off(lips, self._tone, self._tone_var)
        weight = _counting(lips) / (self._contrast_var + _CONTRAST_FLOOR**2)
        return max(off / _TONE_OFF, (1.0 - _share(lips.contrast, self._contrast, weight)) / _CONTRAST_LOST)

    def resembles_any(self, lips: Lips) -> bool:
        """Whether these could be lips, if other ones than those that are known.

        They have half of the known contrast at least, as it is on people in general or the other way round: lips are
        lighter than a beard. Where there is no colour to tell, their tone must be that of people in general, too.
        """
        weight = np.tile(_counting(lips) / _CONTRAST_FLOOR**2, (20, 1))
        now, known = (_share(contrast, _GENERAL_CONTRAST, weight) for contrast in (lips.contrast, self._contrast))
        usual = lips.coloured > 0.5 or _off(lips, _TONE, np.tile(_TONE_SD**2, (4, 1))) < _TONE_OFF
        return usual and abs(now) > 0.5 * abs(known)

    def learn(self, lips: Lips, elapsed_s: float) -> None:
        """Takes in lips that are believed, seen for so long."""
        share = elapsed_s / (self._known_s + elapsed_s)
        self._known_s = min(self._known_s + elapsed_s, _MEMORY_S)
        for mean, var, seen in (
            (self._contrast, self._contrast_var, lips.contrast),
            (self._tone, self._tone_var, lips.tone),
        ):
            change = seen - mean
            mean += share * change
            var += share * (change**2 - var)


def _off(lips: Lips, tone: Tone, var: Tone) -> float:
    """Mean deviation from a tone, in standard deviations."""
    deviation = np.abs(lips.tone - tone) / np.sqrt(var + _TONE_FLOOR**2)
    counting = _counting(lips)
    return float(np.sqrt((np.minimum(deviation, _FARTHEST) ** 2 * counting).sum() / (4 * counting.sum())))


def _share(contrast: Contrast, known: Contrast, weight: Contrast) -> float:
    """How much of a known contrast there is: 1 is all of it."""
    return float((weight * known * contrast).sum() / (weight * known * known).sum())


def _counting(lips: Lips) -> Float[np.ndarray, "3"]:
    return np.array([1.0, lips.coloured, lips.coloured])


def _read(image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks) -> tuple[Float[np.ndarray, "46 3"], float]:
    """Mean colours of spots on the cheeks, beside the lips and on them; the grain."""
    points = landmarks[:, :2].astype(np.float64)
    unit = eye_distance(landmarks)
    outer, inner = points[OUTER_LIPS], points[INNER_LIPS]
    away = outer - outer.mean(0)
    away /= np.linalg.norm(away, axis=1, keepdims=True) + 1e-9
    spots = np.concatenate([points[_CHEEKS], outer + _BESIDE * unit * away, (outer + inner) / 2])
    colours, uneven = read_spots(image, spots, _SPOT * unit, _SIDE)
    return colours, float(uneven[len(_CHEEKS) :].mean())


_GENERAL_CONTRAST = np.empty((20, 3))
_GENERAL_CONTRAST[_UPPER], _GENERAL_CONTRAST[_LOWER] = _CONTRAST
_GENERAL_CONTRAST[[0, 10]] = _CONTRAST.mean(0)
