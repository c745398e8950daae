"""Code pictures: the face from the front in the codes of its coordinates, which tell networks an expression (PNCC).

Three channels, 0..1: to the right and upwards on the mean face, and what is there: skin, an iris, the inside of the
mouth, or nothing (the white of an eye, around the face). Between the lips "upwards" goes from the lower to the upper.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int32

from models.face import FaceModel
from models.raster import Raster, rasterise
from models.small.frame_box import Box, to_pixels
from models.topology import INNER_LIPS, LANDMARK_COUNT, LEFT_IRIS, LOWER_LIP, RIGHT_IRIS, UPPER_LIP

CODE_SIDE = 160
_SIZE = (CODE_SIDE, CODE_SIDE)
REACH = 0.625
"""Of the box: what a code picture shows. Its pixels are those of the networks' pictures."""
_IRIS, _MOUTH = 0.5, 0.2
_IRIS_TRIANGLES = 8
POINTS = np.concatenate([np.arange(LANDMARK_COUNT), INNER_LIPS])
"""A face's points that are drawn: those of the inner lips once more, for what lies between them."""
INNER = np.array([*RIGHT_IRIS, *LEFT_IRIS, *range(LANDMARK_COUNT, len(POINTS))])
"""Irises and the mouth's inside among them."""
BEHIND = 0.1
"""Box units by which these are drawn farther off, so that lids and lips hide them."""


class CodePainter:
    """Draws code pictures. One thread, no GPU."""

    def __init__(self, model: FaceModel, box: Box) -> None:
        self._box = box
        self.triangles, self.codes = code_mesh(model)
        self._skin = model.triangles

    def __call__(self, canonical: Float[np.ndarray, "478 3"]) -> Float32[np.ndarray, "3 160 160"]:
        """Of a face in canonical space."""
        drawn = rasterise(code_pixels(canonical, self._box), self.triangles, self.codes, _SIZE)
        return np.ascontiguousarray(np.moveaxis(drawn.image, -1, 0))

    def places(self, canonical: Float[np.ndarray, "478 3"]) -> Float32[np.ndarray, "4 160 160"]:
        """Where that face has the skin of each code, box units across and down, then where it has the irises'.

        Codes of 0..1 go across and down; those that it has not are given the place of the nearest.
        """
        codes, irises = self.codes[:LANDMARK_COUNT, :2], self.triangles[-_IRIS_TRIANGLES:]
        flat = np.column_stack([CODE_SIDE * codes - 0.5, canonical[:, 2]]).astype(np.float32)
        there = self._box.into(canonical)[:, :2].astype(np.float32)
        return np.concatenate([_spread(rasterise(flat, part, there, _SIZE)) for part in (self._skin, irises)])


def _spread(drawn: Raster) -> Float32[np.ndarray, "c 160 160"]:
    away = (~drawn.mask).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.zeros((nearest.max() + 1, drawn.image.shape[2]), np.float32)
    known[nearest[drawn.mask]] = drawn.image[drawn.mask]
    return np.ascontiguousarray(np.moveaxis(known[nearest], -1, 0))


def code_mesh(model: FaceModel) -> tuple[Int32[np.ndarray, "t 3"], Float32[np.ndarray, "498 3"]]:
    """Triangles of skin, mouth and irises between `POINTS`, and these points' codes."""
    discs = [[iris[0], iris[k], iris[k % 4 + 1]] for iris in (RIGHT_IRIS, LEFT_IRIS) for k in range(1, 5)]
    mouth = np.zeros(LANDMARK_COUNT, np.int32)
    mouth[INNER_LIPS] = np.arange(LANDMARK_COUNT, len(POINTS))
    codes = np.column_stack([model.ncc[POINTS, :2], np.ones(len(POINTS))]).astype(np.float32)
    codes[INNER[: 2 * len(LEFT_IRIS)], 2] = _IRIS
    upper, lower = np.isin(INNER_LIPS, UPPER_LIP), np.isin(INNER_LIPS, LOWER_LIP)
    codes[LANDMARK_COUNT:, 1] = 0.5 + 0.5 * upper - 0.5 * lower  # the corners are of both
    codes[LANDMARK_COUNT:, 2] = _MOUTH
    return np.vstack([model.triangles, mouth[model.mouth_strip], np.array(discs, np.int32)]), codes


def code_pixels(canonical: Float[np.ndarray, "478 3"], box: Box) -> Float32[np.ndarray, "498 3"]:
    """Where `POINTS` lie in a code picture, and their depths."""
    pixels = to_pixels(box.into(canonical[POINTS]), CODE_SIDE, REACH)
    pixels[INNER, 2] += BEHIND
    return pixels
