"""Volume rendering of fields whose pictures are known."""

import math

import torch

from models.triplane import Sample
from models.volume import Rays, camera_rays, fine_depths, limits, render, sample_weights

STRAIGHT = Rays(torch.tensor([[[0.0, 0.0, 2.0]]]), torch.tensor([[[0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]]))
"""One ray through the middle of the cube, one that misses it."""


def raw(density: float) -> float:
    """What a field answers where its density is this."""
    return math.log(math.expm1(density)) + 1


def test_rays_go_through_the_centres_of_pixels() -> None:
    pose = torch.tensor([[1.0, 0, 0, 5], [0, -1, 0, 6], [0, 0, -1, 7], [0, 0, 0, 1]])
    lens = torch.tensor([[2.0, 0, 0.5], [0, 4, 0.5], [0, 0, 1]])
    rays = camera_rays(torch.cat([pose.flatten(), lens.flatten()])[None], 2)
    assert rays.origins.tolist() == [[[5, 6, 7]]]
    torch.testing.assert_close(rays.directions[0, 1] / rays.directions[0, 1, 2], torch.tensor([-0.125, -0.0625, 1]))


def test_a_ray_that_misses_gets_the_others_limits() -> None:
    near, far = limits(STRAIGHT, 1.0)
    assert near.flatten().tolist() == [1.5, 1.5]
    assert far.flatten().tolist() == [2.5, 2.5]


def test_cameras_of_a_batch_do_not_see_each_other() -> None:
    """Rays that miss have the limits, and empty space the depth, that their own camera's others give."""
    far_away = Rays(STRAIGHT.origins * 4, STRAIGHT.directions)
    both = Rays(*(torch.cat(pair) for pair in zip(STRAIGHT, far_away, strict=True)))
    cloud = lambda p: Sample(torch.zeros(*p.shape[:2], 3), torch.full((*p.shape[:2], 1), -200.0))  # noqa: E731
    together = (*limits(both, 1.0), *render(cloud, both, 1.0, 8, 8))
    for k, rays in enumerate((STRAIGHT, far_away)):
        alone = (*limits(rays, 1.0), *render(cloud, rays, 1.0, 8, 8))
        assert all(torch.equal(a[k : k + 1], b) for a, b in zip(together, alone, strict=True))


def test_a_uniform_cloud_absorbs_as_it_should() -> None:
    """Its opacity is 1 - exp(-density x length), its colour the cloud's, its mean depth the exponential law's."""
    density, colour = 2.0, 0.75

    def cloud(points: torch.Tensor) -> Sample:
        shape = points.shape[:2]
        return Sample(torch.full((*shape, 1), colour), torch.full((*shape, 1), raw(density)))

    seen = render(cloud, Rays(STRAIGHT.origins, STRAIGHT.directions[:, :1]), 1.0, 48, 48)
    opacity = 1 - math.exp(-density)
    assert math.isclose(seen.opacity.item(), opacity, rel_tol=1e-4)
    assert math.isclose(seen.features.item(), 2 * colour * opacity - 1, rel_tol=1e-4)
    assert math.isclose(seen.depth.item(), 2 - 1 / math.tanh(density / 2) / 2 + 1 / density, rel_tol=1e-3)


def test_empty_space_is_minus_one_and_far() -> None:
    seen = render(
        lambda p: Sample(torch.zeros(*p.shape[:2], 3), torch.full((*p.shape[:2], 1), -200.0)), STRAIGHT, 1.0, 8, 8
    )
    assert seen.features.unique().tolist() == [-1.0]
    assert seen.opacity.unique().tolist() == [0.0]
    assert seen.depth.unique().tolist() == [2.5]


def test_nothing_is_seen_when_all_rays_miss() -> None:
    away = Rays(STRAIGHT.origins, STRAIGHT.directions[:, 1:])
    seen = render(lambda p: Sample(torch.zeros(*p.shape[:2], 3), torch.ones(*p.shape[:2], 1)), away, 1.0, 8, 8)
    assert seen.features.unique().tolist() == [-1.0]
    assert seen.opacity.unique().tolist() == [0.0]


def test_what_lies_in_front_hides_what_is_behind() -> None:
    weights = sample_weights(torch.full((1, 1, 4), raw(100)), torch.tensor([[[1.0, 2, 3, 4]]]))
    torch.testing.assert_close(weights, torch.tensor([[[1.0, 0, 0]]]))


def test_fine_samples_gather_where_something_is() -> None:
    depths = torch.linspace(0, 47, 48)[None, None]
    weights = torch.zeros(1, 1, 47)
    weights[..., 20] = 1
    fine = fine_depths(weights, depths, torch.linspace(0, 1, 48))[0, 0]
    assert (fine.diff() >= 0).all()
    assert ((fine > 18) & (fine < 23)).sum() >= 30
    assert fine[0] == 0.5 and fine[-1] == 45.5


def test_evenly_filled_space_is_sampled_evenly() -> None:
    fine = fine_depths(torch.ones(1, 1, 47), torch.linspace(0, 47, 48)[None, None], torch.linspace(0, 1, 46))[0, 0]
    torch.testing.assert_close(fine, torch.linspace(0.5, 45.5, 46))
