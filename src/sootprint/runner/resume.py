"""`python -m sootprint.runner.resume FOLDER LOCK`: the driver of a plan whose own has gone, started by `recover`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from sootprint.core.errors import RecordError, SootprintError
from sootprint.engines.book import Book, books

OUTPUT = "output.log"


def left_alone(home: Path) -> tuple[list[Book], list[RecordError]]:
    """Books of plans that are open and that nobody drives, and what is wrong with those that cannot be read.

    This process is the driver of the plans from now on.
    """
    found, failed = [], []
    for book in books(home):
        try:
            if book.state().result is None and book.take():
                found.append(book)
        except RecordError as err:
            failed.append(err)
    return found, failed


def started(book: Book) -> Path:
    """File that gets the output of a plan that is driven on, by a process that outlives this one and takes its lock.

    Raises:
        OSError: It cannot be started.
    """
    path, lock = book.folder / OUTPUT, book.driver_lock
    assert lock is not None
    try:
        with path.open("ab") as output:
            subprocess.Popen(
                [sys.executable, "-m", "sootprint.runner.resume", str(book.folder), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(lock,),
            )
    finally:
        book.release()
    return path


def main(folder: str, lock: int) -> int:
    """Exit code of the job whose driver's lock was handed over."""
    from sootprint import settings
    from sootprint.runner.driving import driven

    book = Book(Path(folder))
    book.adopt(lock)
    try:
        return driven(book, settings.load(), _say)
    except SootprintError as err:
        _say(str(err))
        return 1


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC  {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
