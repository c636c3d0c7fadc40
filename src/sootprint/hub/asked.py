"""Parameters of lists, as the API and the pages read them from an address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from sootprint.hub import reading
from sootprint.hub.reading import Question

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
) -> dict[str, str]:
    """Filters that an address names."""
    given = locals()
    return {name: given[name] for name in reading.FILTERS if given[name]}


Limit = Annotated[int, Query(ge=1, le=reading.MOST, description="Records of a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]
Order = Annotated[str, Query(pattern="^(newest|emissions|energy)$")]
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
