"""How a head moves in the picture, seen in its pixels rather than in its landmarks.

Landmark trackers turn and shift the whole face a little when only its expression changes. Hair, forehead and nose
bridge themselves tell: sparse optical flow (Bouguet, "Pyramidal implementation of the Lucas Kanade feature tracker",
2000) from a kept frame, without drift, sees movements of a thousandth of the face.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from models.landmarks import Landmarks
from models.topology import BRIDGE, EAR_TO_EAR, UPPER_OVAL

_FACE_PX = 96.0  # width at which a face is looked at
_AROUND = 0.4  # face widths around the face that are looked at
_RINGS = (1.0, 1.15)  # of the upper outline: the forehead's edge, and hair
_KEEP_PX, _KEEP_SCALE = 6.0, 0.1  # a frame is kept until the head has moved so far, or come nearer by such a part
_AGREE_PX, _AGREEING, _FEWEST = 0.7, 0.5, 8

Grey = UInt8[np.ndarray, "gh gw"]
Affine = Float[np.ndarray, "2 3"]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Movement of the head since the frame before."""

    similarity: Affine
    """Pixels before -> pixels now."""
    speed: float
    """Movement of the nose bridge in face widths per frame."""


class HeadFlow:
    """Compares each frame with one that was kept, and each result with the one before."""

    def __init__(self) -> None:
        self._kept: Grey | None = None
        self._points = np.zeros((0, 1, 2), np.float32)
        self._corner, self._extent = np.zeros(2), (0, 0)  # of what is looked at, in the picture
        self._scale = 1.0
        self._shape: tuple[int, ...] = ()
        self._before = np.eye(3)

    def reset(self) -> None:
        """Forgets the past."""
        self._kept = None

    def __call__(self, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks) -> Flow | None:
        """The movement since the last frame; None when it cannot be told, as in the first or when all is new."""
        width = max(1.0, float(np.linalg.norm(np.diff(landmarks[EAR_TO_EAR, :2], axis=0))))
        other = image.shape != self._shape or abs(np.log(self._scale * width / _FACE_PX)) > _KEEP_SCALE
        if self._kept is None or other:
            self._keep(image, landmarks, width)
            return None
        found = self._follow(self._look(image))
        if found is None:
            self._keep(image, landmarks, width)
            return None
        since_kept = np.vstack([found, [0, 0, 1]])
        step = (since_kept @ np.linalg.inv(self._before))[:2]
        self._before = since_kept
        step[:, 2] = step[:, 2] / self._scale + self._corner - step[:, :2] @ self._corner
        bridge = landmarks[BRIDGE[0], :2]
        speed = float(np.linalg.norm(step[:, :2] @ bridge + step[:, 2] - bridge)) / width
        middle = self._points.mean((0, 1))
        if np.linalg.norm(found[:, :2] @ middle + found[:, 2] - middle) > _KEEP_PX:
            self._keep(image, landmarks, width)
        return Flow(step, speed)

    def _look(self, image: UInt8[np.ndarray, "h w 3"]) -> Grey:
        """The surroundings of the kept face, small and grey."""
        left, top = self._corner.astype(int)
        part = image[top : top + self._extent[1], left : left + self._extent[0]]
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        return cv2.resize(grey, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA)

    def _keep(self, image: UInt8[np.ndarray, "h w 3"], landmarks: Landmarks, width: float) -> None:
        h, w, _ = self._shape = image.shape
        face = landmarks[:, :2].astype(np.float64)
        low = np.clip(np.floor(face.min(0) - _AROUND * width), 0, [w - 2, h - 2])
        high = np.clip(np.ceil(face.max(0) + _AROUND * width), low + 2, [w, h])
        self._corner, (across, down) = low, (high - low).astype(int)
        self._extent = (int(across), int(down))
        self._scale = max(_FACE_PX / width, 8 / min(self._extent))
        self._kept = self._look(image)
        face = (face - low) * self._scale
        centre, outline = face.mean(0), face[UPPER_OVAL]
        points = np.concatenate([*(centre + (outline - centre) * ring for ring in _RINGS), face[BRIDGE]])
        inside = (points >= 2).all(1) & (points <= np.array(self._kept.shape[::-1]) - 3).all(1)
        self._points = points[inside].astype(np.float32)[:, None]
        self._before = np.eye(3)

    def _follow(self, seen: Grey) -> Affine | None:
        """The similarity from the kept frame to this one, in their pixels, on which most points agree."""
        if self._kept is None or self._kept.shape != seen.shape or len(self._points) < _FEWEST:
            return None
        there, found, _ = cv2.calcOpticalFlowPyrLK(self._kept, seen, self._points, None, winSize=(11, 11), maxLevel=2)
        good = found[:, 0] == 1
        if good.sum() < _FEWEST:
            return None
        matrix, agree = cv2.estimateAffinePartial2D(self._points[good], there[good], ransacReprojThreshold=_AGREE_PX)
        return None if matrix is None or agree.mean() < _AGREEING else matrix
