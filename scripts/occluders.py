"""What hides a mouth, painted into pictures of real faces: hand, microphone, mug, masks, scarf, darkness, the edge."""

from collections.abc import Callable

import cv2
import numpy as np

from models.topology import CHIN, FACE_OVAL, OUTER_EYE_CORNERS

UPPER_LIP_TOP, LOWER_LIP_BOTTOM, NOSE_TIP = 0, 17, 4
FOREHEAD = 151
SHADES = {"blue mask": (105, 150, 195), "white mask": (225, 225, 222), "red scarf": (120, 38, 40)}

Paint = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], np.ndarray]
"""Picture, its landmarks, how far the thing has come (0..1), noise -> picture."""


class Face:
    """Where things are painted: the mouth, an eye distance, and the axes of the face."""

    def __init__(self, landmarks: np.ndarray) -> None:
        points = landmarks[:, :2].astype(np.float64)
        self.points = points
        self.unit = float(np.linalg.norm(points[OUTER_EYE_CORNERS[0]] - points[OUTER_EYE_CORNERS[1]]))
        self.mouth = (points[UPPER_LIP_TOP] + points[LOWER_LIP_BOTTOM]) / 2
        down = points[CHIN] - points[FOREHEAD]
        self.down = down / np.linalg.norm(down)
        self.right = np.array([self.down[1], -self.down[0]])

    def at(self, x: float, y: float, come: float) -> tuple[int, int]:
        """A point in eye distances from the mouth; what has not come yet is below."""
        return tuple(
            np.round(self.mouth + self.unit * (x * self.right + (y + 1.5 * (1 - come)) * self.down)).astype(int)
        )


def lay(image: np.ndarray, mask: np.ndarray, colours: np.ndarray, unit: float) -> np.ndarray:
    """`colours` where `mask` is, darker towards its edge, the edge soft."""
    depth = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 3) / unit
    shaded = colours * (0.72 + 0.28 * np.clip(depth / 0.1, 0, 1))[..., None]
    soft = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), max(0.6, 0.008 * unit))[..., None]
    return np.clip(image * (1 - soft) + shaded * soft, 0, 255).astype(np.uint8)


def skin(image: np.ndarray, face: Face) -> np.ndarray:
    """The person's own forehead and cheek, repeated over the whole picture."""
    half = max(3, int(0.13 * face.unit))
    spots = []
    for index in (FOREHEAD, 425, 205):
        x, y = np.clip(face.points[index].astype(int), half, np.array(image.shape[1::-1]) - half)
        spots.append(image[y - half : y + half, x - half : x + half])
    row = np.hstack([spots[0], spots[0][:, ::-1], spots[1], spots[1][:, ::-1], spots[2], spots[2][:, ::-1]])
    tile = np.vstack([row, row[::-1]])
    h, w = image.shape[:2]
    return np.tile(tile, (h // tile.shape[0] + 1, w // tile.shape[1] + 1, 1))[:h, :w].astype(np.float32)


def hand(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """Four fingers across the mouth and the back of the hand beside it, in the person's own skin."""
    face, texture = Face(landmarks), skin(image, Face(landmarks))
    out = image
    palm = np.zeros(image.shape[:2], np.uint8)
    cv2.circle(palm, face.at(0.75, 0.3, come), int(0.48 * face.unit), 1, -1)
    out = lay(out, palm, texture, face.unit)
    for row, reach in ((0.38, -0.42), (0.2, -0.6), (0.02, -0.66), (-0.16, -0.55)):
        finger = np.zeros(image.shape[:2], np.uint8)
        start, end = face.at(0.6, row + 0.02, come), face.at(reach, row - 0.06, come)
        cv2.line(finger, start, end, 1, max(3, int(0.2 * face.unit)))
        out = lay(out, finger, texture, face.unit)
    return out


def chin_rest(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """A thinker's fingers, upright over chin and mouth."""
    face, texture = Face(landmarks), skin(image, Face(landmarks))
    out = image
    for column, reach in ((0.3, -0.05), (0.1, -0.22), (-0.1, -0.26), (-0.3, -0.16)):
        finger = np.zeros(image.shape[:2], np.uint8)
        cv2.line(finger, face.at(column, 1.2, come), face.at(column, reach, come), 1, max(3, int(0.21 * face.unit)))
        out = lay(out, finger, texture, face.unit)
    return out


def microphone(image: np.ndarray, landmarks: np.ndarray, come: float, random: np.random.Generator) -> np.ndarray:
    """A ball of dark foam on a stick."""
    face = Face(landmarks)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.circle(mask, face.at(0, 0.02, come), int(0.36 * face.unit), 1, -1)
    cv2.line(mask, face.at(0, 0.2, come), face.at(0.25, 2.5, come), 1, max(2, int(0.14 * face.unit)))
    return lay(image, mask, 34 + random.normal(0, 6, (*image.shape[:2], 1)) * np.ones(3), face.unit)


def mug(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """Somebody drinks."""
    face = Face(landmarks)
    corners = [face.at(x, y, come) for x, y in ((-0.42, -0.2), (0.42, -0.2), (0.38, 0.75), (-0.38, 0.75))]
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.array(corners), 1)
    light = np.linspace(0.75, 1.15, image.shape[1])[None, :, None]
    return lay(image, mask, np.array([196.0, 130.0, 60.0]) * light * np.ones((*image.shape[:2], 1)), face.unit)


def cloth(name: str) -> Paint:
    """A mask or a scarf from the nose to below the chin, lit as the face is."""

    def paint(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
        face = Face(landmarks)
        outline = face.points[FACE_OVAL]
        below = (outline - face.points[NOSE_TIP]) @ face.down > -0.05 * face.unit
        corners = np.vstack([outline[below], [face.points[NOSE_TIP] - 0.1 * face.unit * face.down]])
        corners = corners + 1.5 * (1 - come) * face.unit * face.down
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(corners).astype(np.int32)), 1)
        grey = cv2.GaussianBlur(image.mean(2), (0, 0), 0.25 * face.unit)
        light = np.clip(grey / max(grey[mask > 0].mean() if mask.any() else 128.0, 8.0), 0.5, 1.5)
        folds = 1 + 0.06 * np.sin(np.arange(image.shape[0]) / (0.05 * face.unit))[:, None]
        return lay(image, mask, (light * folds)[..., None] * np.array(SHADES[name], float), face.unit)

    return paint


def dark(image: np.ndarray, landmarks: np.ndarray, come: float, random: np.random.Generator) -> np.ndarray:
    """The light goes out: a fortieth of it is left, and the camera's noise."""
    return np.clip(image * 0.025**come + random.normal(0, 2.5 * come, image.shape), 0, 255).astype(np.uint8)


def edge(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """The picture slides down until the lips are below its lower edge."""
    height, width = image.shape[:2]
    lips_px = float(landmarks[UPPER_LIP_TOP, 1])
    shift = come * max(0.0, height - lips_px + 2)
    return cv2.warpAffine(image, np.array([[1, 0, 0], [0, 1, shift]]), (width, height), borderMode=cv2.BORDER_REPLICATE)


def as_it_is(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """Nothing."""
    return image


def grey(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """A monochrome camera, all the time."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def dim(image: np.ndarray, landmarks: np.ndarray, come: float, random: np.random.Generator) -> np.ndarray:
    """A fifth of the light and a noisy camera, all the time."""
    return np.clip(0.2 * image + random.normal(0, 2.5, image.shape), 0, 255).astype(np.uint8)


def blurred(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """Out of focus, all the time."""
    return cv2.GaussianBlur(image, (0, 0), 0.02 * Face(landmarks).unit)


def lamp(image: np.ndarray, landmarks: np.ndarray, come: float, _: np.random.Generator) -> np.ndarray:
    """A warm light from one side, that goes on and off."""
    ramp = np.linspace(1 - 0.5 * come, 1 + 0.3 * come, image.shape[1])[None, :, None]
    return np.clip(image * ramp * [1.0, 1 - 0.06 * come, 1 - 0.15 * come], 0, 255).astype(np.uint8)


SIGHTS: dict[str, Paint] = {"as it is": as_it_is, "monochrome": grey, "dim": dim, "blurred": blurred, "lamp": lamp}
"""The mouth is seen throughout."""

OCCLUDERS: dict[str, Paint] = {
    "hand": hand,
    "chin rest": chin_rest,
    "microphone": microphone,
    "mug": mug,
    **{name: cloth(name) for name in SHADES},
    "dark": dark,
    "edge": edge,
}
"""The mouth is not seen while the thing is there."""
