"""`python flipping.py FOLDER`: the driver of a plan with places a and b, of which b becomes the cleaner one.

Everything is the product's but the grid, which turns when the job has done so many steps in a: a test of what breaks at
a move needs no clock.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from sootprint import settings
from sootprint.engines.book import Book
from sootprint.runner.driving import driven
from sootprint.runner.outlook import Ahead, Outlook

TURN = 10  # step after which b is cleaner
AHEAD = 500


class Flipping(Outlook):
    """First a is clean, then b."""

    def ahead(self, now_s: float) -> Ahead | None:
        """The same for ever, by what is known now."""
        steps = Path(self._plan.cwd).with_name("a") / "steps"
        turned = steps.exists() and len(steps.read_text().splitlines()) >= TURN
        clean = self._plan.id.endswith("/b") == turned
        values = np.full(AHEAD, 50.0 if clean else 500.0)
        return Ahead(values=values, step_s=1.0, index=math.floor(now_s), source="the test")


def main(folder: str) -> int:
    """Exit code of the job."""
    book = Book(Path(folder))
    assert book.take(), "another driver lives"
    return driven(book, settings.load(), _say, outlook_of=Flipping)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
