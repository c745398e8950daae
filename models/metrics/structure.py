"""Structural similarity to learn from: in torch, with gradients. `pictures.ssim` is the published measure."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Pictures = Float[Tensor, "b c h w"]

_STEADY = (0.01, 0.03)  # of the span


def structural_similarity(got: Pictures, want: Pictures, span: float, window_px: int = 7) -> Float[Tensor, ""]:
    """Mean over colours and over all square windows that lie within the pictures, at most 1: Wang et al., 2004.

    Args:
        got: pictures.
        want: as many, and as large.
        span: from the least to the greatest value that pictures can have.
        window_px: side of the windows, in which every pixel counts alike.
    """

    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, window_px, 1)

    a, b = mean(got), mean(want)
    light, detail = ((part * span) ** 2 for part in _STEADY)
    spread = mean(got * got) + mean(want * want) - a * a - b * b
    shared = mean(got * want) - a * b
    alike = (2 * a * b + light) * (2 * shared + detail) / ((a * a + b * b + light) * (spread + detail))
    return alike.mean()
