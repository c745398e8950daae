"""Pictures of the two ends of a call, and how far apart the faces in them are."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from calibration.photo import decode_photo, read_photo
from calibration.portrait import prepare_portrait
from calibration.travelling import unpack
from models.landmarks import MediapipeTracker, find_faces
from models.motion import Motion
from models.topology import LEFT_IRIS, RIGHT_IRIS
from runtime.engines.builtin import BuiltinEngine


def pictures_of(
    pairs: list[tuple[Motion, Motion]], photo: np.ndarray, portrait: bytes, size: tuple[int, int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What the sender draws by what travels of a motion, and the other end of the portrait that arrived."""
    engine, there = BuiltinEngine(), unpack(portrait, "the portrait")
    own = engine.prepare(prepare_portrait(photo, size, framing="head"))
    picture = decode_photo(there.picture, "the portrait")
    arrived = engine.prepare(prepare_portrait(picture, size, framing="head", landmarks=there.landmarks))
    for true, shown in pairs:
        plain = Motion(true.pts_ns, true.expression, true.rotation, true.translation)
        yield engine.render(own, plain), engine.render(arrived, shown)


def half_a_pixel(picture: np.ndarray) -> np.ndarray:
    """The picture, moved to the right by so much."""
    moved = np.array([[1, 0, 0.5], [0, 1, 0]], float)
    return cv2.warpAffine(picture, moved, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def landmark_error(pairs: list[tuple[Motion, Motion]], photo: Path, portrait: bytes) -> dict[str, tuple[float, float]]:
    """Means over points and pictures, in eye distances: of what arrived, and of the tracker itself.

    By a tracker that follows the face, as in a run, and by one that finds it anew in every picture.
    """
    some = pairs[:: max(1, len(pairs) // 40)]
    first, second = zip(*pictures_of(some, read_photo(photo), portrait, (512, 512)), strict=True)
    moved = [half_a_pixel(picture) for picture in first]
    errors = {}
    for name, points_of in (("followed", followed), ("found anew", found_anew)):
        a, b, c = (points_of(pictures) for pictures in (first, second, moved))
        eyes = np.linalg.norm(a[:, LEFT_IRIS[0]] - a[:, RIGHT_IRIS[0]], axis=1)
        off = [(np.linalg.norm(a - other, axis=2).mean(1) / eyes).mean() for other in (b, c - [0.5, 0])]
        errors[name] = (float(off[0]), float(off[1]))
    return errors


def followed(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """[n, 478, 2] pixels."""
    tracker = MediapipeTracker()
    found = [tracker.track(picture)[:, :2] for picture in pictures]
    tracker.close()
    return np.array(found)


def found_anew(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """[n, 478, 2] pixels."""
    return np.array([find_faces(picture)[0][:, :2] for picture in pictures])
