"""RUN|FILE: a record by what a person writes, from the ledger, a file or standard input."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sootprint.core.errors import InputError, RecordError

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.ledger import Ledger
    from sootprint.report.kin import Kin


def ledger() -> Ledger:
    """Ledger of this user's home.

    Raises:
        RecordError: It cannot be opened.
        SettingsError: The settings cannot be read.
    """
    from sootprint import settings
    from sootprint.cli.shell import say
    from sootprint.ledger import Ledger

    opened = Ledger(settings.load().home)
    for problem in opened.unreadable:
        say(f"left in the spool, for it is no record: {problem}")
    return opened


def record(ref: str) -> Footprint:
    """Record of a run or file.

    Raises:
        InputError: The file cannot be read.
        RecordError: No run fits, or the text is no record.
    """
    if is_file(ref):
        return parsed(ref, text_of(ref))
    with ledger() as opened:
        return opened.get(ref)


def with_kin(ref: str) -> tuple[Footprint, Kin | None]:
    """Record of a run or file, and the runs around and inside of it where it is one of the ledger's.

    Raises:
        InputError: The file cannot be read.
        RecordError: No run fits, or the text is no record.
    """
    from sootprint.report.kin import kin_of

    if is_file(ref):
        return record(ref), None
    with ledger() as opened:
        found = opened.get(ref)
        return found, kin_of(found, opened.runs())


def text_of(ref: str, *, wanted: str = "a JSON record or a run") -> str:
    """Text of a file, or of standard input for `-`.

    Args:
        ref: The file.
        wanted: What has to be given, for the message.

    Raises:
        InputError: The file cannot be read as UTF-8 text.
    """
    try:
        data = sys.stdin.buffer.read() if ref == "-" else Path(ref).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as err:
        raise InputError(f"{ref} cannot be read: {err.strerror}; give {wanted}") from None
    except UnicodeDecodeError as err:
        raise InputError(f"{ref} is no text in UTF-8 (byte {err.start}); give {wanted}") from None


@contextlib.contextmanager
def opened(ref: str) -> Iterator[TextIO]:
    """Lines of a text file, or of standard input for `-`.

    Raises:
        InputError: The file cannot be opened.
    """
    if ref == "-":
        yield sys.stdin
        return
    try:
        file = Path(ref).open(encoding="utf-8-sig", newline="")  # noqa: SIM115 - only its opening is guarded
    except OSError as err:
        raise InputError(f"{ref} cannot be read: {err.strerror}; give a CSV file") from None
    with file:
        yield file


def parsed(ref: str, text: str) -> Footprint:
    """Record of a JSON text that came from `ref`.

    Raises:
        RecordError: The text is no record; the message begins with the file's name.
    """
    from sootprint.core.records import Footprint

    try:
        return Footprint.from_json(text)
    except RecordError as err:
        raise RecordError(f"{ref}: {err}") from None


def is_file(ref: str) -> bool:
    """Whether a text means a file: a dash, a path that begins as one, a name that ends in .json, or one that is there.

    Names of runs may hold a slash, as in bert/base.
    """
    if ref == "-" or ref.startswith(("/", "./", "../")) or ref.endswith(".json"):
        return True
    return os.path.isfile(ref)  # noqa: PTH113 - a text too long for a name is none
