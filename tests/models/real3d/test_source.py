"""Photos are parted as the reference parts them."""

import zlib

import numpy as np
import pytest

from models.errors import InputError
from models.real3d.segmentation import BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, OTHERS
from models.real3d.source import background_picture, part, torso_picture, with_a_large_face
from tests.models.real3d import synthetic

Golden = dict[str, np.ndarray]


def test_the_torso_is_the_references_byte_for_byte(golden: Golden) -> None:
    image, classes = synthetic.person()
    torso = torso_picture(image, classes)
    np.testing.assert_array_equal(torso[::8, ::8], golden["scene/torso_sub"])
    assert zlib.crc32(torso.tobytes()) == golden["scene/torso_crc"][0]


def test_the_background_is_the_references_but_for_ties(golden: Golden) -> None:
    image, classes = synthetic.person()
    background = background_picture(image, classes)
    assert (background[::8, ::8] != golden["scene/bg_sub"]).any(axis=2).mean() < 0.02
    far = np.ones(classes.shape, bool)
    rows, columns = np.nonzero(classes)
    far[max(rows.min() - 10, 0) :, columns.min() : columns.max() + 1] = False
    np.testing.assert_array_equal(background[far], image[far])


def test_the_head_is_hair_face_and_what_is_worn() -> None:
    image, classes = synthetic.person()
    source = part(image, classes)
    head = np.isin(classes, (HAIR, FACE_SKIN, OTHERS))
    np.testing.assert_array_equal(source.head[head], image[head])
    assert not source.head[~head].any()


def test_clothes_go_on_behind_the_head_row_by_row_darker() -> None:
    image, classes = np.full((512, 512, 3), 200, np.uint8), np.zeros((512, 512), np.uint8)
    classes[100:300, 200:300] = HAIR
    classes[300:, 150:350] = CLOTHES
    torso = torso_picture(image, classes)
    expected = np.concatenate([np.zeros(2), 200 * 0.98 ** np.arange(8, -1, -1), np.full(2, 200)]).astype(np.uint8)
    np.testing.assert_array_equal(torso[290:303, 250, 0], expected)
    assert not torso[299, 199].any()  # nothing to hide there


def test_a_neck_goes_on_upwards_from_below_its_shadow() -> None:
    image, classes = np.zeros((512, 512, 3), np.uint8), np.zeros((512, 512), np.uint8)
    image[...] = np.arange(512)[:, None, None] // 2
    classes[100:300, 200:300] = FACE_SKIN
    classes[303, 200:300] = BODY_SKIN  # grows to rows 300 to 306
    torso = torso_picture(image, classes)
    assert torso[300, 250, 0] == int(304 // 2 * 0.98**4)
    assert torso[304 - 52, 250].any()
    assert not torso[304 - 53, 250].any()
    assert not torso[307, 250].any()


def test_a_neck_at_the_edge_is_taken_where_it_ends() -> None:
    image, classes = np.full((512, 512, 3), 100, np.uint8), np.zeros((512, 512), np.uint8)
    classes[100:508, 200:300] = FACE_SKIN
    classes[511, 200:300] = BODY_SKIN  # grows to row 508
    torso = torso_picture(image, classes)
    assert torso[511 - 52, 250].any()
    assert not torso[511 - 53, 250].any()


def test_a_person_without_background_is_refused() -> None:
    classes = np.full((512, 512), HAIR, np.uint8)
    classes[:10, :10] = 0
    with pytest.raises(InputError, match="fills the whole photo"):
        part(np.zeros((512, 512, 3), np.uint8), classes)


def face_at(left: float, top: float, width: float, height: float) -> np.ndarray:
    points = np.zeros((478, 3), np.float32)
    points[:, 0], points[:, 1] = left, top
    points[0, :2] += (width, height)
    return points


def test_a_small_face_is_cut_out() -> None:
    image = np.zeros((800, 1000, 3), np.uint8)
    image[300:400, 500:600] = 255
    cut, points = with_a_large_face(image, face_at(500, 300, 100, 100))
    assert cut.shape == (512, 512, 3)
    area = np.prod(np.ptp(points[:, :2], axis=0)) / 512**2
    assert area == pytest.approx(0.2, abs=0.005)
    rows, columns = np.nonzero(cut[..., 0] > 127)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    np.testing.assert_allclose([columns.min(), rows.min()], low, atol=4)
    np.testing.assert_allclose([columns.max(), rows.max()], high, atol=4)


def test_a_cut_stays_within_the_photo_and_a_large_face_is_not_cut() -> None:
    image = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
    _, points = with_a_large_face(image, face_at(4, 200, 80, 80))
    assert points[:, :2].min() >= 0
    whole, points = with_a_large_face(image, face_at(100, 100, 300, 300))
    np.testing.assert_array_equal(whole, image)
    np.testing.assert_array_equal(points, face_at(100, 100, 300, 300))
    with pytest.raises(InputError, match="picture's edge"):
        with_a_large_face(image, face_at(-40, 200, 60, 60))
