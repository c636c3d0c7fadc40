"""Parameters of lists, as the API and the pages read them from an address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from sootprint.catalogue.names import nearest
from sootprint.core.errors import InputError
from sootprint.hub import reading
from sootprint.hub.reading import Question

PARAMETERS = (*reading.FILTERS, "limit", "cursor", "order", "q", "view")
Text = Annotated[str | None, Query(max_length=200)]


def filters(
    stage: Text = None,
    evidence: Text = None,
    verification: Text = None,
    country: Text = None,
    year: Text = None,
    task: Text = None,
    hardware: Text = None,
    origin: Text = None,
    marked: Text = None,
    project: Text = None,
    scope: Text = None,
    boundary: Text = None,
    zone: Text = None,
    run_group: Text = None,
    model: Text = None,
    dataset: Text = None,
    paper: Text = None,
    architecture: Text = None,
    parent: Text = None,
) -> dict[str, str]:
    """Filters that an address names."""
    given = locals()
    return {name: given[name] for name in reading.FILTERS if given[name]}


def only_known(request: Request) -> None:
    """Nothing where an address has no parameter but those of lists: a slip must not give records that nobody asked for.

    Raises:
        InputError: It has another one.
    """
    for name in request.query_params:
        if name not in PARAMETERS:
            near = nearest(name, PARAMETERS, count=1)[0]
            raise InputError(f"parameter {name!r:.60} is none of a list: the nearest is {near}")


_NUMBER = Query(ge=1, le=(1 << 31) - 1, description="Number of a version.")  # as columns hold it
Version = Annotated[int, _NUMBER]
AnyVersion = Annotated[int | None, _NUMBER]
Limit = Annotated[int, Query(ge=1, le=reading.MOST, description="Records of a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]
Order = Annotated[str, Query(pattern="^(newest|emissions|energy)$")]
Split = Annotated[str | None, Query(max_length=200, description="Split of the data set.")]
Words = Annotated[str | None, Query(max_length=200, description="Words that a record must have.")]


def question(
    chosen: dict[str, str],
    *,
    limit: int = reading.USUAL,
    cursor: str | None = None,
    order: str = "newest",
    words: str | None = None,
) -> Question:
    """Question of the parts of an address."""
    return Question(limit=limit, cursor=cursor, order=order, filters=chosen, words=words)
