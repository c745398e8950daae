"""Who is person and who is background: matte, hidden background and foreground colours of a photo."""

import cv2
import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spl
from jaxtyping import Bool, Float, Float32, UInt8

from models.blur import wide_blur
from models.ease import smoothstep
from models.perception import quiet_mediapipe
from models.portrait import Matte
from models.thin_parts import strays, with_thin_parts
from models.topology import CHIN, FACE_OVAL
from models.wide_edges import with_wide_edges_parted

Image = UInt8[np.ndarray, "h w 3"]

# Distances from the matte in parts of the picture. Colours are taken from so far that no hair strays there, and shown
# nearer: around the head, which moves most, and hardly beyond the matte elsewhere, where they fade into the photo.
_FILL_FROM, _FADE_HEAD, _FADE_BODY = 12 / 512, (3 / 512, 10 / 512), (0.5 / 512, 4 / 512)
_NECK = 24 / 512  # above and below the chin, over which the one goes into the other
_STRAYS = 18 / 512  # how far hairs are looked for beyond the matte, likewise
_NOTHING = 0.02  # the matte where there is nothing of the person
_SURE_FACE = 0.8  # of the face's oval that is person whatever the segmentation says
_ISLAND = 0.01  # of the picture: smaller parts of the background that lie by themselves do not tell its colours
_MOST_HIDDEN = 0.97  # of the picture; beyond, what stands behind is not known


def person_matte(image: Image, landmarks: Float32[np.ndarray, "478 3"]) -> Matte:
    """1 on the person whose face is given, 0 elsewhere; soft at hair.

    Selfie segmentation, sharpened by a guided filter (He et al., 2010), and thin parts that their colours tell; other
    people are left in the background.
    """
    with quiet_mediapipe() as solutions, solutions.selfie_segmentation.SelfieSegmentation(0) as model:
        coarse = model.process(image).segmentation_mask
    coarse = np.clip((coarse - 0.25) / 0.6, 0, 1).astype(np.float32)
    coarse = np.maximum(coarse, _face_mask(landmarks, coarse))
    coarse[~_connected_to_face(coarse, landmarks)] = 0
    radius = max(2, round(6 * max(image.shape) / 512))
    fine = cv2.ximgproc.guidedFilter(image, coarse, radius, 1e-4 * 255 * 255)
    matte = with_wide_edges_parted(image, np.clip((fine - 0.08) / 0.84, 0, 1).astype(np.float32))
    hidden = _grown(matte, _FILL_FROM)
    if not hidden.any() or hidden.mean() > _MOST_HIDDEN:
        return matte
    return with_thin_parts(image, matte, _laplace_fill(image, hidden), hidden > 0)


def fill_background(image: Image, matte: Matte, landmarks: Float32[np.ndarray, "478 3"]) -> Image:
    """The picture without the person: Laplace's equation from the matte's surroundings inwards, with matching grain."""
    h, w = matte.shape
    hole = _grown(matte, _FILL_FROM)
    if not hole.any():
        return image.copy()
    if hole.mean() > _MOST_HIDDEN:
        return cv2.GaussianBlur(image, (0, 0), 0.05 * max(h, w))
    islands = _islands(hole)
    filled = _laplace_fill(image, hole | islands)
    stray = strays(image, filled, hole > 0) * (islands == 0)
    known = hole == 0
    grain = np.abs(image[known].astype(np.float32) - cv2.GaussianBlur(image, (0, 0), 1.5)[known])
    sigma = min(4.0, 1.5 * float(np.median(grain)))
    filled += np.random.default_rng(0).normal(0, sigma, (h, w, 1)).astype(np.float32)
    away = cv2.distanceTransform((matte <= _NOTHING).astype(np.uint8), cv2.DIST_L2, 5) / max(h, w)
    at_head, at_body = (1 - smoothstep(*fade, away) for fade in (_FADE_HEAD, _FADE_BODY))
    below_chin = (np.arange(h)[:, None] - float(landmarks[CHIN, 1])) / max(h, w)
    weight = at_head + (at_body - at_head) * smoothstep(-_NECK, _NECK, below_chin)
    weight = np.maximum(weight, np.where(away < _STRAYS, stray, 0))[..., None]
    return np.clip(image * (1 - weight) + filled * weight + 0.5, 0, 255).astype(np.uint8)


def _islands(hole: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Small parts of what is known that lie by themselves: rather hair or an arm than the background."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats((hole == 0).astype(np.uint8))
    areas = boxes[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    small = areas < min(_ISLAND * hole.size, areas.max())
    small[0] = False
    return small[labels].astype(np.uint8)


def _grown(matte: Matte, part: float) -> UInt8[np.ndarray, "h w"]:
    size = 2 * round(part * max(matte.shape)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate((matte > _NOTHING).astype(np.uint8), kernel)


def foreground_colours(image: Image, matte: Matte, background: Image) -> Image:
    """The person's own colours, also where the matte is soft, extended outwards.

    Composited over `background` they give `image` back. Where the matte is too thin to tell, blur fusion
    (Forte, "Fast multi-level foreground estimation", 2021).
    """
    picture, behind, alpha = image.astype(np.float32), background.astype(np.float32), matte[..., None]
    smooth = picture
    for sigma in (0.06 * max(matte.shape), 0.012 * max(matte.shape)):
        weight = wide_blur(matte, sigma)[..., None] + 1e-4
        local = wide_blur(picture * alpha + 1e-4 * smooth, sigma) / weight
        known = np.clip(weight / 0.05, 0, 1)
        smooth = local * known + smooth * (1 - known)
    exact = (picture - (1 - alpha) * behind) / np.maximum(alpha, 1e-3)
    trust = np.clip((alpha - 0.05) / 0.15, 0, 1)
    return np.clip(exact * trust + smooth * (1 - trust) + 0.5, 0, 255).astype(np.uint8)


def _face_mask(landmarks: Float32[np.ndarray, "478 3"], like: Matte) -> Matte:
    """The face without its rim, where landmarks lie beside a jaw as often as on it."""
    mask = np.zeros(like.shape, np.uint8)
    oval = landmarks[FACE_OVAL, :2]
    inner = oval.mean(0) + _SURE_FACE * (oval - oval.mean(0))
    cv2.fillPoly(mask, [np.round(inner).astype(np.int32)], 1)
    return mask.astype(np.float32)


def _connected_to_face(matte: Matte, landmarks: Float32[np.ndarray, "478 3"]) -> Bool[np.ndarray, "h w"]:
    _, labels = cv2.connectedComponents((matte > 0.1).astype(np.uint8))
    h, w = matte.shape
    x, y = landmarks[:468, :2].mean(0)
    own = labels[int(np.clip(y, 0, h - 1)), int(np.clip(x, 0, w - 1))]
    return np.asarray((labels == own) | (matte <= 0.1))


def _laplace_fill(image: Image, hole: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 3"]:
    h, w = hole.shape
    factor = max(1, round(max(h, w) / 128))
    small = (w // factor, h // factor)
    unknown = cv2.resize(hole.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0.01
    colours = cv2.medianBlur(cv2.resize(image, small, interpolation=cv2.INTER_AREA), 5).astype(np.float64)
    ys, xs = np.nonzero(unknown)
    index = np.full(unknown.shape, -1)
    index[ys, xs] = np.arange(len(ys))
    diagonal, right_side = np.zeros(len(ys)), np.zeros((len(ys), 3))
    rows, columns = [], []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, x = ys + dy, xs + dx
        here = np.flatnonzero((y >= 0) & (y < small[1]) & (x >= 0) & (x < small[0]))
        diagonal[here] += 1
        neighbour = index[y[here], x[here]]
        free = neighbour >= 0
        rows.append(here[free])
        columns.append(neighbour[free])
        right_side[here[~free]] += colours[y[here[~free]], x[here[~free]]]
    row, column = np.concatenate(rows), np.concatenate(columns)
    matrix = sp.diags(diagonal) - sp.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(ys),) * 2)
    colours[ys, xs] = _solve(matrix, right_side)
    return cv2.resize(colours.astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)


def _solve(matrix: sp.spmatrix, right_side: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    return np.asarray(spl.splu(matrix.tocsc()).solve(right_side))
