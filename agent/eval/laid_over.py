"""A face laid over another one's place: what Talk3D's preparation did to a person's video, undone."""

import cv2
import numpy as np
from jaxtyping import Float

from calibration.filmed import SIX, moved, overlay
from models.landmarks import Landmarks
from models.portrait import Pixels

Points = Float[np.ndarray, "478 3"]


def laid_over(image: Pixels, landmarks: Landmarks, filmed: Landmarks) -> tuple[Pixels, Landmarks]:
    """The picture moved, turned and scaled until six landmarks of its face lie over those filmed; and its landmarks.

    Networks that learnt faces cut out alike know nothing of where a face was in the video, how large, and how tilted.

    Args:
        image: as drawn; beyond it its rim goes on.
        landmarks: of the drawn face, pixels.
        filmed: of the filmed face in a picture of the same size, pixels.
    """
    move = overlay(landmarks[SIX, :2], filmed[SIX, :2]).astype(np.float32)
    size = (image.shape[1], image.shape[0])
    whole = cv2.warpAffine(image, move, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    depth = landmarks[:, 2:] * np.sqrt(abs(np.linalg.det(move[:, :2])))
    return np.asarray(whole), np.hstack([moved(landmarks[:, :2], move), depth]).astype(np.float32)
