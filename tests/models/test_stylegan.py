"""Modulated convolutions, and blocks whose style is fixed."""

import pytest
import torch

from models.stylegan import StyledBlock, SynthesisBlock, SynthesisLayer, double, doubling_kernels, smoothing_kernel


def random_block(up: bool) -> SynthesisBlock:
    block = SynthesisBlock(4, 6, 8, side=8, up=up)
    for values in block.parameters():
        torch.nn.init.normal_(values)
    return block


def test_doubling_keeps_a_flat_picture_flat() -> None:
    doubled = double(torch.ones(1, 2, 4, 4), doubling_kernels(smoothing_kernel(), 2))
    assert doubled.shape == (1, 2, 8, 8)
    torch.testing.assert_close(doubled[..., 1:-1, 1:-1], torch.ones(1, 2, 6, 6))


def test_doubling_puts_three_quarters_of_a_pixel_beside_it() -> None:
    point = torch.zeros(1, 1, 3, 3)
    point[..., 1, 1] = 1
    row = double(point, doubling_kernels(smoothing_kernel(), 1))[0, 0, 2]
    torch.testing.assert_close(row, 0.75 * torch.tensor([0, 0.25, 0.75, 0.75, 0.25, 0]))


def test_demodulated_weights_have_unit_length_whatever_the_style() -> None:
    torch.manual_seed(0)
    weight = random_block(up=False).conv0.styled_weight(torch.randn(8))
    torch.testing.assert_close(weight.square().sum((1, 2, 3)), torch.ones(6))


def test_an_input_channel_with_scale_zero_has_no_effect() -> None:
    torch.manual_seed(0)
    layer: SynthesisLayer = random_block(up=False).conv0
    with torch.no_grad():
        layer.affine.weight[1] = 0
        layer.affine.bias[1] = 0
    x = torch.randn(1, 4, 8, 8)
    other = x.clone()
    other[:, 1] += 1
    torch.testing.assert_close(layer(x, torch.ones(8)), layer(other, torch.ones(8)))


@pytest.mark.parametrize("up", [False, True])
def test_a_block_of_fixed_style_gives_the_same(up: bool) -> None:
    torch.manual_seed(0)
    block, style = random_block(up), torch.randn(8)
    x, rgb = torch.randn(2, 4, 8, 8), torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        for got, want in zip(StyledBlock(block, style)(x, rgb), block(x, rgb, style), strict=True):
            torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)
