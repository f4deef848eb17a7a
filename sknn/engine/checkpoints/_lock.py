"""A lock between processes and threads, which ends with its process however that ends."""

import errno
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

#: errors of operating systems if another process has the lock
TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class FileLock:
    """A lock of the name of a file, taken or not, but never waited for.

    Parameters
    ----------
    path : Path
        Path of a file that is made, and removed when the lock is released.
    """

    def __init__(self, path: Path):
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock; return whether that went well.

        Raises
        ------
        OSError
            If the file cannot be made.
        """
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            if not _try_to_lock(descriptor):
                os.close(descriptor)
                return False
            # Between opening and locking, the holder may have removed the file: a lock on what has
            # no name any more keeps nobody out.
            if _is_file_of(self.path, descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)  # whoever had it has removed the file meanwhile: take the new one

    def give_back(self) -> None:
        """Let others take the lock."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            if fcntl is not None:  # Windows removes no file that is open
                self.path.unlink(missing_ok=True)
            os.close(descriptor)

    def __del__(self) -> None:
        self.give_back()


def _try_to_lock(descriptor: int) -> bool:
    try:
        if fcntl is None:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in TAKEN  # a file system without locks lets everybody in
    return True


def _is_file_of(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
