"""Engines: a portrait and a motion in, a picture out."""

from typing import Protocol, TypeVar, runtime_checkable

from models.motion import Motion
from models.portrait import Pixels, Portrait

AvatarT = TypeVar("AvatarT")


@runtime_checkable
class Engine(Protocol[AvatarT]):
    """Draws a portrait in motion: avatars, made once per portrait, one picture at a time.

    One thread renders, the run's loop. Another one may prepare an avatar meanwhile.
    """

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
        """How many levels of quality it draws at, 1 or more; 0 is the best, each further one takes less time.

        Constant. Any thread.
        """
        ...

    def prepare(self, portrait: Portrait) -> AvatarT:
        """The slow part, once per portrait: 0.1 s to minutes; not in the thread that renders, once that has begun.

        Args:
            portrait: is kept by the avatar and not written to.

        Raises:
            InputError: a portrait that this engine does not draw, in words for the user.
        """
        ...

    def render(self, avatar: AvatarT, motion: Motion, level: int = 0) -> Pixels:
        """The picture of an instant: of the motion alone, not of those before it.

        Args:
            avatar: of this engine, or where it is `portable`, of one of its name.
            motion: what to show; its `pts_ns` is of no matter.
            level: 0..`levels` - 1.

        Returns:
            RGB 0..255, [h, w, 3], as large as the portrait's `image` at every level; [h, w, 4] with straight alpha if
            the portrait has no background. A new array that the caller owns.

        Raises:
            Exception: of any kind. A live run then shows the picture before and tries again; offline it ends.
        """
        ...

    def close(self) -> None:
        """Frees what the engine holds, in whichever thread, when nothing renders or prepares. May be called twice."""
        ...
