"""Face landmarks in photos and in video, behind a Protocol; mediapipe's Face Mesh inside."""

from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from models.perception import quiet_mediapipe
from models.topology import LANDMARK_COUNT, SURFACE_COUNT

DEPTH = 1.15
"""The mesh's depth is flatter than what turning heads show of theirs in the picture, by about this factor."""

_CLEARLY = 0.05  # of scores: faces on their heads have 0.1 to 0.4 less than upright

Landmarks = Float32[np.ndarray, "478 3"]
"""Pixels of the picture; x right, y down, z away from the camera at the scale of x (weak perspective)."""


@runtime_checkable
class FaceTracker(Protocol):
    """Follows one face through consecutive frames."""

    def track(self, image: UInt8[np.ndarray, "h w 3"]) -> Landmarks | None:
        """Landmarks of the face in the next RGB frame, or None when there is none."""
        ...

    def close(self) -> None:
        """Frees the model."""
        ...


class MediapipeTracker:
    """Face Mesh with attention (lips, lids, irises) in tracking mode. Not thread-safe."""

    def __init__(self) -> None:
        self._mesh: Any = _tracking_mesh()

    def track(self, image: UInt8[np.ndarray, "h w 3"]) -> Landmarks | None:
        """Landmarks of the face in the next RGB frame, or None when there is none. After a failure it begins anew."""
        if self._mesh is None:
            self._mesh = _tracking_mesh()
        try:
            faces = _run(self._mesh, image)
        except Exception:
            mesh, self._mesh = self._mesh, None  # a graph that has failed once fails for ever
            with suppress(Exception):
                mesh.close()
            raise
        return faces[0] if faces else None

    def close(self) -> None:
        """Frees the model. May be called twice."""
        if self._mesh is not None:
            self._mesh.close()
            self._mesh = None


def find_faces(image: UInt8[np.ndarray, "h w 3"]) -> list[Landmarks]:
    """Landmarks of every human face in an RGB photo, the largest face first.

    The face mesh alone misses faces that are small in the picture and sees faces in some animals, so a face counts
    when the detector for near or for far faces confirms it, and the mesh then looks at that face's surroundings.
    """
    h, w = image.shape[:2]
    found: list[Landmarks] = []
    with quiet_mediapipe() as solutions:
        for x0, y0, x1, y1 in _face_boxes(solutions, image):
            left, top, right, bottom = _surroundings((x0, y0, x1, y1), (w, h))
            # mediapipe warns once, of pictures that are not square: here, where it is not heard, not in a live run.
            right -= right - left == bottom - top
            crop = np.ascontiguousarray(image[top:bottom, left:right])
            with _face_mesh(solutions, static_image_mode=True, max_num_faces=4) as mesh:
                for points in _run(mesh, crop):
                    face = points + np.array([left, top, 0], np.float32)
                    x, y = face[:SURFACE_COUNT, :2].mean(0)
                    if x0 <= x <= x1 and y0 <= y <= y1 and not any(_same(face, other) for other in found):
                        found.append(face)
    return sorted(found, key=face_width, reverse=True)


def face_width(landmarks: Landmarks) -> float:
    """Width of the face in pixels, ear to ear."""
    return float(np.ptp(landmarks[:SURFACE_COUNT, 0]))


def is_upside_down(image: UInt8[np.ndarray, "h w 3"], face: Landmarks) -> bool:
    """Whether the detector of faces likes a face clearly better turned by 180 degrees; the mesh sees both upright."""
    h, w = image.shape[:2]
    surface = face[:SURFACE_COUNT, :2]
    corners = (*surface.min(0).tolist(), *surface.max(0).tolist())
    left, top, right, bottom = _surroundings(corners, (w, h))
    crop = image[top:bottom, left:right]
    with quiet_mediapipe() as solutions:
        scores = [_face_score(solutions, np.ascontiguousarray(seen)) for seen in (crop, crop[::-1, ::-1])]
    return scores[1] > scores[0] + _CLEARLY


def _same(a: Landmarks, b: Landmarks) -> bool:
    apart = float(np.linalg.norm(a[:, :2].mean(0) - b[:, :2].mean(0)))
    return apart < 0.3 * max(face_width(a), face_width(b))


def _face_boxes(solutions: Any, image: UInt8[np.ndarray, "h w 3"]) -> list[tuple[float, float, float, float]]:
    h, w = image.shape[:2]
    boxes: list[tuple[float, float, float, float]] = []
    for far in (0, 1):  # 0: faces within two metres, 1: within five
        with solutions.face_detection.FaceDetection(model_selection=far) as detector:
            for detection in detector.process(image).detections or ():
                r = detection.location_data.relative_bounding_box
                boxes.append((r.xmin * w, r.ymin * h, (r.xmin + r.width) * w, (r.ymin + r.height) * h))
    return boxes


def _surroundings(box: tuple[float, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is up to a box's longer side away from it, within a picture."""
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0)
    return max(int(x0 - side), 0), max(int(y0 - side), 0), min(int(x1 + side), size[0]), min(int(y1 + side), size[1])


def _face_score(solutions: Any, image: UInt8[np.ndarray, "h w 3"]) -> float:
    """Of the surest face, 0..1; 0 without one."""
    with solutions.face_detection.FaceDetection() as detector:
        return max((float(found.score[0]) for found in detector.process(image).detections or ()), default=0.0)


def _face_mesh(solutions: Any, **options: Any) -> Any:
    return solutions.face_mesh.FaceMesh(refine_landmarks=True, **options)


def _tracking_mesh() -> Any:
    """A mesh that has said what it says when it is built, at its first picture and at its first face; sees none now."""
    with quiet_mediapipe() as solutions:
        mesh = _face_mesh(solutions, static_image_mode=False, max_num_faces=1)
        for image in (_drawn_face(), np.zeros((64, 64, 3), np.uint8)):
            _run(mesh, image)
        return mesh


def _drawn_face() -> UInt8[np.ndarray, "128 128 3"]:
    """As much of a face as mediapipe takes for one."""
    image = np.full((128, 128, 3), (90, 110, 120), np.uint8)
    cv2.ellipse(image, (64, 64), (36, 48), 0, 0, 360, (222, 180, 155), -1)
    for eye in (49, 79):
        cv2.ellipse(image, (eye, 54), (7, 3), 0, 0, 360, (250, 250, 250), -1)
        cv2.circle(image, (eye, 54), 3, (40, 30, 20), -1)
        cv2.ellipse(image, (eye, 46), (9, 2), 0, 180, 360, (80, 50, 30), 2)
    cv2.ellipse(image, (64, 72), (5, 3), 0, 0, 180, (170, 120, 100), 2)
    cv2.ellipse(image, (64, 89), (12, 4), 0, 0, 360, (180, 70, 70), -1)
    return image


def _run(mesh: Any, image: UInt8[np.ndarray, "h w 3"]) -> list[Landmarks]:
    h, w = image.shape[:2]
    scale = np.array([w, h, w * DEPTH], np.float32)
    out = []
    for face in mesh.process(image).multi_face_landmarks or ():
        points = np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32)
        assert points.shape == (LANDMARK_COUNT, 3)
        out.append(points * scale)
    return out
