"""Video driver: landmarks of the face in each frame -> motion from how the face looked at first or is known to rest."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from calibration.fit import Measured, MotionFit, Zero, rest_pose
from calibration.person import PersonCheck
from models.expression import EYES
from models.face import FaceModel
from models.landmarks import FaceTracker, Landmarks
from models.motion import Motion
from models.pose import fit_pose
from runtime.drivers.mouth_cutter import MouthCutter
from runtime.drivers.mouth_sight import MouthSight
from runtime.drivers.one_euro import OneEuro
from runtime.drivers.prediction import Prediction
from runtime.drivers.steady_head import SteadyHead
from runtime.frame import Frame

logger = logging.getLogger(__name__)

_REFERENCE_OPENNESS = 0.17  # eyes must be this open in the reference frame
_REFERENCE_TURN = np.deg2rad(30)  # and the head must look about this way
_REFERENCE_PATIENCE_NS = 1_000_000_000  # after so long any face will do
_FADE_NS = 300_000_000  # confidence comes and goes over this time
_RECOGNITION_NS = 6_000_000_000  # a face seen for so long should be known
_WARN_AFTER_NS = 2_000_000_000

Watch = Callable[[Frame, Landmarks | None, Motion], None]
"""Is told of a frame, the face in it, and the motion that came of it; must not block."""


class FaceVideo:
    """Driver[Frame]. While no face is seen, confidence falls to 0 within 0.3 s and the last motion is held.

    Without a profile the first suitable frame is the reference: there the avatar looks as in its photo. With one,
    expressions count from the person's neutral face and the head from how it is held in that frame; nothing moves the
    avatar until the face is known to be that person's.
    """

    def __init__(
        self,
        tracker: FaceTracker,
        model: FaceModel,
        person: PersonCheck | None = None,
        absolute: bool = False,
        mouth: MouthCutter | None = None,
        sight: MouthSight | None = None,
        track_every: Callable[[], int] = lambda: 1,
        watch: Watch | None = None,
    ) -> None:
        """`absolute`: the head counts from the profile's rest pose (without one, from looking into the camera), and
        expressions without a profile from the mean face's. With `mouth`, motions carry what it cuts out of the frames;
        without it, no pixel. With `sight`, they say how far the mouth can be believed; without it, wholly. Of
        `track_every` frames, asked at each, one is looked at, and the motion of the others is predicted. `watch` hears
        of each that was looked at."""
        self._tracker, self._model = tracker, model
        self._person, self._absolute, self._mouth, self._sight = person, absolute, mouth, sight
        self._track_every, self._prediction, self._watch = track_every, Prediction(), watch
        self._untracked = 0  # frames since one was looked at
        self._fit: MotionFit | None = None
        self._first_face_ns: int | None = None
        self._known_ns: int | None = None
        self._last: Motion | None = None
        self._lost_ns = 0
        self._warned = self._told = False
        self._head: SteadyHead | None = None
        self._face_filter = OneEuro(min_cutoff_hz=4.0, beta=300.0)  # canonical units
        mean = model.mean.astype(np.float64)
        MotionFit(Zero.of_face(mean, model), model).express(mean)  # compiles what the first face would wait for

    def push(self, value: Frame) -> Sequence[Motion]:
        """One motion per frame. Raises InputError when the face is not that of the profile."""
        self._untracked += 1
        predicted = self._prediction.at(value.pts_ns) if self._untracked < self._track_every() else None
        if predicted is not None:
            return (predicted,)
        self._untracked = 0
        motion = self._track(value)
        self._prediction.learn(motion)
        return (motion,)

    def close(self) -> None:
        """Frees the tracker. May be called twice."""
        if self._last is not None and self._first_face_ns is None and not self._warned:
            self._warned = True
            logger.warning("no face was seen in the video; the portrait only idled")
        self._tracker.close()

    def _track(self, value: Frame) -> Motion:
        landmarks = self._tracker.track(value.image)
        last = self._last or Motion(pts_ns=value.pts_ns, confidence=0.0)
        elapsed_ns = value.pts_ns - last.pts_ns
        if landmarks is None:
            self._note_absence(elapsed_ns)
        else:
            self._lost_ns, self._warned = 0, False
            if self._first_face_ns is None:
                self._first_face_ns = value.pts_ns
            if self._fit is None and self._is_known(landmarks, value.pts_ns - self._first_face_ns):
                self._choose_reference(landmarks, value)
        if landmarks is None or self._fit is None or self._head is None:
            confidence = max(0.0, last.confidence - elapsed_ns / _FADE_NS)
            self._last = replace(last, pts_ns=value.pts_ns, confidence=confidence)
        else:
            confidence = 1.0 if self._last is None else min(1.0, last.confidence + elapsed_ns / _FADE_NS)
            if last.confidence == 0:
                self._head.reset()
                self._face_filter.reset()
            motion = self._fit.motion(self._measure(self._fit, self._head, value, landmarks), value.pts_ns, confidence)
            self._last = self._look_at_mouth(motion, value, landmarks)
        if self._watch is not None:
            self._watch(value, landmarks, self._last)
        return self._last

    def _measure(self, fit: MotionFit, head: SteadyHead, frame: Frame, landmarks: Landmarks) -> Measured:
        """The face is filtered before anything is fitted to it, so that coefficients and surface stay together."""
        measured = fit.measure(landmarks, head(frame.image, landmarks, frame.pts_ns))
        face = self._face_filter(measured.face.ravel(), frame.pts_ns).reshape(measured.face.shape)
        return replace(measured, face=face)

    def _look_at_mouth(self, motion: Motion, frame: Frame, landmarks: Landmarks) -> Motion:
        if self._sight is not None:
            motion = replace(motion, mouth_confidence=self._sight(frame.image, landmarks, frame.pts_ns))
        if self._mouth is not None:
            motion = replace(motion, mouth=self._mouth(frame.image, landmarks, frame.pts_ns))
        return motion

    def _is_known(self, landmarks: Landmarks, waited_ns: int) -> bool:
        """Whether the face may drive."""
        if self._person is None or self._person.knows(landmarks):
            return True
        if waited_ns >= _RECOGNITION_NS and not self._told:
            self._told = True
            logger.warning("the face cannot be compared with the profile yet: look straight into the camera")
        return False

    def _choose_reference(self, landmarks: Landmarks, frame: Frame) -> None:
        if self._known_ns is None:
            self._known_ns = frame.pts_ns
        pose = fit_pose(landmarks, self._model.mean)
        turn = np.arccos(np.clip((np.trace(pose.rotation) - 1) / 2, -1, 1))
        open_eyes = min(eye.openness(landmarks) for eye in EYES) > _REFERENCE_OPENNESS
        waited = frame.pts_ns - self._known_ns >= _REFERENCE_PATIENCE_NS
        if (open_eyes and turn < _REFERENCE_TURN) or waited:
            self._fit = MotionFit(self._zero(landmarks, frame), self._model)
            self._head = SteadyHead(self._fit)

    def _zero(self, landmarks: Landmarks, frame: Frame) -> Zero:
        if self._person is not None:
            profile = self._person.profile
            height, width = frame.image.shape[:2]
            held = rest_pose(profile.rest, width, height) if self._absolute else fit_pose(landmarks, profile.neutral)
            return Zero.of_profile(profile, held, self._model)
        of_frame = Zero.of_mean if self._absolute else Zero.of_frame
        return of_frame(landmarks, self._model)

    def _note_absence(self, elapsed_ns: int) -> None:
        self._lost_ns += elapsed_ns
        if self._lost_ns >= _WARN_AFTER_NS and not self._warned:
            self._warned = True
            logger.warning("no face seen in the video for two seconds; the portrait idles")
