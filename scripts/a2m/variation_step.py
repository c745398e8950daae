"""The trained variation as one ONNX step of a hop with an explicit state."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from a2m.network import OUTPUTS
from a2m.variation import HOPS_PER_LATENT, LATENTS, Variation, limited

_OPSET = 17


class Step(nn.Module):
    """answer [1, OUTPUTS], noise [1, 8], phase [1, 1], state [2, n] -> factors [1, 15], next state [2, n].

    The phase is the hop's number modulo 4; noise counts where it is 0. Rows of the state are with noise and without. A
    state of zeros is the beginning.
    """

    def __init__(self, net: Variation) -> None:
        super().__init__()
        self.net = net
        memories = [net.context, *(c.memory for c in net.couplings), net.decoder]
        self.pieces = [LATENTS, LATENTS, *(memory.hidden_size for memory in memories)]
        self.size = sum(self.pieces)

    def forward(self, answer: Tensor, noise: Tensor, phase: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        net = self.net
        before, aim, context, *flow, decoder = state.split(self.pieces, 1)
        heard, context = net.hear(answer[:, None].expand(2, 1, -1), context[None])
        renew = (phase == 0).to(answer.dtype)
        latents, following = torch.cat([noise, torch.zeros(1, LATENTS)])[:, None], []
        for coupling, known in zip(net.couplings, flow, strict=True):
            first, second = latents.split(LATENTS // 2, -1)
            mean, memory = coupling(first, heard, known[None])
            latents = torch.cat([second + mean, first], -1)
            following.append(known + renew * (memory[0] - known))
        before = before + renew * (aim - before)
        aim = aim + renew * (latents[:, 0] - aim)
        now = before + (phase + 1) / HOPS_PER_LATENT * (aim - before)
        change, decoder = net.decode(now[:, None], heard, decoder[None])
        factors = limited(change[0] - change[1], answer)
        return factors, torch.cat([before, aim, context[0], *following, decoder[0]], 1)


def write(net: Variation, path: Path) -> None:
    """Writes the step of `net`; the network is then in evaluation mode."""
    step = Step(net).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    given = torch.zeros(1, OUTPUTS), torch.zeros(1, LATENTS), torch.zeros(1, 1), torch.zeros(2, step.size)
    with torch.no_grad():
        torch.onnx.export(
            step, given, str(path), opset_version=_OPSET, dynamo=False,
            input_names=["answer", "noise", "phase", "state"], output_names=["factors", "next_state"],
        )  # fmt: skip
    onnx.checker.check_model(onnx.load(path))


def difference(net: Variation, path: Path, hops: int = 100) -> float:
    """Greatest difference between the factors of the network over a whole sound and those of the written step."""
    random = torch.Generator().manual_seed(0)
    answers = torch.randn(1, hops, OUTPUTS, generator=random)
    noise = torch.randn(1, hops // HOPS_PER_LATENT, LATENTS, generator=random)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    state, said = np.zeros(session.get_inputs()[3].shape, np.float32), []
    for k in range(hops):
        given = {"answer": answers[:, k].numpy(), "noise": noise[:, k // HOPS_PER_LATENT].numpy()}
        phase = np.full((1, 1), k % HOPS_PER_LATENT, np.float32)
        factors, state = session.run(None, {**given, "phase": phase, "state": state})
        said.append(factors)
    with torch.no_grad():
        whole = net.eval()(answers, noise)
    return float(np.abs(np.stack(said, 1) - whole.numpy()).max())
