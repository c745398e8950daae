"""Whether anybody else is in a picture, beside the face that is followed."""

from typing import Any

import numpy as np
from jaxtyping import UInt8

from models.landmarks import Landmarks, face_width
from models.perception import quiet_mediapipe
from models.topology import SURFACE_COUNT

_LONGEST_PX = 320  # of the copy that is searched
_LARGE = 0.4  # parts of the followed face's width from which a face counts: pictures on a wall are smaller
_AWAY = 0.7  # of that width between two faces' middles; nearer, it is the followed one
_SURE = 0.7


class Bystanders:
    """Mediapipe's detector of near faces. Not thread-safe."""

    def __init__(self) -> None:
        with quiet_mediapipe() as solutions:
            self._detector: Any = solutions.face_detection.FaceDetection(0, _SURE)
            self._detector.process(np.zeros((64, 64, 3), np.uint8))

    def any(self, image: UInt8[np.ndarray, "h w 3"], face: Landmarks) -> bool:
        """Whether an RGB frame shows another face that is about as large as `face`, the one that is followed."""
        step = max(1, max(image.shape[:2]) // _LONGEST_PX)
        small = np.ascontiguousarray(image[::step, ::step])
        size = np.array(image.shape[1::-1])
        middle, width = face[:SURFACE_COUNT, :2].mean(0), face_width(face)
        for found in self._detector.process(small).detections or ():
            box = found.location_data.relative_bounding_box
            at = np.array([box.xmin + box.width / 2, box.ymin + box.height / 2]) * size
            if box.width * size[0] > _LARGE * width and np.linalg.norm(at - middle) > _AWAY * width:
                return True
        return False

    def close(self) -> None:
        """Frees the model. May be called twice."""
        if self._detector is not None:
            self._detector.close()
            self._detector = None
