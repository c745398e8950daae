"""Whether the user's portrait still looks like them, and a new one where that is wanted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from jaxtyping import UInt8

from calibration.person import PhotoCheck
from calibration.photo import read_photo
from calibration.portrait import choose_face, prepare_portrait
from calibration.retake import is_suited, retake
from calibration.travelling import pack
from models.builtin.avatar import BuiltinAvatar
from models.bystanders import Bystanders
from models.errors import AgentError
from models.face import load_face_model
from models.landmarks import Landmarks
from models.motion import Motion
from models.perception import load_mediapipe
from runtime.frame import Frame
from runtime.glimpse import Glimpse
from runtime.truth.glimpses import Glimpses
from runtime.truth.guard import Seen, TruthGuard
from runtime.truth.verdict import Cause
from runtime.worker import Worker

Told = Cause | Literal["not watched"] | None
"""What is not true, if anything."""

SAID: dict[Told, str] = {
    "somebody else": "somebody else is in the camera's picture, whom the other end does not see",
    "hidden": "something is before your face, which the other end does not see",
    "turned": "your head is turned further than your portrait's",
    "light": "you are in another light than your portrait",
    "not watched": "whether your portrait looks like you is not told any more",
    None: "your portrait looks like you again",
}

WARNED: dict[str, str] = {
    "portrait": "in another light a new portrait of the camera's picture leaves: you, before the photo's own "
    "background",
    "video": "ATTENTION: pictures of your camera leave, with all that is in them, whenever your portrait is not true: "
    "something is before your face, somebody else is there, your head is turned far, or the light is another",
}
"""By `--guard`, before anything can leave."""
CAMERA_LEAVES = "; pictures of your camera leave until that is over"
CAMERA_STAYS = "; pictures of your camera leave no more"

SAID_OF_A_STRANGER = "no new portrait: the face before the camera is not clearly that of the photo"

_SIDE_PX = 128  # of the picture that is compared
_EVERY_NS = 20_000_000_000  # between two new portraits
_OVER_TIMES = 4
_LONGEST_PX, _MOST_BYTES = 512, 64 * 1024  # of a new portrait: it leaves beside motion

Image = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """A new portrait of somebody."""

    frame: Image
    face: Landmarks
    photo: UInt8[np.ndarray, "ph pw 3"]
    photo_face: Landmarks


@dataclass(frozen=True, slots=True, eq=False)
class Retaken:
    """A new portrait as it travels, and small, to be compared."""

    data: bytes
    avatar: BuiltinAvatar


class Truth:
    """The guard of one end of a call."""

    def __init__(
        self,
        portrait: Path,
        guard: Literal["off", "portrait", "video"],
        say: Callable[[str], None],
        present: Callable[[bytes], None],
        glimpse: Callable[[Glimpse], None],
    ) -> None:
        """Prepares the small picture.

        Args:
            portrait: the photo that the other end shows.
            guard: as in `--guard`.
            say: hears what the user should know.
            present: sends another portrait; must not block.
            glimpse: sends one of the camera; must not block.

        Raises InputError: no picture, or no face in it.
        """
        self._say, self._present, self._send = say, present, glimpse
        self._photo = read_photo(portrait)
        self._photo_face, _ = choose_face(self._photo, str(portrait))
        self._person = PhotoCheck(self._photo_face, load_face_model())
        self._counts: Counter[str] = Counter()
        self._newest: bytes | None = None
        self._next_ns = self._calls = 0
        self._worker: Worker[Wish, Retaken] | None = None
        self._glimpses: Glimpses | None = None
        self._over = 0  # times that the end of glimpses is still to be told: each may be lost
        if guard != "off":
            self._worker = Worker("the new portrait", warm_up, make)
            say(WARNED[guard])
        if guard == "video":
            self._glimpses = Glimpses((self._photo.shape[1], self._photo.shape[0]), self._photo_face)
        self._own = _small(self._photo, self._photo_face)
        self._guard = TruthGuard(self._own, Bystanders(), self._changed, self._mend)

    def look(self, frame: Frame, landmarks: Landmarks | None, motion: Motion) -> None:
        """Takes a frame of the camera. The driver's thread; never blocks."""
        self._guard.look(frame, landmarks, motion)

    def shown(self) -> None:
        """The other end shows a portrait: if it is not the newest, that follows. Any thread."""
        if self._newest is not None:
            self._present(self._newest)

    def left(self) -> None:
        """The other end is gone for good: the next one is given the photo. Any thread."""
        self._calls += 1
        self._newest = None
        self._guard.compare_with(self._own)

    @property
    def cause(self) -> Told:
        """Why the portrait is not true; None while it is."""
        return self._guard.cause

    def figures(self) -> dict[str, Any]:
        """What is not true now, if anything, and how often what was not, or a new portrait was made."""
        return {"now": self.cause, "times": dict(self._counts)}

    def close(self) -> None:
        """Ends the guard. May be called twice."""
        if self._worker is not None:
            self._worker.close()
        self._guard.close()

    def _changed(self, cause: Told) -> None:
        if cause is not None:
            self._counts[cause] += 1
        stays = cause in (None, "not watched")
        camera = "" if self._glimpses is None else CAMERA_STAYS if stays else CAMERA_LEAVES
        if self._glimpses is not None and cause == "not watched":
            for _ in range(_OVER_TIMES):
                self._send(self._glimpses.over())
        self._say(SAID[cause] + camera)

    def _mend(self, seen: Seen, cause: Cause | None) -> BuiltinAvatar | None:
        """A new portrait, or a glimpse of the camera. In the guard's thread."""
        avatar = self._new_portrait(seen, cause)
        if self._glimpses is not None:
            self._glimpse(self._glimpses, seen, cause if avatar is None else None)
        return avatar

    def _glimpse(self, glimpses: Glimpses, seen: Seen, cause: Cause | None) -> None:
        """What the camera sees, while there is a cause; then that there is none."""
        if cause is not None:
            glimpse = glimpses.take(seen.frame, seen.landmarks, wide=cause == "somebody else")
            self._over = _OVER_TIMES
        else:
            glimpse = glimpses.over() if self._over > 0 else None
            self._over -= 1
            if seen.landmarks is not None:
                glimpses.follow(seen.landmarks)
        if glimpse is not None:
            self._send(glimpse)

    def _new_portrait(self, seen: Seen, cause: Cause | None) -> BuiltinAvatar | None:
        """A new portrait, where one is wanted, is needed and can be had of this frame."""
        if self._worker is None or seen.landmarks is None:
            return None
        self._person.see(seen.landmarks)
        if cause != "light" or self._person.same is None or seen.frame.pts_ns < self._next_ns:
            return None
        if not self._person.same:
            self._give_up()
            return None
        if not is_suited(seen.landmarks, self._photo_face, load_face_model().mean):
            return None
        self._next_ns, calls = seen.frame.pts_ns + _EVERY_NS, self._calls
        try:
            retaken = self._worker.ask(Wish(seen.frame.image, seen.landmarks, self._photo, self._photo_face))
        except AgentError as error:
            self._say(f"no new portrait: {error}")
            return None
        if calls != self._calls:
            return None  # whom it was made for has left
        self._newest = retaken.data
        self._counts["new portrait"] += 1
        self._say("a new portrait of the camera's picture leaves")
        self._present(retaken.data)
        return retaken.avatar

    def _give_up(self) -> None:
        """Makes no portraits: they would be somebody else's."""
        assert self._worker is not None
        self._worker.close()
        self._worker = None
        self._say(SAID_OF_A_STRANGER)


def warm_up() -> None:
    """In the other process: what the first portrait would have to wait for."""
    cv2.setNumThreads(1)
    load_mediapipe()
    load_face_model()


def make(wish: Wish) -> Retaken:
    """In the other process: the portrait. Raises InputError, or AgentError where the camera shows too little."""
    image = retake(wish.frame, wish.face, wish.photo, wish.photo_face)
    if image is None:
        raise AgentError("the camera does not show as much of you as the photo; sit further away")
    face, _ = choose_face(image, "the camera's picture")
    return Retaken(pack(image, "the camera's picture", _LONGEST_PX, _MOST_BYTES), _small(image, face))


def _small(photo: Image, face: Landmarks) -> BuiltinAvatar:
    portrait = prepare_portrait(photo, (_SIDE_PX, _SIDE_PX), framing="head", landmarks=face)
    return BuiltinAvatar(portrait, load_face_model())
