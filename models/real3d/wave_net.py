"""Gated convolutions (WaveNet, van den Oord et al. 2016), which the flow-VAE's networks are made of."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv1d


class WeightNormConv1d(nn.Module):
    """1-D convolution of odd kernel and same length whose kernels are stored as size and direction.

    Parameters are named as older checkpoints of torch have them; `plain` gives the convolution with its product.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.weight_g = nn.Parameter(torch.ones(outputs, 1, 1))
        self.weight_v = nn.Parameter(torch.randn(outputs, inputs, kernel) / (inputs * kernel) ** 0.5)

    @property
    def weight(self) -> Float[Tensor, "outputs inputs kernel"]:
        """The kernels."""
        return self.weight_g * self.weight_v / self.weight_v.norm(dim=(1, 2), keepdim=True)

    def forward(self, x: Float[Tensor, "b inputs t"]) -> Float[Tensor, "b outputs t"]:
        """The convolved signal, zero beyond its ends."""
        return conv1d(x, self.weight, self.bias, padding=self.weight_v.shape[2] // 2)

    def plain(self) -> nn.Conv1d:
        """An ordinary convolution with the same result."""
        outputs, inputs, kernel = self.weight_v.shape
        conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)
        with torch.no_grad():
            conv.weight.copy_(self.weight)
            conv.bias = self.bias
        return conv


def fold_weight_norm(module: nn.Module) -> None:
    """Replaces every `WeightNormConv1d` in `module` by its plain convolution: for inference, not for checkpoints."""
    for name, child in list(module.named_children()):
        if isinstance(child, WeightNormConv1d):
            setattr(module, name, child.plain())
        else:
            fold_weight_norm(child)


class WaveNet(nn.Module):
    """Layers of gated convolutions with a condition; their skip outputs are added up."""

    def __init__(self, channels: int, kernel: int, layers: int, condition: int) -> None:
        super().__init__()
        self.in_layers = nn.ModuleList(WeightNormConv1d(channels, 2 * channels, kernel) for _ in range(layers))
        self.res_skip_layers = nn.ModuleList(
            WeightNormConv1d(channels, 2 * channels if layer < layers - 1 else channels, 1) for layer in range(layers)
        )
        self.cond_layer = WeightNormConv1d(condition, 2 * channels * layers, 1)

    def forward(
        self, x: Float[Tensor, "b channels t"], condition: Float[Tensor, "b condition t"]
    ) -> Float[Tensor, "b channels t"]:
        """The sum of all layers' skip outputs."""
        channels = x.shape[1]
        conditions = self.cond_layer(condition).split(2 * channels, dim=1)
        skips = torch.zeros_like(x)
        for convolve, mix, given in zip(self.in_layers, self.res_skip_layers, conditions, strict=True):
            filtered, gate = (convolve(x) + given).split(channels, dim=1)
            mixed = mix(torch.tanh(filtered) * torch.sigmoid(gate))
            if mixed.shape[1] > channels:  # all layers but the last pass something on
                x = x + mixed[:, :channels]
            skips = skips + mixed[:, -channels:]
        return skips
