"""Paper: what executors must know of a paper's networks to prepare portraits and draw frames with them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from models.backends.spec import NetworkSpec, TensorSpec

Shape = tuple[int, ...]
Stored = Literal["float32", "float16"]
"""Type of the frame network's features."""


@runtime_checkable
class Parts(Protocol):
    """What a paper's networks are given of a portrait: a frozen dataclass of tensors."""

    def to(self: "PartsT", device: torch.device) -> "PartsT":
        """The same on a device."""
        ...


PartsT = TypeVar("PartsT", bound=Parts)
StateT = TypeVar("StateT", bound=tuple[Tensor, ...])
"""A named tuple: what stays the same from frame to frame."""
DriveT = TypeVar("DriveT", bound=tuple[Tensor, ...])
"""A named tuple: what is new with every frame, a few hundred numbers."""

Painter = Callable[[StateT, DriveT], tuple[Tensor, ...]]
"""Makes of a drive what the frame network is given of it, where both lie."""


@dataclass(frozen=True, slots=True)
class StateKind(Generic[StateT]):
    """What a paper's states are."""

    names: tuple[str, ...]
    make: Callable[[Iterable[Tensor]], StateT]
    """Of tensors in this order."""
    defined_in: str
    """The module that says, with all that it imports, how a state is made."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Shapes of all tensors but for the batch, by name and in their order."""

    state: Mapping[str, Shape]
    features: tuple[str, ...]
    """Of the state, what has the type of the frame network's features; all else is float32."""
    paint: tuple[str, ...]
    """Of the state, what is painted with alone: the frame network is not given it."""
    fresh: Mapping[str, Shape]
    """What is painted of a drive."""
    drive: Mapping[str, Shape]
    picture: Shape
    """Of bytes."""

    def frame_spec(self, stored: Stored = "float32", batch: int = 1) -> NetworkSpec:
        """Of the frame network for so many avatars at once."""
        seen = {name: shape for name, shape in self.state.items() if name not in self.paint}
        return self._spec("frame", seen, self.fresh, stored, batch)

    def driven_spec(self, stored: Stored = "float32", batch: int = 1) -> NetworkSpec:
        """The same with the drive, and the whole state, in place of what is painted of them."""
        return self._spec("driven", self.state, self.drive, stored, batch)

    def _spec(
        self, name: str, state: Mapping[str, Shape], fresh: Mapping[str, Shape], stored: Stored, batch: int
    ) -> NetworkSpec:
        kept = (
            TensorSpec(name, (batch, *shape), stored if name in self.features else "float32")
            for name, shape in state.items()
        )
        return NetworkSpec(
            f"{name}_{stored}" if batch == 1 else f"{name}_{stored}_{batch}",
            (*kept, *(TensorSpec(name, (batch, *shape)) for name, shape in fresh.items())),
            TensorSpec("picture", (batch, *self.picture), "uint8"),
        )


@dataclass(frozen=True, slots=True)
class Trial(Generic[PartsT, DriveT]):
    """Drawn by rule: networks are captured and exported on one drive, judged on the other."""

    parts: PartsT
    drive: DriveT
    second: DriveT


@dataclass(frozen=True, slots=True, eq=False)
class Paper(Generic[PartsT, StateT, DriveT]):
    """A paper's networks with weights. Frame networks take the tensors of `Layout.frame_spec` one by one."""

    name: str
    """As in `--engine`."""
    model: nn.Module
    """All of its networks; executors move it, before they ask for anything below."""
    layout: Layout
    state: StateKind[StateT]
    drive: Callable[[Iterable[Tensor]], DriveT]
    stored: tuple[Stored, ...]
    """Types that features may have; the first is for GPUs."""
    defined_in: tuple[str, ...]
    """Modules that say, with all that they import, what the frame network is."""
    assembled_in: str
    """The module that says, with all that it imports, what else draws a frame on which device."""
    prepare: Callable[[PartsT], StateT]
    """Everything that depends on the portrait alone, in float32; where the model lies."""
    reference: Callable[[torch.device], list[nn.Module]]
    """For a device, the frame network in float32 at every level of quality; 0 is the best."""
    exported: Callable[[Stored], nn.Module]
    """The frame network at level 0: nothing in it depends on the values of its inputs."""
    captured: Callable[[Stored], list[nn.Module]]
    """The same at every level, for a GPU; nothing in it waits for the device."""
    painter: Callable[[torch.device], Painter[StateT, DriveT]]
    """For networks that run on a device."""
    trial: Callable[[], Trial[PartsT, DriveT]]

    def prepared(self, parts: PartsT, stored: torch.dtype) -> StateT:
        """As `prepare`, the features of a type, each tensor contiguous: what `Executor.prepare` gives."""
        return self.state.make(tensor.contiguous() for tensor in self.stored_as(self.prepare(parts), stored))

    def stored_as(self, state: StateT, stored: torch.dtype) -> StateT:
        """A state for a frame network whose features are of this type."""
        named = zip(self.state.names, state, strict=True)
        return self.state.make(tensor.to(stored) if name in self.layout.features else tensor for name, tensor in named)

    def seen(self, state: StateT) -> tuple[Tensor, ...]:
        """Of a state, what the frame network is given."""
        named = zip(self.state.names, state, strict=True)
        return tuple(tensor for name, tensor in named if name not in self.layout.paint)
