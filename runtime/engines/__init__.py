"""Engines: a portrait and a motion in, a picture out."""

from typing import Protocol, TypeVar, runtime_checkable

from models.motion import Motion
from models.portrait import Pixels, Portrait

AvatarT = TypeVar("AvatarT")


@runtime_checkable
class Engine(Protocol[AvatarT]):
    """Draws a portrait in motion."""

    @property
    def name(self) -> str:
        """As in `--engine`."""
        ...

    @property
    def backend(self) -> str:
        """What executes it, as in the report."""
        ...

    @property
    def portable(self) -> bool:
        """Whether an engine of this name in another process may prepare what this one renders.

        Its avatars can then be pickled. False where they hold a device: this very engine then prepares them, beside
        the pictures that it renders.
        """
        ...

    @property
    def levels(self) -> int:
        """How many levels of quality it draws at, 1 or more; 0 is the best, each further one takes less time."""
        ...

    def prepare(self, portrait: Portrait) -> AvatarT:
        """The slow part, once per portrait; not in the thread that renders, once that has begun."""
        ...

    def render(self, avatar: AvatarT, motion: Motion, level: int = 0) -> Pixels:
        """The picture at the portrait's size, at every level below `levels`; RGBA if it has no background.

        A new array that the caller owns.
        """
        ...

    def close(self) -> None:
        """Frees what the engine holds. May be called twice."""
        ...
