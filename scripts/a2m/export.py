"""The trained network as one ONNX step of 20 ms with an explicit state; batch norms become a scale and a shift."""

from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from a2m.network import Delayed, Norm, SpeechNet
from models.audio.mel import FEATURES

_OPSET = 17


class Step(nn.Module):
    """features [2, 66], state [n] -> answers [4, OUTPUTS], next state [n]; a state of zeros is the beginning."""

    def __init__(self, net: SpeechNet) -> None:
        super().__init__()
        self.net = net.eval()
        channels, hidden = net.settings["channels"], net.settings["hidden"]
        layers = [net.ear, net.halve, *(block.taps for block in net.blocks)]
        widths = [FEATURES, net.ear.linear.out_features] + [channels] * len(net.blocks)
        self.shapes = [(layer.history, width) for layer, width in zip(layers, widths, strict=True)] + [(1, hidden)]
        self.sizes = [rows * columns for rows, columns in self.shapes]

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        net = self.net
        parts = [part.view(shape) for part, shape in zip(state.split(self.sizes), self.shapes, strict=True)]
        x, parts[0] = _delayed(net.ear, features, parts[0])
        x, parts[1] = _delayed(net.halve, functional.silu(x), parts[1])
        x = functional.silu(x)
        for i, block in enumerate(net.blocks, 2):
            gated, parts[i] = _delayed(block.taps, _scaled(block.norm, x), parts[i])
            value, gate = gated.chunk(2, -1)
            x = x + block.out(value * torch.sigmoid(gate))
        x = _scaled(net.norm, x)
        parts[-1] = _remember(net.memory, x, parts[-1])
        x = functional.silu(net.join(torch.cat([x, parts[-1]], -1)))
        answers = torch.cat([head(x) for head in net.heads])
        return answers, torch.cat([part.flatten() for part in parts])


def write(net: SpeechNet, path: Path) -> None:
    """Writes the step of `net` as it is now."""
    step = Step(net).eval()
    example = torch.zeros(2, FEATURES), torch.zeros(sum(step.sizes))
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            step, example, str(path), opset_version=_OPSET, dynamo=False,
            input_names=["features", "state"], output_names=["answers", "next_state"],
        )  # fmt: skip
    model = onnx.load(path)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _delayed(layer: Delayed, x: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
    """[new, inputs] and the inputs before them -> [outputs of the new], the last inputs."""
    sound = torch.cat([history, x])
    count = x.shape[0] // layer.stride
    first = [sound[i * layer.dilation : i * layer.dilation + x.shape[0] : layer.stride] for i in range(layer.taps)]
    return layer.linear(torch.cat([rows[:count] for rows in first], -1)), sound[x.shape[0] :]


def _scaled(norm: Norm, x: Tensor) -> Tensor:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return x * scale.detach() + (norm.bias - norm.running_mean * scale).detach()


def _remember(gru: nn.GRU, x: Tensor, before: Tensor) -> Tensor:
    """One step of the GRU: [1, inputs], [1, hidden] -> [1, hidden]."""
    heard = functional.linear(x, gru.weight_ih_l0, gru.bias_ih_l0).chunk(3, -1)
    known = functional.linear(before, gru.weight_hh_l0, gru.bias_hh_l0).chunk(3, -1)
    reset, keep = torch.sigmoid(heard[0] + known[0]), torch.sigmoid(heard[1] + known[1])
    new = torch.tanh(heard[2] + reset * known[2])
    return new + keep * (before - new)
