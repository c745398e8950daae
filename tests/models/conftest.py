"""Face models read from files, one without a face for the reference numbers; the bundled portrait and its avatar."""

from pathlib import Path

import numpy as np
import pytest
from golden import face_file
from scipy.io import savemat

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.bfm import MODEL_FILE
from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model
from models.real3d.face import LANDMARKS_FILE, Real3dFace, load_real3d_face
from tests.models.real3d import synthetic

Golden = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def golden() -> Golden:
    with np.load(Path(__file__).parent / "real3d" / "golden_pre.npz") as data:
        return dict(data)


@pytest.fixture(scope="session")
def reference_face(tmp_path_factory: pytest.TempPathFactory) -> Real3dFace:
    folder = tmp_path_factory.mktemp("reference")
    savemat(folder / MODEL_FILE, synthetic.bfm_content())
    np.save(folder / LANDMARKS_FILE, synthetic.landmark_vertices())
    return load_real3d_face(folder)


@pytest.fixture(scope="session")
def face(tmp_path_factory: pytest.TempPathFactory) -> Real3dFace:
    folder = tmp_path_factory.mktemp("face")
    savemat(folder / MODEL_FILE, face_file.bfm_content(load_face_model()))
    return load_real3d_face(folder)


@pytest.fixture(scope="module")
def portrait(portrait_png):
    return prepare_portrait(read_photo(portrait_png)[:280, 90:370], (512, 512))


@pytest.fixture(scope="module")
def avatar(portrait):
    return BuiltinAvatar(portrait, load_face_model())
