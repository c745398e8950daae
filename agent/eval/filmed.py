"""What a clip shows at the instants that are compared."""

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from agent.eval.crop import Crop
from calibration.framing import Canvas
from models.errors import InputError
from models.landmarks import Landmarks, MediapipeTracker
from runtime.sources.media import ClipFrames
from runtime.sources.nearest import nearest

Head = UInt8[np.ndarray, "256 256 3"]
Image = UInt8[np.ndarray, "_ _ 3"]
Heads = Generator[tuple[int, Head], None, None]
"""Each with its instant; close it where it is not read to its end."""


@dataclass(frozen=True, slots=True, eq=False)
class Filmed:
    """One instant of a clip, on the picture as a portrait would be."""

    image: Image
    """All of the picture."""
    head: Head
    """What lies within `crop`."""
    landmarks: Landmarks | None
    """Pixels of the picture; None where no face is seen."""
    crop: Crop
    """The square around the head; the same at every instant."""


def on_canvas(image: Image, size: tuple[int, int]) -> Image:
    """A clip's picture as large and where the agent would show it as a portrait, on black."""
    canvas = Canvas.fit((image.shape[1], image.shape[0]), size)
    whole, placed = np.zeros((size[1], size[0], 3), np.uint8), canvas.place(image)
    h, w = placed.image.shape[:2]
    whole[placed.top : placed.top + h, placed.left : placed.left + w] = placed.image
    return whole


def first_picture(clip: Path) -> Image:
    """Of a clip. Raises InputError: there is none."""
    with closing(ClipFrames(clip)) as source:
        frame = next(iter(source), None)
    if frame is None:
        raise InputError(f"--clip {clip}: no picture of it can be read; export it again")
    return frame.image


def film(
    clip: Path, size: tuple[int, int], instants_ns: Sequence[int], wanted_ns: Collection[int], crop: Crop | None = None
) -> Iterator[tuple[int, Filmed]]:
    """What the clip shows, instant by instant; instants past its end are left out.

    Args:
        clip: of one person.
        size: of the picture.
        instants_ns: rising; faces are followed through all of them.
        wanted_ns: those whose pictures are wanted.
        crop: what to cut out; None is the head as it is first seen, and instants before that are left out.

    Raises:
        InputError: no face is seen at any instant, or the file cannot be read.
    """
    seen = False
    with closing(MediapipeTracker()) as tracker, closing(ClipFrames(clip)) as source:
        for due_ns, image in nearest(source, instants_ns):
            whole = on_canvas(image, size)
            landmarks = tracker.track(whole)
            if crop is None and landmarks is not None:
                crop = Crop.around(landmarks, (image.shape[1], image.shape[0]), size)
            if crop is not None and due_ns in wanted_ns:
                seen = seen or landmarks is not None
                yield due_ns, Filmed(whole, crop.of(whole), landmarks, crop)
    if not seen:
        raise InputError(f"--clip {clip}: no face is seen in it; give a clip of one person")


def heads(clip: Path, size: tuple[int, int], instants_ns: Iterable[int], crop: Crop) -> Heads:
    """What lies within `crop`, instant by instant, without a look at the face; as `film` has it."""
    with closing(ClipFrames(clip)) as source:
        for due_ns, image in nearest(source, instants_ns):
            yield due_ns, crop.of(on_canvas(image, size))
