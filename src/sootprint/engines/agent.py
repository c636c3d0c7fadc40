"""`python -m sootprint.engines.agent`: the far end of the ssh engine; one JSON request in, one JSON answer out.

The far machine keeps each segment in a book of its own, in `HOME/guests`, and starts it with the engine that it would
use for its own jobs. A request that comes twice, because the near end was killed or the line was cut, starts nothing
twice.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import SootprintError
from sootprint.engines import streams
from sootprint.engines.book import FILE_NAME, Book, Plan
from sootprint.settings.targets import Target

if TYPE_CHECKING:
    from sootprint.core.protocols import Engine

GUESTS = "guests"
RECORD = "record.json"
BUSY = "busy"


def answered(home: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer to a request.

    Args:
        home: Folder of this machine's data.
        request: `do` is hello, start, look, pause, send or record; the rest belongs to it.

    Raises:
        SootprintError: A book cannot be read.
        OSError: It cannot be written, or nothing can be started.
    """
    if request["do"] == "hello":
        return {"hello": True}
    book = Book(home / GUESTS / request["id"])
    if request["do"] == "start":
        return _started(book, request)
    if not (book.folder / FILE_NAME).is_file() or not book.state().segments:
        return {"known": False}
    if request["do"] == "record":
        path = book.folder / RECORD
        return {"record": path.read_text(encoding="utf-8") if path.is_file() else None}
    segment = book.state().segments[-1]
    handle = _engine(request).found(book, segment)
    if request["do"] == "pause":
        return {"refusal": handle.pause()}
    if request["do"] == "send":
        handle.send(int(request["number"]))
        return {"sent": True}
    running = handle.is_running()  # looked at first: what the runner wrote before its end is then in the book
    seen = {name: int(count) for name, count in request.get("seen", {}).items()}
    output = streams.packed(streams.written(book.folder, segment.number, seen, whole=not running))
    return {
        "known": True,
        "running": running,
        "code": handle.code(),
        "lines": _lines(book),
        "output": output,
    }


def _started(book: Book, request: Mapping[str, Any]) -> dict[str, Any]:
    """Start a guest, unless it was started before."""
    book.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    if not book.take():
        return {"started": False, "why": BUSY}
    try:
        if not (book.folder / FILE_NAME).is_file():
            given = dict(request["plan"])
            lists = {name: tuple(given[name]) for name in ("command", "arguments")}
            lists["arguments"] += ("--record", str(book.folder / RECORD))
            book.write_plan(Plan(**given | lists))
        if not book.state().segments:
            _engine(request).start(book, resume=bool(request["resume"]))
    finally:
        book.release()
    return {"started": True}


def _engine(request: Mapping[str, Any]) -> Engine:
    """What starts the guest on this machine."""
    from sootprint.engines.local import LocalEngine
    from sootprint.engines.slurm import SlurmEngine

    target = Target(**request["target"])
    if target.engine == "slurm":
        return SlurmEngine(target, apart=True)
    return LocalEngine(target, apart=True)


def _lines(book: Book) -> list[dict[str, Any]]:
    """What the guest's runner told, for the near end's book."""
    return [one for one in book.lines() if one["k"] in ("started", "asked", "deaf", "ended")]


def main() -> int:
    """Exit code; the last line of the output is the answer."""
    from sootprint import settings

    try:
        answer = answered(settings.load().home, json.load(sys.stdin))
    except SootprintError as err:
        answer = {"error": str(err)}
    except OSError as err:
        answer = {"error": f"{err.filename or 'it'}: {err.strerror or err}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
