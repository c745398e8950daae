"""What is shown, apart from how it moves: a portrait and its background."""

from dataclasses import dataclass, replace
from pathlib import Path

from calibration.background import on_background, on_picture
from calibration.framing import Framing
from calibration.outline import outline
from calibration.photo import decode_photo, read_file
from calibration.store import default_store, portrait_of
from models.portrait import Portrait
from runtime.change import Change, Nobody, Upload


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A prepared portrait before the background that was chosen."""

    name: str
    """Of the photo."""
    cut_out: Portrait
    """Before the photo's own background."""
    framing: Framing
    """As in `--framing`."""
    background: str
    """As in `--background`; a mere name if it was uploaded."""
    uploaded: bool
    """Whether the background was given as pixels."""
    portrait: Portrait
    """For an engine: `cut_out` before `background`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the photo, one sentence each."""
        return tuple(f"{self.name} {note}" for note in self.cut_out.notes)

    def changed(self, change: Change) -> "Look":
        """The look after a change, as large and framed as before. Raises InputError for a picture of no use."""
        name, cut_out = self.name, self.cut_out
        if change.portrait is not None:
            height, width = cut_out.matte.shape
            name, cut_out = change.portrait.name, _cut_out(change.portrait, (width, height), self.framing)
        match change.background:
            case Upload(background, data):
                portrait, uploaded = on_picture(cut_out, decode_photo(data, background)), True
            case None if self.uploaded:
                background, uploaded = self.background, True
                portrait = replace(cut_out, background=self.portrait.background)
            case chosen:
                background, uploaded = chosen or self.background, False
                portrait = on_background(cut_out, background)
        portrait = replace(portrait, keepable=cut_out.keepable and not uploaded)
        return Look(name, cut_out, self.framing, background, uploaded, portrait)


def first_look(photo: Path | Upload | Nobody, size: tuple[int, int], framing: Framing, background: str) -> Look:
    """Reads and prepares a photo, or takes a file from the store. Raises InputError for a picture of no use."""
    cut_out = _cut_out(photo, size, framing)
    return Look(photo.name, cut_out, framing, background, False, on_background(cut_out, background))


def _cut_out(photo: Path | Upload | Nobody, size: tuple[int, int], framing: Framing) -> Portrait:
    if isinstance(photo, Nobody):
        return outline(size)
    if isinstance(photo, Upload):  # is not left on disk
        return portrait_of(photo.data, size, framing, photo.name, None, photo.landmarks)
    return replace(portrait_of(read_file(photo), size, framing, photo.name, default_store()), keepable=True)
