"""Places in a volume, read from the cells around them."""

import pytest
import torch
from torch.nn import functional

from models.voxels import gathered, look_into


@pytest.mark.parametrize("beyond", ["zeros", "border"])
def test_eight_cells_give_what_the_sampler_gives(beyond: str) -> None:
    torch.manual_seed(0)
    volume, where = torch.randn(2, 3, 4, 6, 5), torch.rand(2, 3, 7, 4, 3) * 2.6 - 1.3
    corners = torch.tensor([[-1.0, -1, -1], [1, 1, 1], [1, -1, 1], [0, 0, 0]])
    where[:, 0, 0] = corners
    want = functional.grid_sample(volume, where, padding_mode=beyond, align_corners=True)
    torch.testing.assert_close(gathered(volume, where, beyond), want, rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(look_into(volume, where, beyond), want)
    torch.testing.assert_close(gathered(volume, where, beyond)[:, :, 0, 0, 1], volume[:, :, 3, 5, 4])
