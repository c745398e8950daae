"""A file that one process at a time has."""

import errno
import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_BUSY = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
_FAR = 2**31 - 2  # on Windows a locked byte cannot be written: one that nothing reaches


def lock(file: IO[bytes]) -> bool:
    """Locks a file until it is closed, without waiting; false if another has it.

    Where the file system knows no locks, all is well.
    """
    try:
        if sys.platform == "win32":
            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _BUSY
    return True
