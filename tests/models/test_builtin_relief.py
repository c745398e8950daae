"""Light and shade that expressions change, and the kernels that put it on the picture."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.builtin.kernels import shade, unpremultiply
from models.builtin.relief import Relief
from models.face import load_face_model
from models.motion import Motion, expression
from models.portrait import Portrait

NASOLABIAL = [206, 426]
NOSE = [1, 129, 358]


@pytest.fixture(scope="module")
def portrait(portrait_png) -> Portrait:
    return prepare_portrait(read_photo(portrait_png), (512, 512), framing="head")


@pytest.fixture(scope="module")
def avatar(portrait: Portrait) -> BuiltinAvatar:
    return BuiltinAvatar(portrait, load_face_model())


def brightness(avatar: BuiltinAvatar, motion: Motion, points: list[int]) -> float:
    """Mean around face points, where they are under the motion."""
    image = cv2.GaussianBlur(avatar.render(motion), (0, 0), 2).astype(float).mean(2)
    places = avatar._puppet.shape(motion).vertices[points, :2].round().astype(int)
    return float(np.mean([image[y, x] for x, y in places]))


@pytest.mark.parametrize(
    ("coefficients", "points"),
    [
        ({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}, NASOLABIAL),
        ({"browDownLeft": 1.0, "browDownRight": 1.0}, [107, 336]),
    ],
)
def test_folds_darken_where_skin_is_pushed_together(avatar, monkeypatch, coefficients, points):
    motion = Motion(0, expression=expression(**coefficients))
    with_folds = brightness(avatar, motion, points)
    monkeypatch.setattr(Relief, "apply", lambda *_: None)
    without = brightness(avatar, motion, points)
    assert 0.8 * without < with_folds < 0.99 * without


def depths(portrait: Portrait, of: BuiltinAvatar, nose: float, coefficients: dict[str, float]) -> np.ndarray:
    """Of the folds, those of the cheeks first: the portrait's face with this expression and its nose so much as long
    and wide."""
    puppet = of._puppet
    face = puppet.rest + puppet.eye_distance * np.tensordot(expression(**coefficients), load_face_model().expression, 1)
    face[NOSE] = face[6] + nose * (face[NOSE] - face[6])
    landmarks = puppet.rest_pose.to_picture(face).astype(np.float32)
    other = BuiltinAvatar(replace(portrait, landmarks=landmarks), load_face_model())
    return np.array([-drawn.min() for _, drawn in other._relief._folds])


@pytest.mark.parametrize(
    "coefficients", [{}, {"mouthPucker": 1.0}, {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}], ids=str
)
def test_a_small_nose_beside_the_eyes_tells_a_child_whose_cheeks_do_not_fold(portrait, avatar, coefficients):
    grown, child = (depths(portrait, avatar, nose, coefficients) for nose in (1.0, 0.8))
    assert (grown[:2] > 0.1).all() and (child[:2] < 0.01).all()
    assert (child[2:] > 0.9 * grown[2:]).all(), "what else folds does so at any age"


def test_a_face_at_rest_has_no_relief(avatar, monkeypatch):
    shown = avatar.render(Motion(0))
    monkeypatch.setattr(Relief, "apply", lambda *_: None)
    np.testing.assert_array_equal(avatar.render(Motion(0)), shown)


def test_turning_the_head_changes_no_relief(avatar):
    turned = Motion(0, rotation=np.array([0.1, 0.3, 0.1], np.float32))
    relief = avatar._relief._relief(avatar._puppet.shape(turned).canonical)
    np.testing.assert_allclose(relief, 1, atol=1e-6)


def test_shade_scales_what_is_drawn_within_the_relief():
    layer = np.full((4, 6, 4), 100, np.uint8)
    layer[..., 3] = 200
    whole, parts = np.dstack(np.meshgrid(np.arange(6), np.arange(4))).astype(np.int16), np.zeros((4, 6), np.uint16)
    whole[0] = -1  # nothing is drawn there
    shade(layer, whole, parts, np.full((3, 3), 0.5, np.float32), 1.0, 1.0, 1.0)
    assert (layer[..., 3] == 200).all()
    assert (layer[1:3, 1:3, :3] == 50).all()
    layer[1:3, 1:3, :3] = 100
    assert (layer[..., :3] == 100).all()
    shade(layer, whole, parts, np.full((3, 3), 9.0, np.float32), 1.0, 1.0, 1.0)
    assert layer[..., :3].max() == 200  # premultiplied colours stay under alpha


def test_unpremultiply_takes_alpha_out_of_the_colours():
    layer = np.array([[[100, 50, 0, 200], [0, 0, 0, 0], [9, 8, 7, 255], [3, 3, 3, 2]]], np.uint8)
    out = np.empty_like(layer)
    unpremultiply(layer, out)
    np.testing.assert_array_equal(out[0], [[128, 64, 0, 200], [0, 0, 0, 0], [9, 8, 7, 255], [255, 255, 255, 2]])
