"""The network of natural variation: a flow-VAE over what one mouth does otherwise than the mean, given what was heard.

Latents come 12.5 times a second. Their prior is noise through mean-only coupling layers that know what was heard; the
decoder turns them into factors of the curves. Factors leave a closed mouth closed. Everything but the encoder, which
serves training alone, is causal.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from a2m.network import CLOSED, CURVE, OUTPUTS, VISEME
from models.audio.curves import CURVES

LATENTS, HOPS_PER_LATENT = 8, 4
_HEARD, _FLOW, _DECODER, _ENCODER = 48, 32, 64, 48
_COUPLINGS = 4
_MOST = 0.7
"""Of the logarithm of a factor."""
_FLOOR = 0.02
_LEAST_SIGMA = 0.01
_LIP_GAP = torch.tensor([float(name == "lipGap") for name in CURVES])


class Coupling(nn.Module):
    """Moves the second half of the latents by what the first half was and is, and by what was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.GRU(LATENTS // 2 + _HEARD, _FLOW, batch_first=True)
        self.mean = nn.Linear(_FLOW, LATENTS // 2)
        nn.init.zeros_(self.mean.weight)
        nn.init.zeros_(self.mean.bias)

    def forward(self, first: Tensor, heard: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        remembered, state = self.memory(torch.cat([first, heard], -1), state)
        return self.mean(remembered), state


@dataclass(frozen=True, slots=True)
class Bound:
    """Evidence lower bound, in nats per hop."""

    likelihood: Tensor
    """Of the curves, given latents of the encoder."""
    divergence: Tensor
    """Of the encoder's latents from the prior."""


class Variation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ear = nn.Linear(OUTPUTS, _HEARD)
        self.context = nn.GRU(_HEARD, _HEARD, batch_first=True)
        self.couplings = nn.ModuleList(Coupling() for _ in range(_COUPLINGS))
        self.decoder = nn.GRU(_HEARD + LATENTS, _DECODER, batch_first=True)
        self.change = nn.Linear(_DECODER, len(CURVES))
        self.gather = nn.Linear(HOPS_PER_LATENT * (2 * len(CURVES) + _HEARD), _ENCODER)
        self.encoder = nn.GRU(_ENCODER, _ENCODER, batch_first=True, bidirectional=True)
        self.posterior = nn.Linear(2 * _ENCODER, 2 * LATENTS)
        self.log_sigma = nn.Parameter(torch.full((len(CURVES),), -3.0))

    def hear(self, answers: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Answers of the speech network [batch, n, OUTPUTS] -> what the rest knows of them [batch, n, 48], memory."""
        chances = [answers[..., CURVE].clamp(0, 1), answers[..., VISEME].softmax(-1), answers[..., CLOSED:].sigmoid()]
        return self.context(functional.silu(self.ear(torch.cat(chances, -1))), state)

    def prior(self, noise: Tensor, heard: Tensor) -> Tensor:
        """Standard normal noise [batch, m, LATENTS] -> latents; `heard` [batch, m, 48] at the hops that renew them."""
        for coupling in self.couplings:
            first, second = noise.split(LATENTS // 2, -1)
            noise = torch.cat([second + coupling(first, heard)[0], first], -1)
        return noise

    def noise(self, latents: Tensor, heard: Tensor) -> Tensor:
        """The noise that `prior` makes these latents of."""
        for coupling in reversed(self.couplings):
            second, first = latents.split(LATENTS // 2, -1)
            latents = torch.cat([first, second - coupling(first, heard)[0]], -1)
        return latents

    def decode(self, latents: Tensor, heard: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Latents [batch, n, LATENTS] at every hop -> [batch, n, 15], memory."""
        remembered, state = self.decoder(torch.cat([heard, latents], -1), state)
        return self.change(remembered), state

    def factors(self, latents: Tensor, heard: Tensor, answers: Tensor) -> Tensor:
        """Of the curves, [batch, n, 15], from latents [batch, n / 4, LATENTS]; all 1 for those without noise."""
        none = self.prior(torch.zeros_like(latents), heard[:, ::HOPS_PER_LATENT])
        both, _ = self.decode(spread(torch.cat([latents, none])), torch.cat([heard, heard]))
        changed, mean = both.chunk(2)
        return limited(changed - mean, answers)

    def forward(self, answers: Tensor, noise: Tensor) -> Tensor:
        """Answers [batch, n, OUTPUTS], noise [batch, n / 4, LATENTS] -> factors of the curves [batch, n, 15]."""
        heard, _ = self.hear(answers)
        return self.factors(self.prior(noise, heard[:, ::HOPS_PER_LATENT]), heard, answers)

    def bound(self, answers: Tensor, plain: Tensor, varied: Tensor) -> Bound:
        """How likely curves [batch, n, 15] are where the table says `plain` and the network said `answers`."""
        heard, _ = self.hear(answers)
        ratio = torch.log((varied + _FLOOR) / (plain + _FLOOR)).clamp(-1, 1)
        rows = torch.cat([4 * ratio, varied, heard], -1)
        gathered = functional.silu(self.gather(rows.unflatten(1, (-1, HOPS_PER_LATENT)).flatten(2)))
        mean, log_deviation = self.posterior(self.encoder(gathered)[0]).chunk(2, -1)
        drawn = torch.randn_like(mean)
        latents = mean + drawn * log_deviation.exp()
        made_of = self.noise(latents, heard[:, ::HOPS_PER_LATENT])
        divergence = (0.5 * (made_of**2 - drawn**2) - log_deviation).sum(-1).mean() / HOPS_PER_LATENT
        sigma = self.log_sigma.exp().clamp(min=_LEAST_SIGMA)
        said = (plain * self.factors(latents, heard, answers)).clamp(max=1)
        likelihood = torch.distributions.Normal(said, sigma).log_prob(varied).sum(-1).mean()
        return Bound(likelihood, divergence)


def spread(latents: Tensor) -> Tensor:
    """[batch, m, LATENTS] -> one for each hop, each reached in even steps from the one before."""
    before = functional.pad(latents, (0, 0, 1, -1))
    share = (torch.arange(HOPS_PER_LATENT) + 1)[:, None] / HOPS_PER_LATENT
    return (before[:, :, None] + share * (latents - before)[:, :, None]).flatten(1, 2)


def limited(change: Tensor, answers: Tensor) -> Tensor:
    """Factors from changes [..., 15]; that of the lip gap is 1 where lips are surely closed."""
    held = torch.sigmoid(answers[..., CLOSED : CLOSED + 1]) * _LIP_GAP
    return torch.exp(_MOST * torch.tanh(change / _MOST) * (1 - held))
