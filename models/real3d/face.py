"""The face model as the released networks know it: from the files that came with them, or as near as can be."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int32, Int64

from models.bfm import MODEL_FILE, load_bfm
from models.errors import InputError
from models.face import load_face_model
from models.face_fit.correspondence import eye_triangles, nearest_vertices
from models.morphable import MorphableModel

LANDMARKS_FILE = "index_mp468_from_mesh35709.npy"
CODES_FILE = "ncc_code.npy"
EYE_FILES = ("bfm_left_eye_faces.npy", "bfm_right_eye_faces.npy")


@dataclass(frozen=True, slots=True, eq=False)
class Real3dFace:
    """The face model, its landmarks and its colour codes; every array is read-only."""

    model: MorphableModel
    """Its triangles are those that PNCC images show: without the eyes. Unit and axes as in `models.bfm.load_bfm`."""
    landmarks468: Int32[np.ndarray, "468"]
    """Vertices at mediapipe's landmarks; 0 for the few without one, which fits ignore (`fit_objective.IGNORED`)."""
    torso68: Int32[np.ndarray, "68"]
    """Vertices that the torso follows: each the one after the iBUG point's, because the released code counts from 0
    what the file counts from 1, and its networks were trained so."""
    derived: tuple[str, ...]
    """Names of the files that were not there, and whose content was worked out instead."""


def load_real3d_face(folder: Path) -> Real3dFace:
    """Reads the face model's files, which a user brings (nothing of them comes with this package).

    `BFM_model_front.mat` must be there. Without `ncc_code.npy` each axis of the mean is stretched to 0..1, without
    `index_mp468_from_mesh35709.npy` our own face is laid over the mean, without the lists of eye triangles those
    within the lids are left out. Networks trained with the files see slightly different pictures then: landmarks
    beside theirs by a few millimetres, the rims of the eyes by a triangle.

    Raises:
        InputError: a file is missing, damaged, or not for this face model; one line.
    """
    model = load_bfm(folder / MODEL_FILE)
    count = len(model.mean)
    derived = tuple(name for name in (LANDMARKS_FILE, CODES_FILE, *EYE_FILES) if not (folder / name).exists())
    if model.keypoints68.max() == count - 1:
        raise InputError(f"{folder / MODEL_FILE} has its last vertex for a key point; none comes after it")
    if LANDMARKS_FILE in derived:
        landmarks = nearest_vertices(load_face_model(), model)
    else:
        landmarks = _landmarks(folder / LANDMARKS_FILE, count)
    codes = model.ncc if CODES_FILE in derived else _codes(folder / CODES_FILE, count)
    if set(EYE_FILES) & set(derived):
        eyes = eye_triangles(model, landmarks)
    else:
        eyes = np.concatenate([_triangles(folder / name, len(model.triangles)) for name in EYE_FILES])
    face = Real3dFace(
        model=replace(model, triangles=np.delete(model.triangles, eyes, axis=0), ncc=codes),
        landmarks468=landmarks,
        torso68=model.keypoints68 + np.int32(1),
        derived=derived,
    )
    for array in (face.model.triangles, face.model.ncc, face.landmarks468, face.torso68):
        array.flags.writeable = False
    return face


def _landmarks(path: Path, count: int) -> Int32[np.ndarray, "468"]:
    vertices = _whole_numbers(path, (468,))
    if vertices.max() >= count:
        raise InputError(f"{path} names vertex {vertices.max()}, the face model beside it has {count}")
    return np.maximum(vertices, 0).astype(np.int32)


def _codes(path: Path, count: int) -> Float32[np.ndarray, "n 3"]:
    codes = _array(path)
    if codes.shape != (3, count) or codes.dtype.kind != "f":
        raise InputError(f"{path} holds {codes.dtype} {codes.shape}, not floats (3, {count})")
    if not (codes.min() >= 0 and codes.max() <= 1):
        raise InputError(f"{path} holds codes beyond 0..1")
    return np.ascontiguousarray(codes.T, np.float32)


def _triangles(path: Path, count: int) -> Int64[np.ndarray, "k"]:
    """Triangle numbers, from 0; in the file they count from 1."""
    numbers = _whole_numbers(path, None)
    if numbers.size and not (numbers.min() >= 1 and numbers.max() <= count):
        raise InputError(f"{path} names other triangles than 1 to {count}")
    return numbers - 1


def _whole_numbers(path: Path, shape: tuple[int, ...] | None) -> Int64[np.ndarray, "k"]:
    values = _array(path)
    if values.dtype.kind not in "iu" or values.ndim != 1 or (shape is not None and values.shape != shape):
        raise InputError(f"{path} holds {values.dtype} {values.shape}, not whole numbers {shape or 'in a row'}")
    return values.astype(np.int64)


def _array(path: Path) -> Float[np.ndarray, "..."] | Int64[np.ndarray, "..."]:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is not a .npy file, or damaged ({' '.join(str(error).split())})") from None
