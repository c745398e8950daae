"""Where a photo is cut."""

import numpy as np

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.goha.crop import NEARNESS_DM, cut_out, five_points, network_picture, square_of
from models.squares import Square

MEAN = np.array([[-0.3, 0.3, 0.2], [0.3, 0.3, 0.2], [0, 0, 0.6], [-0.25, -0.3, 0.3], [0.25, -0.3, 0.3]])


def test_the_square_is_as_wide_as_the_mean_face_says() -> None:
    """Ninety pixels to the decimetre, the middle of the head at (200, 150), y down."""
    square = square_of(MEAN[:, :2] * [90, -90] + [200, 150], MEAN)
    np.testing.assert_allclose(square.side, 210)
    np.testing.assert_allclose([square.left, square.top], [95, 45])


def test_a_turned_head_is_cut_upright_and_as_large() -> None:
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    square = square_of(MEAN[:, :2] * [90, -90] @ turn + [200, 150], MEAN)
    np.testing.assert_allclose([square.left, square.top, square.side], [95, 45, 210])


def test_a_face_has_eyes_nose_and_mouth() -> None:
    points = np.zeros((68, 3))
    points[[36, 39, 42, 45, 30, 48, 54]] = [
        [-4, 3, 0], [-2, 3, 0], [2, 3, 0], [4, 3, 0], [0, 0, 1], [-2, -3, 0], [2, -3, 0],
    ]  # fmt: skip
    assert five_points(points).tolist() == [[-3, 3, 0], [3, 3, 0], [0, 0, 1], [-2, -3, 0], [2, -3, 0]]


def test_a_face_as_near_as_that_fills_the_square() -> None:
    """The mean face, seen by its own camera, lies in the middle of a picture that is its square."""
    posed = MEAN + [0, 0, NEARNESS_DM]
    seen = 300 * (0.5 + [FOCAL, -FOCAL] * posed[:, :2] / (CAMERA_DISTANCE - posed[:, 2:]))
    square = square_of(seen, MEAN)
    np.testing.assert_allclose([square.left, square.top, square.side], [0, 0, 300], atol=10)


def test_a_matte_is_cut_as_its_photo_is() -> None:
    photo = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)
    square = Square(-5, 8, 47)
    np.testing.assert_array_equal(cut_out(photo, square), cut_out(np.dstack([photo] * 3), square)[..., 1])


def test_beyond_the_photo_it_is_black() -> None:
    photo = np.full((40, 60, 3), 200, np.uint8)
    photo[:, 30:] = 100
    cut = cut_out(photo, Square(-20, -20, 80))
    assert cut.shape == (512, 512, 3)
    assert (cut[:100] == 0).all() and (cut[:, :100] == 0).all() and (cut[400:] == 0).all()
    assert (cut[200:300, 160:300] == 200).all() and (cut[200:300, 340:480] == 100).all()


def test_a_square_within_the_photo_is_cut_where_it_is() -> None:
    photo = np.zeros((1100, 1100, 3), np.uint8)
    photo[300:, 500:] = 255
    cut = cut_out(photo, Square(244, 44, 512))
    assert cut[256:, 256:].min() == 255 and cut[:256].max() == 0 and cut[:, :256].max() == 0


def test_around_the_person_is_minus_one() -> None:
    matte = np.zeros((512, 512), np.float32)
    matte[10, 20], matte[11, 20] = 1, 0.5
    picture = network_picture(np.full((512, 512, 3), 255, np.uint8), matte)
    assert picture[:, 10, 20].tolist() == [1, 1, 1]
    np.testing.assert_allclose(picture[:, 11, 20], 127 / 127.5 - 1, atol=1e-6)
    assert (picture[:, 12:] == -1).all()
