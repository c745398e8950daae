"""Where mediapipe's landmarks and the eyes lie on another face model, found by laying our own face over it."""

import cv2
import numpy as np
from jaxtyping import Int32, Int64
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from models.morphable import MorphableModel
from models.pose import similarity
from models.topology import (
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    SURFACE_COUNT,
)

_STIFF = 1e-4  # how little the face gives way to single key points; the picture's plane in units of the mean face
_EYES = ((RIGHT_UPPER_LID, RIGHT_LOWER_LID), (LEFT_UPPER_LID, LEFT_LOWER_LID))


def nearest_vertices(ours: MorphableModel, other: MorphableModel) -> Int32[np.ndarray, "468"]:
    """The vertex of `other` nearest to each landmark of our mean face.

    The faces are aligned by a similarity of the 68 key points that both have, then ours is bent (thin-plate spline)
    until they agree.
    """
    pose = similarity(ours.mean[ours.keypoints68], other.mean[other.keypoints68])
    aligned = pose.to_picture(ours.mean[:SURFACE_COUNT].astype(np.float64))
    known, once = np.unique(aligned[ours.keypoints68], axis=0, return_index=True)
    bend = RBFInterpolator(known, other.mean[other.keypoints68][once] - known, smoothing=_STIFF)
    _, vertices = cKDTree(other.mean).query(aligned + bend(aligned))
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
