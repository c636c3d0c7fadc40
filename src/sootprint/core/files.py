"""Files that appear whole or not at all, and what cannot be written told before any work is done for it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from sootprint.core.errors import InputError, SootprintError

_REFUSED = (FileExistsError, FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


def writable(path: Path) -> Path:
    """The path of a file, which can be made or replaced by what is known now.

    Raises:
        InputError: It is a folder, its folder is not there, or may not be written.
    """
    try:
        return _writable(path)
    except OSError as err:  # a name that is too long, a folder above that may not be entered
        raise InputError(f"{path!s:.200} cannot be written: {err.strerror}; name another file") from None


def _writable(path: Path) -> Path:
    real = _real(path)
    if real.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder; name a file in it")
    if not real.parent.is_dir():
        raise InputError(
            f"{path} cannot be written: {real.parent} is no folder; name a file in a folder that is there"
        )
    if not os.access(real if _is_stream(path) else real.parent, os.W_OK):
        raise InputError(f"{path} cannot be written: Permission denied; name a file in a folder that can")
    return path


def writable_folder(path: Path) -> Path:
    """The path of a folder, which is there or can be made, and may be written.

    Raises:
        InputError: It is a file, lies in one, or may not be made or written.
    """
    above = [one for one in (path.absolute(), *path.absolute().parents) if one.exists()]
    if not above:
        raise InputError(
            f"{path} cannot be written: there is no drive {path.absolute().anchor}; name another"
        )
    there = above[0]
    if not there.is_dir():
        raise InputError(f"{path} cannot be written: {there} is a file; name a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: Permission denied in {there}; name a folder that can")
    return path


def write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all; a device such as /dev/stdout is written in place; raises as `write_parts`."""
    write_parts(path, (data,))


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file part by part, whole or not at all; a device such as /dev/stdout is written in place.

    Raises:
        InputError: The path cannot be written as named.
        SootprintError: Writing failed, e.g. on a full disk; what was there before is as it was.
    """
    real = _real(path)
    draft = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        if _is_stream(path):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as stream:
                stream.writelines(parts)
            return
        with draft.open("wb") as stream:
            stream.writelines(parts)
        draft.replace(real)
    except _REFUSED as err:
        raise InputError(
            f"{path} cannot be written: {err.strerror}; name a file in a folder that can"
        ) from None
    except OSError as err:
        raise SootprintError(f"{path} was not written: {err.strerror or err}") from err
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def put(path: Path, data: bytes, *, mode: int = 0o666, forces: bool = False) -> None:
    """Put a file in the place of what was there, whole or not at all.

    Args:
        path: The file, in a folder that is there.
        data: What is in it.
        mode: Who may read and write it, before the user's mask.
        forces: Whether it is on the disk when this returns, so that a power cut leaves it, too.

    Raises:
        OSError: It cannot be written; what was there before is as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        opener = partial(os.open, mode=mode)
        with open(draft, "wb", opener=opener) as stream:
            stream.write(data)
            if forces:
                stream.flush()
                os.fsync(stream.fileno())
        draft.replace(path)
        if forces:
            forced(path.parent)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def forced(path: Path) -> None:
    """Force a file, or a folder's names, to the disk; a file system that cannot is left to itself."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _real(path: Path) -> Path:
    """The file that a name or a link stands for: the link stays, and what it leads to is replaced."""
    return Path(os.path.realpath(path))


def _is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe, or an open file of this process such as /dev/stdout."""
    folder = Path(os.path.realpath(path.parent))
    return path.exists() and (not path.is_file() or folder == Path("/dev") or folder.name == "fd")
