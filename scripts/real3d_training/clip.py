"""Clip: pictures of one person, with all that training needs to know of each; a folder on disk."""

import hashlib
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float, Float32, Int32, UInt8
from PIL import Image

from models.errors import InputError
from models.face_fit.objective import Coefficients

Picture = UInt8[np.ndarray, "h w 3"]
Classes = UInt8[np.ndarray, "h w"]
SUFFIX = ".clip"
"""Of the folders."""
SMALLEST = 64
"""Of pictures, pixels across."""
_NUMBERS = "numbers.npz"
_QUALITY, _LOSSLESS_UP_TO_PX = 97, 128


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture of a clip."""

    picture: Picture
    """RGB, square."""
    classes: Classes
    """Of `models.real3d.segmentation`."""
    camera: Float32[np.ndarray, "25"]
    fit: Coefficients | None = None
    """None where the teacher knows no face model."""
    key_points: Float32[np.ndarray, "68 2"] | None = None
    """Of `models.real3d.torso_keypoints`."""
    lips: Int32[np.ndarray, "4"] | None = None
    """The square around the mouth: left, top, right, bottom, pixels."""
    pncc: Picture | None = None
    torso: Picture | None = None
    """Neck and clothes, continued upwards behind the head; black around."""


class ClipWriter:
    """Writes a clip; it is there only once `finish` has been called."""

    def __init__(self, folder: Path) -> None:
        """`folder`: of the finished clip, whose name ends in `SUFFIX`; what was left unfinished there is removed."""
        self._folder, self._part = folder, folder.with_suffix(".part")
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir(parents=True)
        self._numbers: dict[str, list[np.ndarray]] = {}
        self._count = self._side = 0

    def add(self, shot: Shot) -> None:
        number, self._side = self._count, len(shot.picture)
        _write(self._part / f"picture_{number:05d}", shot.picture)
        _write(self._part / f"classes_{number:05d}", shot.classes)
        numbers = {"camera": shot.camera}
        if shot.fit is not None:
            assert shot.pncc is not None and shot.torso is not None
            _write(self._part / f"pncc_{number:05d}", shot.pncc, exact=True)
            _write(self._part / f"torso_{number:05d}", shot.torso)
            numbers |= {name: getattr(shot.fit, name) for name in Coefficients.__slots__}
            numbers |= {"key_points": shot.key_points, "lips": shot.lips}
        for name, value in numbers.items():
            self._numbers.setdefault(name, []).append(value)
        self._count += 1

    def finish(self, background: Picture | None, pncc_canonical: Picture | None, face: str, taken: str = "") -> None:
        """The clip is whole.

        Args:
            background: without the person.
            pncc_canonical: of the person at rest.
            face: which face model was laid over it, see `face.face_digest`; empty if none.
            taken: which pictures of a video these are, see `video.taken`; empty if of none.
        """
        if background is not None and pncc_canonical is not None:
            _write(self._part / "background", background)
            _write(self._part / "pncc_canonical", pncc_canonical, exact=True)
        numbers = {name: np.stack(values) for name, values in self._numbers.items()}
        about = {"face": np.array(face), "side": np.array(self._side), "taken": np.array(taken)}
        np.savez(self._part / _NUMBERS, **about, **numbers)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._part.rename(self._folder)


class Clip:
    """Reads a clip, a picture at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError if it is not one."""
        self.folder = folder
        try:
            with np.load(folder / _NUMBERS, allow_pickle=False) as numbers:
                self._numbers = {name: numbers[name] for name in numbers}
            self.face, self.side = str(self._numbers.pop("face")), int(self._numbers.pop("side"))
            self.taken = str(self._numbers.pop("taken", ""))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(f"{folder} is not a clip, or damaged ({error}); prepare it again") from None

    def __len__(self) -> int:
        return len(self._numbers["camera"])

    @property
    def has_face(self) -> bool:
        """Whether a face model was laid over it."""
        return "expression" in self._numbers

    def numbers(self, name: str) -> Float[np.ndarray, "t *_"]:
        """Of all pictures."""
        return self._numbers[name]

    def fit(self, number: int) -> Coefficients:
        return Coefficients(**{name: self._numbers[name][number] for name in Coefficients.__slots__})

    def digest(self) -> str:
        """Of its numbers, by which a clip is known."""
        digest = hashlib.sha256(f"{self.folder.name} {self.face} {self.side}".encode())
        for name in sorted(self._numbers):
            digest.update(self._numbers[name].tobytes())
        return digest.hexdigest()

    def picture(self, kind: str, number: int | None = None) -> np.ndarray:
        """`kind`: picture, classes, pncc, torso; background and pncc_canonical have no number."""
        name = kind if number is None else f"{kind}_{number:05d}"
        for end in (".png", ".jpg"):
            path = self.folder / (name + end)
            if path.exists():
                with Image.open(path) as file:
                    return np.asarray(file)
        raise InputError(f"{self.folder} has no {name}; prepare the clip again")


def find_clips(folders: Sequence[Path]) -> list[Clip]:
    """All in these folders, by name. Raises InputError if there are none, or they do not go together."""
    found = [path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if not found:
        named = ", ".join(map(str, folders))
        raise InputError(f"no clips in {named}; make some with train_real3d.py teach or prepare_videos.py")
    clips = [Clip(path) for path in found]
    _check_alike(clips)
    return clips


def _check_alike(clips: Sequence[Clip]) -> None:
    """Those that know no face model go with those that know one."""
    first, fitted = clips[0], [clip for clip in clips if clip.face]
    for clip in clips:
        if clip.side != first.side:
            raise InputError(
                f"{first.folder} and {clip.folder} are {first.side} and {clip.side} pixels wide: give one --side"
            )
        if clip.face and clip.face != fitted[0].face:
            raise InputError(
                f"{fitted[0].folder} and {clip.folder} were made with different face models: make them with one "
                "--face-model"
            )


def _write(path: Path, pixels: np.ndarray, exact: bool = False) -> None:
    """Lossless where it is small, where it must be, and where it is no picture."""
    buffer = io.BytesIO()
    if exact or pixels.ndim == 2 or max(pixels.shape) <= _LOSSLESS_UP_TO_PX:
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
        path.with_suffix(".png").write_bytes(buffer.getvalue())
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
        path.with_suffix(".jpg").write_bytes(buffer.getvalue())
