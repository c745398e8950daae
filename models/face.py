"""The face model: a mean face on the 478-point mesh, its surface, and its identity and expression shapes."""

import zipfile
import zlib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from jaxtyping import Int32

from models.errors import AgentError
from models.morphable import MorphableModel, coordinate_code
from models.motion import COEFFICIENTS
from models.topology import IBUG68, LANDMARK_COUNT, SURFACE_COUNT

IDENTITY_COUNT = 80

_DERIVED = ("keypoints68", "ncc")  # not stored


@dataclass(frozen=True, slots=True, eq=False)
class FaceModel(MorphableModel):
    """The face model on the 478 landmarks: vertex and landmark numbers are the same; 80 identity, 64 expression shapes.

    Canonical space: the unit is the distance of the outer eye corners, the origin the mean of the
    rigid points; x right in the picture (the subject's left), y down, z away from the camera; frontal, the
    top of the forehead straight above the chin, and mirror-symmetric in x. The mean is neutral, lips closed: both
    inner lip contours coincide, and no identity parts them. Identity shapes are symmetric and hold no shift, turn or
    scale, as `models.pose.fit_pose` sees it; expressions stand in the order of `models.motion.COEFFICIENTS`. The
    triangles are the skin; mouth and eyes are holes. They run clockwise in the frontal picture, as do the strips.
    """

    mouth_strip: Int32[np.ndarray, "m 3"]
    """Triangles between the inner lips; without area while the mouth is closed."""
    eye_strips: Int32[np.ndarray, "k 3"]
    """Triangles between the lids of both eyes, the subject's right eye first."""
    mirror: Int32[np.ndarray, "478"]
    """Index of each point's mirror image; an involution."""


@cache
def load_face_model() -> FaceModel:
    """The face model that comes with the package. Raises AgentError when its file is missing or damaged."""
    with as_file(files("models") / "data" / "face_model.npz") as path:
        try:
            with np.load(path, allow_pickle=False) as data:
                stored = {field.name: data[field.name] for field in fields(FaceModel) if field.name not in _DERIVED}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise AgentError(f"the face model {path} is damaged ({error}); reinstall the package") from error
    stored["identity"] = stored["identity"].astype(np.float32)
    code = coordinate_code(stored["mean"] * [1.0, -1.0, -1.0])
    model = FaceModel(**stored, keypoints68=IBUG68.astype(np.int32), ncc=code)
    _check(model)
    for field in fields(FaceModel):
        getattr(model, field.name).flags.writeable = False
    return model


def _check(model: FaceModel) -> None:
    shapes = {
        "mean": (LANDMARK_COUNT, 3),
        "identity": (IDENTITY_COUNT, LANDMARK_COUNT, 3),
        "expression": (len(COEFFICIENTS), LANDMARK_COUNT, 3),
        "mirror": (LANDMARK_COUNT,),
    }
    for name, shape in shapes.items():
        if getattr(model, name).shape != shape:
            raise AgentError(f"the face model's {name} is not {shape}; reinstall the package")
    surface = np.concatenate([model.triangles, model.mouth_strip, model.eye_strips])
    if surface.min() < 0 or surface.max() >= SURFACE_COUNT or not _finite(model):
        raise AgentError("the face model's numbers are damaged; reinstall the package")


def _finite(model: FaceModel) -> bool:
    return all(bool(np.isfinite(basis).all()) for basis in (model.identity, model.expression))
