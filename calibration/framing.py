"""Where the photo lies on the output picture."""

from dataclasses import dataclass
from typing import Literal, assert_never

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from models.blur import wide_blur
from models.ease import smoothstep
from models.topology import CHIN, FACE_OVAL, FOREHEAD_TOP

Framing = Literal["photo", "head"]
"""photo: the whole photo, padded to the output's shape; head: head and shoulders fill the output."""

_HEAD_ROOM = 2.5  # face heights in a picture of head and shoulders
_LEAST_ROOM = 1.9  # and at the least, where the photo has no more width
_FACE_AT = 0.46  # height of the face's middle in it

Layer = UInt8[np.ndarray, "_ _ 3"] | Float32[np.ndarray, "_ _"]
Pads = tuple[int, int, int, int]
"""Pixels at the top, bottom, left and right of a layer."""
Blurs = tuple[tuple[float, tuple[float, float]], ...]
BLURS: Blurs = ((0.01, (0.0, 0.02)), (0.03, (0.01, 0.06)), (0.1, (0.06, 0.2)))
"""How far what goes on beyond the photo is blurred, and over which distance from it; in parts of the longer side."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture on which the photo is scaled and placed; parts of it may lie outside, or leave borders."""

    width: int
    height: int
    scale: float
    """Pixels of the picture per pixel of the photo."""
    left: float
    """Where the photo begins, in pixels of the picture; negative where the photo is cut off."""
    top: float

    @classmethod
    def framed(
        cls, framing: Framing, landmarks: Float32[np.ndarray, "478 3"], photo: tuple[int, int], size: tuple[int, int]
    ) -> "Canvas":
        """The placement of a photo (width, height) with this face on a picture (width, height)."""
        match framing:
            case "photo":
                return cls.fit(photo, size)
            case "head":
                return cls.around(landmarks, photo, size)
            case _:
                assert_never(framing)

    @classmethod
    def fit(cls, photo: tuple[int, int], size: tuple[int, int]) -> "Canvas":
        """The whole photo, as large as possible and centred."""
        (pw, ph), (w, h) = photo, size
        scale = min(w / pw, h / ph)
        width, height = min(w, max(1, round(pw * scale))), min(h, max(1, round(ph * scale)))
        return cls(w, h, scale, (w - width) // 2, (h - height) // 2)

    @classmethod
    def around(cls, landmarks: Float32[np.ndarray, "478 3"], photo: tuple[int, int], size: tuple[int, int]) -> "Canvas":
        """Head and shoulders; within the photo as far as it reaches."""
        (pw, ph), (w, h) = photo, size
        face = float(np.linalg.norm(landmarks[CHIN, :2] - landmarks[FOREHEAD_TOP, :2]))
        height = min(_HEAD_ROOM * face, ph)
        height = min(height, max(pw * h / w, min(_LEAST_ROOM * face, ph)))
        width = height * w / h
        x, y = landmarks[FACE_OVAL, :2].mean(0)
        left = min(max(x - 0.5 * width, 0.0), pw - width) if width <= pw else 0.5 * (pw - width)
        top = min(max(y - _FACE_AT * height, 0.0), ph - height)
        scale = h / height
        return cls(w, h, scale, -left * scale, -top * scale)

    def finer(self, times: int, beyond: int) -> "FineCanvas":
        """The same picture with `times` as many pixels each way, and `beyond` of its own more at every edge."""
        return FineCanvas(
            (self.width + 2 * beyond) * times,
            (self.height + 2 * beyond) * times,
            self.scale * times,
            (self.left + beyond) * times,
            (self.top + beyond) * times,
            times,
            beyond,
        )

    def place(self, photo: UInt8[np.ndarray, "h w 3"]) -> "Placed":
        """The part of the photo that is seen, at the canvas's scale."""
        h, w = photo.shape[:2]
        x0, x1 = self._seen(self.left, self.width, w)
        y0, y1 = self._seen(self.top, self.height, h)
        # The first pixel may be seen in part; it is then taken whole.
        left = max(0, round(self.left + x0 * self.scale))
        top = max(0, round(self.top + y0 * self.scale))
        size = (
            max(1, min(self.width - left, round((x1 - x0) * self.scale))),
            max(1, min(self.height - top, round((y1 - y0) * self.scale))),
        )
        part = photo[y0:y1, x0:x1]
        if size != (x1 - x0, y1 - y0):
            part = cv2.resize(part, size, interpolation=cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC)
        return Placed(part, left, top, x0, y0, size[0] / (x1 - x0), size[1] / (y1 - y0))

    def _seen(self, begin: float, length: int, photo_length: int) -> tuple[int, int]:
        """The photo's pixels, first and past the last, that lie on the canvas along one axis."""
        first = int(np.floor(max(0.0, -begin) / self.scale))
        last = int(np.ceil((length - begin) / self.scale - 1e-6))
        return min(first, photo_length - 1), max(first + 1, min(last, photo_length))


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The seen part of a photo, and where it is."""

    image: UInt8[np.ndarray, "h w 3"]
    """At the canvas's scale."""
    left: int
    """Where it begins on the canvas."""
    top: int
    photo_left: int
    """Where it begins in the photo."""
    photo_top: int
    scale_x: float
    """As it came out in whole pixels."""
    scale_y: float

    def points(self, landmarks: Float32[np.ndarray, "478 3"]) -> Float32[np.ndarray, "478 3"]:
        """Landmarks in pixels of the photo -> of the canvas."""
        scale = np.array([self.scale_x, self.scale_y, 0.5 * (self.scale_x + self.scale_y)])
        half = np.array([0.5, 0.5, 0.0])  # pixel centres: a pixel x of the photo covers [x, x + 1)
        begin = np.array([self.photo_left, self.photo_top, 0.0])
        return ((landmarks + half - begin) * scale - half + [self.left, self.top, 0]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class FineCanvas(Canvas):
    """A canvas in finer pixels that goes beyond the picture's edges."""

    times: int
    """Its pixels per pixel of the picture."""
    beyond: int
    """Pixels of the picture beyond every edge."""

    def to_picture(self, points: Float32[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
        """Its pixels -> pixels of the picture."""
        shift = np.array([0.5, 0.5, 0.0]) - [self.beyond * self.times, self.beyond * self.times, 0.0]
        return ((points + shift) / self.times - [0.5, 0.5, 0.0]).astype(np.float32)

    def borders(self, placed: Placed) -> Pads:
        """How far the canvas goes on beyond what was placed."""
        h, w = placed.image.shape[:2]
        return placed.top, self.height - placed.top - h, placed.left, self.width - placed.left - w

    def picture(self, placed: Placed, layer: Layer, surroundings: Layer) -> Layer:
        """A layer of what was placed, on the picture; borders show `surroundings`, blurred."""
        return self.reduced(self.within(placed, layer, surroundings))

    def within(self, placed: Placed, layer: Layer, surroundings: Layer) -> Layer:
        """The same before it is `reduced`: in the canvas's pixels, without those beyond the picture's edges."""
        edge = self.beyond * self.times
        pads = self.borders(placed)
        inner = tuple(max(0, pad - edge) for pad in pads)
        cut_top, cut_bottom, cut_left, cut_right = (max(0, edge - pad) for pad in pads)
        h, w = layer.shape[:2]
        seen = np.s_[cut_top : h - cut_bottom, cut_left : w - cut_right]
        return _bordered(layer[seen], surroundings[seen], (inner[0], inner[1], inner[2], inner[3]))

    def reduced(self, within: Layer) -> Layer:
        """What lies `within` the picture, in the picture's pixels."""
        if self.times > 1:
            size = (within.shape[1] // self.times, within.shape[0] // self.times)
            within = cv2.resize(within, size, interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(within)


def _bordered(layer: Layer, surroundings: Layer, pads: Pads) -> Layer:
    if not any(pads):
        return layer
    top, _, left, _ = pads
    beside = cv2.copyMakeBorder(surroundings, *pads, cv2.BORDER_REFLECT_101)
    border = fading_into_blur(beside, pads)
    border[top : top + layer.shape[0], left : left + layer.shape[1]] = layer
    return border


def fading_into_blur(layer: Layer, pads: Pads, blurs: Blurs = BLURS) -> Layer:
    """A new layer that is blurred in its outer `pads`; the further out, the more."""
    longest = max(layer.shape)
    top, bottom, left, right = pads
    above = _beyond(top, layer.shape[0] - top - bottom, bottom) / longest
    aside = _beyond(left, layer.shape[1] - left - right, right) / longest
    sharp = layer.astype(np.float32)
    out = sharp
    for blur, fade in blurs:
        share = np.maximum.outer(smoothstep(*fade, above), smoothstep(*fade, aside)).astype(np.float32)
        if share.any():
            out = cv2.blendLinear(out, wide_blur(sharp, blur * longest), 1 - share, share)
    return np.asarray(out.astype(layer.dtype))


def _beyond(before: int, length: int, after: int) -> Float32[np.ndarray, "n"]:
    """Distance of each pixel of a row from a part of it."""
    parts = [np.arange(before, 0, -1), np.zeros(length), np.arange(1, after + 1)]
    return np.concatenate(parts).astype(np.float32)
