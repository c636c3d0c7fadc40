"""How far a long command is, shown on a terminal while it works."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from sootprint.cli import output

EVERY_S = 0.1  # between two drawings


@contextlib.contextmanager
def shown(first: str) -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Two calls, for the name of a part and for steps done of all; they tell nobody where there is no terminal.

    Args:
        first: Name of the first part.
    """
    if not sys.stderr.isatty():
        yield (lambda _: None), (lambda _, __: None)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=output.console(stderr=True), transient=True) as bar:
        task, told_s = bar.add_task(first, total=None), 0.0

        def step(done: int, total: int) -> None:
            nonlocal told_s
            if (at_s := time.monotonic()) - told_s >= EVERY_S:
                told_s = at_s
                bar.update(task, completed=done, total=total)

        yield (lambda name: bar.reset(task, total=None, description=name)), step
