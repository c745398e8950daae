"""The drawn square goes where the face goes."""

from dataclasses import replace

import numpy as np
import pytest
from golden.goha_inputs import face

from models.bfm import CAMERA_DISTANCE, FOCAL
from models.face_fit.objective import Coefficients
from models.goha.camera import camera_labels
from models.goha.crop import NEARNESS_DM, SIDE
from models.goha.placing import Placing, place
from models.squares import Square

REST = Coefficients(
    np.zeros(80, np.float32), np.zeros(64, np.float32), np.zeros(3, np.float32), np.float32([0, 0, NEARNESS_DM])
)
SQUARE = Square(50.0, 20.0, 256.0)


@pytest.fixture(scope="module")
def placing() -> Placing:
    return Placing(face().model, REST, SQUARE)


def test_at_rest_it_is_where_it_was_cut_out(placing: Placing) -> None:
    square, shown = placing(REST)
    assert square == SQUARE
    np.testing.assert_array_equal(shown.translation, REST.translation)


def test_a_shifted_head_takes_it_along(placing: Placing) -> None:
    """A decimetre is 300/700 of the square."""
    moved, _ = placing(replace(REST, translation=REST.translation + np.float32([0.2, 0.1, 0])))
    np.testing.assert_allclose(moved.left - SQUARE.left, 0.2 * 300 / 700 * 256, rtol=0.05)
    np.testing.assert_allclose(moved.top - SQUARE.top, -0.1 * 300 / 700 * 256, rtol=0.05)
    np.testing.assert_allclose(moved.side, SQUARE.side, rtol=0.01)


def test_a_nearer_head_makes_it_larger(placing: Placing) -> None:
    nearer, shown = placing(replace(REST, translation=REST.translation + np.float32([0, 0, 1])))
    np.testing.assert_allclose(nearer.side / SQUARE.side, 1.1, atol=0.02)
    np.testing.assert_allclose(shown.translation, REST.translation, atol=0.02)


@pytest.mark.parametrize(
    ("euler", "moved"),
    [
        ((0, 0, 0), (0.3, 0, 0)),
        ((0, 0, 0), (1.0, 0.4, 0)),
        ((0, 0, 0), (0.6, -0.4, 1.2)),
        ((0, 0.3, 0), (0, 0, 0)),
        ((0.2, -0.3, 0.1), (0.2, 0.1, -1)),
    ],
)
def test_square_and_camera_together_show_the_head_where_it_is(
    placing: Placing, euler: tuple[float, ...], moved: tuple[float, ...]
) -> None:
    """The middle of the face model by the renderer's camera in the square, against the fit's, which stands still."""
    posed = replace(REST, euler=np.float32(euler), translation=REST.translation + np.float32(moved))
    x, y, z = posed.translation
    still = 0.5 + FOCAL * np.array([x, -y]) / (CAMERA_DISTANCE - z)
    square, shown = placing(posed)
    label = camera_labels(shown.euler, shown.translation).astype(np.float64)
    pose, intrinsics = label[:16].reshape(4, 4), label[16:].reshape(3, 3)
    u, v, depth = intrinsics @ pose[:3, :3].T @ -pose[:3, 3]
    seen = np.array([square.left, square.top]) + square.side * np.array([u, v]) / depth
    np.testing.assert_allclose(seen, [SQUARE.left, SQUARE.top] + SQUARE.side * still, atol=0.3)


def test_a_person_is_put_before_what_is_behind_and_passes_over_into_what_is_around() -> None:
    drawn = np.zeros((SIDE, SIDE, 4), np.uint8)
    drawn[:, 256:] = (200, 100, 0, 255)
    drawn[256:, 256:] = (100, 50, 0, 128)
    behind, around = np.full((300, 400, 3), 40, np.uint8), np.full((300, 400, 3), 250, np.uint8)
    out = place(drawn, SQUARE, behind, around)
    assert out[100, 250].tolist() == [200, 100, 0]
    assert out[100, 110].tolist() == [40, 40, 40]
    assert out[200, 250].tolist() == [120, 70, 20]
    assert (out[:, :49] == 250).all() and (out[:, 307:] == 250).all() and (out[278:] == 250).all()
    edge = out[148, 50:70, 0].astype(int)
    assert (np.diff(edge) <= 0).all() and edge[0] > 230 and edge[-1] == 40
    assert (behind == 40).all() and (around == 250).all()


@pytest.mark.parametrize("left", [-200.0, 380.5, 500.0, -400.0])
def test_what_lies_beyond_the_picture_is_not_shown(left: float) -> None:
    drawn = np.full((SIDE, SIDE, 4), 255, np.uint8)
    behind, around = np.full((300, 400, 3), 40, np.uint8), np.full((300, 400, 3), 250, np.uint8)
    out = place(drawn, Square(left, 20.0, 256.0), behind, around)
    inside = slice(max(0, int(left)), max(0, int(left + 256)))
    assert (out == 255).any() == (-256 < left < 400)
    out[:, inside] = 250
    assert (out == 250).all()


def test_a_small_square_shows_no_pattern_that_was_not_drawn() -> None:
    drawn = np.full((SIDE, SIDE, 4), 255, np.uint8)
    drawn[..., :3] = (255 * (np.indices((SIDE, SIDE)).sum(0) % 2))[..., None]
    black = np.zeros((300, 400, 3), np.uint8)
    for left in (50.0, 50.4):
        out = place(drawn, Square(left, 20.0, 190.3), black, black)[50:180, 80:210].astype(float)
        assert out.std() < 20


def test_half_a_pixel_is_not_lost() -> None:
    """The middle of what was drawn is the middle of the square."""
    y, x = np.mgrid[:SIDE, :SIDE] - 255.5
    drawn = np.zeros((SIDE, SIDE, 4), np.uint8)
    drawn[..., 0] = 255 * np.exp(-(x**2 + y**2) / 20**2)
    drawn[..., 3] = 255
    black = np.zeros((300, 400, 3), np.uint8)
    out = place(drawn, SQUARE, black, black)[..., 0].astype(float)
    rows, columns = np.indices(out.shape)
    middle = [(out * (each + 0.5)).sum() / out.sum() for each in (columns, rows)]
    np.testing.assert_allclose(middle, [SQUARE.left + 128, SQUARE.top + 128], atol=0.02)
