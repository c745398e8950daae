"""Prepared portraits on disk: a photo that was seen before is there at once."""

import hashlib
import io
import os
import stat
import sys
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np

from calibration.framing import Framing
from calibration.photo import decode_photo
from calibration.portrait import prepare_portrait
from models.folders import cache_folder
from models.portrait import Portrait

_DIGEST_BYTES = 32
_SUFFIX = ".prepared"
_ROOT = Path(__file__).parent.parent


class PortraitStore:
    """A folder of prepared portraits, for its owner's eyes only; the least recently used ones make room.

    Entries are written whole or not at all, and one that is damaged, torn or not what it is named after counts as
    missing. A folder that cannot be used costs time and nothing else: no method raises for it. Several processes may
    share one.
    """

    def __init__(self, folder: Path, limit_bytes: int = 512 * 1024**2) -> None:
        """`limit_bytes`: of all entries together. The folder is made with the first entry."""
        self._folder, self._limit_bytes = folder, limit_bytes

    def load(self, key: str) -> Portrait | None:
        """The portrait that was saved under `key`, bit by bit, or None."""
        path = self._folder / f"{key}{_SUFFIX}"
        try:
            if not _is_ours(self._folder) or path.stat().st_size > self._limit_bytes:
                return None
            data = path.read_bytes()
            digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
            if digest != _digest(body, key):
                return None
            with suppress(OSError):  # of a file system that is read-only
                os.utime(path)
            return _decode(body)
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, key: str, portrait: Portrait) -> None:
        """Keeps a portrait under `key`, a hexadecimal number as `key_of` gives it."""
        body = _encode(portrait)
        if len(body) + _DIGEST_BYTES > self._limit_bytes:
            return
        temporary: Path | None = None
        try:
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(self._folder):
                return
            self._folder.chmod(0o700)
            number, name = tempfile.mkstemp(dir=self._folder, suffix=f"{_SUFFIX}.new")
            temporary = Path(name)
            with os.fdopen(number, "wb") as file:
                file.write(_digest(body, key) + body)
            temporary.replace(self._folder / f"{key}{_SUFFIX}")
            self._make_room()
        except OSError:
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Deletes the entries that were used longest ago, and what killed processes left half-written."""
        entries: list[tuple[int, int, Path]] = []
        for path in self._folder.glob(f"*{_SUFFIX}*"):
            with suppress(FileNotFoundError):  # another process makes room too
                entries.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        room = self._limit_bytes
        for _, size, path in sorted(entries, reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)


def default_store() -> PortraitStore | None:
    """In the folder of this program's caches; None where there is none."""
    caches = cache_folder()
    return PortraitStore(caches / "prepared-portraits") if caches is not None else None


def portrait_of(
    photo: bytes, size: tuple[int, int], framing: Framing, name: str, store: PortraitStore | None
) -> Portrait:
    """A picture file's bytes, prepared before the photo's own background: taken from the store, or kept there.

    The same bytes are the same entry under any `name`, which is for messages.

    Raises:
        InputError: as `decode_photo` and `prepare_portrait` do.
    """
    if store is None:
        return prepare_portrait(decode_photo(photo, name), size, name=name, framing=framing)
    key = key_of(photo, size, framing)
    portrait = store.load(key)
    if portrait is None:
        portrait = prepare_portrait(decode_photo(photo, name), size, name=name, framing=framing)
        store.save(key, portrait)
    return portrait


def key_of(photo: bytes, *choices: object) -> str:
    """A hexadecimal number for a photo's bytes, the choices made for it, and the way in which it is prepared."""
    key = hashlib.blake2b(_recipe(), digest_size=_DIGEST_BYTES)
    key.update(repr(choices).encode() + b"\0")
    key.update(photo)
    return key.hexdigest()


@cache
def _recipe() -> bytes:
    """What decides how a photo is prepared: another version of these folders' code finds none of the old entries."""
    parts = [path.read_bytes() for name in ("calibration", "models") for path in sorted((_ROOT / name).glob("*.py"))]
    return hashlib.blake2b(b"\0".join(parts)).digest()


def _digest(body: bytes, key: str) -> bytes:
    """Of an entry and the key that it belongs to."""
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES, key=bytes.fromhex(key)).digest()


def _encode(portrait: Portrait) -> bytes:
    values = {field.name: np.asarray(getattr(portrait, field.name)) for field in fields(portrait)}
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


def _is_ours(folder: Path) -> bool:
    """Whether a folder belongs to the user: nobody else's pictures are shown, and none put where others may look."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and (sys.platform == "win32" or found.st_uid == os.getuid())
