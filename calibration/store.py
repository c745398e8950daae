"""Prepared portraits on disk: a photo that was seen before is there at once."""

import hashlib
import io
import zipfile
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from calibration.framing import Framing
from calibration.photo import decode_photo
from calibration.portrait import prepare_portrait
from models.folders import cache_folder
from models.portrait import Portrait
from models.private_store import PrivateStore

_ROOT = Path(__file__).parent.parent


class PortraitStore:
    """Prepared portraits in a `PrivateStore`."""

    def __init__(self, entries: PrivateStore) -> None:
        """`entries` holds nothing else."""
        self._entries = entries

    def load(self, key: str) -> Portrait | None:
        """The portrait that was saved under `key`, bit by bit, or None."""
        body = self._entries.load(key)
        try:
            return None if body is None else _decode(body)
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, key: str, portrait: Portrait) -> None:
        """Keeps a portrait under `key`, a hexadecimal number as `key_of` gives it."""
        self._entries.save(key, _encode(portrait))


def default_store() -> PortraitStore | None:
    """In the folder of this program's caches; None where there is none."""
    caches = cache_folder()
    return PortraitStore(PrivateStore(caches / "prepared-portraits")) if caches is not None else None


def portrait_of(
    photo: bytes,
    size: tuple[int, int],
    framing: Framing,
    name: str,
    store: PortraitStore | None,
    landmarks: Float32[np.ndarray, "478 3"] | None = None,
) -> Portrait:
    """A picture file's bytes, prepared before the photo's own background: taken from the store, or kept there.

    The same bytes are the same entry under any `name`, which is for messages. `landmarks` of a photo that came with
    some take the place of those that would be found, and go with no store.

    Raises:
        InputError: as `decode_photo` and `prepare_portrait` do.
    """
    if store is None:
        return prepare_portrait(decode_photo(photo, name), size, name=name, framing=framing, landmarks=landmarks)
    key = key_of(photo, size, framing)
    portrait = store.load(key)
    if portrait is None:
        portrait = prepare_portrait(decode_photo(photo, name), size, name=name, framing=framing)
        store.save(key, portrait)
    return portrait


def key_of(photo: bytes, *choices: object, beyond: tuple[str, ...] = ()) -> str:
    """A hexadecimal number for a photo's bytes, the choices made for it, and the way in which it is prepared.

    `beyond`: folders whose code decides that too, besides those of `prepare_portrait`.
    """
    key = hashlib.blake2b(_recipe(("calibration", "models", *beyond)), digest_size=32)
    key.update(repr(choices).encode() + b"\0")
    key.update(photo)
    return key.hexdigest()


@cache
def _recipe(folders: tuple[str, ...]) -> bytes:
    """What decides how a photo is prepared: another version of these folders' code finds none of the old entries."""
    parts = [path.read_bytes() for name in folders for path in sorted((_ROOT / name).glob("*.py"))]
    return hashlib.blake2b(b"\0".join(parts)).digest()


def _encode(portrait: Portrait) -> bytes:
    values = {
        field.name: np.asarray(getattr(portrait, field.name)) for field in fields(portrait) if field.name != "keepable"
    }
    values["notes"] = np.array(portrait.notes, np.str_)
    body = io.BytesIO()
    np.savez(body, **values)
    return body.getvalue()


def _decode(body: bytes) -> Portrait:
    with np.load(io.BytesIO(body), allow_pickle=False) as values:
        arrays = {name: values[name] for name in values.files}
    notes = tuple(str(note) for note in arrays.pop("notes"))
    scale, margin = (int(arrays.pop(name)) for name in ("person_scale", "person_margin"))
    return Portrait(**arrays, person_scale=scale, person_margin=margin, notes=notes)
