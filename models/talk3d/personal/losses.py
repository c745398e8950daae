"""What pictures are compared by, of what was brought in."""

from dataclasses import dataclass

import torch
from torch import nn

from models.metrics.sync import SyncNet
from models.talk3d.personal.identity import Identity
from models.talk3d.personal.likeness import Likeness


@dataclass(frozen=True, slots=True)
class Losses:
    """Networks without gradients of their own."""

    likeness: Likeness
    identity: Identity | None = None
    syncnet: SyncNet | None = None

    def to(self, device: torch.device) -> None:
        """Their networks are moved there."""
        for network in (self.likeness, self.identity, self.syncnet):
            if isinstance(network, nn.Module):
                network.to(device)

    def names(self) -> str:
        """As a phrase."""
        others = (self.identity, "ArcFace's identity"), (self.syncnet, "SyncNet")
        told = ", ".join(f"{'without' if network is None else 'with'} {name}" for network, name in others)
        return f"{self.likeness.name}; {told}"
