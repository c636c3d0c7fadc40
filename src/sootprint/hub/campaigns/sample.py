"""A list of papers and a sample of it: stratified, seeded, the same on every machine and in every order of the list."""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sootprint.core.errors import InputError

MAX_LISTED = 1_000_000
ABOUT = ("title", "authors", "year", "task", "model", "doi", "arxiv")
FILLED = ("hardware", "count", "hours", "zone")  # what the paper tells, for the form
COLUMNS = (*ABOUT, *FILLED, "email")
ALLOCATIONS = ("proportional", "equal")
MAX_CELL = 200
KEY_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper of the list.

    Args:
        key: Hash of its DOI, else its arXiv number, else its title.
        stratum: Values of the columns that make the strata.
        told: What the list says of it, without the address of its author.
        email: Address of its author; it is in the mail, and in no database.
    """

    key: str
    stratum: str
    told: dict[str, str]
    email: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of papers, each once.

    Args:
        papers: Papers by key.
        repeated: Rows that name a paper which stood above [1].
    """

    papers: list[Paper]
    repeated: int


def read(path: Path, strata: Sequence[str] = ()) -> Listing:
    """Papers of a CSV file with a header.

    Args:
        path: The file; a `title` is needed, the other columns are `COLUMNS` and whatever makes strata.
        strata: Columns whose values make the strata.

    Raises:
        InputError: The file cannot be read, has no titles, or lacks a column of the strata.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"{path} cannot be read as a list of papers: {err}") from None
    rows = csv.DictReader(io.StringIO(text))
    names = [name.strip().casefold() for name in rows.fieldnames or ()]
    for needed in ("title", *strata):
        if needed not in names:
            raise InputError(f"{path} has no column {needed!r}: its columns are {', '.join(names) or 'none'}")
    papers: dict[str, Paper] = {}
    n = 0
    for n, row in enumerate(rows, start=1):
        cells = {name: _cell(value) for name, value in zip(names, row.values(), strict=False)}
        if not cells["title"]:
            raise InputError(f"{path}, row {n + 1}: the title is empty")
        paper = _paper(cells, strata)
        papers.setdefault(paper.key, paper)
        if n > MAX_LISTED:
            raise InputError(f"{path} has more than {MAX_LISTED:,} rows: take a part of it")
    if not papers:
        raise InputError(f"{path} lists no paper")
    return Listing(papers=[papers[key] for key in sorted(papers)], repeated=n - len(papers))


def drawn(papers: Sequence[Paper], n: int, *, seed: int, allocation: str = "proportional") -> list[Paper]:
    """Sample of a list, drawn in each stratum on its own.

    Args:
        papers: The list, sorted by key.
        n: Size of the sample; all where the list is shorter.
        seed: Seed of the draw.
        allocation: proportional to the strata's sizes, or equal.

    Raises:
        InputError: The size or the allocation cannot be used.
    """
    if n < 1:
        raise InputError(f"the sample has {n} papers: draw at least 1")
    if allocation not in ALLOCATIONS:
        raise InputError(f"allocation {allocation!r:.40} is not one of {', '.join(ALLOCATIONS)}")
    strata: dict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        strata[paper.stratum].append(paper)
    sizes = {name: len(strata[name]) for name in sorted(strata)}
    weights = sizes if allocation == "proportional" else dict.fromkeys(sizes, 1)
    chosen: list[Paper] = []
    for name, part in allotted(min(n, len(papers)), sizes, weights).items():
        chosen += random.Random(f"{seed}\n{name}").sample(strata[name], part)
    return chosen


def allotted(n: int, sizes: dict[str, int], weights: dict[str, int]) -> dict[str, int]:
    """How many to draw of each stratum: by its weight, at most its size, by largest remainders.

    >>> allotted(10, {"a": 60, "b": 30, "c": 1}, {"a": 60, "b": 30, "c": 1})
    {'a': 7, 'b': 3, 'c': 0}
    >>> allotted(10, {"a": 60, "b": 30, "c": 1}, {"a": 1, "b": 1, "c": 1})
    {'a': 5, 'b': 4, 'c': 1}
    """
    parts = dict.fromkeys(sizes, 0)
    left, open_ones = min(n, sum(sizes.values())), dict(weights)
    while full := [
        name for name, weight in open_ones.items() if _exceeds(left, weight, open_ones, sizes[name])
    ]:
        for name in full:
            parts[name] = sizes[name]
            del open_ones[name]
        left = min(n, sum(sizes.values())) - sum(parts.values())
    total = sum(open_ones.values())
    quotas = {name: divmod(left * weight, total) for name, weight in open_ones.items()}
    more = left - sum(whole for whole, _ in quotas.values())
    first = sorted(quotas, key=lambda name: (-quotas[name][1], name))[:more]
    return parts | {name: whole + (name in first) for name, (whole, _) in quotas.items()}


def _exceeds(left: int, weight: int, open_ones: dict[str, int], size: int) -> bool:
    """Whether a stratum's share of what is left is more than it has."""
    return left * weight > size * sum(open_ones.values())


def _paper(cells: dict[str, str], strata: Sequence[str]) -> Paper:
    known = cells.get("doi") or cells.get("arxiv") or cells["title"]
    key = hashlib.sha256(" ".join(known.casefold().split()).encode()).hexdigest()[:KEY_LENGTH]
    told = {name: cells[name] for name in (*ABOUT, *FILLED) if cells.get(name)}
    stratum = ", ".join(cells[name] or "not known" for name in strata) or "all"
    return Paper(key=key, stratum=stratum[:MAX_CELL], told=told, email=cells.get("email", ""))


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:MAX_CELL]
