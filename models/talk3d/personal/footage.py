"""A video as the stages see it: the face cut out of every frame, and what the networks are told of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int16, UInt8
from torch import Tensor

from models.errors import AgentError
from models.talk3d.conditions import SPAN, SYMBOLS, WINDOWS, Frame
from models.talk3d.recording import POINTS
from models.topology import (
    FACE_OVAL,
    INNER_LIPS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    OUTER_LIPS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
)

LEARNT = 10 / 11
"""Part of the frames, from the first, that is learnt from; the rest shows how it went."""
VOICE = 640
"""Samples of sound that belong to a frame."""
_EYES = (np.union1d(RIGHT_UPPER_LID, RIGHT_LOWER_LID), np.union1d(LEFT_UPPER_LID, LEFT_LOWER_LID))
_FEATURES = np.array([70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 98, 327, *OUTER_LIPS])
"""Brows, nose and lips."""
_AROUND_EYES = 24 / 512


@dataclass(frozen=True, eq=False)
class Footage:
    """Of one person; 25 frames per second."""

    pictures: UInt8[np.ndarray, "n q q 3"]
    """RGB; usually on the disk."""
    faces: Float32[np.ndarray, "n 478 2"]
    """Landmarks in these pictures, 0..1."""
    landmarks: Float32[np.ndarray, "n 6 2"]
    """In the video's own frame, see `recording.Recording`."""
    angles: Float32[np.ndarray, "n 3"]
    """Of the head, degrees."""
    eyes: Float32[np.ndarray, "n"]
    """How far they are shut, 0..2."""
    sounds: Float32[np.ndarray, "n 8 44 16"]
    """See `audio_windows`."""
    voice: Int16[np.ndarray, "n 640"]
    """Samples at 16 kHz, from each frame's instant to the next one's."""

    @property
    def learnt(self) -> int:
        """Frames to learn from."""
        return max(1, round(LEARNT * len(self.pictures)))

    def picture(self, number: int) -> Float[Tensor, "1 3 q q"]:
        """-1..1."""
        values = torch.from_numpy(np.array(self.pictures[number]))
        return values.permute(2, 0, 1)[None].float() / 127.5 - 1

    def frame(self, numbers: list[int], jitter: Float[Tensor, "b 1"] | None = None) -> Frame:
        """What the networks are told of these frames; `jitter` is added to the eyes."""
        eyes = torch.from_numpy(self.eyes[numbers])[:, None]
        return Frame(
            torch.from_numpy(self.sounds[numbers]),
            eyes if jitter is None else eyes + jitter,
            torch.from_numpy(self.angles[numbers]),
            torch.from_numpy(self.landmarks[numbers][:, POINTS]),
        )

    def features_mask(self, number: int, side: int) -> Bool[Tensor, "1 1 side side"]:
        """Brows, nose and lips, and generously the eyes."""
        points = self.faces[number] * side
        mask = _filled(cv2.convexHull(points[_FEATURES]), side)
        for eye in _EYES:
            mask = mask | _filled(cv2.convexHull(points[eye]), side, _AROUND_EYES)
        return torch.from_numpy(mask)[None, None]

    def face_mask(self, number: int, side: int) -> Bool[Tensor, "1 1 side side"]:
        """All of the face."""
        return torch.from_numpy(_filled(self.faces[number][FACE_OVAL] * side, side))[None, None]

    def mouth_mask(self, number: int, side: int) -> Bool[Tensor, "1 1 side side"]:
        """Lips and what is between them."""
        return torch.from_numpy(_filled(self.faces[number][OUTER_LIPS] * side, side))[None, None]

    def gap(self, number: int) -> float:
        """How far the lips are apart, in parts of the picture."""
        upper, lower = INNER_LIPS[5], INNER_LIPS[15]
        return float(np.linalg.norm(self.faces[number][upper] - self.faces[number][lower]))


def _filled(outline: Float32[np.ndarray, "*n 2"], side: int, grown: float = 0.0) -> Bool[np.ndarray, "side side"]:
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32).reshape(-1, 1, 2)], 1)
    if grown:
        mask = cv2.dilate(mask, np.ones((2 * round(grown * side) + 1,) * 2, np.uint8))
    return mask.astype(bool)


def chosen_frames(footage: Footage, count: int) -> list[int]:
    """Frames that are unlike one another: first the one held most as usual, then whichever is farthest from all.

    The authors take frames 0, 85 and 110 of their videos.
    """
    learnt = slice(footage.learnt)
    gaps = np.array([footage.gap(k) for k in range(footage.learnt)])
    rows = np.column_stack([footage.angles[learnt, :2] / 10, gaps / max(float(gaps.std()), 1e-6) / 2])
    shut = footage.eyes[learnt] >= 1  # nobody is learnt with closed eyes while there are others
    picked = [int(np.where(shut, np.inf, np.linalg.norm(rows - np.median(rows, 0), axis=1)).argmin())]
    while len(picked) < min(count, footage.learnt):
        away = np.min([np.linalg.norm(rows - rows[k], axis=1) for k in picked], 0)
        away[shut], away[picked] = -1, -2
        picked.append(int(away.argmax()))
    return picked


def shapes(count: int, side: int) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Of the arrays of a footage of so many frames."""
    return {
        "pictures": ((count, side, side, 3), np.uint8),
        "faces": ((count, 478, 2), np.float32),
        "landmarks": ((count, 6, 2), np.float32),
        "angles": ((count, 3), np.float32),
        "eyes": ((count,), np.float32),
        "sounds": ((count, WINDOWS, SYMBOLS, SPAN), np.float32),
        "voice": ((count, VOICE), np.int16),
    }


def footage_bytes(count: int, side: int) -> int:
    """That it takes on the disk."""
    return sum(int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in shapes(count, side).values())


_MARK = "footage.done"
_format: Any = np.lib.format  # numpy 1.26 gives no types there


@contextmanager
def written_footage(folder: Path, count: int, side: int) -> Iterator[Footage]:
    """A footage to be filled, whole when the body ends. Raises AgentError: there is no room."""
    try:
        arrays = {
            name: _format.open_memmap(folder / f"{name}.npy", "w+", kind, shape)
            for name, (shape, kind) in shapes(count, side).items()
        }
        for name, array in arrays.items():
            _reserve(folder / f"{name}.npy", array.nbytes)
        yield Footage(**arrays)
        for array in arrays.values():
            array.flush()
        (folder / _MARK).touch()
    except OSError as error:
        raise AgentError(f"{folder} cannot be written to: {error.strerror or error}; make room there") from None


def _reserve(path: Path, size_bytes: int) -> None:
    """So that a full disk is noticed here, and not by a signal where the array is written to."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, max(path.stat().st_size, size_bytes))


def read_footage(folder: Path) -> Footage | None:
    """What was written there; None if it is not whole."""
    paths = {field.name: folder / f"{field.name}.npy" for field in fields(Footage)}
    if not all(path.exists() for path in (folder / _MARK, *paths.values())):
        return None
    return Footage(**{name: np.load(path, mmap_mode="r") for name, path in paths.items()})
