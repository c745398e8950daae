"""Drivers: frames or sound in, motion out."""

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from models.motion import Motion

T_contra = TypeVar("T_contra", contravariant=True)


@runtime_checkable
class Driver(Protocol[T_contra]):
    """Turns what a source gives into motion."""

    def push(self, value: T_contra) -> Sequence[Motion]:
        """Takes the next value; returns the motions that it completes, in time order, none to several.

        "No face" is a motion of confidence 0, not an exception.
        """
        ...

    def close(self) -> None:
        """Frees the models. May be called twice."""
        ...
