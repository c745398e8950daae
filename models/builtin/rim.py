"""The rim of glasses where it crosses an eye."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from models.builtin.drawing import LUMA, Box, spread

Cut = Float32[np.ndarray, "h w 3"]
Where = Bool[np.ndarray, "h w"]
Arcs = Float[np.ndarray, "n 5"]
"""End points x, y, x, y in pixels, and the height of the arc over their chord in parts of its length."""

_SAMPLES = 40  # along an arc
_BORDER_POINTS = 56
_HEIGHTS = np.linspace(-0.24, 0.24, 7)

# Parts of the eye's width.
_THICK = 0.2  # lines are narrower
_TOLERANCE = 0.04
_LENGTH = 1.2
_NEAR, _LASHES = 0.15, 0.2  # what a lid is painted over; what lashes and their shadow reach

_CONTRAST = 0.12  # of skin's brightness
_WHOLE = 0.9  # of a rim is seen as a line
_CROSSING = 0.1  # of its length is near the eye


def find_rim(
    around: Cut, inside: Where, iris: Float32[np.ndarray, "5 2"], width: float
) -> Float32[np.ndarray, "h w 4"] | None:
    """A thin dark line that crosses eye or lid and goes on to the ends of the cut-out on both sides.

    Args:
        around: the portrait around the eye.
        inside: between the lids.
        iris: landmarks in `around`, centre first.
        width: of the eye, pixels.

    Returns:
        Colour multiplied by alpha, 0..255, and alpha, 0..1; None if there is none.
    """
    luma = around @ LUMA
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_odd(_THICK * width),) * 2)
    dark = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, kernel) - luma
    least = _CONTRAST * float(np.median(luma[~inside]))
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5) / width
    y, x = np.mgrid[0 : luma.shape[0], 0 : luma.shape[1]]
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    told = np.hypot(x - iris[0, 0], y - iris[0, 1]) > 1.1 * radius  # a dark rim is not seen before a dark iris
    reach = _odd(2 * _TOLERANCE * width)
    line = (cv2.dilate(dark, np.ones((reach, reach))) > least).astype(np.float32)

    arcs = _candidates(luma.shape[1], luma.shape[0])
    arcs = arcs[np.linalg.norm(arcs[:, 2:4] - arcs[:, :2], axis=1) > _LENGTH * width]
    if not len(arcs):
        return None
    points = _points(arcs)
    distance, weight, seen = (
        _read(field, points) for field in (away.astype(np.float32), told.astype(np.float32), line)
    )
    outside = distance > _LASHES
    score = np.minimum(
        (seen * weight).sum(1) / np.maximum(weight.sum(1), 1), (seen * outside).sum(1) / np.maximum(outside.sum(1), 1)
    )
    score[((distance < _NEAR).mean(1) < _CROSSING) | (outside.mean(1) < 0.3)] = 0
    best = int(score.argmax())
    if score[best] < _WHOLE:
        return None
    arc = _refine(arcs[best], dark, width)
    return _paint(around, arc, dark, away > _LASHES, width)


def _candidates(w: int, h: int) -> Arcs:
    """Arcs from border to border."""
    along = np.linspace(0, 2 * (w + h) - 4, _BORDER_POINTS, endpoint=False)
    corners = np.array([[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1], [0, 0]], np.float64)
    ends = np.cumsum([0, w - 1, h - 1, w - 1, h - 1])
    border = np.column_stack([np.interp(along, ends, corners[:, i]) for i in (0, 1)])
    first, second = np.triu_indices(len(border), 1)
    chords = np.hstack([border[first], border[second]])
    return np.hstack([np.repeat(chords, len(_HEIGHTS), 0), np.tile(_HEIGHTS, len(chords))[:, None]])


def _points(arcs: Arcs) -> Float32[np.ndarray, "n s 2"]:
    """Points along arcs, in equal steps of the chord."""
    t = np.linspace(0, 1, _SAMPLES)[None, :, None]
    start, chord = arcs[:, None, :2], (arcs[:, 2:4] - arcs[:, :2])[:, None]
    normal = np.stack([-chord[..., 1], chord[..., 0]], axis=-1)
    return (start + t * chord + 4 * t * (1 - t) * arcs[:, None, 4:] * normal).astype(np.float32)


def _read(field: Float32[np.ndarray, "h w"], points: Float32[np.ndarray, "n s 2"]) -> Float32[np.ndarray, "n s"]:
    x, y = np.round(points[..., 0]).astype(int), np.round(points[..., 1]).astype(int)
    return field[np.clip(y, 0, field.shape[0] - 1), np.clip(x, 0, field.shape[1] - 1)]


def _refine(arc: Float[np.ndarray, "5"], dark: Float32[np.ndarray, "h w"], width: float) -> Float[np.ndarray, "5"]:
    """The arc moved to where it is darkest."""
    soft = cv2.GaussianBlur(dark, (0, 0), max(0.6, 0.02 * width))
    for step in (0.06, 0.03, 0.015):
        across = np.array([-(arc[3] - arc[1]), arc[2] - arc[0]]) / np.hypot(arc[2] - arc[0], arc[3] - arc[1])
        moves = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3), -1).reshape(-1, 3) * step
        tries = np.tile(arc, (len(moves), 1))
        tries[:, :2] += moves[:, :1] * width * across
        tries[:, 2:4] += moves[:, 1:2] * width * across
        tries[:, 4] += moves[:, 2]
        arc = tries[int(_read(soft, _points(tries)).mean(1).argmax())]
    return arc


def _paint(
    around: Cut, arc: Float[np.ndarray, "5"], dark: Float32[np.ndarray, "h w"], clear: Where, width: float
) -> Float32[np.ndarray, "h w 4"]:
    """The arc as thick and coloured as it is away from the eye."""
    h, w = dark.shape
    box, course = Box(0, 0, w, h), _points(arc[None])[0].astype(np.float64)
    core = clear & (box.stroke(course, 1, 0.5) > 0.3)
    line = clear & (dark > 0.5 * np.median(dark[core])) & (box.stroke(course, _odd(_THICK * width), 0.5) > 0.5)
    steps = np.linalg.norm(np.diff(course, axis=0), axis=1)
    length = steps[_read(clear.astype(np.float32), course[None, 1:].astype(np.float32))[0] > 0].sum()
    thickness = max(1, round(float(line.sum() / max(length, 1.0))))
    alpha = box.stroke(course, thickness, 0.6)
    colour = spread(around, core.astype(np.float32), width)
    return np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)


def _odd(size: float) -> int:
    return 2 * round(0.5 * size) + 1
