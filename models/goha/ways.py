"""What the networks' work is done by: the same up to rounding everywhere."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from models.goha.lifting import Nearest
from models.triplane import Planes
from models.volume import Rendered

Look = Callable[[Planes, Float[Tensor, "b 25"], int, int], Rendered]
"""What a camera sees of planes, in a picture so many pixels wide, with so many samples along each ray, evenly and
again."""


class Ways(NamedTuple):
    """Ways to do what there are several ways for."""

    find: Nearest
    look: Look
