"""Where mediapipe's landmarks and the eyes lie on another face model, found by laying our own face over it."""

import cv2
import numpy as np
from jaxtyping import Int32, Int64
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from models.face import FaceModel
from models.morphable import MorphableModel
from models.motion import expression
from models.pose import similarity
from models.topology import (
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    SURFACE_COUNT,
)
from models.transfer import expression_transfer

_OPEN = 0.4  # of jawOpen
_STIFF = 1e-4  # how little the face gives way to single key points
_EYES = ((RIGHT_UPPER_LID, RIGHT_LOWER_LID), (LEFT_UPPER_LID, LEFT_LOWER_LID))


def nearest_vertices(ours: FaceModel, other: MorphableModel) -> Int32[np.ndarray, "468"]:
    """The vertex of `other` nearest to each of our landmarks.

    Both mean faces open their mouths, so that the lips are apart. They are aligned by a similarity of the 68 key points
    that both have, then ours is bent (thin-plate spline) until these agree.
    """
    opened = expression(jawOpen=_OPEN)
    source = ours.shape(expression=opened).astype(np.float64)
    target = other.shape(expression=expression_transfer(ours, other)(opened)).astype(np.float64)
    aligned = similarity(source[ours.keypoints68], target[other.keypoints68]).to_picture(source[:SURFACE_COUNT])
    known, once = np.unique(aligned[ours.keypoints68], axis=0, return_index=True)
    bend = RBFInterpolator(known, target[other.keypoints68][once] - known, smoothing=_STIFF)
    _, vertices = cKDTree(target).query(aligned + bend(aligned))
    return vertices.astype(np.int32)


def eye_triangles(model: MorphableModel, landmarks468: Int32[np.ndarray, "468"]) -> Int64[np.ndarray, "k"]:
    """Numbers of the triangles whose middle lies within the lids of the mean face, seen from the front."""
    middles = model.mean[model.triangles, :2].mean(1)
    found = []
    for upper, lower in _EYES:
        lids = model.mean[landmarks468[np.concatenate([upper, lower[-2:0:-1]])], :2]
        near = np.flatnonzero(((middles >= lids.min(0)) & (middles <= lids.max(0))).all(1))
        inside = [cv2.pointPolygonTest(lids, middles[i].tolist(), False) > 0 for i in near]
        found.append(near[np.array(inside, bool)])
    return np.concatenate(found)
