"""What a person may change of a picture that is running."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import PickleBuffer

import numpy as np
from jaxtyping import Float32

from models.errors import InputError

Landmarks = Float32[np.ndarray, "478 3"]


class DoubtfulError(InputError):
    """Why a change is made only for somebody who is `sure`."""


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """A picture file that exists in memory only."""

    name: str
    """What to call it in messages."""
    data: bytes
    """As it would be on disk; not yet looked at."""
    landmarks: Landmarks | None = None
    """Of the face in pixels of the picture, where they are known and have been held against it."""

    def __reduce__(self) -> tuple[Callable[..., "Upload"], tuple[str, PickleBuffer, Landmarks | None]]:
        """For pickle, which would copy the file and hold up every other thread meanwhile."""
        return _upload, (self.name, PickleBuffer(self.data), self.landmarks)


def _upload(name: str, data: bytes | memoryview, landmarks: Landmarks | None) -> Upload:
    return Upload(name, bytes(data), landmarks)


@dataclass(frozen=True, slots=True)
class Nobody:
    """In place of a photo where there is none to show."""

    name: str = "nobody"
    """What to call it in messages."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Another portrait, background or engine; None leaves it as it is."""

    portrait: Path | Upload | Nobody | None = None
    """A photo, or an outline that does not move."""
    background: str | Upload | None = None
    """As in `--background`, or a picture."""
    engine: str | None = None
    """As in `--engine`, and whom it draws, see `models.weights.with_person`."""
    sure: bool = False
    """Whether it is this engine even if it cannot keep up."""

    def merged(self, newer: "Change") -> "Change":
        """Both in one; `newer` wins where both say something."""
        return Change(
            self.portrait if newer.portrait is None else newer.portrait,
            self.background if newer.background is None else newer.background,
            self.engine if newer.engine is None else newer.engine,
            self.sure if newer.engine is None else newer.sure,
        )

    def unlike(self, other: "Change") -> "Change":
        """What is asked for here and is not the same there."""
        return Change(
            None if self.portrait == other.portrait else self.portrait,
            None if self.background == other.background else self.background,
            None if self.engine == other.engine else self.engine,
            self.sure,
        )

    def __str__(self) -> str:
        """What is asked for, in a few words: "portrait me.png, background blur"."""
        asked = {"portrait": self.portrait, "background": self.background, "engine": self.engine}
        return ", ".join(
            f"{what} {value if isinstance(value, str) else value.name}" for what, value in asked.items() if value
        )
