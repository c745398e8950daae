"""What the networks' work is done by, where it lies: the same up to rounding everywhere."""

from typing import NamedTuple

import torch

from models.goha.lifting import Nearest, nearest, nearest_by_products
from models.triplane import LookUp, look_up, look_up_on_cpu


class Means(NamedTuple):
    """Ways to do what there are several ways for."""

    find: Nearest
    read: LookUp
    """Of planes."""


ON_CPU = Means(nearest, look_up_on_cpu)
EVERYWHERE = Means(nearest_by_products, look_up)
"""By torch alone: shapes are fixed, nothing waits for a device, and it can be exported."""


def means_on(device: torch.device) -> Means:
    """The fastest there."""
    return ON_CPU if device.type == "cpu" else EVERYWHERE
