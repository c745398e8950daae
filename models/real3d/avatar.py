"""Real3dAvatar: one portrait for the released networks, and its picture under a motion."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from models.backends.executor import Picture
from models.errors import InputError
from models.face import FaceModel
from models.face_fit.landmark_model import LandmarkModel
from models.face_fit.objective import to_fit
from models.face_fit.photo import fit_photo
from models.motion import Motion
from models.portrait import Portrait
from models.real3d.conditions import Conditioner
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.painter import CpuPainter
from models.real3d.portrait_state import PortraitState
from models.real3d.segmentation import Segmenter
from models.real3d.source import SIDE, head_picture, torso_picture
from models.real3d.video_model import PortraitParts
from models.real3d.window import window_of

_CLASSES = 6

Preparation = Callable[[PortraitParts], PortraitState]
Frame = Callable[[PortraitState, Drive], Picture]
"""A batch of one -> its picture."""


class Real3dAvatar:
    """One portrait in motion. Not thread-safe.

    There is no picture of the person alone: the networks know where the person hides the background, at half the
    picture's size, but their last layers redraw the fused picture with what stands behind it, hair and shoulders too.
    """

    def __init__(
        self, portrait: Portrait, face: Real3dFace, own: FaceModel, segment: Segmenter, prepare: Preparation
    ) -> None:
        """Parts the portrait, fits the face model to it and runs the networks that see the portrait alone.

        Raises:
            InputError: the portrait has no background; these networks draw none-transparent pictures alone.
        """
        if portrait.background is None:
            raise InputError("the engine real3d draws no transparent pictures; choose another background or engine")
        height, width = portrait.image.shape[:2]
        self._window = window_of(portrait.landmarks, width, height)
        image, landmarks = self._window.cut(portrait.image), self._window.landmarks(portrait.landmarks)
        person = fit_photo(to_fit(landmarks, SIDE), LandmarkModel(face))
        self._conditions = Conditioner(face, own, person)
        classes = segment(image, landmarks)
        source, paint = self._conditions.source(), CpuPainter(face)
        self._state = prepare(
            PortraitParts(
                head=_signed(head_picture(image, classes)),
                torso=_signed(torso_picture(image, classes)),
                background=_signed(self._window.cut(portrait.background)),
                segments=torch.from_numpy(np.eye(_CLASSES, dtype=np.float32)[classes]).permute(2, 0, 1)[None],
                key_points=source.key_points,
                pncc_canonical=paint(self._conditions.canonical()),
                pncc_source=paint(source),
            )
        )
        matte = portrait.matte[..., None]
        self._still = np.rint(matte * portrait.image + (1 - matte) * portrait.background).astype(np.uint8)
        """What stands around the square that the networks draw."""

    def render(self, motion: Motion, frame: Frame) -> UInt8[np.ndarray, "h w 3"]:
        """The picture at the portrait's size, a new array; `frame` runs the networks on the avatar's device."""
        return self._window.paste(frame(self._state, self._conditions(motion)), self._still)


def _signed(image: UInt8[np.ndarray, "512 512 3"]) -> Float[Tensor, "1 3 512 512"]:
    values: Float32[np.ndarray, "512 512 3"] = image.astype(np.float32) / 127.5 - 1
    return torch.from_numpy(values).permute(2, 0, 1)[None].contiguous()
