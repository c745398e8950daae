"""GohaAvatar: one portrait for the released networks, and its picture under a motion."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import UInt8

from models.backends.executor import Picture
from models.errors import InputError
from models.face import FaceModel
from models.face_fit.landmark_model import LandmarkModel
from models.face_fit.objective import Coefficients, to_fit
from models.face_fit.photo import fit_photo
from models.face_fit.portrait_motion import PortraitMotion
from models.goha.camera import camera_labels
from models.goha.crop import SIDE, cut_out, five_points, network_picture, square_of
from models.goha.drive import Drive
from models.goha.face import GohaFace
from models.goha.face_picture import FacePainter, person_of
from models.goha.person_reader import PersonReader
from models.goha.placing import Placing, place
from models.goha.portrait_state import PortraitParts, PortraitState
from models.motion import Motion
from models.portrait import Portrait
from models.squares import Square

Preparation = Callable[[PortraitParts], PortraitState]
Frame = Callable[[PortraitState, Drive], Picture]
"""A batch of one -> the person in its square, see `frame_network`."""


class GohaAvatar:
    """One portrait in motion. Not thread-safe.

    Head and shoulders move as one, as the networks know them; what is around their square stands still.
    """

    def __init__(
        self, portrait: Portrait, face: GohaFace, own: FaceModel, read: PersonReader, prepare: Preparation
    ) -> None:
        """Cuts the person out, fits the face model to it and runs the networks that see the portrait alone.

        Raises:
            InputError: the portrait has no background to put the person before.
        """
        if portrait.background is None:
            raise InputError("the engine goha draws no transparent pictures; choose another background or engine")
        self._behind = portrait.background
        matte = portrait.matte[..., None]
        self._around = np.rint(matte * portrait.image + (1 - matte) * portrait.background).astype(np.uint8)
        mean = five_points(face.model.mean[face.model.keypoints68])
        square = square_of(five_points(portrait.landmarks[own.keypoints68, :2]), mean)
        picture = torch.from_numpy(_person_in(square, portrait))[None]
        fit = fit_photo(to_fit(_landmarks_in(square, portrait), SIDE), LandmarkModel(face))
        look, rest = read(picture, fit)
        self._move, self._placing = PortraitMotion(face, own, rest), Placing(face.model, rest, square)
        person = person_of(face, look)
        self._state = prepare(
            PortraitParts(
                picture=picture,
                camera=_camera(fit),
                face=torch.from_numpy(FacePainter(face, person)(rest.expression))[None],
                **{name: torch.from_numpy(values)[None] for name, values in person._asdict().items()},
            )
        )

    def render(self, motion: Motion, frame: Frame) -> UInt8[np.ndarray, "h w 3"]:
        """The picture at the portrait's size, a new array; `frame` runs the networks on the avatar's device."""
        square, shown = self._placing(self._move(motion))
        drawn = frame(self._state, Drive(torch.from_numpy(shown.expression)[None], _camera(shown)))
        return place(drawn, square, self._behind, self._around)


def _person_in(square: Square, portrait: Portrait) -> np.ndarray:
    """As the networks want it."""
    matte = np.rint(portrait.matte * 255).astype(np.uint8)
    return network_picture(cut_out(portrait.image, square), cut_out(matte, square) / np.float32(255))


def _landmarks_in(square: Square, portrait: Portrait) -> np.ndarray:
    """The portrait's, in pixels of the square's picture."""
    corner = np.array([square.left, square.top, 0.0])
    return ((portrait.landmarks - corner) * (SIDE / square.side)).astype(np.float32)


def _camera(fit: Coefficients) -> torch.Tensor:
    return torch.from_numpy(camera_labels(fit.euler, fit.translation))[None]
