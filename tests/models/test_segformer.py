"""Transformer blocks on a grid of tokens."""

import torch

from models.segformer import Attention, MixTransformer, to_image, to_tokens


def test_tokens_are_pixels_row_by_row() -> None:
    image = torch.arange(12.0).reshape(1, 2, 2, 3)
    assert to_tokens(image)[0, 4].tolist() == [4.0, 10.0]
    assert to_image(to_tokens(image), (2, 3)).equal(image)


def test_attention_is_that_of_the_formula() -> None:
    torch.manual_seed(0)
    attention = Attention(width=8, heads=2, reduction=2)
    x = torch.randn(1, 16, 8)
    with torch.no_grad():
        keys, values = attention.kv(attention.norm(to_tokens(attention.sr(to_image(x, (4, 4))))))[0].split(8, 1)
        query = attention.q(x)[0]
        heads = []
        for part in (slice(0, 4), slice(4, 8)):
            scores = torch.softmax(query[:, part] @ keys[:, part].T / 2, 1)
            heads.append(scores @ values[:, part])
        torch.testing.assert_close(attention(x, (4, 4))[0], attention.proj(torch.cat(heads, 1)))


def test_four_maps_each_half_as_large() -> None:
    maps = MixTransformer()(torch.zeros(1, 3, 64, 96))
    assert [tuple(x.shape[1:]) for x in maps] == [(32, 16, 24), (64, 8, 12), (160, 4, 6), (256, 2, 3)]
