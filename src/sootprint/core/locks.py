"""Locks between processes, on a file or folder that is open."""

from __future__ import annotations

import errno
import time

LOOK_S = 0.02
# Of a file system without locks, such as a Lustre that was mounted so, and of a folder on NFS, which no one may write.
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EBADF)


def taken(descriptor: int, limit_s: float = 0.0) -> bool:
    """Whether this process has the lock of an open file or folder, waited for at most `limit_s` [s].

    It is given back when the descriptor is closed. Where the system or the file system has no such lock, nobody has it.
    """
    try:
        import fcntl
    except ImportError:
        return True
    until_s = time.monotonic() + limit_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            pass
        except OSError as err:
            if err.errno in NO_LOCKS:
                return True
            raise
        if time.monotonic() >= until_s:
            return False
        time.sleep(LOOK_S)
