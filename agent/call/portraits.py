"""Portraits of a call: the user's, ready to leave, and those of others, ready to be shown."""

import io
from pathlib import Path

from PIL import Image

from calibration.framing import Canvas, Framing
from calibration.photo import decode_photo, read_file, read_photo
from calibration.store import default_store, key_of, portrait_of
from calibration.travelling import MOST_BYTES, pack, unpack
from models.builtin.avatar import BuiltinAvatar
from models.builtin.packing import pack as pack_avatar
from models.face import load_face_model
from models.folders import cache_folder
from models.private_store import PrivateStore
from runtime.change import Upload
from runtime.transports.call_control import MOST_PORTRAIT, Hello, digest_of

_CACHE_BYTES = 32 * 1024**2
_AVATAR_PX, _NARROWEST_PX = 512, 256  # of an avatar's longer and shorter side

assert MOST_BYTES <= MOST_PORTRAIT


def own_portrait(photo: Path) -> bytes:
    """The user's photo as it travels. Raises InputError: no picture, or no face in it."""
    return pack(read_photo(photo), str(photo))


def own_avatar(photo: Path) -> bytes:
    """The user's photo as browsers draw it, kept for the next call. Raises InputError: no picture, or no face in it."""
    data, store = read_file(photo), _store("call-avatars")
    key = key_of(data, _AVATAR_PX, _NARROWEST_PX, beyond=("models/builtin",))
    package = None if store is None else store.load(key)
    if package is None:
        height, width = decode_photo(data, str(photo)).shape[:2]
        longest = max(height, width)
        size = tuple(max(_NARROWEST_PX, round(_AVATAR_PX / 2 * side / longest) * 2) for side in (width, height))
        portrait = portrait_of(data, (size[0], size[1]), "photo", str(photo), default_store())
        package = pack_avatar(BuiltinAvatar(portrait, load_face_model()))
        if store is not None:
            store.save(key, package)
    return package


def their_portrait(hello: Hello, data: bytes) -> Upload:
    """Somebody's portrait as it can be shown: pixels of ours, in memory. Raises InputError: no such thing."""
    name = f"the portrait of {hello.name}" if hello.name else "the portrait"
    arrived = unpack(data, name)
    return Upload(name, arrived.picture, arrived.landmarks)


def place_of(portrait: Upload, framing: Framing, size: tuple[int, int]) -> tuple[Canvas, int]:
    """Where the photo of `their_portrait` lies on pictures of a size, and its own width, pixels."""
    with Image.open(io.BytesIO(portrait.data)) as file:
        photo = file.size
    assert portrait.landmarks is not None
    return Canvas.framed(framing, portrait.landmarks, photo, size), photo[0]


class KeptPortraits:
    """Portraits of earlier calls whose owners let them be kept, by digest; nothing where there is no cache folder."""

    def __init__(self) -> None:
        self._store = _store("call-portraits")

    def load(self, digest: str) -> bytes | None:
        """The portrait of this SHA-256."""
        data = None if self._store is None else self._store.load(digest)
        return data if data is not None and digest_of(data) == digest else None

    def save(self, hello: Hello, data: bytes) -> bool:
        """Keeps a portrait that was shown, if it may be kept; else removes what an earlier call has kept of it, and
        tells whether there was something.
        """
        if self._store is None:
            return False
        if not hello.may_keep:
            return self._store.remove(digest_of(data))
        self._store.save(digest_of(data), data)
        return False


def _store(name: str) -> PrivateStore | None:
    """In the folder of this program's caches; None where there is none."""
    caches = cache_folder()
    return None if caches is None else PrivateStore(caches / name, _CACHE_BYTES)
