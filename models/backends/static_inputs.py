"""The fixed memory that a captured network reads its inputs from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.backends.spec import NetworkSpec


class StaticInputs:
    """The inputs of a network: the first belong to an avatar and stay, the rest are new with every frame.

    Nothing here waits for the device.
    """

    def __init__(self, spec: NetworkSpec, fresh: int, device: torch.device) -> None:
        """`fresh`: how many inputs, the last ones, are new with every frame."""
        self.tensors = tuple(tensor.zeros(device) for tensor in spec.inputs)
        self._kept, self._fresh = self.tensors[:-fresh], self.tensors[-fresh:]
        pinned = device.type == "cuda"
        self._staged = tuple(torch.empty(x.shape, dtype=x.dtype, pin_memory=pinned) for x in self._fresh)
        self._held: list[Sequence[Tensor] | None] = [None] * len(self.tensors[0])

    def hold(self, avatars: Sequence[Sequence[Tensor]]) -> None:
        """From now on these avatars' tensors, which lie on the device, are the inputs; what is there already stays."""
        for place, avatar in enumerate(avatars):
            if self._held[place] is not avatar:
                for mine, its in zip(self._kept, avatar, strict=True):
                    mine[place].copy_(its[0], non_blocking=True)
                self._held[place] = avatar

    def take(self, fresh: Sequence[Tensor]) -> None:
        """The next frame's, from the CPU. The one before must have been drawn."""
        for device, staged, new in zip(self._fresh, self._staged, fresh, strict=True):
            staged.copy_(new)
            device.copy_(staged, non_blocking=True)
