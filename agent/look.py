"""What is shown, apart from how it moves: a portrait and its background."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from calibration.portrait import decode_photo, on_background, on_picture, read_file
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

    def changed(self, change: Change, size: tuple[int, int]) -> "Look":
        """The look after a change, at the output's size (width, height). Raises InputError for a photo of no use."""
        look = self
        if change.portrait is not None:
            name, cut_out = _prepare(change.portrait, size)
            look = replace(look, name=name, cut_out=cut_out)
        match change.background:
            case None:
                return look
            case Upload(name, data):
                return replace(look, background=name, picture=decode_photo(data, name))
            case choice:
                return replace(look, background=choice, picture=None)


def first_look(photo: Path, background: str, size: tuple[int, int]) -> Look:
    """Reads and prepares a photo, or takes it from the store. Raises InputError for a photo of no use."""
    name, cut_out = _prepare(photo, size)
    return Look(name, cut_out, background)


def _prepare(photo: Path | Upload, size: tuple[int, int]) -> tuple[str, Portrait]:
    if isinstance(photo, Upload):  # is not left on disk
        return photo.name, portrait_of(photo.data, size, photo.name, None)
    return photo.name, portrait_of(read_file(photo), size, photo.name, default_store())
