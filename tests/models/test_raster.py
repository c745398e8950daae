"""The rasteriser against a slow one in whole numbers, and PNCC images of the face model."""

import numpy as np
import pytest

from models.face import load_face_model
from models.kernels import STEPS
from models.pose import Pose
from models.raster import Raster, rasterise
from models.topology import LEFT_IRIS

SIZE = (37, 29)


def slow(vertices: np.ndarray, triangles: np.ndarray, colours: np.ndarray, size: tuple[int, int]) -> Raster:
    """The same, pixel by pixel, every test in whole numbers."""
    width, height = size
    image = np.zeros((height, width, colours.shape[1]), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    for triangle in triangles:
        corners = vertices[triangle].astype(np.float64)
        if not np.isfinite(corners).all():
            continue
        (ax, ay), (bx, by), (cx, cy) = (
            (int(np.floor(x * STEPS + 0.5)), int(np.floor(y * STEPS + 0.5))) for x, y in corners[:, :2]
        )
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        for row in range(height):
            for column in range(width):
                x, y = column * STEPS, row * STEPS
                parts = (
                    (cx - bx) * (y - by) - (cy - by) * (x - bx),
                    (ax - cx) * (y - cy) - (ay - cy) * (x - cx),
                    (bx - ax) * (y - ay) - (by - ay) * (x - ax),
                )
                if area == 0 or any(part * area < 0 for part in parts):
                    continue
                share = np.array(parts) / area
                near = np.float32(share @ corners[:, 2])
                if near < depth[row, column]:
                    depth[row, column], image[row, column] = near, share @ colours[triangle]
    return Raster(image, depth)


def random_mesh(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles of both windings, small and large, in and out of the frame, some without area."""
    generator = np.random.default_rng(seed)
    vertices = generator.uniform((-20, -20, -1), (60, 50, 1), (40, 3)).astype(np.float32)
    vertices[:10, :2] = np.round(vertices[:10, :2])  # corners and edges on centres of pixels
    triangles = generator.integers(0, 40, (9, 3)).astype(np.int32)
    triangles[:3, 1] = triangles[:3, 0]
    return vertices, triangles, generator.uniform(size=(40, 2)).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_slow_one(seed: int) -> None:
    mesh = random_mesh(seed)
    fast, expected = rasterise(*mesh, SIZE), slow(*mesh, SIZE)
    np.testing.assert_array_equal(fast.mask, expected.mask)
    assert 0.2 < fast.mask.mean() < 1
    np.testing.assert_allclose(fast.depth, expected.depth, atol=1e-6)
    np.testing.assert_allclose(fast.image, expected.image, atol=1e-6)


def test_edges_and_corners_belong_to_the_triangle() -> None:
    vertices = np.array([[1, 1, 0], [4, 1, 0], [1, 4, 0]], np.float32)
    drawn = rasterise(vertices, np.array([[0, 1, 2]], np.int32), np.ones((3, 1), np.float32), (6, 6))
    rows = ["......", ".####.", ".###..", ".##...", ".#....", "......"]
    np.testing.assert_array_equal(drawn.mask, [[c == "#" for c in row] for row in rows])
    np.testing.assert_array_equal(drawn.image[..., 0], drawn.mask)


def test_shared_edges_leave_no_holes() -> None:
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:9, 0:9]
    jitter = generator.uniform(-1.5, 1.5, (9, 9, 2)) * ((x > 0) & (x < 8) & (y > 0) & (y < 8))[..., None]
    vertices = np.concatenate([np.stack([x, y], 2) * 5 + jitter, np.zeros((9, 9, 1))], 2).reshape(-1, 3)
    a = (y[:-1, :-1] * 9 + x[:-1, :-1]).ravel()
    triangles = np.concatenate([np.stack([a, a + 1, a + 10], 1), np.stack([a, a + 10, a + 9], 1)])
    drawn = rasterise(vertices.astype(np.float32), triangles.astype(np.int32), np.ones((81, 1), np.float32), (41, 41))
    assert drawn.mask.all()


def test_the_nearest_is_in_front_whatever_the_order_and_winding() -> None:
    vertices = np.array([[0, 0, 2], [9, 0, 2], [0, 9, 2], [0, 0, 1], [9, 0, 1], [0, 9, 1]], np.float32)
    colours = np.repeat(np.array([[0.25], [0.75]], np.float32), 3, axis=0)
    for near in ([3, 4, 5], [5, 4, 3]):
        for triangles in ([[0, 1, 2], near], [near, [0, 1, 2]]):
            drawn = rasterise(vertices, np.array(triangles, np.int32), colours, (10, 10))
            np.testing.assert_array_equal(drawn.image[drawn.mask], 0.75)
            np.testing.assert_array_equal(drawn.depth[drawn.mask], 1)


@pytest.mark.parametrize(
    ("axis", "bad"), [*((axis, bad) for axis in range(3) for bad in (np.nan, np.inf, -np.inf)), (0, 2e6), (1, -2e6)]
)
def test_unusable_vertices_are_left_out(axis: int, bad: float) -> None:
    vertices, triangles, colours = random_mesh(1)
    vertices[5, axis] = bad
    whole = triangles[(triangles != 5).all(1)]
    assert len(whole) < len(triangles)
    drawn, expected = (rasterise(vertices, t, colours, SIZE) for t in (triangles, whole))
    np.testing.assert_array_equal(drawn.image, expected.image)


def test_nothing_to_draw_is_an_empty_picture() -> None:
    drawn = rasterise(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32), SIZE)
    assert drawn.image.shape == (29, 37, 3)
    assert not drawn.mask.any()


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_vertex_that_is_not_there_is_an_error(wrong: int) -> None:
    triangles = np.array([[0, 1, wrong]], np.int32)
    with pytest.raises(IndexError, match="3 that there are"):
        rasterise(np.zeros((3, 3), np.float32), triangles, np.zeros((3, 1), np.float32), SIZE)


def test_a_face_shows_its_codes_and_holes_where_it_is_open() -> None:
    model = load_face_model()
    face = Pose(120.0, np.eye(3), np.array([128.0, 80.0, 0.0])).to_picture(model.mean).astype(np.float32)
    image = rasterise(face, model.triangles, model.ncc, (256, 256)).image
    assert image.shape == (256, 256, 3)
    assert 0.3 < image.any(axis=2).mean() < 0.7
    for vertex in (4, 9, 152, 280, 50):
        x, y = np.round(face[vertex, :2]).astype(int)
        np.testing.assert_allclose(image[y - 1, x], model.ncc[vertex], atol=0.04)
    x, y = np.round(face[LEFT_IRIS[0], :2]).astype(int)
    assert not image[y, x].any()
    assert not image[:, [0, -1]].any()
