"""Eyes: the photo's iris and white as two layers that move on their own, shaded by the lid."""

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from models.builtin.constants import EYE
from models.builtin.drawing import LUMA, Box, area, blur_px, spread, translate
from models.builtin.lens import Lens, find_lens, wears_glasses
from models.builtin.lids import Lid
from models.builtin.part import Part
from models.builtin.puppet import Puppet, Shape
from models.expression import EYES, EyeContour


class Eye:
    """One eye of a portrait."""

    def __init__(
        self,
        contour: EyeContour,
        image: UInt8[np.ndarray, "h w 3"],
        landmarks: Float32[np.ndarray, "478 3"],
        puppet: Puppet,
        lens: Lens | None,
    ) -> None:
        self._contour, self._puppet, self._lens = contour, puppet, lens
        outline = landmarks[contour.closed, :2].astype(np.float64)
        self._width = float(np.linalg.norm(landmarks[contour.upper[0], :2] - landmarks[contour.upper[-1], :2]))
        self._radius = max(
            1.0,
            float(np.linalg.norm(landmarks[contour.iris[1:], :2] - landmarks[contour.iris[0], :2], axis=1).mean()),
        )
        self._rest_openness = contour.openness(puppet.rest)
        self._rest_gaze = contour.gaze(puppet.rest)
        pad = round(0.5 * self._width) + 2
        box = Box.around(outline, pad, image.shape)
        behind = image if lens is None else lens.behind(image)
        self._lid = Lid(contour, behind, landmarks, puppet, lens)
        self._layers: tuple[Float32[np.ndarray, "h w 3"], Float32[np.ndarray, "h w 4"]] | None = None
        if box is not None:
            self._origin = np.array([box.left, box.top], np.float64)
            self._layers = self._paint_layers(box, box.cut(behind).astype(np.float32), outline, landmarks)

    def _paint_layers(
        self,
        box: Box,
        ball: Float32[np.ndarray, "h w 3"],
        outline: Float[np.ndarray, "n 2"],
        landmarks: Float32[np.ndarray, "478 3"],
    ) -> tuple[Float32[np.ndarray, "h w 3"], Float32[np.ndarray, "h w 4"]] | None:
        """The white without the iris, and the whole iris (RGBA, alpha 0..1) as if no lid covered it."""
        mask = box.mask(outline, 0.5)
        inner = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=max(1, round(0.035 * self._width)))
        y, x = np.mgrid[0 : ball.shape[0], 0 : ball.shape[1]].astype(np.float32)
        cx, cy = landmarks[self._contour.iris[0], :2] - self._origin
        distance = np.hypot(x - cx, y - cy)
        white = (inner > 0.8) & (distance > 1.22 * self._radius)
        if white.sum() < 10:
            white = (mask > 0.8) & (distance > 1.1 * self._radius)
        if white.sum() < 6:
            return None
        luma = ball @ LUMA
        white &= luma >= np.percentile(luma[white], 45)
        sclera = spread(ball, white.astype(np.float32), self._width)
        middle = outline.mean(0)[0] - self._origin[0]
        rounding = np.clip(np.abs(x - middle) / (0.5 * self._width), 0, 1.2)
        sclera *= (1.02 - 0.14 * rounding**2)[..., None]

        profile = _radial_profile(ball, distance, self._radius, seen=inner > 0.6)
        known = cv2.GaussianBlur((inner > 0.6).astype(np.float32), (0, 0), max(0.6, 0.08 * self._radius))[..., None]
        iris = ball * known + profile * (1 - known)
        alpha = np.clip((1.08 * self._radius - distance) / max(0.2 * self._radius, 1.0) + 0.5, 0, 1)
        return sclera, np.dstack([iris, alpha]).astype(np.float32)

    def draw(self, image: UInt8[np.ndarray, "h w 3"], shape: Shape) -> None:
        """Paints the eye into the picture, in place; nothing changes while it looks as in the photo."""
        self._draw_ball(image, shape)
        self._lid.draw(image, shape)

    def for_player(self) -> Part:
        """White and iris, lid, and what lies in front of them; a part that is not drawn is left out."""
        numbers: dict[str, object] = {"width": self._width, "radius": self._radius}
        layers: dict[str, np.ndarray] = {}
        if self._layers is not None:
            numbers["origin"] = self._origin
            layers = {"white": self._layers[0], "iris": self._layers[1]}
        if self._lens is not None:
            numbers["lens_origin"] = [self._lens.box.left, self._lens.box.top]
            layers["lens"] = self._lens.layer
        lid = self._lid.for_player()
        return Part(numbers | lid.numbers, layers=layers | lid.layers)

    def _draw_ball(self, image: UInt8[np.ndarray, "h w 3"], shape: Shape) -> None:
        if self._layers is None:
            return
        polygon = shape.vertices[self._contour.closed, :2]
        zoom = shape.pose.scale / self._puppet.rest_pose.scale
        if area(polygon) < EYE.least_area * (self._width * zoom) ** 2:
            return
        pose = self._puppet.rest_pose
        gaze = (pose.scale * pose.rotation @ (self._contour.gaze(shape.canonical) - self._rest_gaze))[:2]
        openness = self._contour.openness(shape.canonical)
        change = max(float(np.hypot(*gaze)) / (EYE.gaze * self._radius), (openness - self._rest_openness) / EYE.opening)
        weight = float(np.clip(change - EYE.slack, 0, 1))
        box = Box.around(polygon, 3, image.shape)
        if weight == 0 or box is None:
            return
        place = self._puppet.near(shape, self._contour.upper[[0, -1]])
        linear = place[:, :2]
        to_picture = translate(place, linear @ self._origin)
        sclera, iris = self._layers
        colour = box.warp(sclera, to_picture, replicate=True)
        moved = box.warp(iris, translate(to_picture, linear @ gaze), replicate=False)
        colour = colour + (moved[..., :3] - colour) * moved[..., 3:]
        lit = box.mask(polygon + [0, EYE.shade_shift * self._width * zoom], blur_px(EYE.shade_blur, self._width))
        shade = EYE.shade[0] + EYE.shade[1] * np.clip(EYE.shade_gain * lit, 0, 1)  # of the upper lid
        colour *= shade[..., None]
        if self._lens is not None:
            colour = self._lens.over(colour, box, place)
        box.blend(image, colour, box.mask(polygon, blur_px(EYE.blur, self._width)) * np.float32(weight))


def build_eyes(
    image: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"], puppet: Puppet
) -> tuple[Eye, ...]:
    """Both eyes of a portrait."""
    glasses = wears_glasses(image, landmarks)
    lenses = (find_lens(contour, image, landmarks) if glasses else None for contour in EYES)
    return tuple(Eye(contour, image, landmarks, puppet, lens) for contour, lens in zip(EYES, lenses, strict=True))


def _radial_profile(
    image: Float32[np.ndarray, "h w 3"],
    distance: Float32[np.ndarray, "h w"],
    radius: float,
    seen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> Float32[np.ndarray, "h w 3"]:
    """A picture in which every pixel has the median colour of the seen ones at its distance from the iris centre."""
    reach = 1.3 * radius
    bins = max(4, int(reach))
    index = np.clip((distance / reach * bins).astype(int), 0, bins - 1)
    colours, have = np.zeros((bins, 3), np.float32), np.zeros(bins, bool)
    for i in range(bins):
        ring = seen & (distance <= reach) & (index == i)
        if ring.sum() >= 3:
            colours[i], have[i] = np.median(image[ring], axis=0), True
    if not have.any():
        return image
    found = np.flatnonzero(have)
    nearest = found[np.abs(np.arange(bins)[:, None] - found).argmin(1)]
    return cv2.GaussianBlur(colours[nearest][index], (0, 0), max(0.6, 0.06 * radius))
