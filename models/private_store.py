"""What was made of a person's pictures, kept on disk for the next time: for its owner's eyes only."""

import hashlib
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

_DIGEST_BYTES = 32
_SUFFIX = ".prepared"


class PrivateStore:
    """A folder of entries; the least recently used ones make room.

    Entries are written whole or not at all, and one that is damaged, torn or not what it is named after counts as
    missing. A folder that cannot be used costs time and nothing else: no method raises for it. Several processes may
    share one.
    """

    def __init__(self, folder: Path, limit_bytes: int = 512 * 1024**2) -> None:
        """`limit_bytes`: of all entries together. The folder is made with the first entry."""
        self.folder, self._limit_bytes = folder, limit_bytes

    def load(self, key: str) -> bytes | None:
        """What was saved under `key`, or None."""
        path = self.folder / f"{key}{_SUFFIX}"
        try:
            if not _is_ours(self.folder) or path.stat().st_size > self._limit_bytes:
                return None
            data = path.read_bytes()
            digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
            if digest != _digest(body, key):
                return None
            with suppress(OSError):  # of a file system that is read-only
                os.utime(path)
            return body
        except OSError:
            return None

    def save(self, key: str, body: bytes) -> None:
        """Keeps `body` under `key`, a hexadecimal number of up to 128 digits."""
        if len(body) + _DIGEST_BYTES > self._limit_bytes:
            return
        temporary: Path | None = None
        try:
            for folder in (self.folder.parent, self.folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(self.folder):
                return
            self.folder.chmod(0o700)
            number, name = tempfile.mkstemp(dir=self.folder, suffix=f"{_SUFFIX}.new")
            temporary = Path(name)
            with os.fdopen(number, "wb") as file:
                file.write(_digest(body, key))
                file.write(body)
            temporary.replace(self.folder / f"{key}{_SUFFIX}")
            temporary = None
            self._make_room()
        except OSError:
            pass
        finally:
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def remove(self, key: str) -> bool:
        """Keeps nothing under `key` any more; whether there was something."""
        try:
            if not _is_ours(self.folder):
                return False
            (self.folder / f"{key}{_SUFFIX}").unlink()
            return True
        except OSError:
            return False

    def _make_room(self) -> None:
        """Deletes the entries that were used longest ago, and what killed processes left half-written."""
        entries: list[tuple[int, int, Path]] = []
        for path in self.folder.glob(f"*{_SUFFIX}*"):
            with suppress(FileNotFoundError):  # another process makes room too
                entries.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        room = self._limit_bytes
        for _, size, path in sorted(entries, reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)


def _digest(body: bytes, key: str) -> bytes:
    """Of an entry and the key that it belongs to."""
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES, key=bytes.fromhex(key)).digest()


def _is_ours(folder: Path) -> bool:
    """Whether a folder belongs to the user: nobody else's pictures are shown, and none put where others may look."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and (sys.platform == "win32" or found.st_uid == os.getuid())
