"""Whole lines at the end of a file that several processes write: each once, none torn by a full disk or a kill.

A process that is killed in the middle of a write leaves a piece of a line. Its record still waits in an outbox, so
the next writer takes the piece away before it writes. What is no line of ours is never touched.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sootprint.core.errors import ExportError, InputError
from sootprint.core.files import forced, writable
from sootprint.core.locks import taken

LOCK_S = 20.0  # longest wait for others that write [s]
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Form(NamedTuple):
    """What the lines of a file look like.

    Args:
        title: What such a file is called, for messages.
        head: First line, with its end; empty where there is none.
        is_ours: Whether a piece of a line, without its end, begins as ours do.
        is_whole: Whether the last line, without its end, lacks nothing but that.
    """

    title: str
    head: bytes
    is_ours: Callable[[bytes], bool]
    is_whole: Callable[[bytes], bool]


def target(at: str) -> Path:
    """Path of a file to which lines can be added, by what is known now.

    Raises:
        InputError: It cannot.
    """
    path = Path(at)
    if not os.path.exists(path):  # noqa: PTH110 - it is False where nobody may look, and `writable` says why
        return writable(path)
    if not path.is_file():
        raise InputError(f"{path} is no file: name a file to which lines can be added")
    if not os.access(path, os.R_OK | os.W_OK):
        raise InputError(f"{path} cannot be written: Permission denied; name a file that can")
    return path


def add(path: Path, line: bytes, form: Form) -> None:
    """Add a line to the end of a file, unless the file has it.

    Args:
        path: The file; made where it is missing.
        line: The line, with its end.
        form: What the lines of the file look like.

    Raises:
        ExportError: It cannot be written, or is no such file; what was in it is as it was.
    """
    try:
        with _locked(path) as descriptor:
            size = os.fstat(descriptor).st_size
            with _bytes(descriptor, size) as content:
                kept, missing = _kept(path, content, form)
                there = kept and _holds(content, line, kept)
            if there and kept == size and not missing:
                return
            if kept < size:
                os.ftruncate(descriptor, kept)
            text = missing if there else missing + (line if kept else form.head + line)
            _write(descriptor, text, kept)
            if not size:
                forced(path.parent)  # it may be new
    except OSError as err:
        raise ExportError(f"{path} cannot be written: {err.strerror or err}") from err


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The open file, which this process alone writes; of a file that was replaced meanwhile the new one."""
    while True:
        descriptor = os.open(path, _FLAGS, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ExportError(f"{path} is no file: name a file to which lines can be added")
            if not taken(descriptor, LOCK_S):
                raise ExportError(f"{path} has been locked by another program for {LOCK_S:.0f} s")
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    yield descriptor
                    return
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _bytes(descriptor: int, size: int) -> Iterator[mmap.mmap | bytes]:
    """Content of an open file, which is not read into memory where the file system can map it."""
    try:
        mapped = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if size else None
    except (OSError, ValueError):
        yield os.pread(descriptor, size, 0)
        return
    if mapped is None:
        yield b""
        return
    with mapped:
        yield mapped


def _kept(path: Path, content: mmap.mmap | bytes, form: Form) -> tuple[int, bytes]:
    """Bytes of a file that stay, and what its last line lacks.

    Raises:
        ExportError: The file is another one than ours.
    """
    size = len(content)
    if not size or (size < len(form.head) and form.head.startswith(content[:])):
        return 0, b""  # a head that was cut off, too
    if content[: len(form.head)] != form.head or not form.is_ours(content[len(form.head) :][:64]):
        raise ExportError(f"{path} begins with another line than {form.title} of ours: name another file")
    if content[size - 1 : size] == b"\n":
        return size, b""
    start = content.rfind(b"\n") + 1
    last = content[start:size]
    if form.is_whole(last):
        return size, b"\n"
    if not form.is_ours(last):
        raise ExportError(
            f"{path} ends in the middle of a line that is not ours: mend it, or name another file"
        )
    return start, b""


def _holds(content: mmap.mmap | bytes, line: bytes, end: int) -> bool:
    """Whether a line stands in the first bytes of a file; the last one may lack its end."""
    place = -1
    while (place := content.find(line[:-1], place + 1, end)) >= 0:
        after = place + len(line) - 1
        if (place == 0 or content[place - 1 : place] == b"\n") and content[after : after + 1] in (b"\n", b""):
            return True
    return False


def _write(descriptor: int, text: bytes, before: int) -> None:
    """Write to the end of a file, all or nothing; the disk has it when this returns.

    Raises:
        OSError: It could not be written, and the file is as long as it was.
    """
    try:
        written = 0
        while written < len(text):
            written += os.write(descriptor, text[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise
