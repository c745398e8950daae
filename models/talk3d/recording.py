"""What the recording that a person's avatar learnt from tells: how the networks were told of a head turned so far.

Angles and landmarks are the head's in the recording's own picture, in units of the authors' tools; whoever turns the
head at will has to look up what they were when it was turned so.
"""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from models.checkpoint import is_plain, read_content
from models.errors import InputError
from models.talk3d.needs import ANGLES_FILE, EYES_FILE, LANDMARKS_FILE, LATENT_FILE, TURNS_FILE

_BANDWIDTH_RAD = 0.03
"""Frames turned nearly alike count together: what else differs between them, such as where the person sat, is lost."""
_SHARE = 5.0  # per cent at either end of how far the head was turned that are left out

POINTS = [0, 2, 3]
"""Of the stored landmarks, what the networks are told: tip of the nose, outer corners of the eyes."""
_LIDS = "AU45_r"


class Pose(NamedTuple):
    """What the networks are told of a head, see `conditions.Frame`, and its camera."""

    angles: Float32[np.ndarray, "3"]
    landmarks: Float32[np.ndarray, "3 2"]
    yaw: float
    pitch: float
    """See `camera.camera_label`."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Of one person."""

    latent: Float32[np.ndarray, "512"]
    """The person, for the generator."""
    turns: Float32[np.ndarray, "n 2"]
    """Yaw and pitch of each frame's camera, see `camera.camera_label`."""
    angles: Float32[np.ndarray, "n 3"]
    landmarks: Float32[np.ndarray, "n 3 2"]
    eyes: Float32[np.ndarray, "n"]
    """How far they are shut, in OpenFace's units."""

    def pose(self, yaw: float, pitch: float) -> Pose:
        """Of a head turned so far from where it mostly was, radians, or as far as it ever was."""
        low, middle, high = self._range
        turn = np.clip(middle + (yaw, pitch), low, high)
        distance = np.square((self.turns - turn) / _BANDWIDTH_RAD).sum(1) / 2
        weights = np.exp(distance.min() - distance)
        weights = (weights / weights.sum()).astype(np.float32)
        landmarks = np.einsum("n,nkc->kc", weights, self.landmarks)
        return Pose(weights @ self.angles, landmarks, float(turn[0]), float(turn[1]))

    def eye(self, shut: float) -> float:
        """How far the eyes are shut where 0 is as mostly, and 1 as at the height of the person's blinks."""
        middle, end = self._lids
        return float(np.clip(middle + (end - middle) * shut, 0, 2))

    @cached_property
    def _range(self) -> np.ndarray:
        return np.percentile(self.turns, (_SHARE, 50, 100 - _SHARE), axis=0)

    @cached_property
    def _lids(self) -> tuple[float, float]:
        """Lids are down in a few of a hundred frames, or none: what counts is how far each blink went."""
        middle, most = float(np.median(self.eyes)), float(self.eyes.max())
        down = np.concatenate([[0], self.eyes > (middle + most) / 2, [0]]).astype(np.int8)
        begun, over = np.flatnonzero(np.diff(down) == 1), np.flatnonzero(np.diff(down) == -1)
        blinks = [self.eyes[first:end].max() for first, end in zip(begun, over, strict=True)]
        return middle, float(np.median(blinks)) if blinks else most


def read_recording(folder: Path) -> Recording:
    """From the files that a person's preparation left. Nothing in them is executed.

    Raises InputError, in one line: one of them is not there, damaged, or of another kind.
    """
    turns = _tensor(folder / TURNS_FILE, (None, 2))
    angles, landmarks = _tensor(folder / ANGLES_FILE, (None, 3)), _tensor(folder / LANDMARKS_FILE, (None, 6, 2))
    eyes = _lids(folder / EYES_FILE)
    count = min(len(turns), len(angles), len(landmarks), len(eyes))
    if count == 0:
        raise InputError(f"{folder} holds a recording without frames; give the folder that the person was prepared in")
    return Recording(
        latent=_tensor(folder / LATENT_FILE, (1, 512))[0],
        turns=turns[:count],
        angles=angles[:count],
        landmarks=landmarks[:count, POINTS],
        eyes=eyes[:count].clip(0, 2),
    )


def _tensor(path: Path, shape: tuple[int | None, ...]) -> Float32[np.ndarray, "*n"]:
    values = read_content(path)
    alike = isinstance(values, Tensor) and is_plain(values) and values.ndim == len(shape)
    if not alike or any(want not in (None, size) for want, size in zip(shape, values.shape, strict=True)):
        wanted = " x ".join("frames" if size is None else str(size) for size in shape)
        raise InputError(f"{path} does not hold {wanted} numbers; give the file that the person's preparation wrote")
    if not bool(values.isfinite().all()):
        raise InputError(f"{path} holds values that are no numbers; prepare the person anew")
    return values.detach().float().numpy()


def _lids(path: Path) -> Float32[np.ndarray, "n"]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, skipinitialspace=True)
            values = np.array([float(row[_LIDS]) for row in rows], np.float32)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path} is not a table of OpenFace's with a column {_LIDS} of numbers") from None
    if not np.isfinite(values).all():
        raise InputError(f"{path} holds values that are no numbers; prepare the person anew")
    return values
