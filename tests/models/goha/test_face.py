"""The face model with its colours: read from a file, lit, drawn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.goha_inputs import face_content
from scipy.io import savemat

from models.errors import InputError
from models.goha.face import GohaFace, load_goha_face
from models.goha.face_picture import FacePainter, Look, harmonics, person_of, vertex_normals

Content = dict[str, Any]
PLAIN = Look(np.zeros(80), np.zeros(80), np.zeros(27), np.zeros(3), np.zeros(3))


@pytest.fixture(scope="module")
def content() -> Content:
    return face_content()


def read(folder: Path, content: Content) -> GohaFace:
    savemat(folder / "BFM_model_front.mat", content)
    return load_goha_face(folder / "BFM_model_front.mat")


def test_colours_and_triangles_around_are_read(tmp_path: Path, content: Content) -> None:
    face = read(tmp_path, content)
    np.testing.assert_allclose(face.texture_mean[1] * 255, content["meantex"][0, 3:6], rtol=1e-6)
    np.testing.assert_allclose(face.texture[7, 1] * 255, content["texBase"][3:6, 7], rtol=1e-5)
    for vertex in (0, 500, 1680):
        listed = face.around[vertex][face.around[vertex] < len(face.model.triangles)]
        assert set(listed) == set(np.flatnonzero((face.model.triangles == vertex).any(1)))
    assert not face.around.flags.writeable


def painter(face: GohaFace, look: Look) -> FacePainter:
    return FacePainter(face, person_of(face, look))


CHANGES: dict[str, tuple[Callable[[Content], Content], str]] = {
    "missing": (lambda c: {k: v for k, v in c.items() if k != "texBase"}, "texBase is missing"),
    "shape": (lambda c: c | {"meantex": c["meantex"][:, :-3]}, "meantex is (1, 5040), not (1, 5043)"),
    "number": (lambda c: c | {"point_buf": c["point_buf"] + 1}, "point_buf names other triangles than 1 to 3201"),
    "endless": (lambda c: c | {"texBase": c["texBase"] * np.nan}, "texBase does not hold finite numbers"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_files_are_refused_in_one_line(tmp_path: Path, content: Content, name: str) -> None:
    change, reason = CHANGES[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path, change(content))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_normals_point_outwards_with_unit_length(tmp_path: Path, content: Content) -> None:
    face = read(tmp_path, content)
    flat = face.model.mean * [1, 1, 0]
    np.testing.assert_allclose(vertex_normals(flat.astype(np.float32), face), [[0, 0, 1]] * len(flat), atol=1e-6)


def test_light_from_above_lights_what_looks_up() -> None:
    """Second of the harmonics: minus y. They are orthogonal over the sphere."""
    up = np.array([[0, 1, 0]], np.float32)
    assert harmonics(up)[0, 1] < 0 < harmonics(-up)[0, 1]
    random = np.random.default_rng(0).standard_normal((200_000, 3)).astype(np.float32)
    values = harmonics(random / np.linalg.norm(random, axis=1, keepdims=True))
    products = values.T @ values / len(values)
    assert np.abs(products - np.diag(np.diag(products))).max() < 0.02


def test_without_light_of_its_own_a_face_is_shown_in_its_colours(tmp_path: Path, content: Content) -> None:
    grey = content | {"meantex": np.full_like(content["meantex"], 127.5)}
    picture = painter(read(tmp_path, grey), PLAIN)(np.zeros(64))
    assert picture.shape == (3, 224, 224)
    assert picture[0, 112, 112] == picture[2, 112, 112]
    ambient = 0.8 * np.pi / np.sqrt(4 * np.pi)
    np.testing.assert_allclose(picture[:, 100:120, 100:120], 2 * 0.5 * ambient - 1, atol=1e-5)
    assert (picture[:, 0] == -1).all()


def test_a_shift_to_the_right_moves_the_picture_to_the_right(tmp_path: Path, content: Content) -> None:
    face = read(tmp_path, content)
    still, moved = (
        painter(face, Look(*np.split(np.zeros(190), [80, 160, 187]), np.array(shift)))(np.zeros(64))
        for shift in ([0.0, 0, 0], [0.2, 0, 0])
    )
    columns = [np.flatnonzero((picture > -1).any((0, 1))).mean() for picture in (still, moved)]
    assert 19 < columns[1] - columns[0] < 22  # 1015 / 10 pixels per decimetre, a little more for what is near
