"""Training's network, loss, stream and export; only where torch is installed."""

from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from a2m import export, losses  # noqa: E402
from a2m.network import SpeechNet  # noqa: E402
from a2m.stream import Batch, Stream  # noqa: E402

from models.audio.mel import FEATURES  # noqa: E402

needs_espeak = pytest.mark.skipif(find_library("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture
def net() -> SpeechNet:
    torch.manual_seed(0)
    net = SpeechNet(channels=16, hidden=8, dilations=(1, 2))
    for _ in range(3):
        net(torch.randn(4, 40, FEATURES))  # moves the batch norms
    return net.eval()


def test_an_output_knows_nothing_of_later_sound(net: SpeechNet) -> None:
    features = torch.randn(1, 80, FEATURES)
    changed = features.clone()
    changed[:, 40:] = 0
    for plain, other in zip(net(features), net(changed), strict=True):
        torch.testing.assert_close(plain[:, :20], other[:, :20])
        assert not torch.allclose(plain[:, 20:], other[:, 20:])


def test_the_exported_step_says_what_the_network_says(net: SpeechNet, tmp_path: Path) -> None:
    export.write(net, tmp_path / "net.onnx")
    assert export.difference(net, tmp_path / "net.onnx") < 1e-5
    torch.manual_seed(1)
    other = SpeechNet(channels=16, hidden=8, dilations=(1, 2))
    assert export.difference(other, tmp_path / "net.onnx") > 0.01


def test_the_compressed_step_says_about_the_same(net: SpeechNet, tmp_path: Path) -> None:
    export.write(net, tmp_path / "exact.onnx")
    export.compress(tmp_path / "exact.onnx", tmp_path / "small.onnx")
    features, said = np.random.default_rng(0).standard_normal((2, FEATURES), np.float32), []
    for name in ("exact.onnx", "small.onnx"):
        session = onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"])
        state = np.zeros(session.get_inputs()[1].shape, np.float32)
        for _ in range(20):
            answers, state = session.run(["answers", "next_state"], {"features": features, "state": state})
        said.append(answers)
    np.testing.assert_allclose(said[0], said[1], atol=0.02)
    assert np.abs(said[0] - said[1]).max() > 0


@pytest.mark.parametrize("kind", ["exact", "small"])
def test_the_step_says_what_its_last_layer_is_given(net: SpeechNet, tmp_path: Path, kind: str) -> None:
    export.write(net, tmp_path / "exact.onnx")
    export.compress(tmp_path / "exact.onnx", tmp_path / "small.onnx")
    path = tmp_path / f"{kind}.onnx"
    export.expose_hidden(path)
    once = path.read_bytes()
    export.expose_hidden(path)
    assert path.read_bytes() == once
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {"features": np.random.default_rng(0).standard_normal((2, FEATURES), np.float32)}
    given["state"] = np.zeros(session.get_inputs()[1].shape, np.float32)
    answers, hidden = session.run(["answers", "hidden"], given)
    assert answers.std() > 0.05
    for head, answer, row in zip(net.heads, answers, hidden.reshape(len(answers), -1), strict=True):
        said = head[2](torch.from_numpy(row)).detach().numpy()
        np.testing.assert_allclose(said, answer, atol=1e-5 if kind == "exact" else 0.005)


def batch(count: int = 2) -> Batch:
    zeros = torch.zeros(count, 401)
    return Batch(torch.randn(count, 800, FEATURES), torch.rand(count, 401, 15), zeros.long(), zeros, zeros)


def test_heads_are_asked_for_the_mouth_before_the_end_of_the_sound() -> None:
    wanted = torch.arange(11.0)[None, :, None]
    torch.testing.assert_close(losses.delayed(wanted, 0)[0, :, 0], torch.arange(1.0, 11.0))
    torch.testing.assert_close(losses.delayed(wanted, 4)[0, :, 0], torch.tensor([0.0, 0, 0, 0, 1, 2, 3, 4, 5, 6]))


def test_learning_lowers_the_loss() -> None:
    torch.manual_seed(0)
    net, given = SpeechNet(channels=16, hidden=8, dilations=(1,), dropout=0.0), batch()
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    values = []
    for _ in range(15):
        value = losses.loss(net(given.features), given)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert values[-1] < 0.8 * values[0]


@needs_espeak
def test_an_interrupted_stream_goes_on_to_the_same_batches() -> None:
    whole = Stream(workers=1, seed=1, batch=4)
    first = [batch for batch, _ in zip(whole, range(3), strict=False)]
    whole.close()
    resumed = Stream(workers=1, seed=1, batch=4, start=2)
    again = next(iter(resumed))
    resumed.close()
    assert torch.equal(again.features, first[2].features)
    assert not torch.equal(again.features, first[1].features)
    assert again.features.shape == (4, 800, FEATURES)
