"""The prior of the motion's latent code: plain noise, bent by what is heard (a normalising flow, RealNVP couplings)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.real3d.wave_net import WaveNet

_CHANNELS, _KERNEL, _LAYERS = 64, 3, 4


class Coupling(nn.Module):
    """Shifts the second half of the channels by what the first half and the condition say."""

    def __init__(self, latent: int, condition: int) -> None:
        super().__init__()
        self.pre = nn.Conv1d(latent // 2, _CHANNELS, 1)
        self.enc = WaveNet(_CHANNELS, _KERNEL, _LAYERS, condition)
        self.post = nn.Conv1d(_CHANNELS, latent // 2, 1)

    def shift(
        self, first: Float[Tensor, "b half t"], condition: Float[Tensor, "b condition t"]
    ) -> Float[Tensor, "b half t"]:
        """How far the second half is from noise."""
        return self.post(self.enc(self.pre(first), condition))


class Flip(nn.Module):
    """Reverses the channels, so that the next coupling shifts the other half; has no parameters."""


class PriorFlow(nn.Module):
    """Four couplings with a flip after each. Shifts alone: volumes are kept, its log-determinant is 0."""

    def __init__(self, latent: int, condition: int, couplings: int = 4) -> None:
        super().__init__()
        pairs = ((Coupling(latent, condition), Flip()) for _ in range(couplings))
        self.flows = nn.ModuleList(module for pair in pairs for module in pair)

    def inverse(
        self, noise: Float[Tensor, "b latent t"], condition: Float[Tensor, "b condition t"]
    ) -> Float[Tensor, "b latent t"]:
        """Noise -> latent codes of motion that fit the condition."""
        for flow in reversed(self.flows):
            if isinstance(flow, Coupling):
                first, second = noise.chunk(2, dim=1)
                noise = torch.cat([first, second - flow.shift(first, condition)], dim=1)
            else:
                noise = noise.flip(1)
        return noise
