"""What these networks do in the names of their own weights is what the shared parts do."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from models.gfpgan.style_decoder import STYLE, ModulatedConvolution
from models.goha import segformer
from models.stylegan import SynthesisLayer, ToRgb

MANIFEST = Path(__file__).with_name("manifest.txt")
PREFIX = "template_net.segformer.encoder."


def seeded(network: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for values in network.parameters():
        torch.nn.init.normal_(values, std=0.1)
    return network.requires_grad_(False)


def test_the_encoder_s_weights_have_the_released_names_and_go_back_under_them() -> None:
    first, second = (seeded(segformer.Encoder(3)) for _ in range(2))
    assert list(first.state_dict()) == [
        line.split()[0].removeprefix(PREFIX) for line in MANIFEST.read_text().splitlines() if line.startswith(PREFIX)
    ]
    for values in second.parameters():
        torch.nn.init.zeros_(values)
    second.load_state_dict(first.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    kept = first.state_dict()
    kept["block.0.0.attention.self.key.weight"] = kept["block.0.0.attention.self.key.weight"][:16]
    with pytest.raises(RuntimeError, match=r"block1\.0\.attn\.kv\.weight"):
        second.load_state_dict(kept)


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
