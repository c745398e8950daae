"""Networks as ONNX files."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from models.backends.spec import NetworkSpec

OPSET = 17
"""The first with layer norms, the last before names of modes changed; taken by ONNX Runtime and TensorRT."""


def export(network: nn.Module, spec: NetworkSpec, example: Sequence[Tensor], path: Path) -> None:
    """Writes a network whose call takes the inputs of `spec` one by one; weights lie in the file (2 GB at most).

    The network runs once meanwhile, on `example`: inputs that give numbers.
    """
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own future, and branches on shapes, which are fixed
        torch.onnx.export(
            network.eval(),
            tuple(example),
            str(path),
            opset_version=OPSET,
            dynamo=False,
            input_names=[tensor.name for tensor in spec.inputs],
            output_names=[spec.output.name],
        )
