"""What tests of several engines, of the video driver and of calls are given."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from golden import face_file
from scipy.io import savemat

from agent.call.portraits import own_avatar
from calibration.profile import Profile
from models.bfm import FACE_MODEL, MODEL_FILE
from models.face import FaceModel, load_face_model
from models.real3d.face import Real3dFace, load_real3d_face
from models.real3d.needs import PARTS, VIDEO
from models.weights import Weights
from tests.people import Person
from tests.runtime.calls import End, connected


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """Of real3d: a face model made of our own, and nothing that is optional; no network looks for the video model."""
    folder = tmp_path_factory.mktemp("weights")
    savemat(folder / MODEL_FILE, face_file.bfm_content(load_face_model()))
    return Weights("real3d", folder, tuple(part for part in PARTS if part not in (VIDEO, FACE_MODEL)))


@pytest.fixture(scope="session")
def face(weights: Weights) -> Real3dFace:
    """Of these weights."""
    return load_real3d_face(weights.folder)


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="session")
def profile() -> Profile:
    """Of somebody who drives."""
    return Person(1).profile()


@pytest.fixture(scope="session")
def package(portrait_png: Path) -> bytes:
    """The avatar package of the bundled portrait."""
    return own_avatar(portrait_png)


@pytest.fixture
def anna() -> Iterator[End]:
    """Who is called."""
    end = End("Anna").listen()
    yield end
    end.close()


@pytest.fixture
def ben(anna: End) -> Iterator[End]:
    """Who calls."""
    end = End("Ben").call(anna.link)
    connected(end, anna)
    yield end
    end.close()
