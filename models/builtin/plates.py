"""The two plates that the inside of a mouth is painted on: skull and jaw."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from models.builtin.drawing import LUMA
from models.builtin.light import Light

WIDTH, HEIGHT = 336, 216
"""Pixels of a plate."""
CENTRE = np.array([WIDTH / 2, HEIGHT * 0.4])
"""The middle of the line at which lips meet, in pixels of a plate."""
PER_UNIT = WIDTH / 1.75
"""Pixels of a plate in a mouth unit, about 42 mm."""

# Half widths and relative heights of teeth from the middle outwards, in mouth units.
_UPPER_WIDTHS = (0.185, 0.145, 0.135, 0.11, 0.09, 0.07)
_UPPER_HEIGHTS = (1.0, 0.93, 1.0, 0.9, 0.86, 0.84)
_LOWER_WIDTHS = (0.12, 0.125, 0.13, 0.11, 0.1, 0.08)
_LOWER_HEIGHTS = (1.0, 0.98, 1.0, 0.92, 0.88, 0.84)
_ROUND = 6  # power of the superellipse that a biting edge is
_TOUCHING, _BETWEEN = 0.55, 0.6  # how far towards the biting edge teeth touch, -1 at the gum; light between them

# RGB under white light of full strength.
_CAVITY, _GUM = np.array([92, 34, 33], np.float32), np.array([206, 124, 122], np.float32)
_TOOTH, _TONGUE = np.array([244, 232, 208], np.float32), np.array([205, 114, 108], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Plates:
    """The upper one (cavity, gum, upper teeth) moves with the skull, the lower (tongue, lower teeth) with the jaw."""

    upper: Float32[np.ndarray, "h w 3"]
    upper_cover: Float32[np.ndarray, "h w"]
    """1 where upper teeth and gum hide what lies on the lower plate."""
    lower: Float32[np.ndarray, "h w 4"]
    """RGB and alpha 0..1."""


def paint_plates(light: Light, *, teeth: bool) -> Plates:
    """Plates in this light, with or without teeth and gum."""
    cavity, gum, tongue, tooth = (light.on(colour) for colour in (_CAVITY, _GUM, _TONGUE, _TOOTH))
    tooth *= min(1.0, light.white / float(tooth @ LUMA))

    py, px = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    x, y = (px - CENTRE[0]) / PER_UNIT, (py - CENTRE[1]) / PER_UNIT
    radius = np.sqrt((x / 0.62) ** 2 + ((y - 0.12) / 0.5) ** 2)
    depth = np.clip(0.45 + 0.45 * radius, 0.45, 1) * np.clip(0.6 + 0.9 * (y + 0.02), 0.55, 1.15)
    upper = cavity * depth[..., None]
    row, shading = _teeth(x, y, -0.2, 0.035, _UPPER_WIDTHS, _UPPER_HEIGHTS, -0.035, upper=True)
    upper = mix(upper, tooth * light.shade(0.92 * shading), row * teeth)
    edge = np.clip((-0.15 - y - 0.035 * (x / 0.5) ** 2 + 0.018 * np.cos(x / 0.185 * 2 * np.pi)) * PER_UNIT * 0.5, 0, 1)
    falloff = np.clip(1.03 - 0.6 * (x / 0.62) ** 2, 0.2, 1)
    upper = mix(upper, gum * 0.8 * falloff[..., None], edge * teeth)

    reach = np.sqrt((x / 0.52) ** 2 + ((y - 0.12) / 0.5) ** 2)
    relief = np.clip(
        1.0 - 1.15 * np.clip(0.06 - y, 0, 1) - 0.35 * np.clip(reach - 0.4, 0, 1) - 0.07 * np.exp(-((x / 0.1) ** 2)),
        0.3,
        1.1,
    )
    seen = np.clip((1 - reach) * 4, 0, 1) * 0.92
    lower_row, shading = _teeth(x, y, 0.015, 0.22, _LOWER_WIDTHS, _LOWER_HEIGHTS, 0.02, upper=False)
    lower_row *= teeth
    lower = mix(tongue * 0.8 * relief[..., None], tooth * light.shade(0.7 * shading), lower_row)
    lower = np.dstack([lower, np.maximum(seen, lower_row)])
    return Plates(_soften(upper), _soften(np.maximum(row, edge) * teeth), _soften(lower))


def _teeth(
    x: Float32[np.ndarray, "h w"],
    y: Float32[np.ndarray, "h w"],
    top: float,
    bottom: float,
    widths: tuple[float, ...],
    heights: tuple[float, ...],
    curve: float,
    *,
    upper: bool,
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """A row of teeth, flat at the gum and rounded at the biting edge: alpha 0..1 and shading about 1."""
    alpha, shading = np.zeros_like(x), np.ones_like(x)
    edges = np.concatenate([[0.0], np.cumsum(widths)])
    for side in (-1, 1):
        for i, (width, height) in enumerate(zip(widths, heights, strict=True)):
            centre, tall = (edges[i] + edges[i + 1]) / 2, (bottom - top) * height
            low, high = (top, top + tall) if upper else (bottom - tall, bottom)
            half = width / 2
            near = np.flatnonzero(np.abs(x[0] * side - centre) < 1.2 * half)
            part = np.s_[:, near[0] : near[-1] + 1]
            dx = np.abs(x[part] * side - centre) / half
            bend = curve * (x[part] / 0.5) ** 2
            dy = (y[part] - bend - (low + high) / 2) / ((high - low) / 2) * (1 if upper else -1)
            rounded = (dx**_ROUND + np.clip(dy, 0, 9) ** _ROUND) ** (1 / _ROUND)
            outside = np.where(dy > 0, rounded, np.maximum(dx, -0.98 * dy))
            tooth = np.clip((1.05 - outside) * half * PER_UNIT * 0.5, 0, 1)
            touching = np.clip(np.minimum(_TOUCHING - dy, 1 + dy) * half * PER_UNIT * 0.5, 0, 1) * (dx < 1.1)
            light = np.clip(1.03 - 0.55 * (centre / 0.62) ** 2, 0.25, 1.1) * (1 - 0.1 * np.clip(dx, 0, 1) ** 4)
            light = light * (_BETWEEN + (1 - _BETWEEN) * tooth)
            light = light * (1 - 0.06 * np.clip(dy, 0, 1) ** 2 - 0.1 * np.clip(-dy, 0, 1) ** 2)
            seen = np.maximum(tooth, touching)
            shading[part] = np.where(seen > alpha[part], light, shading[part])
            alpha[part] = np.maximum(alpha[part], seen)
    return alpha, shading


def mix(
    below: Float32[np.ndarray, "h w 3"],
    above: Float32[np.ndarray, "h w 3"],
    alpha: Float32[np.ndarray, "h w"],
) -> Float32[np.ndarray, "h w 3"]:
    """`above` laid over `below`."""
    return below + (above - below) * alpha[..., None]


def _soften(layer: Float32[np.ndarray, "h w *c"]) -> Float32[np.ndarray, "h w *c"]:
    return cv2.GaussianBlur(layer.astype(np.float32), (0, 0), 0.9)
