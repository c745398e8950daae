"""The face model: a mean face on the 478-point mesh, its surface, and the 64 expression shapes."""

import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from jaxtyping import Float32, Int32

from models.errors import AgentError
from models.motion import COEFFICIENTS
from models.topology import LANDMARK_COUNT, SURFACE_COUNT


@dataclass(frozen=True, slots=True, eq=False)
class FaceModel:
    """Mean face and expressions in canonical space; every array is read-only.

    Canonical space: the unit is the distance of the outer eye corners, the origin the mean of the
    rigid points; x right in the picture (the subject's left), y down, z away from the camera; frontal, the
    top of the forehead straight above the chin, and mirror-symmetric in x.
    """

    mean: Float32[np.ndarray, "478 3"]
    """A neutral face, lips closed: both inner lip contours coincide."""
    expression: Float32[np.ndarray, "64 478 3"]
    """Displacements at coefficient 1, in the order of `models.motion.COEFFICIENTS`."""
    triangles: Int32[np.ndarray, "t 3"]
    """The skin; mouth and eyes are holes. Clockwise in the frontal picture, as are the strips below."""
    mouth_strip: Int32[np.ndarray, "m 3"]
    """Triangles between the inner lips; without area while the mouth is closed."""
    eye_strips: Int32[np.ndarray, "e 3"]
    """Triangles between the lids of both eyes, the subject's right eye first."""
    mirror: Int32[np.ndarray, "478"]
    """Index of each point's mirror image; an involution."""


@cache
def load_face_model() -> FaceModel:
    """The face model that comes with the package. Raises AgentError when its file is missing or damaged."""
    with as_file(files("models") / "data" / "face_model.npz") as path:
        try:
            with np.load(path, allow_pickle=False) as data:
                model = FaceModel(**{name: data[name] for name in FaceModel.__slots__})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise AgentError(f"the face model {path} is damaged ({error}); reinstall the package") from error
    _check(model)
    for name in FaceModel.__slots__:
        getattr(model, name).flags.writeable = False
    return model


def _check(model: FaceModel) -> None:
    shapes = {
        "mean": (LANDMARK_COUNT, 3),
        "expression": (len(COEFFICIENTS), LANDMARK_COUNT, 3),
        "mirror": (LANDMARK_COUNT,),
    }
    for name, shape in shapes.items():
        if getattr(model, name).shape != shape:
            raise AgentError(f"the face model's {name} is not {shape}; reinstall the package")
    surface = np.concatenate([model.triangles, model.mouth_strip, model.eye_strips])
    if surface.min() < 0 or surface.max() >= SURFACE_COUNT or not np.isfinite(model.expression).all():
        raise AgentError("the face model's numbers are damaged; reinstall the package")
