"""A cluster's history: jobs of Slurm as `sacct --parsable2` or `sacct --json` prints them.

Each job that has ended is a record: what it was given, for how long, how it ended (tag `state`), and the energy where
the site has an energy plug-in, counted once. Without, the hardware and hours are there to be estimated. Users, accounts
and nodes are pseudonyms, or left out; folders in names of jobs are.

Source:
    SchedMD, sacct(1) of Slurm 22.05 to 25.05.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from typing import TextIO

from sootprint.core.records import Footprint
from sootprint.importers.base import FAULTS, Imported, Names, gathered, nobody
from sootprint.importers.slurm_sacct import records, rows, tree
from sootprint.importers.slurm_sacct.records import NAME

__all__ = ["NAME", "each", "is_head", "is_tree", "opened", "read"]

is_head = rows.is_head
is_tree = tree.is_tree
MOST_PART = 1 << 16  # characters that are read at once, so that a line without an end needs no more memory


def read(text: str, name: str, names: Names = nobody) -> Imported:
    """Records of the jobs in a text.

    Raises:
        InputError: It holds no job, or no output of sacct that can be read.
    """
    return gathered(NAME, name, opened(text, io.StringIO(), name, names))


def opened(
    head: str, rest: TextIO, name: str, names: Names = nobody
) -> Iterator[tuple[str, Footprint | str]]:
    """Place and record of each job of a text, or why it became none, one at a time; raises as `read`.

    Args:
        head: Begin of the text, of any length.
        rest: What follows it.
        name: Name of the file, for messages.
        names: Pseudonyms of users, accounts and nodes.
    """
    if head.lstrip().startswith("{"):
        parts = itertools.chain((head,), iter(lambda: rest.read(MOST_PART), ""))
        return _made(tree.jobs(parts, name), names)
    return each(_lines(head, rest), name, names)


def each(lines: Iterable[str], name: str, names: Names = nobody) -> Iterator[tuple[str, Footprint | str]]:
    """Place and record of each job of some lines, or why it became none, one at a time; raises as `read`."""
    return _made(rows.jobs(lines, name), names)


def _lines(head: str, rest: TextIO) -> Iterator[str]:
    """Lines of a text of which the head was read; one that is too long comes in parts."""
    yield from io.StringIO(head + rest.readline(MOST_PART), newline="")
    yield from iter(lambda: rest.readline(MOST_PART), "")


def _made(jobs: Iterator[rows.Job | tuple[str, str]], names: Names) -> Iterator[tuple[str, Footprint | str]]:
    known: set[str] = set()
    for job in jobs:
        if not isinstance(job, rows.Job):
            yield job
            continue
        try:
            made = records.of(job, names)
        except FAULTS as err:
            yield job.where, str(err)
            continue
        if made.id in known:
            yield job.where, "the same job with the same start stands above: it is counted once"
            continue
        known.add(made.id)
        yield job.where, made
