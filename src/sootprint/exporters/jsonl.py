"""Records as JSON, one a line, at the end of a file: what `sootprint import`, `survey` and any script read."""

from __future__ import annotations

import json
from pathlib import Path

from sootprint.core.records import Footprint
from sootprint.exporters.lines import Form, add, target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings import Settings

START = b'{"'  # a file that another program indented begins otherwise


def opened(at: str, settings: Settings) -> JsonLines:
    """Exporter to a file of JSON lines.

    Raises:
        InputError: It cannot be written.
    """
    return JsonLines(target(at))


class JsonLines:
    """A file to which each record is added as one line of JSON."""

    name = "jsonl"

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, footprint: Footprint) -> None:
        """Add the line of a record, unless the file has the same one.

        Raises:
            ExportError: The file cannot be written, or is no file of records.
        """
        line = footprint.to_json().encode("utf-8", "replace") + b"\n"
        add(self._path, line, Form("JSON lines", b"", _is_ours, _is_whole))


def _is_ours(piece: bytes) -> bool:
    return piece.startswith(START) or START.startswith(piece)


def _is_whole(last: bytes) -> bool:
    try:
        return isinstance(json.loads(last), dict)
    except (ValueError, RecursionError):
        return False
