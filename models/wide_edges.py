"""Where a segmentation does not know: areas neither person nor background, too wide to be an outline or hair."""

import cv2
import numpy as np
from jaxtyping import UInt8

from models.portrait import Matte

_SIZE = 256  # the longer side of the copy on which areas are found and parted
_WIDE = 2  # pixels of that copy: half as wide as the widest outline
_UNSURE = (0.04, 0.96)
_ROUNDS = 2
_EDGE, _FLAT = 3 / 512, 1e-4 * 255 * 255  # of a guided filter: radius in parts of the longer side, variance
_FADE = 1.5 / 512  # of the longer side


def with_wide_edges_parted(image: UInt8[np.ndarray, "h w 3"], matte: Matte) -> Matte:
    """A matte whose wide soft areas are cut in two where colours and edges say; the same elsewhere.

    GrabCut (Rother et al., 2004): colours of what is sure, and a short way along edges. Without it, pieces of the old
    background would lie half transparent over a new one.

    Args:
        image: RGB.
        matte: 0..1.
    """
    h, w = matte.shape
    factor = min(1.0, _SIZE / max(h, w))
    small = (max(1, round(w * factor)), max(1, round(h * factor)))
    coarse = cv2.resize(matte, small, interpolation=cv2.INTER_AREA)
    wide = _wide_areas(coarse)
    person = coarse > 0.5
    if not wide.any() or person[~wide].all() or not person[~wide].any():
        return matte
    labels = np.where(person, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
    labels[wide] = np.where(person[wide], cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    cv2.setRNGSeed(0)  # the same photo gives the same matte
    picture = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    cv2.grabCut(picture, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    parted = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    radius = max(2, round(_EDGE * max(h, w)))
    fine = cv2.ximgproc.guidedFilter(image, cv2.resize(parted, (w, h)), radius, _FLAT)
    wide = cv2.dilate(wide.astype(np.float32), np.ones((3, 3)))
    share = cv2.GaussianBlur(cv2.resize(wide, (w, h)), (0, 0), max(0.5, _FADE * max(h, w)))
    return (matte + (np.clip((fine - 0.1) / 0.8, 0, 1) - matte) * share).astype(np.float32)


def _wide_areas(matte: Matte) -> np.ndarray:
    low, high = _UNSURE
    soft = ((matte > low) & (matte < high)).astype(np.uint8)
    core, around = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1,) * 2) for r in (_WIDE, 2 * _WIDE))
    return (cv2.dilate(cv2.morphologyEx(soft, cv2.MORPH_OPEN, core), around) > 0) & (soft > 0)
