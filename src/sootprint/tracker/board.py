"""The board: what the machine's one reader tells the other runs, in files that outlive it."""

from __future__ import annotations

import binascii
import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sootprint.core.lines import encoder
from sootprint.tracker.registration import boot_of

BOARD, FACTS = "board.json", "facts.json"
TABLES = ("lines", "closed")  # by run: a line each, so that a run need not parse those of all the others
_encode = encoder()


class Board:
    """Files beside the reader's lock, whose first line tells whether the rest is whole.

    They are written in their place: to rename over a file costs a disk ten times as much, once a second.

    Args:
        folder: Folder of the reader.
        procfs: Root of the process tree.
    """

    def __init__(self, folder: Path, procfs: str) -> None:
        self._folder = folder
        self._boot = boot_of(procfs)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace what is in a file.

        Raises:
            OSError: It cannot be written; what is there is no board any more, until it can.
        """
        rest = {key: value for key, value in content.items() if key not in TABLES}
        lines = [_encode({"boot": self._boot, **rest})]
        for table in TABLES:
            lines += [_encode([table, run, value]) for run, value in content.get(table, {}).items()]
        data = "\n".join(lines).encode()
        whole = b"%08x %08x\n%b" % (len(data), binascii.crc32(data), data)
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(descriptor, whole)
        finally:
            os.close(descriptor)
        if written != len(whole):
            raise OSError(28, os.strerror(28))

    def read(self, name: str, *, run: str | None = None) -> dict[str, Any] | None:
        """Content of a file of this boot, of the tables that of one run alone where it is named; None where it is none.

        A file that is being written is read once more.
        """
        for _ in range(2):
            with contextlib.suppress(OSError, ValueError, RecursionError, TypeError, AttributeError):
                content = _parsed((self._folder / name).read_bytes(), run)
                return content if content.get("boot") == self._boot else None
        return None

    def clear(self) -> None:
        """Remove what a reader left whose runs have all ended."""
        for name in (BOARD, FACTS):
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()


def _parsed(data: bytes, run: str | None) -> dict[str, Any]:
    """Content of a file.

    Raises:
        ValueError: It is cut, or none of ours.
    """
    size, check = int(data[:8], 16), int(data[9:17], 16)
    data = data[18 : 18 + size]
    if len(data) != size or binascii.crc32(data) != check:
        raise ValueError("half-written")
    head, *lines = data.decode().split("\n")
    content: dict[str, Any] = json.loads(head)
    content |= {table: {} for table in TABLES}
    wanted = tuple(f"{_encode([table, run])[:-1]}," for table in TABLES)
    for line in lines:
        if run is None or line.startswith(wanted):
            table, one, value = json.loads(line)
            content[table][one] = value
    return content
