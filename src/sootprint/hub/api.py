"""API v1: records in, records out. Each route reads its request, calls one function, and shapes the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from sootprint.catalogue.search import search
from sootprint.core.codec import to_dict
from sootprint.core.errors import RecordError
from sootprint.core.ids import is_uuid7
from sootprint.hub import (
    admission,
    asked,
    caching,
    columns,
    corrections,
    formats,
    heap,
    ingest,
    judgement,
    leaderboards,
    reading,
    truth,
)
from sootprint.hub.accounts import Actor
from sootprint.hub.admission import Refused
from sootprint.hub.context import Hub
from sootprint.hub.estimates import Asked, estimated
from sootprint.hub.ingest import Submission
from sootprint.hub.problems import GoneError, NotFoundError
from sootprint.hub.requests import body_of, caller, hub_of, needing
from sootprint.hub.room import BusyError
from sootprint.hub.shapes import (
    BATCH,
    ESTIMATED,
    RECORD,
    RECORDS,
    Assessment,
    BatchAnswer,
    Factors,
    History,
    Validity,
)

MOST_VALIDATED = 100  # records of one request without an account
router = APIRouter(prefix="/api/v1")
MaySubmit = Annotated[Actor, Depends(needing("submit"))]
MayRetract = Annotated[Actor, Depends(needing("submit", "correct"))]
Chosen = Annotated[dict[str, str], Depends(asked.filters)]
KnownOnly = Depends(asked.only_known)
Kind = Annotated[
    str, Query(pattern="^(factors|hardware|zones|regions)$", description="Table of the catalogue.")
]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
Reason = Annotated[str | None, Query(max_length=corrections.MAX_REASON, description="Why it changes.")]
Label = Annotated[str | None, Query(max_length=200)]
Origin = Annotated[str, Query(pattern="^(tool|form|third-party)$", description="Who made the records.")]


@router.post("/footprints", response_model=BatchAnswer, openapi_extra=BATCH)
async def submit(
    request: Request, actor: MaySubmit, key: Key = None, origin: Origin = "tool", reason: Reason = None
) -> Response:
    """Submit one record or a list of up to 5,000, plain or with gzip; sending the same again changes nothing."""
    hub = hub_of(request)
    packed, encoding = await body_of(request), request.headers.get("content-encoding", "").lower()
    submission = Submission(
        actor=actor.name,
        account_id=actor.account_id,
        may_correct_all="correct" in actor.may,
        origin=origin,
        reason=columns.label(reason, corrections.MAX_REASON),
        key=key or None,
    )
    async with hub.at_work.held(admission.size_of(packed, encoding), caller(request.scope)):
        answer = await run_in_threadpool(_take_in, hub, packed, encoding, submission)
    refused_all = answer["rejected"] and not answer["accepted"] and not answer["duplicate"]
    return JSONResponse(answer, status_code=422 if refused_all else 200)


def _take_in(hub: Hub, packed: bytes, encoding: str, submission: Submission) -> dict[str, Any]:
    with heap.relieved(admission.size_of(packed, encoding)):
        answer = ingest.take_in(hub.engine, admission.unpacked(packed, encoding), submission)
    for outcome in ("accepted", "duplicate"):
        hub.metrics.count("sootprint_hub_footprints_total", answer[outcome], outcome=outcome)
    hub.metrics.count("sootprint_hub_footprints_total", len(answer["rejected"]), outcome="rejected")
    return answer


@router.get("/footprints", openapi_extra=RECORDS, dependencies=[KnownOnly])
def footprints(
    request: Request,
    chosen: Chosen,
    limit: asked.Limit = reading.USUAL,
    cursor: asked.Cursor = None,
    order: asked.Order = "newest",
    q: asked.Words = None,
    view: Annotated[str, Query(pattern="^(record|summary)$")] = "record",
) -> Response:
    """Records page by page, the newest first: whole, or as one flat row each with what the hub says of it.

    A page of whole records ends before its limit where they have more than 16 MiB; `next_cursor` goes on.
    """
    engine = hub_of(request).engine
    question = asked.question(chosen, limit=limit, cursor=cursor, order=order, words=q)
    rows, following = reading.page(engine, question)
    if view == "summary":
        items = json.dumps([{name: row[name] for name in formats.COLUMNS} for row in rows]).encode()
    else:
        records, following = reading.whole(engine, question, rows, following)
        items = b"[" + b",".join(records) + b"]"
    tail = json.dumps(following).encode()
    return Response(b'{"items":' + items + b',"next_cursor":' + tail + b"}", media_type="application/json")


@router.get("/footprints.csv", dependencies=[KnownOnly])
def footprints_csv(request: Request, chosen: Chosen, q: asked.Words = None) -> Response:
    """All records that fit, one flat row each, as CSV."""
    engine, question = hub_of(request).engine, asked.question(chosen, limit=reading.MOST, words=q)
    first = reading.page(engine, question)  # what is wrong with the question is said before the first byte

    def lines() -> Iterator[str]:
        yield formats.csv_head()
        for rows in reading.pages(engine, question, first):
            yield formats.csv_rows(rows)

    return _Long(lines(), request, media=formats.MEDIA["csv"], name="footprints.csv")


@router.get("/footprints.jsonl", dependencies=[KnownOnly])
def footprints_jsonl(request: Request, chosen: Chosen, q: asked.Words = None) -> Response:
    """All records that fit, whole, one JSON object a line."""
    engine, question = hub_of(request).engine, asked.question(chosen, limit=reading.MOST, words=q)
    first = reading.page(engine, question)

    def lines() -> Iterator[bytes]:
        for rows in reading.pages(engine, question, first):
            yield from (text + b"\n" for _, text in reading.texts(engine, [row["id"] for row in rows]))

    return _Long(lines(), request, media="application/jsonl", name="footprints.jsonl")


class _Long(StreamingResponse):
    """Answer of many pages, of which few are sent at once.

    Args:
        lines: What is sent.
        request: The request.
        media: Media type.
        name: Name of the file.

    Raises:
        BusyError: As many as may be are being sent.
    """

    def __init__(self, lines: Iterator[Any], request: Request, *, media: str, name: str) -> None:
        self._room, self._who = hub_of(request).exports, caller(request.scope)
        if not self._room.enter(1, self._who):
            raise BusyError("lists of all records are being sent now: come again later, or take a release")
        super().__init__(lines, media_type=media, headers=_file(name))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and make room when it is over, however it ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._room.give(1, self._who)


@router.get("/footprints/{name}", openapi_extra=RECORD)
def footprint(request: Request, name: str, version: asked.AnyVersion = None) -> Response:
    """One record by its id: JSON, or another form after the id.

    `.csv`, `.md`, `.bib`, `.yaml` (model card), `.boamps.json`, `.sci.json`, `.form.md` (EU model documentation) or
    `.checklist.md`; a statement that the record cannot fill is a problem that says what is missing.
    """
    key, _, form = name.partition(".")
    if form and form not in formats.FORMATS:
        raise NotFoundError(f"format {form!r:.20} is not one of {', '.join(formats.FORMATS)}")
    hub, form = hub_of(request), form or "json"
    stored = _stored(hub, key, version)
    if form == "json":
        made = Response(stored.text, media_type=formats.MEDIA[form])
        rule = caching.ASK if version is None else caching.FOREVER
        return caching.kept(request, made, rule, tag=stored.sha256)
    if form == "csv":
        text = formats.csv_record(stored)
    elif form in formats.STATEMENTS:
        text = formats.statement(stored, form)
    else:
        shaped = {"md": formats.markdown, "bib": formats.bibtex, "yaml": formats.model_card}[form]
        text = shaped(stored, hub.address)
    made = Response(
        text, media_type=formats.MEDIA[form.rpartition(".")[2]], headers=_file(f"footprint-{key}.{form}")
    )
    return caching.kept(request, made, caching.ASK)  # it tells what was checked, which changes


@router.get("/footprints/{key}/assessment", response_model=Assessment)
def assessment(request: Request, key: str) -> Response:
    """What the hub says of a record: claimed beside recomputed, grade, checks, marks and history."""
    hub = hub_of(request)
    found = reading.one(hub.engine, key) if is_uuid7(key) else None
    if found is None:
        raise NotFoundError(f"no footprint {key!r:.60}")
    return JSONResponse(judgement.assessment(hub.engine, found))


@router.get("/footprints/{key}/versions", response_model=History)
def versions(request: Request, key: str) -> Response:
    """Versions of a record, the oldest first; one of them is read with `?version=`."""
    hub = hub_of(request)
    listed = reading.history(hub.engine, key) if is_uuid7(key) else []
    if not listed:
        raise NotFoundError(f"no footprint {key!r:.60}")
    return JSONResponse({"items": listed})


@router.delete("/footprints/{key}")
def retract(request: Request, key: str, actor: MayRetract, reason: Reason = None) -> Response:
    """Retract a record for a reason; its versions stay readable, and a mark stands in its place."""
    hub = hub_of(request)
    if not is_uuid7(key):
        raise NotFoundError(f"no footprint {key!r:.60}")
    submission = Submission(
        actor=actor.name,
        account_id=actor.account_id,
        may_correct_all="correct" in actor.may,
        reason=columns.label(reason, corrections.MAX_REASON),
    )
    return JSONResponse({"id": key, "version": corrections.retract(hub.engine, key, submission)})


@router.post("/validate", response_model=Validity, openapi_extra=BATCH)
async def validate(request: Request) -> Response:
    """Check one record or up to 100 without an account; nothing is stored."""
    packed, encoding = await body_of(request), request.headers.get("content-encoding", "").lower()
    size = admission.size_of(packed, encoding)
    async with hub_of(request).at_work.held(size, caller(request.scope)):
        return JSONResponse(await run_in_threadpool(_checked, packed, encoding))


def _checked(packed: bytes, encoding: str) -> dict[str, Any]:
    bad: list[Refused] = []
    previews: list[dict[str, Any]] = []
    with heap.relieved(admission.size_of(packed, encoding)):
        for one in admission.read(admission.unpacked(packed, encoding), _few):
            if isinstance(one, Refused):
                bad.append(one)
            else:
                previews.append({"index": one[0], **judgement.preview(one[1].footprint)})
    return {
        "valid": not bad,
        "rejected": [{"index": one.index, "errors": [one.error]} for one in bad],
        "previews": previews,
    }


def _few(n: int) -> None:
    if n > MOST_VALIDATED:
        raise RecordError(f"{n} records, at most {MOST_VALIDATED} are checked at once")


@router.get("/facets")
def facets(request: Request) -> dict[str, dict[str, int]]:
    """Values of each facet with the number of records that have it, the most frequent first."""
    engine = hub_of(request).engine
    return {name: dict(reading.tallies(engine, name)) for name in columns.FACETS}


@router.get("/factors", response_model=Factors)
def factors(kind: Kind = "factors", q: asked.Words = None) -> Response:
    """What the hub computes with: rows of a table that have all words, each with its source, year and licence."""
    return JSONResponse({"engine": truth.engine(), "items": search(kind, q or "")})


def _stored(hub: Hub, key: str, version: int | None) -> reading.Stored:
    found = reading.one(hub.engine, key, version) if is_uuid7(key) else None
    if found is None:
        raise NotFoundError(f"no footprint {key!r:.60}" + (f", version {version}" if version else ""))
    if found.text is None:
        raise GoneError(f"footprint {key} was retracted: {found.reason}")
    return found


def _file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


@router.post("/estimate", openapi_extra=ESTIMATED)
def estimate(job: Asked) -> Response:
    """Estimate a footprint of hardware, hours and place, without an account; nothing is stored."""
    return JSONResponse(to_dict(estimated(job)))


@router.get("/leaderboards")
def boards(
    request: Request,
    task: Label = None,
    dataset: Label = None,
    metric: Label = None,
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
