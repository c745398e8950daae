"""Is the face in front of the camera the profile's, at a run's start, or the photo's?"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float32

from calibration.likeness import (
    FRAMES,
    SAME_AS_PHOTO,
    SAME_PERSON,
    Proportions,
    distance,
    proportions,
    typical,
    variation,
)
from calibration.neutral import neutral_weight
from calibration.profile import Profile
from models.errors import InputError
from models.face import FaceModel
from models.pose import fit_pose

Landmarks = Float32[np.ndarray, "478 3"]

_TURN = np.deg2rad(30)  # faces turned further from the profile's do not count


class Faces:
    """What frames tell of whose face it is."""

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        self._rows: list[Float32[np.ndarray, d]] = []
        self._weights: list[float] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, landmarks: Landmarks) -> None:
        """Takes the next face, unless it is turned too far."""
        pose = fit_pose(landmarks, self._model.mean)
        turn = np.arccos(np.clip((np.trace(pose.rotation) - 1) / 2, -1, 1))
        if turn < _TURN:
            face = pose.to_canonical(landmarks.astype(np.float64))
            self._rows.append(proportions(face))
            self._weights.append(neutral_weight(face, pose))

    @property
    def typical(self) -> Proportions:
        """Of the person."""
        return typical(np.stack(self._rows), np.array(self._weights))

    @property
    def variation(self) -> Float32[np.ndarray, "v d"]:
        """Of these faces."""
        return variation(np.stack(self._rows))


class PhotoCheck:
    """Compares the first `FRAMES` frames of a face with a photo. Stricter than need be: some photos know nobody."""

    def __init__(self, photo: Landmarks, model: FaceModel) -> None:
        """`photo`: the face in it."""
        pose = fit_pose(photo, model.mean)
        self._photo = proportions(pose.to_canonical(photo.astype(np.float64)))
        self._faces = Faces(model)
        self.same: bool | None = None
        """Whether it is the same person; None while too little was seen."""

    def see(self, landmarks: Landmarks) -> None:
        """Takes the next face."""
        if self.same is None:
            self._faces.add(landmarks)
            if len(self._faces) >= FRAMES:
                self.same = distance(self._faces.typical, self._photo, self._faces.variation) <= SAME_AS_PHOTO


class PersonCheck:
    """Compares the first `FRAMES` frames of a face with a profile."""

    def __init__(self, profile: Profile, model: FaceModel, otherwise: str = "leave --profile out") -> None:
        """`otherwise`: what the user can do where the face is somebody else's."""
        self.profile, self._otherwise = profile, otherwise
        self._faces, self._known = Faces(model), False

    def knows(self, landmarks: Landmarks) -> bool:
        """Takes the next face; true once enough were seen and they are the profile's person.

        Raises:
            InputError: they are somebody else's.
        """
        if self._known:
            return True
        self._faces.add(landmarks)
        if len(self._faces) >= FRAMES:
            self._judge()
        return self._known

    def watch(self, faces: Iterable[Landmarks | None]) -> None:
        """Judges a recording before it drives anything.

        Raises:
            InputError: the face is somebody else's, or too little of one is seen to tell.
        """
        for landmarks in faces:
            if landmarks is not None and self.knows(landmarks):
                return
        self.require()

    def require(self) -> None:
        """Raises InputError unless the faces so far were enough and the profile's person's."""
        if not self._known:
            frames = f"{len(self._faces)} frame{'' if len(self._faces) == 1 else 's'}"
            raise InputError(
                f"the camera shows a face from the front in {frames}, {FRAMES} are needed to tell whether it is "
                f"{self.profile.name}'s; look into it for longer, or {self._otherwise}"
            )

    def _judge(self) -> None:
        apart = distance(self._faces.typical, self.profile.proportions, self.profile.variation)
        if apart > SAME_PERSON:
            raise InputError(
                f"this is not the face of the profile of {self.profile.name}: its proportions differ by "
                f"{apart / SAME_PERSON:.1f} times what one person's may; calibrate this person, or again in this light "
                f"(agent calibrate), or {self._otherwise}"
            )
        self._known = True
