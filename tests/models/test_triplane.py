"""Tri-planes: which plane is read where."""

import pytest
import torch

from models.triplane import EqualisedLinear, LookUp, look_up, look_up_on_cpu, read_sample

AXES = ((0, 1), (0, 2), (2, 0))


def planes_with(plane: int, row: int, column: int) -> torch.Tensor:
    planes = torch.zeros(1, 3, 1, 4, 8)
    planes[0, plane, 0, row, column] = 1
    return planes


both = pytest.mark.parametrize("look_up", [look_up, look_up_on_cpu])


@both
def test_each_plane_is_read_at_its_own_two_coordinates(look_up: LookUp) -> None:
    x, y, z = -5 / 8, 1 / 4, 3 / 8  # centres of column 1 and row 2 of a plane 8 wide and 4 high; z between both
    points = torch.tensor([[[x, y, z]]])
    assert look_up(planes_with(0, 2, 1), points, AXES).item() == 1
    # Down the second plane runs z: 3/8 lies a quarter of a row beyond row 2's centre.
    torch.testing.assert_close(look_up(planes_with(1, 2, 1), points, AXES).item(), 0.75)
    # The third is the second with its axes exchanged: z to the right is column 5, x down lies a quarter above row 0.
    torch.testing.assert_close(look_up(planes_with(2, 0, 5), points, AXES).item(), 0.75)


@both
def test_planes_add_up_and_nothing_is_outside(look_up: LookUp) -> None:
    points = torch.tensor([[[0.0, 0.0, 0.0], [1.5, 1.5, 1.5]]])
    assert look_up(torch.ones(1, 3, 2, 8, 8), points, AXES).tolist() == [[[3.0, 3.0], [0.0, 0.0]]]


def test_on_the_cpu_the_same_is_read() -> None:
    planes, points = torch.randn(2, 3, 5, 6, 9), 2.4 * torch.rand(2, 1000, 3) - 1.2
    torch.testing.assert_close(
        look_up_on_cpu(planes, points, AXES), look_up(planes, points, AXES), rtol=1e-4, atol=1e-4
    )


def test_density_comes_first_and_colours_reach_both_ends() -> None:
    seen = read_sample(torch.tensor([7.0, -20.0, 0.0, 20.0]))
    assert seen.density.tolist() == [7.0]
    torch.testing.assert_close(seen.colour, torch.tensor([-0.001, 0.5, 1.001]))


def test_weights_are_divided_by_the_root_of_the_inputs() -> None:
    layer = EqualisedLinear(16, 1)
    torch.nn.init.constant_(layer.weight, 1)
    torch.nn.init.constant_(layer.bias, 0.5)
    torch.testing.assert_close(layer(torch.ones(16)), torch.tensor([4.5]))
