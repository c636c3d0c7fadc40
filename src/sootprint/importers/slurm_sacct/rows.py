"""Rows of sacct's text, job by job: a job's row, and those of its steps that follow it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sootprint.core.errors import InputError
from sootprint.importers.base import MOST_CELL, twice

Cells = dict[str, str]
_FREE = ("jobname", "comment", "admincomment", "systemcomment", "submitline", "workdir", "extra")
_MARKS = "|;,\t"  # the first is sacct's own
WANTED = (
    "JobID,JobName,Cluster,Account,User,Partition,State,ExitCode,Submit,Start,End,ElapsedRaw,AllocNodes,AllocCPUS,"
    "AllocTRES,NodeList,ConsumedEnergyRaw"
)
COMMAND = (
    f"SLURM_TIME_FORMAT=%s sacct --parsable2 --allusers --duplicates --starttime=2024-01-01 --format={WANTED}"
)


class Job(NamedTuple):
    """A job as the rows tell it.

    Args:
        where: Place of its row, e.g. line 7.
        cells: Cells of its row by the names of the columns, in small letters.
        steps: Cells of the rows of its steps.
    """

    where: str
    cells: Cells
    steps: tuple[Cells, ...]


def is_head(line: str) -> bool:
    """Whether a line is the head of sacct's output.

    >>> is_head("JobID|State|ElapsedRaw"), is_head("jobid,hours,hardware")
    (True, False)
    """
    names = {name.strip(' "') for name in _split(line.lower(), _mark(line))}
    if len(names) < 2:
        names = set(line.lower().split())  # for the eye, with blanks between its columns
    return bool(names & {"jobid", "jobidraw"}) and bool(
        names & {"elapsed", "elapsedraw", "alloctres", "consumedenergyraw", "exitcode", "alloccpus"}
    )


def _mark(head: str) -> str:
    return max(_MARKS, key=head.count)


def _split(line: str, mark: str) -> list[str]:
    return line.rstrip("\r\n").split(mark)


def jobs(lines: Iterable[str], name: str) -> Iterator[Job | tuple[str, str]]:
    """Jobs of the lines of a text, one at a time, or the place of a row that is none and the reason.

    Raises:
        InputError: The head lacks a column that is needed, or has no marks between its columns.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    number, head = next(numbered, (1, ""))
    mark = _mark(head)
    columns = [column.strip().lower() for column in _split(head, mark)]
    _check_head(columns, name)
    at: Job | None = None
    steps: list[Cells] = []
    for number, line in numbered:
        found = cells(line, columns, mark)
        if isinstance(found, str):
            yield f"line {number}", found
        elif "." not in found["jobid"]:
            if at is not None:
                yield at._replace(steps=tuple(steps))
            at, steps = Job(f"line {number}", found, ()), []
        elif at is not None and found["jobid"].partition(".")[0] == at.cells["jobid"]:
            steps.append(found)
        else:
            yield f"line {number}", f"step {found['jobid']:.40} stands without its job: export whole jobs"
    if at is not None:
        yield at._replace(steps=tuple(steps))


def _check_head(columns: list[str], name: str) -> None:
    if not any(column.startswith("jobid") for column in columns):
        raise InputError(
            f"{name} does not begin with the head of sacct's output: leave --noheader out, as in `{COMMAND}`"
        )
    if len(columns) < 2:
        raise InputError(
            f"{name} is sacct's table for the eye, which cuts its cells: add --parsable2, as in `{COMMAND}`"
        )
    again = twice(column for column in columns if column)
    if again is not None:
        raise InputError(f"{name}: column {again!r:.40} stands twice in the head: leave one")
    if "jobid" not in columns or not {"elapsed", "elapsedraw"} & set(columns):
        lacks = "JobID" if "jobid" not in columns else "ElapsedRaw"
        raise InputError(f"{name} has no column {lacks}: export it again, as in `{COMMAND}`")


def cells(line: str, columns: list[str], mark: str) -> Cells | str:
    """Cells of a line by column, or what is wrong with it; a mark in the one free text of a row is its own."""
    parts = _split(line, mark)
    more = len(parts) - len(columns)
    free = [index for index, column in enumerate(columns) if column in _FREE]
    if more > 0 and len(free) == 1:
        at = free[0]
        parts[at : at + more + 1] = [mark.join(parts[at : at + more + 1])]
    if len(parts) != len(columns):
        return f"it has {len(parts)} cells where the head has {len(columns)}: it was cut off or written over"
    if "\0" in line:
        return "it has a null byte: it was written over"
    if len(line) > MOST_CELL:
        return f"it has more than {MOST_CELL:,} characters: leave long columns out of --format"
    return {column: part.strip() for column, part in zip(columns, parts, strict=True) if column}
