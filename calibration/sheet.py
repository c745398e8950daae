"""The person as a sheet that can be moved: finer than the picture, and continued beyond the photo's edges."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from calibration.framing import BLURS, FineCanvas, Pads, Placed, fading_into_blur
from models.ease import smoothstep
from models.topology import CHIN, FACE_OVAL

_CROWN = 0.5  # height of a crown that an upper edge cuts off, in parts of half its width there
_SHOULDER = 0.5  # how far a body that is cut off aside goes on, in parts of its height there
_HAIR = 0.2  # the same of a head, in parts of half its height there
_FREE = 0.5  # of the way to the face, up to which colours are mirrored: hair, and no forehead or cheek
_FADES = (0.04, 0.16)  # of the longer side: over which a body that is cut off below ends

Image = UInt8[np.ndarray, "_ _ 3"]
Alpha = Float32[np.ndarray, "_ _"]
Sheet = UInt8[np.ndarray, "ch cw 4"]


def person_sheet(
    canvas: FineCanvas,
    placed: Placed,
    colours: UInt8[np.ndarray, "h w 3"],
    matte: Float32[np.ndarray, "h w"],
    landmarks: Float32[np.ndarray, "478 3"],
) -> Sheet:
    """RGBA, colours multiplied by alpha, of the canvas's size.

    The person goes on where the photo cuts it off: with mirrored colours, and a crown rounded. Where the photo ends
    within the picture, head and shoulders are rounded, too, a body fades downwards, and all is blurred away from the
    photo. `landmarks` are in pixels of what was placed.
    """
    edge = canvas.beyond * canvas.times
    pads = canvas.borders(placed)
    within, beyond = (_those(pads, [(pad > edge) == inside for pad in pads]) for inside in (True, False))
    away = _away_from_face(matte, landmarks)
    if any(within):
        colours = fading_into_blur(_mirrored(colours, away, within), within)
        matte = _continued(matte, within, round(float(landmarks[CHIN, 1])))
        away = cv2.copyMakeBorder(away, *within, cv2.BORDER_REPLICATE)
    colour = _mirrored(colours, away, beyond)
    top, _, left, right = beyond
    alpha = cv2.copyMakeBorder(matte, *beyond, cv2.BORDER_REPLICATE)
    alpha[:top] = 0
    alpha[:top, left : alpha.shape[1] - right] = _closed(matte[0], top, _CROWN)
    return np.dstack([colour * alpha[..., None], alpha * 255]).round().astype(np.uint8)


def with_person_beyond(
    canvas: FineCanvas, placed: Placed, sheet: Sheet, image: Image, matte: Alpha
) -> tuple[Image, Alpha]:
    """Image and matte `within` the picture, with the person of the sheet where the photo does not reach."""
    edge = canvas.beyond * canvas.times
    if max(canvas.borders(placed)) <= edge:
        return image, matte
    person = sheet[edge:-edge, edge:-edge].astype(np.float32)
    photo = np.zeros(placed.image.shape[:2], np.float32)
    outside = canvas.within(placed, photo, photo + 1)
    alpha = outside * person[..., 3] / 255
    seen = image * (1 - alpha[..., None]) + outside[..., None] * person[..., :3]
    return np.clip(seen + 0.5, 0, 255).astype(np.uint8), np.asarray(np.maximum(matte, alpha), np.float32)


def _those(pads: Pads, chosen: list[bool]) -> Pads:
    top, bottom, left, right = (pad if wanted else 0 for pad, wanted in zip(pads, chosen, strict=True))
    return top, bottom, left, right


def _away_from_face(matte: Alpha, landmarks: Float32[np.ndarray, "478 3"]) -> Alpha:
    """Distance of each pixel of a matte from the face, pixels."""
    free = np.ones(matte.shape, np.uint8)
    cv2.fillConvexPoly(free, cv2.convexHull(landmarks[FACE_OVAL, :2].round().astype(np.int32)), 0)
    return cv2.distanceTransform(free, cv2.DIST_L2, 5)


def _mirrored(colours: Image, away: Alpha, pads: Pads) -> Image:
    """Colours that go on as their mirror image, and from half of the way to the face on as what lies there."""
    top, bottom, left, right = pads
    h, w = away.shape
    before, after = _mirror(away[:, 0], left, w)[:, ::-1], w - 1 - _mirror(away[:, -1], right, w)
    rows = np.arange(h)[:, None]
    wide = np.hstack([_taken(colours, before, rows), colours, _taken(colours, after, rows)])
    away = cv2.copyMakeBorder(away, 0, 0, left, right, cv2.BORDER_REPLICATE)
    above, below = _mirror(away[0], top, h).T[::-1], h - 1 - _mirror(away[-1], bottom, h).T
    columns = np.arange(wide.shape[1])
    return np.vstack([_taken(wide, columns, above), wide, _taken(wide, columns, below)])


def _mirror(away: Float32[np.ndarray, "n"], count: int, length: int) -> Float32[np.ndarray, "n count"]:
    """Distances from an edge at which the mirror finds what it shows, the nearest first."""
    room = np.minimum(_FREE * away, length - 1)[:, None]
    return np.floor(np.minimum(np.arange(1, count + 1, dtype=np.float32), room))


def _taken(colours: Image, x: np.ndarray, y: np.ndarray) -> Image:
    """The pixels at these places."""
    at_x, at_y = (np.ascontiguousarray(each, np.float32) for each in np.broadcast_arrays(x, y))
    if at_x.size == 0:
        return np.empty((*at_x.shape, 3), np.uint8)
    return np.asarray(cv2.remap(colours, at_x, at_y, cv2.INTER_NEAREST))


def _continued(matte: Alpha, pads: Pads, chin: int) -> Alpha:
    """A matte that is rounded above and aside, head and body apart at the row of the chin, and fades below."""
    top, bottom, left, right = pads
    on_left, on_right = _beside(matte[:, 0], left, chin), _beside(matte[:, -1], right, chin)[:, ::-1]
    row = np.hstack([on_left, matte, on_right])
    crown = _closed(row[0], top, _CROWN)
    longest = max(top + len(row) + bottom, row.shape[1])
    fading = 1 - smoothstep(*_FADES, np.arange(1, bottom + 1) / longest)[:, None]
    whole = np.vstack([crown, row, row[-1:] * fading]).astype(np.float32)
    return fading_into_blur(whole, pads, BLURS[:-1])  # the widest has no end


def _beside(edge: Float32[np.ndarray, "h"], length: int, chin: int) -> Alpha:
    """Alpha beside an edge on the left, the nearest column last."""
    head, body = edge.copy(), edge.copy()
    head[chin:], body[:chin] = 0, 0
    return np.maximum(_closed(head, length, _HAIR), _closed(body, length, _SHOULDER, stands=True)).T


def _closed(
    edge: Float32[np.ndarray, "n"], length: int, reach: float, stands: bool = False
) -> Float32[np.ndarray, "length n"]:
    """Alpha beyond an edge, the nearest row last: every run of the person closes like an ellipse.

    Args:
        edge: alpha along it.
        length: rows.
        reach: of an ellipse beyond the edge, in parts of its half axis along the edge.
        stands: whether a run at the end of the edge is the upper half of an ellipse.
    """
    out = np.zeros((length, len(edge)), np.float32)
    inside = np.concatenate([[False], edge > 0.5, [False]])
    begins, ends = np.flatnonzero(~inside[:-1] & inside[1:]), np.flatnonzero(inside[:-1] & ~inside[1:])
    away = np.arange(length, 0, -1)[:, None]
    along = np.arange(len(edge))
    for begin, end in zip(begins, ends, strict=True):
        whole = 2 * end - begin if stands and end == len(edge) else end
        half = 0.5 * (whole - begin)
        radius = np.hypot((along - begin - half + 0.5) / half, away / max(reach * half, 1.0))
        out = np.maximum(out, np.clip((1 - radius) * half * 0.5 + 0.5, 0, 1))
    return out.astype(np.float32)
