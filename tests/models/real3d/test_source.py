"""Photos are parted as the reference parts them."""

import zlib

import numpy as np

from models.real3d.segmentation import BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, OTHERS
from models.real3d.source import head_picture, torso_picture
from tests.models.real3d import synthetic

Golden = dict[str, np.ndarray]


def test_the_torso_is_the_references_byte_for_byte(golden: Golden) -> None:
    image, classes = synthetic.person()
    torso = torso_picture(image, classes)
    np.testing.assert_array_equal(torso[::8, ::8], golden["scene/torso_sub"])
    assert zlib.crc32(torso.tobytes()) == golden["scene/torso_crc"][0]


def test_the_head_is_hair_face_and_what_is_worn() -> None:
    image, classes = synthetic.person()
    picture = head_picture(image, classes)
    head = np.isin(classes, (HAIR, FACE_SKIN, OTHERS))
    np.testing.assert_array_equal(picture[head], image[head])
    assert not picture[~head].any()


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
