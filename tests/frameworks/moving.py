"""`python moving.py FOLDER A B`: drives a training that pauses in folder A, moves to B, and pauses there.

Everything is the product's but the grid, which turns when the training has written so many lines; the clock does not
matter, on however slow a machine.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from sootprint import settings
from sootprint.engines.book import PAUSED, Book
from sootprint.runner.driving import driven
from sootprint.runner.outlook import Ahead, Outlook

CLEAN, DIRTY, AHEAD = 50.0, 500.0, 400
PAUSE = 20  # steps of a dirty time in both places, worth a pause however long a start takes
# From so many lines on: where it is clean, and after how many pauses, if it is dirty everywhere before.
TURNS = ((0, "a", 0), (5, "a", 1), (12, "b", 0), (20, "b", 3))


class Turning(Outlook):
    """Clean in a, dirty, clean in a, then in b, dirty, and clean in b to the end."""

    def ahead(self, now_s: float) -> Ahead | None:
        """The steps from now on, as they are known."""
        lines = max(_lines(Path(name) / "losses") for name in sys.argv[2:4])
        _, clean, pauses = next(one for one in reversed(TURNS) if lines >= one[0])
        paused = sum(one.code == PAUSED for one in Book(Path(sys.argv[1])).state().segments)
        values = np.full(AHEAD, CLEAN if self._plan.id.endswith(f"/{clean}") else DIRTY)
        if paused < pauses:
            values[:PAUSE] = DIRTY
        return Ahead(values=values, step_s=1.0, index=math.floor(now_s), source="the test")


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def main() -> int:
    """Exit code of the training."""
    book = Book(Path(sys.argv[1]))
    assert book.take(), "another driver lives"
    return driven(book, settings.load(), lambda text: sys.stderr.write(text + "\n"), outlook_of=Turning)


if __name__ == "__main__":
    sys.exit(main())
