"""API v1 beside the records: estimates and leaderboards."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from sootprint.core.codec import to_dict
from sootprint.hub import asked, leaderboards
from sootprint.hub.estimates import Asked, estimated
from sootprint.hub.requests import hub_of
from sootprint.hub.shapes import ESTIMATED

router = APIRouter(prefix="/api/v1")
Name = Annotated[str | None, Query(max_length=200)]


@router.post("/estimate", openapi_extra=ESTIMATED)
def estimate(asked: Asked) -> Response:
    """Estimate a footprint of hardware, hours and place, without an account; nothing is stored."""
    return JSONResponse(to_dict(estimated(asked)))


@router.get("/leaderboards")
def boards(
    request: Request,
    task: Name = None,
    dataset: Name = None,
    metric: Name = None,
    split: asked.Split = None,
    weak: bool | None = None,
    cursor: asked.Cursor = None,
) -> dict[str, Any]:
    """Leaderboards there are; with task, dataset and metric, the entries of one and who is on its fronts.

    Without a split it is that of results that do not tell theirs, else the one with the most; `split` says which.
    Without `weak` they are those of evidence A to C without marks, else all; `weak` says which. They are 5,000 at
    most, the best first; `next_cursor` goes on.
    """
    engine = hub_of(request).engine
    if task is None or metric is None:
        return {"items": [asdict(one) for one in leaderboards.boards(engine)]}
    names, splits = leaderboards.chosen(engine, leaderboards.Names(task, dataset or "", metric), split)
    after = leaderboards.Last.of(cursor) if cursor else None
    found, all_in = leaderboards.best_known(engine, names, weak=weak, after=after)
    return {"split": names.split, "splits": dict(splits), "weak": all_in, **asdict(found)}
