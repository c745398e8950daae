"""The transformer between the U-Net's halves: planes look at themselves, then at what they are told.

What does not depend on what they are told is `settle`d once per person.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.talk3d.size import GROUPED
from models.talk3d.split import Split
from models.talk3d.stages import Deepest

TOKEN = 64
"""Length of a condition token."""
_HEADS, _INNER = 4, 4
"""Of attention; how many times as wide the feed-forward parts are inside."""

Places = Float[Tensor, "b 3 places c3"]
"""Features on the three planes, place after place, row by row."""
Tokens = Float[Tensor, "b k 64"]
"""What planes are told."""


class Attention(nn.Module):
    """Attention with four heads."""

    def __init__(self, width: int, told: int) -> None:
        """`told`: length of what keys and values are made of."""
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(n, width, bias=False) for n in (width, told, told))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Float[Tensor, "b n w"]) -> Float[Tensor, "b n w"]:
        """What each finds among all."""
        return self.find(self.to_q(x), x)

    def find(self, queries: Float[Tensor, "b n w"], told: Float[Tensor, "b k t"]) -> Float[Tensor, "b n w"]:
        """What the queries find among what is told."""
        q, k, v = (_heads(x) for x in (queries, self.to_k(told), self.to_v(told)))
        found = functional.scaled_dot_product_attention(q, k, v)
        return self.to_out[0](found.transpose(1, 2).flatten(2))


def _heads(x: Float[Tensor, "b n w"]) -> Float[Tensor, "b 4 n _"]:
    return torch.unflatten(x, 2, (_HEADS, -1)).transpose(1, 2)


class Gate(nn.Module):
    """Linear map of which one half lets the other through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * _INNER * width)

    def forward(self, x: Float[Tensor, "b n w"]) -> Float[Tensor, "b n 4*w"]:
        """The gated half."""
        value, gate = self.proj(x).chunk(2, -1)
        return value * functional.gelu(gate)


class FeedForward(nn.Module):
    """Each place by itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.ModuleDict({"0": Gate(width), "2": nn.Linear(_INNER * width, width)})

    def forward(self, x: Float[Tensor, "b n w"]) -> Float[Tensor, "b n w"]:
        """The layer's result."""
        return self.net["2"](self.net["0"](x))


class Block(nn.Module):
    """Planes look at themselves, each with its own weights; at the tokens, all with the same; then each by itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (Split("norm", lambda: nn.LayerNorm(width)) for _ in range(3))
        self.attn1 = Split("att", lambda: Attention(width, width))
        self.attn2 = Attention(width, TOKEN)
        self.ff = Split("ff", lambda: FeedForward(width))

    def look_within(self, x: Places) -> tuple[Places, Places]:
        """After what needs no tokens: the features, and their queries to the tokens."""
        x = x + self.attn1(self.norm1(x))
        return x, self.attn2.to_q(self.norm2(x))

    def listen(self, x: Places, queries: Places, tokens: Tokens) -> Places:
        """The block's result."""
        found = self.attn2.find(queries.flatten(1, 2), tokens)
        x = x + torch.unflatten(found, 1, x.shape[1:3])
        return x + self.ff(self.norm3(x))


class Settled(NamedTuple):
    """What the transformer knows of a person before it is told anything."""

    deepest: Deepest
    within: Places
    """The first block's features before it listens."""
    queries: Places


class Transformer(nn.Module):
    """Two blocks."""

    def __init__(self, side: int, width: int) -> None:
        """`side`: of the planes that it sees; `width`: channels of each."""
        super().__init__()
        self.pos_emb = nn.Parameter(torch.empty(1, side**2, 3 * width))
        self.norm = Split("GN", lambda: nn.GroupNorm(width // GROUPED, width))
        self.proj_in = Split("lin", lambda: nn.Linear(width, width))
        self.transformer_blocks = nn.ModuleList([Block(width), Block(width)])

    def settle(self, deepest: Deepest) -> Settled:
        """What depends on the person alone."""
        x = self.proj_in(self.norm(deepest).flatten(3).transpose(2, 3))
        return Settled(deepest, *self._blocks()[0].look_within(x + self._places()))

    def forward(self, settled: Settled, tokens: Tokens) -> Deepest:
        """The features after they were told the tokens."""
        first, second = self._blocks()
        x = first.listen(settled.within, settled.queries, tokens) + self._places()
        x = second.listen(*second.look_within(x), tokens)
        return torch.unflatten(x.transpose(2, 3), 3, settled.deepest.shape[3:]) + settled.deepest

    def _places(self) -> Places:
        return torch.unflatten(self.pos_emb, 2, (3, -1)).transpose(1, 2)

    def _blocks(self) -> tuple[Block, Block]:
        first, second = self.transformer_blocks
        assert isinstance(first, Block) and isinstance(second, Block)
        return first, second
