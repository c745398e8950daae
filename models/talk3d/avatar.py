"""Talk3dAvatar: the person whose weights were brought in, and their picture under a motion."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import UInt8

from models.backends.executor import Picture
from models.motion import Motion
from models.squares import resized
from models.talk3d.camera import camera_label
from models.talk3d.drive import Drive
from models.talk3d.person_state import PersonParts, PersonState
from models.talk3d.recording import Recording
from models.talk3d.silence import Heard

Preparation = Callable[[PersonParts], PersonState]
Frame = Callable[[PersonState, Drive], Picture]
"""A batch of one -> its picture."""


class Talk3dAvatar:
    """One person in motion. Not thread-safe.

    No photo is looked at: person, clothes and background are those of the recording.
    Head and camera turn about two axes; the third, tilting the head, these networks do not know.
    """

    def __init__(self, size: tuple[int, int], recording: Recording, silence: Heard, prepare: Preparation) -> None:
        """Runs the networks that see the person alone.

        Args:
            size: width and height of the pictures.
            recording: that the person's networks learnt from.
            silence: what the networks hear of motions without speech, see `models.talk3d.silence`.
            prepare: runs the networks.
        """
        self._width, self._height = size
        self._recording, self._silence = recording, silence
        self._state = prepare(PersonParts(torch.from_numpy(recording.latent)[None]))

    def render(self, motion: Motion, frame: Frame) -> UInt8[np.ndarray, "h w 3"]:
        """The picture, a new array; `frame` runs the networks on the avatar's device."""
        return self._fitted(frame(self._state, self._drive(motion)))

    def _drive(self, motion: Motion) -> Drive:
        pitch, yaw = -float(motion.rotation[0]), float(motion.rotation[1])  # a head that looks down is seen from above
        pose = self._recording.pose(yaw, pitch)
        shut = max(motion["eyeBlinkLeft"], motion["eyeBlinkRight"])
        speech = self._silence if motion.speech is None else motion.speech
        values = (
            speech,
            np.array([self._recording.eye(shut)], np.float32),
            pose.angles,
            pose.landmarks,
            camera_label(pose.yaw, pose.pitch),
        )
        return Drive(*(torch.from_numpy(value)[None] for value in values))

    def _fitted(self, picture: Picture) -> UInt8[np.ndarray, "height width 3"]:
        """As large as fits, in the middle, before black."""
        side = min(self._height, self._width)
        out = np.zeros((self._height, self._width, 3), np.uint8)
        top, left = (self._height - side) // 2, (self._width - side) // 2
        out[top : top + side, left : left + side] = resized(picture, side)
        return out
