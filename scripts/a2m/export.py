"""The trained network as one ONNX step of 20 ms with an explicit state, in as few operations as it takes.

The state is one row: for every layer with a past its earlier inputs, oldest first, then the memory of the GRU. One
gather reads from it what all layers need, and one gather over it and the new inputs makes the next.

Finished weights also say what their last layer is given (`expose_hidden`), to which a person's own last layer is
fitted.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional

from a2m.network import Delayed, Norm, SpeechNet
from models.audio.mel import FEATURES

_OPSET = 17
_FRAMES = 2
"""Of features per step."""
_HIDDEN = "hidden"
_LINEAR = ("Gemm", "MatMul", "MatMulInteger")


class Step(nn.Module):
    """features [2, 66], state [1, n] -> answers [4, OUTPUTS], next state [1, n]; a state of zeros is the beginning."""

    def __init__(self, net: SpeechNet) -> None:
        super().__init__()
        self.net = net
        channels, hidden = net.settings["channels"], net.settings["hidden"]
        ear_width = net.ear.linear.out_features
        # rows and columns of what each layer remembers, rows that are new in a step, delays (in rows) that it reads
        pasts = [(net.ear.history, FEATURES, _FRAMES, None), (net.halve.history, ear_width, _FRAMES, None)]
        pasts += [(b.taps.history, channels, 1, b.taps.dilation) for b in net.blocks] + [(1, hidden, 1, None)]
        self.size = sum(rows * columns for rows, columns, _, _ in pasts)
        read, keep, self.pieces = [], [], []
        first, fresh = 0, self.size
        for rows, columns, new, dilation in pasts:
            own = np.arange(first, first + rows * columns).reshape(rows, columns)
            added = np.arange(fresh, fresh + new * columns).reshape(new, columns)
            needed = own if dilation is None else own[::dilation]
            read.append(needed.ravel())
            keep.append(np.concatenate([own, added])[-rows:].ravel())
            self.pieces.append(needed.size)
            first, fresh = first + own.size, fresh + added.size
        self.register_buffer("read", torch.from_numpy(np.concatenate(read)))
        self.register_buffer("keep", torch.from_numpy(np.concatenate(keep)))
        self.ear = _of_two_frames(net.ear)
        self.first, self.last = _joined_heads(net)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        net = self.net
        pasts = state.index_select(1, self.read).split(self.pieces, 1)
        new = [features.reshape(1, -1)]
        new.append(functional.silu(self.ear(torch.cat([pasts[0], new[0]], 1))))
        x = functional.silu(net.halve.linear(torch.cat([pasts[1], new[1]], 1)))
        for block, past in zip(net.blocks, pasts[2:-1], strict=True):
            new.append(_scaled(block.norm, x))
            value, gate = block.taps.linear(torch.cat([past, new[-1]], 1)).chunk(2, 1)
            x = x + block.out(value * torch.sigmoid(gate))
        x = _scaled(net.norm, x)
        new.append(_remember(net.memory, x, pasts[-1]))
        x = functional.silu(net.join(torch.cat([x, new[-1]], 1)))
        answers = self.last(functional.silu(self.first(x))).reshape(len(net.heads), -1)
        return answers, torch.cat([state, *new], 1).index_select(1, self.keep)


def write(net: SpeechNet, path: Path) -> None:
    """Writes the step of `net` as it is now; the network is then in evaluation mode."""
    step = Step(net).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            step, (torch.zeros(_FRAMES, FEATURES), torch.zeros(1, step.size)), str(path), opset_version=_OPSET,
            dynamo=False, input_names=["features", "state"], output_names=["answers", "next_state"],
        )  # fmt: skip
    onnx.checker.check_model(onnx.load(path))


def difference(net: SpeechNet, path: Path, seconds: float = 2.0) -> float:
    """Greatest difference between the network over a whole sound and the written step, hop by hop."""
    features = torch.randn(1, round(seconds * 50) * _FRAMES, FEATURES, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    state, said = np.zeros(session.get_inputs()[1].shape, np.float32), []
    for frames in features[0].numpy().reshape(-1, _FRAMES, FEATURES):
        answers, state = session.run(["answers", "next_state"], {"features": frames, "state": state})
        said.append(answers)
    with torch.no_grad():
        whole = torch.cat(net.eval()(features)).numpy()
    return float(np.abs(np.stack(said, 1) - whole).max())


def compress(exact: Path, path: Path) -> None:
    """Writes a step of `write` with its weights in 7 bits: half the time, as they then stay in the processor's cache.

    Eight bits would overflow in processors without VNNI.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    quantize_dynamic(exact, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    expose_hidden(path)


def expose_hidden(path: Path) -> None:
    """Adds a third output to a written step, exact or compressed: "hidden" [1, heads * 96], what its last layer is
    given. A step that has it stays as it is."""
    model = onnx.load(path)
    graph = model.graph
    if any(output.name == _HIDDEN for output in graph.output):
        return
    made_by = {name: node for node in graph.node for name in node.output}
    last = made_by["answers"]
    while last.op_type not in _LINEAR:
        last = made_by[last.input[0]]
    hidden = last.input[0]
    if made_by[hidden].op_type == "DynamicQuantizeLinear":
        hidden = made_by[hidden].input[0]
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [_HIDDEN if name == hidden else name for name in names]
    graph.output.append(onnx.helper.make_tensor_value_info(_HIDDEN, onnx.TensorProto.FLOAT, [1, None]))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _of_two_frames(layer: Delayed) -> nn.Linear:
    """`taps + 1` inputs in a row -> two outputs in a row."""
    weight, bias = layer.linear.weight.detach(), layer.linear.bias.detach()
    outputs, inputs = weight.shape
    width = inputs // layer.taps
    both = nn.Linear(inputs + width, 2 * outputs)
    with torch.no_grad():
        both.weight.zero_()
        both.weight[:outputs, :inputs] = weight
        both.weight[outputs:, width:] = weight
        both.bias.copy_(torch.cat([bias, bias]))
    return both


def _joined_heads(net: SpeechNet) -> tuple[nn.Linear, nn.Linear]:
    """All heads as two layers, the second with a block for each head."""
    weights = [[layer.weight.detach() for layer in (head[0], head[2])] for head in net.heads]
    biases = [[layer.bias.detach() for layer in (head[0], head[2])] for head in net.heads]
    joined = [torch.cat([w[0] for w in weights]), torch.block_diag(*(w[1] for w in weights))]
    layers = [nn.Linear(weight.shape[1], weight.shape[0]) for weight in joined]
    with torch.no_grad():
        for i, layer in enumerate(layers):
            layer.weight.copy_(joined[i])
            layer.bias.copy_(torch.cat([b[i] for b in biases]))
    return layers[0], layers[1]


def _scaled(norm: Norm, x: Tensor) -> Tensor:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return x * scale.detach() + (norm.bias - norm.running_mean * scale).detach()


def _remember(gru: nn.GRU, x: Tensor, before: Tensor) -> Tensor:
    """One step of the GRU: [1, inputs], [1, hidden] -> [1, hidden]."""
    heard = functional.linear(x, gru.weight_ih_l0, gru.bias_ih_l0)
    known = functional.linear(before, gru.weight_hh_l0, gru.bias_hh_l0)
    gates, size = heard + known, gru.hidden_size
    reset, keep = torch.sigmoid(gates[:, : 2 * size]).chunk(2, 1)
    new = torch.tanh(heard[:, 2 * size :] + reset * known[:, 2 * size :])
    return new + keep * (before - new)
