"""Jobs that wait for a cleaner time, as the books of their plans tell; whoever looks takes nothing from a driver."""

from __future__ import annotations

import contextlib
import json
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from sootprint.core.errors import RecordError
from sootprint.core.instants import stamp
from sootprint.core.quantity import Quantity
from sootprint.engines.book import Book, State, open_books

FILE_NAME = "waits.json"  # what the driver foresees, written anew at each step that it decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A job that waits.

    Args:
        plan: Identity of its plan, the tag `plan` of its runs.
        name: Name of its runs, or None.
        command: Program and arguments, as one line of a shell.
        made: When it was given, ISO 8601 UTC.
        begin: When it starts as it looks now, ISO 8601 UTC; None where nobody tells, or where that is now.
        latest: When it starts at the latest, ISO 8601 UTC.
        deadline: When it must have ended, ISO 8601 UTC.
        starts: How often it was started before and paused.
        zone: Grid zone whose hours decide, or None.
        slurm: Number of its job in Slurm, or None.
        is_driven: Whether a process starts it then; else `sootprint recover` does.
        saving_share: Share of the emissions of running at once that waiting is expected to save [1].
        saving_kg: The same in kilograms, before PUE; None where nothing tells the power of the job [kgCO2e].
        source: Who told the hours ahead.
    """

    plan: str
    name: str | None
    command: str
    made: str
    begin: str | None
    latest: str
    deadline: str
    starts: int
    zone: str | None
    slurm: str | None
    is_driven: bool
    saving_share: Quantity | None = None
    saving_kg: Quantity | None = None
    source: str | None = None


def waiting(home: Path) -> list[Wait]:
    """Jobs of a home that wait, the earliest given first; a book that cannot be read is left out."""
    found = []
    for book in open_books(home):
        with contextlib.suppress(RecordError):
            state = book.state()
            if _waits(book, state):
                found.append(_wait(book, state))
    return found


def _waits(book: Book, state: State) -> bool:
    """Whether a job neither runs nor has ended."""
    segment = state.open_segment
    if segment is None:
        return state.result is None and state.ended_with is None
    if segment.slurm is not None or segment.target:
        return segment.job is None and segment.slurm is not None
    return not book.is_running(segment)


def _wait(book: Book, state: State) -> Wait:
    plan, told, segment = state.plan, _told(book), state.open_segment
    begin = told.get("begin")
    if segment is not None and segment.begin_s is not None:
        begin = stamp(segment.begin_s)
    return Wait(
        plan=plan.id,
        name=_name(plan.arguments),
        command=shlex.join(plan.command),
        made=stamp(plan.made_s),
        begin=begin,
        latest=stamp(state.latest_s),
        deadline=stamp(plan.deadline_s),
        starts=sum(one.code is not None for one in state.segments),
        zone=plan.zone,
        slurm=segment.slurm if segment is not None else None,
        is_driven=book.is_driven(),
        saving_share=_quantity(told.get("saving_share")),
        saving_kg=_quantity(told.get("saving_kg")),
        source=told.get("source"),
    )


def _told(book: Book) -> dict[str, Any]:
    """What the driver foresaw last; nothing where none has, or of a plan that has been driven by an older version."""
    try:
        told = json.loads((book.folder / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _quantity(told: Any) -> Quantity | None:
    try:
        return None if told is None else Quantity(**told)
    except (TypeError, RecordError):  # of another version
        return None


def _name(arguments: tuple[str, ...]) -> str | None:
    """Value of `--name` among the options of a plan's runs."""
    return next((value for option, value in pairwise(arguments) if option == "--name"), None)
