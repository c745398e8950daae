"""Residual networks (He et al., 2015): the block of two 3x3 convolutions that the papers' encoders share."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a short cut."""

    def __init__(self, inputs: int, outputs: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if inputs != outputs:
            short = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(outputs))

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o _ _"]:
        """The block's result."""
        new = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(new + (self.downsample(x) if hasattr(self, "downsample") else x))


def basic_stage(blocks: int, inputs: int, outputs: int, stride: int, dilation: int = 1) -> nn.Sequential:
    """So many blocks, the first of them with the stride and the change of width."""
    first = BasicBlock(inputs, outputs, stride, dilation)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs, 1, dilation) for _ in range(blocks - 1)))
