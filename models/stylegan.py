"""StyleGAN2 synthesis (Karras et al., 2020): convolutions whose input channels a style vector scales."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Image = Float[Tensor, "b c h w"]
Style = Float[Tensor, "s"]
"""One style for the whole batch."""
GAIN = 2**0.5
"""What each layer's result is multiplied by, since its activation halves the variance."""
GREATEST = 256.0
"""Of 16-bit features, as EG3D's released code has it on a GPU: what weights of unit length make of them fits, too."""


def smoothing_kernel() -> Float[Tensor, "4 4"]:
    """Kernel of the low-pass filter of every up-sampling; its sum is 1."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return taps[:, None] * taps / taps.sum() ** 2


def doubling_kernels(kernel: Float[Tensor, "4 4"], channels: int) -> Float[Tensor, "c 1 4 4"]:
    """The filter for each of so many channels; four times as strong, since zeros lie between the pixels it sees."""
    return (4 * kernel).expand(channels, 1, 4, 4)


def double(x: Image, kernels: Float[Tensor, "c 1 4 4"]) -> Float[Tensor, "b c 2*h 2*w"]:
    """An image twice as large."""
    return functional.conv_transpose2d(x, kernels, stride=2, padding=1, groups=x.shape[1])


class Affine(nn.Module):
    """Style vector -> one scale per channel."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, style))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, style: Style) -> Float[Tensor, "c"]:
        """The scales."""
        return functional.linear(style, self.weight / self.weight.shape[1] ** 0.5, self.bias)


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution, leaky ReLU; with `up`, the picture doubles in size."""

    resample_filter: Tensor
    noise_const: Tensor

    def __init__(self, inputs: int, outputs: int, style: int, side: int, up: bool = False) -> None:
        """`side`: of the result, in pixels; the stored noise has that size (only `NoisyLayer` adds it)."""
        super().__init__()
        self.up = up
        self.affine = Affine(style, inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.noise_strength = nn.Parameter(torch.empty(()))
        self.register_buffer("noise_const", torch.empty(side, side))
        self.register_buffer("resample_filter", smoothing_kernel())

    def styled_weight(self, style: Style) -> Float[Tensor, "o i 3 3"]:
        """Weight for this style: input channels scaled, then each output channel brought to unit length."""
        scaled = self.weight * self.affine(style)[:, None, None]
        return scaled * (scaled.square().sum((1, 2, 3), keepdim=True) + 1e-8).rsqrt()

    def _kernels(self) -> Tensor | None:
        return doubling_kernels(self.resample_filter, len(self.bias)) if self.up else None

    def forward(self, x: Image, style: Style) -> Float[Tensor, "b _ _ _"]:
        """The layer's result."""
        return GAIN * synthesis_layer(x, self.styled_weight(style), self.bias, self._kernels())


def synthesis_layer(
    x: Float[Tensor, "b i h w"],
    weight: Float[Tensor, "o i 3 3"],
    bias: Float[Tensor, "o"],
    kernels: Float[Tensor, "o 1 4 4"] | None,
) -> Float[Tensor, "b o _ _"]:
    """Convolution, twice as large where `kernels` to double it are given, and activation."""
    return activated(_convolve(x, weight, bias, kernels))


def activated(x: Image, greatest: float = GREATEST) -> Image:
    """Leaky ReLU, in place; in 16 bits then cut off at `greatest`."""
    x = functional.leaky_relu_(x, 0.2)
    return x if x.dtype == torch.float32 else x.clamp(-greatest, greatest)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor, kernels: Tensor | None) -> Tensor:
    if kernels is None:
        return functional.conv2d(x, weight, bias, padding=1)
    wide = functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    return functional.conv2d(wide, kernels, bias, padding=1, groups=len(kernels))


class NoisyLayer(SynthesisLayer):
    """A layer that adds its stored noise, the same whatever the style."""

    def forward(self, x: Image, style: Style) -> Float[Tensor, "b _ _ _"]:
        """The layer's result."""
        x = _convolve(x, self.styled_weight(style), self.bias, self._kernels())
        return GAIN * functional.leaky_relu_(x + self.noise_const * self.noise_strength, 0.2)


class ToRgb(nn.Module):
    """Modulated 1x1 convolution without demodulation: features -> colours, three or however many."""

    def __init__(self, inputs: int, style: int, colours: int = 3) -> None:
        super().__init__()
        self.affine = Affine(style, inputs)
        self.weight = nn.Parameter(torch.empty(colours, inputs, 1, 1))
        self.bias = nn.Parameter(torch.empty(colours))

    def styled_weight(self, style: Style) -> Float[Tensor, "c i 1 1"]:
        """Weight for this style."""
        return self.weight * self.affine(style)[:, None, None] / self.weight.shape[1] ** 0.5

    def forward(self, x: Float[Tensor, "b i h w"], style: Style) -> Float[Tensor, "b c h w"]:
        """The colours."""
        return functional.conv2d(x, self.styled_weight(style), self.bias)


class SynthesisBlock(nn.Module):
    """Two layers and their contribution to the picture; with `up`, both double in size."""

    resample_filter: Tensor

    def __init__(self, inputs: int, outputs: int, style: int, side: int, up: bool) -> None:
        super().__init__()
        self.up = up
        self.register_buffer("resample_filter", smoothing_kernel())
        self.conv0 = SynthesisLayer(inputs, outputs, style, side, up)
        self.conv1 = SynthesisLayer(outputs, outputs, style, side)
        self.torgb = ToRgb(outputs, style)

    def forward(
        self, x: Float[Tensor, "b i h w"], rgb: Float[Tensor, "b c h w"], style: Style
    ) -> tuple[Float[Tensor, "b _ _ _"], Float[Tensor, "b c _ _"]]:
        """Features and picture."""
        x = self.conv1(self.conv0(x, style), style)
        if self.up:
            rgb = double(rgb, doubling_kernels(self.resample_filter, rgb.shape[1]))
        return x, rgb + self.torgb(x, style)


class StyledBlock(nn.Module):
    """A synthesis block for one style: its weights are constants."""

    weight0: Tensor
    bias0: Tensor
    weight1: Tensor
    bias1: Tensor
    rgb_weight: Tensor
    rgb_bias: Tensor
    kernels: Tensor

    def __init__(self, block: SynthesisBlock, style: Style) -> None:
        super().__init__()
        self.up = block.up
        for i, layer in enumerate((block.conv0, block.conv1)):
            self.register_buffer(f"weight{i}", GAIN * layer.styled_weight(style))
            self.register_buffer(f"bias{i}", GAIN * layer.bias)
        self.register_buffer("rgb_weight", block.torgb.styled_weight(style))
        self.register_buffer("rgb_bias", block.torgb.bias.detach())
        self.register_buffer("kernels", doubling_kernels(block.resample_filter, len(block.conv0.bias)).contiguous())

    def forward(
        self, x: Image, rgb: Float[Tensor, "b 3 h w"]
    ) -> tuple[Float[Tensor, "b _ _ _"], Float[Tensor, "b 3 _ _"]]:
        """Features and picture."""
        x = synthesis_layer(x, self.weight0, self.bias0, self.kernels if self.up else None)
        x = synthesis_layer(x, self.weight1, self.bias1, None)
        colours = functional.conv2d(x, self.rgb_weight, self.rgb_bias).to(rgb.dtype)
        return x, (double(rgb, self.kernels[:3].to(rgb.dtype)) if self.up else rgb) + colours
