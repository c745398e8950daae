"""Video driver: landmarks of the face in each frame -> motion relative to how the face looked at first."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calibration.fit import Measured, MotionFit
from models.expression import EYES
from models.face import FaceModel
from models.landmarks import FaceTracker, Landmarks
from models.motion import Motion
from models.pose import fit_pose
from runtime.drivers.one_euro import OneEuro
from runtime.drivers.steady_head import SteadyHead
from runtime.frame import Frame

logger = logging.getLogger(__name__)

_REFERENCE_OPENNESS = 0.17  # eyes must be this open in the reference frame
_REFERENCE_TURN = np.deg2rad(30)  # and the head must look about this way
_REFERENCE_PATIENCE_NS = 1_000_000_000  # after so long any face will do
_FADE_NS = 300_000_000  # confidence comes and goes over this time
_WARN_AFTER_NS = 2_000_000_000


class FaceVideo:
    """Driver[Frame]. The first suitable frame is the reference: there the avatar looks as in its photo.

    While no face is seen, confidence falls to 0 within 0.3 s and the last motion is held.
    """

    def __init__(self, tracker: FaceTracker, model: FaceModel) -> None:
        self._tracker, self._model = tracker, model
        self._fit: MotionFit | None = None
        self._first_face_ns: int | None = None
        self._last: Motion | None = None
        self._lost_ns = 0
        self._warned = False
        self._head: SteadyHead | None = None
        self._face_filter = OneEuro(min_cutoff_hz=4.0, beta=300.0)  # canonical units

    def push(self, value: Frame) -> Sequence[Motion]:
        """One motion per frame."""
        landmarks = self._tracker.track(value.image)
        last = self._last or Motion(pts_ns=value.pts_ns, confidence=0.0)
        elapsed_ns = value.pts_ns - last.pts_ns
        if landmarks is None:
            self._note_absence(elapsed_ns)
        else:
            self._lost_ns, self._warned = 0, False
            if self._fit is None:
                self._choose_reference(landmarks, value.pts_ns)
        if landmarks is None or self._fit is None or self._head is None:
            confidence = max(0.0, last.confidence - elapsed_ns / _FADE_NS)
            self._last = replace(last, pts_ns=value.pts_ns, confidence=confidence)
        else:
            confidence = 1.0 if self._last is None else min(1.0, last.confidence + elapsed_ns / _FADE_NS)
            if last.confidence == 0:
                self._head.reset()
                self._face_filter.reset()
            self._last = self._fit.motion(
                self._measure(self._fit, self._head, value, landmarks), value.pts_ns, confidence
            )
        return (self._last,)

    def close(self) -> None:
        """Frees the tracker. May be called twice."""
        if self._last is not None and self._first_face_ns is None and not self._warned:
            self._warned = True
            logger.warning("no face was seen in the video; the portrait only idled")
        self._tracker.close()

    def _measure(self, fit: MotionFit, head: SteadyHead, frame: Frame, landmarks: Landmarks) -> Measured:
        """The face is filtered before anything is fitted to it, so that coefficients and surface stay together."""
        measured = fit.measure(landmarks, head(frame.image, landmarks, frame.pts_ns))
        face = self._face_filter(measured.face.ravel(), frame.pts_ns).reshape(measured.face.shape)
        return replace(measured, face=face)

    def _choose_reference(self, landmarks: Landmarks, pts_ns: int) -> None:
        if self._first_face_ns is None:
            self._first_face_ns = pts_ns
        pose = fit_pose(landmarks, self._model.mean)
        turn = np.arccos(np.clip((np.trace(pose.rotation) - 1) / 2, -1, 1))
        open_eyes = min(eye.openness(landmarks) for eye in EYES) > _REFERENCE_OPENNESS
        waited = pts_ns - self._first_face_ns >= _REFERENCE_PATIENCE_NS
        if (open_eyes and turn < _REFERENCE_TURN) or waited:
            self._fit = MotionFit(landmarks, self._model)
            self._head = SteadyHead(self._fit)

    def _note_absence(self, elapsed_ns: int) -> None:
        self._lost_ns += elapsed_ns
        if self._lost_ns >= _WARN_AFTER_NS and not self._warned:
            self._warned = True
            logger.warning("no face seen in the video for two seconds; the portrait idles")
