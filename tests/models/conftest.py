"""The bundled portrait's face, as large as it gets, and the built-in avatar of it."""

import pytest

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model


@pytest.fixture(scope="module")
def portrait(portrait_png):
    return prepare_portrait(read_photo(portrait_png)[:280, 90:370], (512, 512))


@pytest.fixture(scope="module")
def avatar(portrait):
    return BuiltinAvatar(portrait, load_face_model())
