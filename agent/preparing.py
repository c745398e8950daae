"""A changed look, prepared in a process beside the run: the functions that `runtime.worker` calls there.

Done there is all that a new photo or background needs (decoding, landmarks, matte, fill, background), as `agent.look`
does it for the first look in the run's own process, before its first picture. The avatar is made there too where the
engine's avatars can travel (`Engine.portable`); an engine that holds a device prepares it in the run's process.
"""

from dataclasses import dataclass
from typing import Any

import cv2

from agent.engines import open_engine
from agent.look import Look
from models.face import load_face_model
from models.perception import load_mediapipe
from runtime.change import Change


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What is to be prepared."""

    look: Look
    """What is shown."""
    change: Change
    """What is to become of it."""
    engine: str | None
    """Whose avatar to make, as in `--engine`; None makes none."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a `Wish` came to."""

    look: Look
    avatar: Any
    """Of the engine that was named; else None."""


def warm_up() -> None:
    """Loads what the first wish would have to wait for."""
    cv2.setNumThreads(1)  # the run needs the other cores
    load_mediapipe()
    load_face_model()


def prepare(wish: Wish) -> Prepared:
    """Makes a wish come true. Raises InputError for a picture of no use."""
    look = wish.look.changed(wish.change)
    return Prepared(look, None if wish.engine is None else open_engine(wish.engine).prepare(look.portrait))
