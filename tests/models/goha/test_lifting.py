"""Points of the portrait laid on planes."""

import pytest
import torch

from models.goha.lifting import Nearest, lay_on_planes, lift, nearest, nearest_by_products
from models.goha.model import PLANE_AXES
from models.triplane import look_up
from models.volume import Rays


def lattice(side: int) -> torch.Tensor:
    places = torch.linspace(-1, 1, side)
    down, right = torch.meshgrid(places, places, indexing="ij")
    return torch.stack([right, down], -1).reshape(1, -1, 2)


def test_rays_end_where_their_depth_says() -> None:
    rays = Rays(torch.tensor([[[0.0, 0, 2]]]), torch.tensor([[[0.0, 0, -1], [0.6, 0, -0.8]]]))
    points = lift(rays, torch.tensor([[[0.5], [1.0]]]))
    torch.testing.assert_close(points, torch.tensor([[[0, 0, 1.5], [0.6, 0, 1.2]]]))


@pytest.mark.parametrize("find", [nearest, nearest_by_products])
def test_no_point_is_nearer_than_the_one_found(find: Nearest) -> None:
    torch.manual_seed(0)
    clustered = torch.cat([torch.randn(2, 300, 2) * 0.05 - 0.4, torch.rand(2, 100, 2) * 3 - 1.5], 1)
    places = lattice(24)[0]
    found = find(clustered, places)
    distances = torch.cdist(places.expand(2, -1, -1).double(), clustered.double())
    assert found.shape == (2, 576)
    torch.testing.assert_close(distances.gather(2, found[..., None])[..., 0], distances.amin(2), rtol=0, atol=1e-5)


def test_a_feature_lies_on_each_plane_where_that_plane_is_read() -> None:
    """The point is seen where `look_up` reads; its third coordinate has no part in it."""
    points = torch.tensor([[[-0.8, 0.1, 0.6], [0.7, -0.9, -0.5]]])
    laid = lay_on_planes(torch.eye(2).reshape(1, 2, 1, 2), points, PLANE_AXES, lattice(64), nearest)
    assert laid.shape == (1, 3, 2, 64, 64)
    torch.testing.assert_close(look_up(laid, points, PLANE_AXES), 3 * torch.eye(2)[None])


def test_far_from_all_points_the_nearest_still_counts() -> None:
    laid = lay_on_planes(torch.ones(1, 1, 1, 1), torch.full((1, 1, 3), 0.9), PLANE_AXES, lattice(8), nearest)
    assert laid.equal(torch.ones(1, 3, 1, 8, 8))
