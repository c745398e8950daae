"""The Basel Face Model 2009 from a user's own file, as the papers' engines know it, and the camera they look through.

The file is `BFM_model_front.mat`, which Deep3DFaceRecon's set-up makes from the Basel model (licensed to each user by
the University of Basel) and an expression basis. Nothing of it comes with this package.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32
from scipy.io import loadmat

from models.errors import InputError
from models.morphable import MorphableModel, coordinate_code
from models.weight_part import Part

MODEL_FILE = "BFM_model_front.mat"
FACE_MODEL = Part(
    title="face model",
    files=(MODEL_FILE,),
    needed=True,
    option="--face-model",
    source=f"{MODEL_FILE}, which Deep3DFaceRecon's set-up makes from the Basel Face Model 2009 (faces.dmi.unibas.ch)",
    licence="the University of Basel's: registration, non-commercial research; read it there",
)
CAMERA_DISTANCE = 10.0
"""Of the camera from the model's origin, decimetres."""
FOCAL = 1015.0 / 224.0
"""Focal length over the picture's side."""

_KEYS = ("meanshape", "idBase", "exBase", "tri", "keypoints")
_REMEDY = "bring the BFM_model_front.mat that Deep3DFaceRecon's set-up makes"


def load_bfm(path: Path) -> MorphableModel:
    """The face model in a `BFM_model_front.mat`: 80 identity and 64 expression shapes, 35709 vertices in the real one.

    The mean is moved so that all its vertices average to the origin. Unit: decimetre; x right in the picture, y up, z
    towards the camera. Numbers in the file count from 1, here from 0. (Real3D-Portrait leaves its 68 key points
    uncorrected: its networks were trained on `keypoints68 + 1`. It also draws without the triangles of the eyes.)

    Only the arrays named in the layout are read, and nothing in the file is ever executed.

    Raises:
        InputError: no such file, not a MATLAB file, damaged, or other arrays than these; all faults in one line.
    """
    content = read_arrays(path, _KEYS)
    faults = _faults(content)
    if faults:
        raise InputError(f"{path} is not a BFM_model_front.mat: {'; '.join(faults)}; {_REMEDY}")
    mean = content["meanshape"].reshape(-1, 3).astype(np.float64)
    mean -= mean.mean(0)
    model = MorphableModel(
        mean=mean.astype(np.float32),
        identity=_basis(content["idBase"]),
        expression=_basis(content["exBase"]),
        triangles=(content["tri"].astype(np.int64) - 1).astype(np.int32),
        keypoints68=(content["keypoints"].ravel().astype(np.int64) - 1).astype(np.int32),
        ncc=coordinate_code(mean),
    )
    for name in MorphableModel.__slots__:
        getattr(model, name).flags.writeable = False
    return model


def to_picture(vertices: Float[np.ndarray, "n 3"], side: int) -> Float32[np.ndarray, "n 3"]:
    """Vertices (decimetres, posed) seen by the camera of Deep3DFaceRecon and Real3D-Portrait, for `models.raster`.

    Args:
        vertices: in the axes of `load_bfm`; nearer to the origin than `CAMERA_DISTANCE`.
        side: of the square picture, pixels.

    Returns:
        x and y in pixels (the centre of the first pixel is 0, 0), and the distance from the camera in decimetres.
    """
    away = CAMERA_DISTANCE - vertices[:, 2]
    x = side * (0.5 + FOCAL * vertices[:, 0] / away) - 0.5
    y = side * (0.5 - FOCAL * vertices[:, 1] / away) - 0.5
    return np.stack([x, y, away], axis=1).astype(np.float32)


def read_arrays(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """These arrays of a MATLAB file; those that are not in it are left out.

    Raises InputError, in one line: no such file, not a MATLAB file, or damaged.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; {_REMEDY}")
    if not path.is_file():
        raise InputError(f"{path} is a folder; give the BFM_model_front.mat in it")
    try:
        with path.open("rb") as file:
            content: dict[str, Any] = loadmat(file, variable_names=keys)
    except PermissionError:
        raise InputError(f"{path} cannot be read: permission denied") from None
    except NotImplementedError:
        raise InputError(f"{path} is a MATLAB 7.3 file, which is not read; {_REMEDY}") from None
    except Exception as error:  # the reader meets a damaged file with whatever error its bytes lead to
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not a MATLAB file, or damaged ({reason}); {_REMEDY}") from None
    return content


def _faults(content: dict[str, Any]) -> list[str]:
    """What is wrong with the arrays, one phrase each."""
    missing = [f"{key} is missing" for key in _KEYS if key not in content]
    present = [key for key in _KEYS if key in content]
    unusable = [f"{key} does not hold finite numbers" for key in present if not _is_numeric(content[key])]
    if missing or unusable:
        return missing + unusable
    size, count = content["meanshape"].size, len(content["tri"])
    shapes = {
        "meanshape": (1, size),
        "idBase": (size, 80),
        "exBase": (size, 64),
        "tri": (count, 3),
        "keypoints": (1, 68),
    }
    wrong = [f"{k} is {content[k].shape}, not {shape}" for k, shape in shapes.items() if content[k].shape != shape]
    if size == 0 or size % 3:
        wrong.append(f"meanshape has {size} numbers, not three per vertex")
    if wrong:
        return wrong
    faulty = [key for key in ("tri", "keypoints") if not _counts(content[key], size // 3)]
    return [f"{key} names other vertices than 1 to {size // 3}" for key in faulty]


def _is_numeric(value: Any) -> bool:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        return False
    return bool((np.abs(value) < np.finfo(np.float32).max).all())


def _counts(numbers: np.ndarray, highest: int) -> bool:
    """Whole numbers from 1 to `highest`, at least one."""
    whole = numbers.size > 0 and (numbers == np.floor(numbers)).all()
    return bool(whole and numbers.min() >= 1 and numbers.max() <= highest)


def _basis(columns: Float[np.ndarray, "d c"]) -> Float32[np.ndarray, "c n 3"]:
    return np.ascontiguousarray(columns.T, np.float32).reshape(columns.shape[1], -1, 3)
