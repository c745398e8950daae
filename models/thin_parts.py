"""What a segmentation misses of a person: strands that stand off, and things that hang before them."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from models.blur import wide_blur
from models.ease import smoothstep
from models.portrait import Matte

Colours = Float32[np.ndarray, "h w 3"]

# Parts of the picture's longer side.
_STRAND = 3 / 512  # half as thick as the thickest strand
_OWN_COLOURS = 4 / 512  # from how near the person's colours are taken
_STRAY = 1 / 512  # blur against noise
_BACKGROUND = 20 / 512  # over what range the background's mean and deviation are taken
_LARGEST_GAP = 0.004  # of the squared side

_SEEN, _HOPELESS = 1e-3, 255.0
_DOUBT = 2.5  # how many times its mean deviation from its mean the background may be unlike its estimate
_CONTRAST = 60.0  # RGB distance of person and background below which strands cannot be told
_CLEAR = 0.3  # of the contrast, the most that doubt may be, and a strand's colour aside from the way to the person's
_STRANGE = (0.4, 0.8)  # parts of the doubt from which something beside the person is not the background, and surely
_RESTLESS = (12.0, 24.0)  # doubt from which a background is not calm enough to be mended, and not at all
_UNLIKE = 30.0  # RGB distance from the background over which something before the person is none


def with_thin_parts(
    image: UInt8[np.ndarray, "h w 3"], matte: Matte, behind: Colours, hidden: Bool[np.ndarray, "h w"]
) -> Matte:
    """A matte that also covers strands beside it and small things within it; nowhere less than `matte`.

    Both are told by colour alone, and only where the background beside them is calm enough.

    Args:
        image: RGB.
        matte: 0..1.
        behind: the background, 0..255, estimated where it is hidden.
        hidden: by the person or something near.
    """
    size = max(matte.shape)
    picture = image.astype(np.float32)
    doubt = _doubt(picture, hidden)
    alpha = _alpha_by_colour(picture, matte, behind, doubt)
    whole = np.maximum(matte, alpha)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_STRAND * size) + 1,) * 2)
    thick = cv2.morphologyEx(whole, cv2.MORPH_OPEN, kernel)  # a shadow on the wall, too
    out = np.where(whole - thick > 0.5 * whole, whole, np.maximum(matte, whole - thick))
    _, labels = cv2.connectedComponents((out > 0.3).astype(np.uint8))
    joined = np.isin(labels, np.unique(labels[matte > 0.5]))
    unlike = _length(picture - behind) > doubt + _UNLIKE
    return _without_gaps(np.where(joined, out, matte), unlike & (doubt < _CLEAR * _CONTRAST))


def strays(image: UInt8[np.ndarray, "h w 3"], behind: Colours, hidden: Bool[np.ndarray, "h w"]) -> Matte:
    """0..1: where a calm background shows something else, as faint hairs are that a matte leaves out.

    Arguments as those of `with_thin_parts`.
    """
    picture = image.astype(np.float32)
    doubt = _doubt(picture, hidden)
    unlike = _length(cv2.GaussianBlur(picture - behind, (0, 0), _STRAY * max(hidden.shape)))
    return smoothstep(*_STRANGE, unlike / np.maximum(doubt, 1.0)) * (1 - smoothstep(*_RESTLESS, doubt))


def _doubt(picture: Colours, hidden: Bool[np.ndarray, "h w"]) -> Matte:
    """By how much the background may be unlike its estimate, RGB distance."""
    reach = _BACKGROUND * max(hidden.shape)
    varied = _length(picture - _mean_where(picture, ~hidden, reach)[0])
    variation, seen = _mean_where(varied[..., None], ~hidden, reach)
    usual = float(varied[~hidden].mean()) if not hidden.all() else _HOPELESS  # where no background is near
    return _DOUBT * np.where(seen > _SEEN, variation[..., 0], np.float32(usual))


def _alpha_by_colour(picture: Colours, matte: Matte, behind: Colours, doubt: Matte) -> Matte:
    """How far colours lie on the way from the background's to the nearby person's."""
    sure = cv2.erode(matte, np.ones((3, 3))) > 0.95
    own, weight = _mean_where(picture, sure, _OWN_COLOURS * max(matte.shape))
    way = own - behind
    contrast = _length(way)
    along = np.einsum("hwc,hwc->hw", picture - behind, way) / np.maximum(contrast, 1.0)
    aside = _length(picture - behind - along[..., None] * way / np.maximum(contrast, 1.0)[..., None])
    alpha = np.clip((along - doubt) / np.maximum(contrast - doubt, 1.0), 0, 1)
    clear = (contrast > _CONTRAST) & (np.maximum(doubt, aside) < _CLEAR * contrast) & (weight > 1e-3)
    return np.where(clear, alpha, 0).astype(np.float32)


def _mean_where(
    values: Float32[np.ndarray, "h w c"], where: Bool[np.ndarray, "h w"], sigma: float
) -> tuple[Float32[np.ndarray, "h w c"], Matte]:
    """The mean of the values near each pixel that count, and how many do, 0..1."""
    chosen = where.astype(np.float32)
    weight = wide_blur(chosen, sigma)
    total = wide_blur(values * chosen[..., None], sigma)
    return total / (weight[..., None] + 1e-4), weight


def _length(colours: Colours) -> Matte:
    return np.sqrt(np.einsum("hwc,hwc->hw", colours, colours))


def _without_gaps(matte: Matte, shown: Bool[np.ndarray, "h w"]) -> Matte:
    """Small gaps within the person are closed where something is shown that is not the background."""
    h, w = matte.shape
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((matte < 0.95).astype(np.uint8))
    out = matte.copy()
    for i in range(1, count):
        left, top, width, height, area = boxes[i]
        at_edge = left == 0 or top == 0 or left + width == w or top + height == h
        if at_edge or area > _LARGEST_GAP * max(h, w) ** 2:
            continue
        part = np.s_[top : top + height, left : left + width]
        here = labels[part] == i
        if shown[part][here].mean() > 0.7:
            out[part][here] = 1
    return out
