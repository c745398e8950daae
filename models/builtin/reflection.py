"""Light that a lens reflects in front of an eye."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from models.builtin.drawing import LUMA, spread

Cut = Float32[np.ndarray, "h w 3"]
Where = Bool[np.ndarray, "h w"]

# Parts of the eye's width.
_SKIN_FROM = 0.06  # nearer to the contour are lashes and the wet edge of the lid
_SEED_FROM, _SEED_AREA = 0.2, 0.03  # a reflection goes on at least so far beyond the eye, in square widths there
_NEAR = 0.1  # and comes so near to it
_BRIDGE = 0.16  # the gap between its parts on skin and eye
_SMOOTH = 2.5

# Grey levels of 0..255 by which a reflection is brighter than skin, and its blue than skin of that red.
_BRIGHTER, _PALER = 16.0, 10.0
_CLIPPED = 250  # brighter channels do not show how much was added
_RINGS = 5  # of one colour each in an iris
_UNLIT = 30  # percentile that is not lit


def find_reflection(around: Cut, inside: Where, iris: Float32[np.ndarray, "5 2"], width: float) -> Cut | None:
    """The light added to an eye and the skin around it, 0..255; None without a reflection that reaches the eye.

    What shines in the eye alone is the cornea's: it belongs to the iris.

    Args:
        around: the portrait around the eye.
        inside: between the lids.
        iris: landmarks in `around`, centre first.
        width: of the eye, pixels.
    """
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5) / width
    skin = away > _SKIN_FROM
    on_skin, pale = _over_skin(around, skin)
    lit = skin & pale
    seed = lit & (away > _SEED_FROM)
    if seed.sum() < _SEED_AREA * width**2:
        return None
    in_eye = around - _plain_eye(around, inside, iris)
    hits = lit | inside & (in_eye @ LUMA > 0.5 * np.median(on_skin[seed] @ LUMA))
    reflected = _joined(hits, seed, away < _NEAR, round(_BRIDGE * width))
    if not reflected.any():
        return None
    # One smooth colour: what differs from pixel to pixel is the eye behind it.
    amount = np.maximum(np.where(inside[..., None], in_eye, on_skin), 0).astype(np.float32)
    known = reflected & hits & (around.max(axis=2) < _CLIPPED)
    light = spread(amount, known.astype(np.float32), _SMOOTH * width)
    return light * cv2.GaussianBlur(reflected.astype(np.float32), (0, 0), max(0.6, 0.02 * width))[..., None]


def _over_skin(around: Cut, skin: Where) -> tuple[Cut, Where]:
    """By how much the picture is brighter than evenly lit skin, and where light was added that is not skin's."""
    y, x = np.mgrid[0 : around.shape[0], 0 : around.shape[1]]
    ramp = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)
    luma = around @ LUMA
    bright = skin & (luma >= np.percentile(luma[skin], 35))  # neither brow nor hair
    for _ in range(2):
        excess = around - ramp @ np.linalg.lstsq(ramp[bright], around[bright], rcond=None)[0]
        bright &= excess @ LUMA < _BRIGHTER
    red, _, blue = np.median(around[bright], axis=0)
    paler = around[..., 2] - around[..., 0] * (blue / max(red, 1.0))
    return excess, (paler > _PALER) & (excess @ LUMA > _BRIGHTER)


def _plain_eye(around: Cut, inside: Where, iris: Float32[np.ndarray, "5 2"]) -> Cut:
    """White and iris of the eye, each ring of the iris of one colour."""
    y, x = np.mgrid[0 : around.shape[0], 0 : around.shape[1]]
    radius = max(1.0, float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()))
    ring = np.minimum(np.hypot(x - iris[0, 0], y - iris[0, 1]) / radius * _RINGS, 1.2 * _RINGS).astype(int)
    plain = np.zeros_like(around)
    for i in range(ring.max() + 1):
        here = inside & (ring == i)
        if here.any():
            plain[ring == i] = np.percentile(around[here], _UNLIT, axis=0)
    return plain


def _joined(hits: Where, seed: Where, near: Where, gap: int) -> Where:
    """The parts of `hits`, with gaps closed, that hold points of both `seed` and `near`."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (gap // 2) + 1,) * 2)
    closed = cv2.morphologyEx(hits.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    _, labels = cv2.connectedComponents(closed)
    return (closed > 0) & np.isin(labels, np.intersect1d(labels[seed], labels[near]))
