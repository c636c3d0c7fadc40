"""The board: what the machine's one reader tells the other runs, in files that outlive it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BOARD, FACTS = "board.json", "facts.json"


class Board:
    """Files beside the reader's lock, each replaced at once, so that none is ever read half-written.

    Args:
        folder: Folder of the reader.
        procfs: Root of the process tree.
    """

    def __init__(self, folder: Path, procfs: str) -> None:
        self._folder = folder
        self._boot = boot_of(procfs)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file.

        Raises:
            OSError: It cannot be written; the old one is as it was.
        """
        draft = self._folder / f".{name}.{os.getpid()}"
        data = json.dumps({"boot": self._boot, **content}, separators=(",", ":")).encode()
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(descriptor, data)
        finally:
            os.close(descriptor)
        if written != len(data):
            raise OSError(28, os.strerror(28))
        draft.replace(self._folder / name)

    def read(self, name: str) -> dict[str, Any] | None:
        """Content of a file of this boot; None where there is none or it is no such file."""
        try:
            content = json.loads((self._folder / name).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) and content.get("boot") == self._boot else None

    def clear(self) -> None:
        """Remove what a reader left whose runs have all ended."""
        for name in (BOARD, FACTS):
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()


def boot_of(procfs: str) -> str:
    """Identity of this boot: the monotonic clock of another one tells nothing."""
    try:
        return (Path(procfs) / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
