"""The non-linearity of the small networks."""

from torch import Tensor
from torch.nn import functional


def activate(x: Tensor) -> Tensor:
    """Leaky, so that every unit goes on learning."""
    return functional.leaky_relu(x, 0.1)
