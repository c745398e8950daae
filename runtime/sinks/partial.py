"""The file that is written in place of another until it is whole."""

import logging
import os
import struct
import sys
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO

import av

from models.errors import InputError
from models.file_lock import lock

logger = logging.getLogger(__name__)


class Partial:
    """`.NAME.partial.EXT` beside the target, which it replaces at the end. Only one writer at a time may have it.

    A target that is a link is written through: the partial file lies beside what the link points to.
    """

    def __init__(self, target: Path) -> None:
        """Makes the file, empty. What an earlier, killed run left in it is kept under another name.

        Raises InputError if it cannot be made, or another writer has it.
        """
        self._named = target
        try:
            self._target = target.resolve()
            self.path = self._target.with_name(f".{self._target.stem}.partial{target.suffix}")
            self._lock = self._claim()
            if is_playable(self.path):
                logger.warning("An earlier run was cut off; what it made of %s is in %s", target, self.keep())
                self._lock = self._claim()
            os.truncate(self.path, 0)
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise InputError(f"Cannot write {target}: {cause(error)}. Choose another place.") from error

    def replace_target(self) -> None:
        """Puts the file in the target's place. Raises OSError."""
        self._rename(self._target)

    def keep(self) -> Path:
        """Gives the file a name that is not hidden and not taken, if possible; returns its name."""
        visible = self.path.name.removeprefix(".")
        numbered = (f"{Path(visible).stem}-{n}{self.path.suffix}" for n in count(2))
        kept = next(p for p in map(self.path.with_name, chain([visible], numbered)) if not p.exists())
        try:
            self._rename(kept)
        except OSError:
            self._lock.close()
            return self.path
        return kept

    def discard(self) -> None:
        """Deletes the file."""
        if sys.platform == "win32":
            self._lock.close()
        self.path.unlink(missing_ok=True)
        self._lock.close()

    def _rename(self, name: Path) -> None:
        if sys.platform == "win32":  # an open file cannot be renamed
            self._lock.close()
        self.path.replace(name)
        self._lock.close()  # only now, so that nobody takes the file for one that a killed run left

    def _claim(self) -> BinaryIO:
        """The open file, locked for as long as it is open; an empty one is made if there is none."""
        while True:
            file = self.path.open("ab")
            try:
                if not lock(file):
                    raise InputError(
                        f"{self._named} is being written by another agent: end that, or choose another name."
                    )
                if _is_at(file, self.path):
                    return file
            except BaseException:
                file.close()
                raise
            file.close()  # its writer has just put it in its place


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def is_playable(path: Path) -> bool:
    """Makes the best of a file that may be torn; returns whether a player finds a picture in it."""
    try:
        if path.suffix.lower() in (".mp4", ".mov"):
            _cut_torn_fragment(path)
        with av.open(str(path)) as container:
            return any(packet.size for packet in container.demux(video=0))
    except (OSError, av.FFmpegError, IndexError):
        return False


def _cut_torn_fragment(path: Path) -> None:
    """Shortens an MP4 file to whole fragments; one without fragments stays as it is."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        at, fragment = 0, None
        while at + 8 <= end:
            file.seek(at)
            size, kind = struct.unpack(">I4s", file.read(8))
            if kind == b"moof":
                fragment = at
            if fragment is not None and kind in (b"moof", b"mdat") and at + size > end:
                file.truncate(fragment)
            if size < 8:  # the rest of the file, or a size of 64 bits: neither belongs to a fragment
                return
            at += size


def cause(error: Exception) -> str:
    """What went wrong, without the number and the place that come with it."""
    return getattr(error, "strerror", None) or str(error)
