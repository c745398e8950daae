"""What convolutional networks of several papers are made of."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


def conv3(inputs: int, outputs: int) -> nn.Conv2d:
    """3x3 convolution that keeps the size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def double_size(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 2*h 2*w"]:
    """Bilinear, between the centres of pixels."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
