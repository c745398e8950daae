"""SmallAvatar: one portrait for the small model, and its picture under a motion."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from models.backends.executor import Picture
from models.builtin.body import build_body
from models.builtin.kernels import over, unpremultiply
from models.face import FaceModel
from models.motion import Motion
from models.portrait import Pixels, Portrait
from models.small.code_picture import CodePainter
from models.small.drive import Drive
from models.small.frame_box import box_of
from models.small.lifting import front_of, lift
from models.small.portrait_state import PortraitParts, PortraitState
from models.small.torso_layer import Torso
from models.squares import placed

Preparation = Callable[[PortraitParts], PortraitState]
Frame = Callable[[PortraitState, Drive], Picture]
"""A batch of one -> the head in its window, see `frame_network`."""


class SmallAvatar:
    """One portrait in motion. Not thread-safe.

    The networks draw the head; neck and shoulders are the portrait's own, which the jaw draws along, and the
    background stands still.
    """

    def __init__(self, portrait: Portrait, model: FaceModel, prepare: Preparation) -> None:
        """Lifts the head and runs the networks that see the portrait alone."""
        self._body, self._box = build_body(portrait, model), box_of(model)
        self._behind, self._size = portrait.background, (portrait.image.shape[1], portrait.image.shape[0])
        rest = self._body.puppet.rest
        lifted = lift(portrait.person, self._body.uv, front_of(self._body, rest, self._box), self._body)
        texture = np.moveaxis(lifted.texture, -1, 0).astype(np.float32) / 255
        paint = CodePainter(model, self._box)
        self._state = prepare(
            PortraitParts(*(_batch(x) for x in (texture, lifted.geometry, paint(rest), paint.places(rest))))
        )
        self._torso = Torso(portrait, self._body)

    def render(self, motion: Motion, frame: Frame) -> Pixels:
        """The picture at the portrait's size, a new array; `frame` runs the networks on the avatar's device."""
        puppet = self._body.puppet
        shape = puppet.shape(motion)
        drive = Drive(*(_batch(x.astype(np.float32)) for x in (shape.canonical, shape.pose.rotation)))
        head = placed(frame(self._state, drive), self._box.window(shape.pose), self._size)
        layer = _over(head, self._torso.draw(shape))
        if self._behind is None:
            out = np.empty_like(layer)
            unpremultiply(layer, out)
        else:
            out = np.empty_like(self._behind)
            over(layer, self._behind, out)
        return out


def _over(head: UInt8[np.ndarray, "h w 4"], torso: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 4"]:
    """Both with colours multiplied by alpha."""
    through = cv2.merge([cv2.bitwise_not(np.ascontiguousarray(head[..., 3]))] * 4)
    return cv2.add(head, cv2.multiply(torso, through, scale=1 / 255))


def _batch(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None]
