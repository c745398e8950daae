"""PNCC pictures, by both painters: codes true to perspective, holes, and what the released code leaves out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.bfm import to_picture
from models.real3d.face import Real3dFace
from models.real3d.pncc import PnccPainter
from models.real3d.torch_pncc import TorchPnccPainter
from models.topology import LEFT_LOWER_LID, LEFT_UPPER_LID

REST, MEAN = np.zeros(64, np.float32), np.zeros(80, np.float32)

Draw = Callable[[Real3dFace, int, np.ndarray, np.ndarray], np.ndarray]
"""A face model, a side in pixels, identity and expression -> the picture."""


def on_the_cpu(face: Real3dFace, side: int, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
    return PnccPainter(face, side)(identity, expression)


def by_torch(face: Real3dFace, side: int, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
    painter = TorchPnccPainter(face, torch.device("cpu"), side)
    return painter(torch.from_numpy(identity)[None], torch.from_numpy(expression)[None])[0].numpy()


@pytest.fixture(params=[on_the_cpu, by_torch])
def draw(request: pytest.FixtureRequest) -> Draw:
    return request.param


def test_the_face_is_drawn_in_its_codes(draw: Draw, face: Real3dFace) -> None:
    image = draw(face, 128, MEAN, REST)
    assert image.shape == (3, 128, 128)
    seen = to_picture(face.model.mean, 128)
    nose = np.round(seen[4, :2]).astype(int)
    np.testing.assert_allclose(image[:, nose[1], nose[0]], 2 * face.model.ncc[4] - 1, atol=0.03)
    eye = np.round(seen[[LEFT_UPPER_LID[4], LEFT_LOWER_LID[4]], :2].mean(0)).astype(int)
    assert (image[:, eye[1], eye[0]] == -1).all()
    assert (image[:, 0, 0] == -1).all()


def test_expressions_and_persons_move_it(draw: Draw, face: Real3dFace) -> None:
    rng = np.random.default_rng(0)
    identity, expression = rng.normal(size=80).astype(np.float32), 0.3 * rng.normal(size=64).astype(np.float32)
    expected = PnccPainter(face, 128).draw(face.model.shape(identity, expression))
    drawn = draw(face, 128, identity, expression)
    assert (np.abs(drawn - expected).max(0) > 1e-4).mean() < 1e-4
    assert np.abs(drawn - draw(face, 128, identity, REST)).max() > 0.1
    assert np.abs(drawn - draw(face, 128, MEAN, expression)).max() > 0.1


def mesh(face: Real3dFace, triangles: list[list[int]]) -> Real3dFace:
    """A square that leans away from the camera, coded by its x and y, and the same one decimetre nearer."""
    square = np.array([[-1, -1, 3], [1, -1, 3], [1, 1, -5], [-1, 1, -5]], np.float32)
    vertices = np.concatenate([square, square + np.float32([0, 0, 1])])
    model = replace(
        face.model,
        mean=vertices,
        identity=np.zeros((80, 8, 3), np.float32),
        expression=np.zeros((64, 8, 3), np.float32),
        triangles=np.array(triangles, np.int32),
        ncc=np.abs(np.tile(square, (2, 1)) + np.float32([1, 1, 0])) * np.float32([0.5, 0.5, 0.1]),
    )
    return replace(face, model=model)


NOTHING, LOWER, UPPER, NEARER_LOWER = [0, 0, 0], [0, 1, 2], [0, 2, 3], [4, 5, 6]


def test_codes_are_true_to_perspective(draw: Draw, face: Real3dFace) -> None:
    image = draw(mesh(face, [NOTHING, LOWER, UPPER]), 256, MEAN, REST)
    for x, y in ((0.5, 0.2), (-0.3, 0.6), (-0.8, -0.5)):
        point = np.array([[x, y, -1 - 4 * y]])
        column, row = np.round(to_picture(point, 256)[0, :2]).astype(int)
        np.testing.assert_allclose(image[:2, row, column], [x, y], atol=0.03)


def test_triangle_0_hides_and_is_not_seen(draw: Draw, face: Real3dFace) -> None:
    def seen(triangles: list[list[int]]) -> np.ndarray:
        return (draw(mesh(face, triangles), 64, MEAN, REST) > -1).any(0)

    both = seen([NOTHING, LOWER, UPPER])
    np.testing.assert_array_equal(seen([NEARER_LOWER, LOWER, UPPER]), both & ~seen([NOTHING, NEARER_LOWER]))
    np.testing.assert_array_equal(seen([LOWER, LOWER, UPPER]), seen([NOTHING, UPPER]) & ~seen([NOTHING, LOWER]))
    assert both.sum() > 1.5 * seen([NOTHING, UPPER]).sum()
