"""A portrait lifted, and what is left of it."""

import numpy as np
import pytest

from models.builtin.body import Body, build_body
from models.face import load_face_model
from models.motion import Motion, expression
from models.portrait import Portrait
from models.small.frame_box import SIDE, box_of, to_pixels
from models.small.lifting import GRID, Lifted, front_of, lift
from models.small.torso_layer import Torso, torso_layer
from models.topology import CHIN


@pytest.fixture(scope="module")
def body(portrait: Portrait) -> Body:
    return build_body(portrait, load_face_model())


@pytest.fixture(scope="module")
def lifted(portrait: Portrait, body: Body) -> Lifted:
    front = front_of(body, body.puppet.rest, box_of(load_face_model()))
    return lift(portrait.person, body.uv, front, body)


def test_the_head_is_seen_from_the_front(portrait: Portrait, body: Body, lifted: Lifted) -> None:
    box = box_of(load_face_model())
    places = to_pixels(front_of(body, body.puppet.rest, box), SIDE)
    for point in (4, CHIN, 50, 280):  # the tip of the nose, the chin, both cheeks
        column, row = np.rint(places[point, :2]).astype(int)
        x, y = np.rint(portrait.landmarks[point, :2]).astype(int)
        there = lifted.texture[row - 1 : row + 2, column - 1 : column + 2].mean((0, 1))
        assert there[3] == 255
        assert np.abs(there[:3] - portrait.image[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1))).max() < 25
    assert not lifted.texture[:, [0, -1], 3].any() and not lifted.texture[-1, :, 3].any()
    assert (lifted.texture[..., :3] <= lifted.texture[..., 3:].astype(int) + 1).all()


def test_depth_and_edge_are_those_of_a_head(lifted: Lifted) -> None:
    depth, edge = lifted.geometry
    row, column = np.unravel_index(depth.argmin(), depth.shape)
    assert abs(column - GRID / 2) < 4 and abs(row - GRID / 2) < 6, "the nose is nearest"
    assert depth[:, GRID // 2].max() > depth.min() + 0.4
    alpha = lifted.texture.reshape(GRID, 4, GRID, 4, 4).mean((1, 3))[..., 3]
    assert (edge[alpha > 250] < 0).all() and (edge[alpha < 1] > 0).all()


def test_the_torso_keeps_its_pixels_and_has_no_head(portrait: Portrait, body: Body) -> None:
    torso = torso_layer(portrait.person, body)
    assert torso.shape == portrait.person.shape
    x, y = body.uv[[4, 10, 152]].T.round().astype(int)
    assert not torso[y[:2], x[:2], 3].any(), "nose and forehead"
    low = np.s_[-portrait.person_margin * portrait.person_scale :]
    difference = np.abs(torso[low].astype(int) - portrait.person[low])
    assert difference.max() <= 2


def test_the_jaw_draws_the_neck_along_and_shoulders_shift_the_torso(portrait: Portrait, body: Body) -> None:
    puppet, torso = body.puppet, Torso(portrait, body)
    rest = torso.draw(puppet.shape(Motion(0)))
    margin, scale = portrait.person_margin, portrait.person_scale
    height, width = portrait.matte.shape
    assert rest.shape == (height, width, 4)
    layer = torso_layer(portrait.person, body)[margin * scale :, margin * scale :]
    near = layer[: height * scale, : width * scale].reshape(height, scale, width, scale, 4).mean((1, 3))
    assert np.abs(rest - near).max() < 2, "the layer itself"
    opened = puppet.shape(Motion(0, expression(jawOpen=1)))
    down = opened.vertices[CHIN, 1] - puppet.rest_vertices[CHIN, 1]
    x, y = puppet.rest_vertices[CHIN, :2].round().astype(int)
    moved, below = torso.draw(opened), y + round(down) + 3
    came = _rows_moved(rest[y - 10 :, x - 5 : x + 6], moved[y - 10 :, x - 5 : x + 6], below - y + 10)
    assert down > 8 and 0.5 * down < came < 1.1 * down
    assert np.array_equal(moved[-30:, :60], rest[-30:, :60]), "a shoulder stays"
    turned = puppet.shape(Motion(0, rotation=np.float32([0, 0.3, 0])))
    assert np.abs(torso.draw(turned).astype(int) - rest).mean() < 0.1, "it does not turn with the head"
    aside = puppet.shape(Motion(0, torso=np.float32([0.2, 0])))
    right = round(float(puppet.torso_moved(aside)[0]))
    assert right > 3
    shifted = torso.draw(aside)[-60:, 60:-60].astype(int)
    assert np.abs(shifted - rest[-60:, 60 - right : -60 - right]).mean() < 3


def _rows_moved(before: np.ndarray, after: np.ndarray, row: int, window: int = 8) -> int:
    """By how many rows what lies around a row of `after` has come down."""
    wanted = after[row : row + window].astype(int)
    wrong = [np.abs(before[row - k : row - k + window] - wanted).mean() for k in range(row)]
    return int(np.argmin(wrong))


def test_what_surrounds_a_face_keeps_its_place(body: Body) -> None:
    box, opened = box_of(load_face_model()), body.puppet.rest.copy()
    opened[CHIN, 1] += 0.3
    moved = front_of(body, opened, box) - front_of(body, body.puppet.rest, box)
    assert np.flatnonzero(np.abs(moved).max(1)).tolist() == [CHIN]
