"""The inside of the mouth: two painted plates behind the lips.

The upper plate (cavity, gum, upper teeth) is fixed to the skull, the lower one (tongue, lower teeth) to the jaw. Both
take light and tint from the portrait's cheeks; a mouth that is open in the photo keeps its own inside. A motion that
brings the driver's own mouth shows that one instead.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from models.builtin.constants import MOUTH
from models.builtin.drawing import LUMA, Affine, Box, Polygon, area, blur_px, compose, translate
from models.builtin.driver_mouth import lay
from models.builtin.light import light_on
from models.builtin.part import Part
from models.builtin.plates import CENTRE, HEIGHT, PER_UNIT, WIDTH, Plates, mix, paint_plates
from models.builtin.puppet import Puppet, Shape
from models.ease import smoothstep
from models.motion import MouthPatch
from models.topology import INNER_LIPS, LOWER_LIP, OUTER_EYE_CORNERS, UPPER_LIP

_LEFT_CORNER, _RIGHT_CORNER, _UPPER_MIDDLE, _LOWER_MIDDLE = 308, 78, 13, 14

_TEETH_SHOW = 0.8  # the inside of a mouth is teeth when it is so bright against a cheek
_SHADOWED = 0.06  # mouth units from the lips
# Mouth units over which the photo's own inside goes on past the lips.
_CONTINUED, _CONTINUED_ABOVE, _CONTINUED_BELOW = 0.16, 0.45, 0.07


@dataclass(frozen=True, slots=True, eq=False)
class _OwnInside:
    """The inside of an open mouth as the photo has it."""

    colours: Float32[np.ndarray, "h w 3"]
    inside: Bool[np.ndarray, "h w"]
    """Where `colours` are the mouth's and not the lips'."""

    def over(self, plates: Plates) -> Plates:
        """The photo's inside on the upper plate, continued past the lips, its teeth upwards; feathered."""
        # Near the lips teeth lie in shadow: what is continued comes from deeper inside.
        depth = cv2.distanceTransform(self.inside.astype(np.uint8), cv2.DIST_L2, 5)
        core = depth >= min(_SHADOWED * PER_UNIT, 0.6 * float(depth.max()))
        _, labels = cv2.distanceTransformWithLabels(
            (~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        y, x = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]].astype(np.float32)
        nearest = np.zeros((labels.max() + 1, 5), np.float32)
        nearest[labels[core]] = np.dstack([self.colours, x, y])[core]
        continued = cv2.GaussianBlur(nearest[labels][..., :3], (0, 0), 1.0)
        continued[self.inside] = self.colours[self.inside]
        aside, above = x - nearest[labels][..., 3], nearest[labels][..., 4] - y
        reach = np.where(above > 0, _CONTINUED_ABOVE, _CONTINUED_BELOW) * PER_UNIT
        distance = np.hypot(aside / (_CONTINUED * PER_UNIT), above / reach)
        weight = cv2.GaussianBlur(np.clip(1.4 - 1.4 * distance, 0, 1), (0, 0), 2).astype(np.float32)
        weight[self.inside] = 1.0
        return Plates(mix(plates.upper, continued, weight), weight, plates.lower)


class Mouth:
    """The mouth interior of one portrait."""

    def __init__(
        self, image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"], puppet: Puppet
    ) -> None:
        self._puppet = puppet
        left, right = landmarks[_LEFT_CORNER], landmarks[_RIGHT_CORNER]
        self._width = float(np.linalg.norm((right - left)[:2]))
        gap = landmarks[_UPPER_MIDDLE, :2] - landmarks[_LOWER_MIDDLE, :2]
        opening = float(np.linalg.norm(gap)) / self._width
        self._rest_area = area(landmarks[INNER_LIPS, :2].astype(np.float64))
        unit = MOUTH.unit * puppet.rest_pose.scale * puppet.eye_distance

        corners, upper = (left + right) / 2, landmarks[_UPPER_MIDDLE]
        centre = (upper + corners) / 2 if opening > 0.08 else (upper + landmarks[_LOWER_MIDDLE] + 2 * corners) / 4
        self._anchor = centre.astype(np.float64) + [0, 0, 0.1 * unit]
        across = (landmarks[OUTER_EYE_CORNERS[1]] - landmarks[OUTER_EYE_CORNERS[0]]).astype(np.float64)
        self._to_portrait = self._plate_to_portrait(across, unit)
        self._light = light = light_on(image, landmarks)
        own = self._own_inside(image, landmarks) if opening > 0.045 else None
        if own is None:
            self._plates = paint_plates(light, teeth=True)
        else:
            shows_teeth = np.percentile(own.colours[own.inside] @ LUMA, 75) > _TEETH_SHOW * float(light.cheek @ LUMA)
            self._plates = own.over(paint_plates(light, teeth=not shows_teeth))
        self._fit_plates(unit)

    def _plate_to_portrait(self, across: Float[np.ndarray, "3"], unit: float) -> Affine:
        """Plate pixels -> portrait pixels; `across` runs along the eyes and foreshortens the plate."""
        x_axis = across[:2] / np.linalg.norm(across[:2])
        foreshortening = max(0.5, float(np.linalg.norm(across[:2]) / np.linalg.norm(across)))
        y_axis = np.array([-x_axis[1], x_axis[0]])
        linear = np.column_stack([x_axis * foreshortening, y_axis]) * (unit / PER_UNIT)
        return np.hstack([linear, (self._anchor[:2] - linear @ CENTRE)[:, None]])

    def _fit_plates(self, unit: float) -> None:
        """Scales the plates down to about the picture's resolution, so that fine gaps between teeth do not flicker."""
        factor = 1.4 * unit / PER_UNIT
        if factor >= 1:
            return

        def scaled(layer: Float32[np.ndarray, "h w *c"]) -> Float32[np.ndarray, "h2 w2 *c"]:
            return cv2.resize(layer, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)

        plates = self._plates
        self._plates = Plates(scaled(plates.upper), scaled(plates.upper_cover), scaled(plates.lower))
        half = 0.5 / factor - 0.5  # pixel centres
        self._to_portrait = compose(self._to_portrait, np.array([[1 / factor, 0, half], [0, 1 / factor, half]]))

    def _own_inside(
        self, image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]
    ) -> "_OwnInside | None":
        """What the photo shows between the lips, on the upper plate."""
        to_plate = cv2.invertAffineTransform(self._to_portrait)
        size = (WIDTH, HEIGHT)
        own = cv2.warpAffine(image, to_plate, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        polygon = landmarks[INNER_LIPS, :2] @ to_plate[:, :2].T + to_plate[:, 2]
        mask = np.zeros(own.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        scale = float(np.linalg.norm(to_plate[:, 0]))  # plate pixels per portrait pixel: lips bleed by about one
        inside = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=max(1, round(1.2 * scale))) >= 128
        return _OwnInside(own.astype(np.float32), inside) if inside.any() else None

    def draw(self, image: UInt8[np.ndarray, "h w 3"], shape: Shape, driver: MouthPatch | None = None) -> None:
        """Paints the inside into the picture, in place, or the driver's own.

        Of a painted one, nothing is seen while the lips are as in the photo.
        """
        polygon = shape.vertices[INNER_LIPS, :2]
        zoom = shape.pose.scale / self._puppet.rest_pose.scale
        size = self._width * zoom
        opened = area(polygon)
        own = 0.0 if driver is None else driver.weight
        painted = (1 - own) * min(1.0, self._moved(shape) / MOUTH.moved)
        weight = (painted + own) * smoothstep(*MOUTH.open, opened / size**2)  # less is rounding, no mouth
        box = Box.around(polygon, 3, image.shape)
        if box is None:
            return
        closed = smoothstep(*MOUTH.closed, self._rest_area / self._width**2 - opened / size**2)
        if closed > 0:
            self._join_lips(image, shape, box, closed * (1 - smoothstep(*MOUTH.joined, opened / size**2)))
        if weight < 0.02:
            return
        colour = self._inside(shape, box, polygon, driver, own / (painted + own))
        box.blend(image, colour, box.mask(polygon, blur_px(MOUTH.blur, self._width)) * np.float32(weight))

    def for_player(self) -> Part:
        """The plates, and where they lie."""
        numbers = {
            "width": self._width,
            "rest_area": self._rest_area,
            "anchor": self._anchor,
            "to_portrait": self._to_portrait,
            "bounced": self._light.bounced,
        }
        upper = np.dstack([self._plates.upper, self._plates.upper_cover])
        return Part(numbers, layers={"upper": upper, "lower": self._plates.lower})

    def _moved(self, shape: Shape) -> float:
        """How far the inner lips are from where the photo has them, at most, in widths of the mouth."""
        now, rest = shape.canonical[INNER_LIPS], self._puppet.rest[INNER_LIPS]
        width = np.linalg.norm(self._puppet.rest[_RIGHT_CORNER] - self._puppet.rest[_LEFT_CORNER])
        return float(np.linalg.norm(now - rest, axis=1).max() / width)

    def _join_lips(self, image: UInt8[np.ndarray, "h w 3"], shape: Shape, box: Box, weight: float) -> None:
        """Softens the line on which lips meet that the photo shows apart: both end there in single pixels."""
        line = 0.5 * (shape.vertices[UPPER_LIP, :2] + shape.vertices[LOWER_LIP, :2])
        joint = np.minimum(2 * box.stroke(line, 2, MOUTH.joint_px), 1)
        soft = cv2.GaussianBlur(box.cut(image), (0, 0), MOUTH.joint_px).astype(np.float32)
        dark = box.stroke(line[1:-1], 1, blur_px(MOUTH.joint_blur, self._width))
        box.blend(image, soft * self._light.shade(1 - MOUTH.joint_shade * dark), joint * np.float32(weight))

    def _inside(
        self, shape: Shape, box: Box, polygon: Polygon, driver: MouthPatch | None, share: float
    ) -> Float32[np.ndarray, "h w 3"]:
        """What fills `box`: `share` of it, 0..1, is the driver's own mouth."""
        if driver is None or share == 0.0:
            return self._painted(shape, box, polygon)
        seen = lay(driver, polygon, box, self._light.cheek)
        if share == 1.0:
            return seen
        painted = self._painted(shape, box, polygon)
        return painted + (seen - painted) * np.float32(share)

    def _painted(self, shape: Shape, box: Box, polygon: Polygon) -> Float32[np.ndarray, "h w 3"]:
        """The plates where the head and the jaw have them."""
        place = self._place(shape)
        upper = box.warp(self._plates.upper, place, replicate=True)
        cover = box.warp(self._plates.upper_cover[..., None], place, replicate=False)[..., 0]
        lower = box.warp(self._plates.lower, translate(place, self._jaw_shift(shape)), replicate=False)
        alpha = lower[..., 3] * (1 - cover)
        colour = mix(upper, lower[..., :3] * MOUTH.lower_light, alpha)
        zoom = shape.pose.scale / self._puppet.rest_pose.scale
        shade = box.mask(polygon, blur_px(MOUTH.shade_blur, self._width * zoom))  # lips shadow what is near them
        return colour * self._light.shade(np.clip(MOUTH.shade[0] + MOUTH.shade[1] * shade, 0, 1))

    def _place(self, shape: Shape) -> Affine:
        """Plate pixels -> picture pixels."""
        linear = shape.linear[:2, :2]
        moved = shape.linear @ (self._anchor - self._puppet.rest_pose.translation) + shape.pose.translation
        head = np.hstack([linear, (moved[:2] - linear @ self._anchor[:2])[:, None]])
        return compose(head, self._to_portrait)

    def _jaw_shift(self, shape: Shape) -> Float[np.ndarray, "2"]:
        """How far the lower plate has gone down with the chin, in picture pixels; the lower lip bounds it."""
        unit = MOUTH.unit * self._puppet.eye_distance
        moved = shape.canonical - self._puppet.closed
        chin, lip = moved[list(MOUTH.jaw_points)].mean(0), moved[_LOWER_MIDDLE]
        down = np.clip(MOUTH.jaw_down[0] * chin[1] + MOUTH.jaw_down[1] * lip[1], -MOUTH.jaw_up * unit, max(lip[1], 0.0))
        aside, along, lower = MOUTH.jaw_shift
        shift = np.array([aside * chin[0], along * down + lower * unit, 0.0])
        return np.asarray((shape.pose.scale * shape.pose.rotation @ shift)[:2])
