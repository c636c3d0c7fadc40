"""A page as data: what it is called, what it says, and its parts, each a drawing, a table, records or a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sootprint.hub.drawings import Drawing


class Link(NamedTuple):
    """A text that leads somewhere, with a smaller one below it."""

    text: str
    to: str
    small: str = ""
    current: bool = False


Cell = str | Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table.

    Args:
        caption: What it shows.
        columns: Titles.
        rows: Cells; the first of each row is its name.
        numbers: Columns of numbers, set to the right.
        total: Whether the last row is the sum of the others.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: Sequence[int] = ()
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a page.

    Args:
        title: Heading, or nothing.
        says: Paragraphs; the first is the finding.
        drawing: Chart, whose twin is the table.
        grid: Table.
        records: Records of a list, with `caption`.
        caption: What the list of records shows.
        items: List.
        folded: Whether the table stands behind a summary.
    """

    title: str = ""
    says: Sequence[str] = ()
    drawing: Drawing | None = None
    grid: Grid | None = None
    records: Sequence[dict[str, Any]] = ()
    caption: str = ""
    items: Sequence[Cell] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A page.

    Args:
        title: Its heading.
        lead: What it is about, in one or two sentences.
        above: Way to it.
        choices: What can be chosen, by its label.
        figures: Headline: label, value and note.
        parts: Parts in their order.
        actions: Buttons.
    """

    title: str
    lead: str = ""
    above: Sequence[Link] = ()
    choices: Sequence[tuple[str, Sequence[Link]]] = ()
    figures: Sequence[tuple[str, str, str]] = ()
    parts: Sequence[Part] = ()
    actions: Sequence[Link] = field(default_factory=tuple)


def counted(n: int, one: str, *, none: str = "0") -> str:
    """Number of things in words.

    >>> counted(1, "footprint"), counted(1_200, "footprint"), counted(0, "footprint", none="no")
    ('1 footprint', '1,200 footprints', 'no footprints')
    """
    return f"{n or none if n < 1 else format(n, ',')} {one}{'' if n == 1 else 's'}"


def link(text: str, path: str, small: str = "", **given: Any) -> Link:
    """A link with parameters.

    >>> link("all", "/trends", measure="energy").to
    '/trends?measure=energy'
    """
    known = {name: value for name, value in given.items() if value not in (None, "")}
    return Link(text, f"{path}?{urlencode(known)}" if known else path, small)


def options(
    path: str, name: str, values: Sequence[tuple[str | None, str]], given: dict[str, Any]
) -> list[Link]:
    """Links that set one parameter of an address, the one that is set being marked."""
    found = []
    for value, text in values:
        made = link(text, path, **{**given, name: value})
        found.append(made._replace(current=given.get(name) == value))
    return found
