"""What these networks do in the names of their own weights is what the shared parts do."""

import pytest
import torch
from torch.nn import functional

from models.gfpgan.style_decoder import STYLE, ModulatedConvolution
from models.goha import segformer
from models.segformer import MIT_B0, Block
from models.stylegan import SynthesisLayer, ToRgb


def seeded(network: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for values in network.parameters():
        torch.nn.init.normal_(values, std=0.1)
    return network.requires_grad_(False)


@pytest.mark.parametrize("stage", MIT_B0[2:])
def test_a_transformer_block_is_the_shared_one(stage: segformer.Stage) -> None:
    """With keys and values in one matrix, under the names that its paper's code has."""
    own = seeded(segformer.Block(stage))
    weights = own.state_dict()
    for kind in ("weight", "bias"):
        key, value = (weights.pop(f"attention.self.{part}.{kind}") for part in ("key", "value"))
        weights[f"attn.kv.{kind}"] = torch.cat([key, value])
    names = {
        "layer_norm_1": "norm1", "layer_norm_2": "norm2", "attention.self.query": "attn.q", "attention.self": "attn",
        "attention.output.dense": "attn.proj", "layer_norm": "norm", "mlp.dense1": "mlp.fc1", "mlp.dense2": "mlp.fc2",
    }  # fmt: skip
    for old, new in names.items():
        weights = {name.replace(old, new): values for name, values in weights.items()}
    shared = Block(stage.width, stage.heads, stage.hidden, stage.reduction)
    shared.load_state_dict(weights)
    x = torch.randn(1, 32, stage.width)
    torch.testing.assert_close(own(x, (4, 8)), shared(x, (4, 8)))


@pytest.mark.parametrize("unit", [True, False])
def test_a_scaled_picture_is_as_good_as_scaled_weights(unit: bool) -> None:
    layer = seeded(ModulatedConvolution(4, 3, 3 if unit else 1, unit))
    other = SynthesisLayer(4, 3, STYLE, side=8) if unit else ToRgb(4, STYLE)
    gain = 1 if unit else 4**0.5  # what the other divides by
    other.weight.data = layer.weight[0] * gain
    other.affine.weight.data = layer.modulation.weight * STYLE**0.5
    other.affine.bias.data = layer.modulation.bias
    x, styles = torch.randn(2, 4, 8, 8), torch.randn(2, STYLE)
    for k in range(2):
        expected = functional.conv2d(x[k : k + 1], other.styled_weight(styles[k]), padding=1 if unit else 0)
        torch.testing.assert_close(layer(x, styles)[k : k + 1], expected, rtol=1e-4, atol=1e-5)
