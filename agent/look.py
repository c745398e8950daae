"""What is shown, apart from how it moves: a portrait and its background."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from calibration.background import on_background, on_picture
from calibration.framing import Framing
from calibration.photo import decode_photo, read_file
from calibration.store import default_store, portrait_of
from models.portrait import Portrait
from runtime.change import Change, Upload


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A prepared portrait before the background that was chosen."""

    name: str
    """Of the photo."""
    cut_out: Portrait
    """Before the photo's own background."""
    size: tuple[int, int]
    """Of the output: width and height."""
    framing: Framing
    """As in `--framing`."""
    background: str
    """As in `--background`; the name of `picture`, if there is one."""
    picture: UInt8[np.ndarray, "h w 3"] | None = None
    """A background that was given as pixels, RGB."""

    @property
    def portrait(self) -> Portrait:
        """For an engine. Raises InputError if the background cannot be read."""
        if self.picture is not None:
            return on_picture(self.cut_out, self.picture)
        return on_background(self.cut_out, self.background)

    def changed(self, change: Change) -> "Look":
        """The look after a change, as large and framed as before. Raises InputError for a photo of no use."""
        look = self
        if change.portrait is not None:
            name, cut_out = _prepare(change.portrait, self.size, self.framing)
            look = replace(look, name=name, cut_out=cut_out)
        match change.background:
            case None:
                return look
            case Upload(name, data):
                return replace(look, background=name, picture=decode_photo(data, name))
            case choice:
                return replace(look, background=choice, picture=None)


def first_look(photo: Path, size: tuple[int, int], framing: Framing, background: str) -> Look:
    """Reads and prepares a photo, or takes it from the store. Raises InputError for a photo of no use."""
    name, cut_out = _prepare(photo, size, framing)
    return Look(name, cut_out, size, framing, background)


def _prepare(photo: Path | Upload, size: tuple[int, int], framing: Framing) -> tuple[str, Portrait]:
    if isinstance(photo, Upload):  # is not left on disk
        return photo.name, portrait_of(photo.data, size, framing, photo.name, None)
    return photo.name, portrait_of(read_file(photo), size, framing, photo.name, default_store())
