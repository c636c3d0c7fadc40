"""The form behind a signed link, which needs no account, and the page of the campaigns."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from sootprint.core.errors import InputError, SootprintError
from sootprint.core.ids import is_uuid7, uuid7
from sootprint.core.records import Footprint, Paper
from sootprint.hub import forms, ingest, reading, views
from sootprint.hub.campaigns import store
from sootprint.hub.campaigns.status import status, told
from sootprint.hub.context import Hub
from sootprint.hub.problems import NotFoundError, status_of
from sootprint.hub.rendering import form_page, render, sealed_fields
from sootprint.hub.requests import hub_of, slow_down
from sootprint.hub.secrets import mac, same

FIELDS = (*forms.ESTIMATE, *forms.ABOUT)
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/campaigns")
def campaigns(request: Request) -> Response:
    """Campaigns with their response rates."""
    engine = hub_of(request).engine
    shown = [told(status(engine, name)) for name in store.names(engine)]
    return render(request, "campaigns.html", campaigns=shown)


@router.get("/answer/{token}")
def answer_page(request: Request, token: str, correct: bool = False) -> Response:
    """The three questions about a paper, with what the paper says filled in, or with the answer to be corrected."""
    slow_down(request, "link")
    invitation = _invited(request, token)
    given = _answer_before(hub_of(request), invitation) if correct else {}
    return _page(request, invitation, given or _filled(invitation), corrects=bool(given))


@router.post("/answer/{token}")
async def answer(request: Request, token: str) -> Response:
    """An answer: an estimate to look at, then a record."""
    slow_down(request, "link")
    given = await sealed_fields(request)
    return await run_in_threadpool(_answered, request, token, given)


@router.post("/answer/{token}/decline")
async def decline(request: Request, token: str) -> Response:
    """An author who would rather not answer."""
    slow_down(request, "link")
    await sealed_fields(request)
    invitation = await run_in_threadpool(_invited, request, token)
    await run_in_threadpool(store.closed, hub_of(request).engine, [invitation["id"]], store.DECLINED)
    return RedirectResponse(f"/answer/{token}", status_code=303)


def _answered(request: Request, token: str, given: dict[str, str]) -> Response:
    hub, invitation = hub_of(request), _invited(request, token)
    try:
        record = _record(hub, invitation, given)
        if given.get("do") != "publish":
            return _page(request, invitation, given, estimate=record)
        submission = ingest.Submission(
            actor=f"campaign {invitation['campaign']}", origin="form", reason="the author answered again"
        )
        taken = ingest.take_in(hub.engine, record.to_json().encode(), submission)
        if taken["rejected"]:
            raise InputError(taken["rejected"][0]["errors"][0])
    except SootprintError as err:
        return _page(request, invitation, given, problem=err.elsewhere, status=status_of(err))
    store.answered(hub.engine, invitation["id"], record.id)
    return RedirectResponse(f"/answer/{token}", status_code=303)  # which thanks, and leads to the record


def _record(hub: Hub, invitation: dict[str, Any], given: dict[str, str]) -> Footprint:
    """Record of an answer; its id came with the form and is this invitation's own.

    Raises:
        InputError: A field cannot be used, or the id is not of this form.
    """
    key, told = _own_id(hub, invitation, given), invitation["paper"]
    if key is None:
        raise InputError("this form is of another invitation: open the link of the mail again")
    paper = Paper(
        citation=_citation(told), doi=told.get("doi"), arxiv=told.get("arxiv"), published=told.get("year")
    )
    record = forms.record_of(given)
    stated = {**record.given, "answered_by": "author", "campaign": invitation["campaign"]}
    return dataclasses.replace(record, id=key, paper=paper, given=stated)


def _citation(told: dict[str, str]) -> str:
    authors, year = told.get("authors"), told.get("year")
    return ", ".join(part for part in (authors, told["title"], year) if part)


def _invited(request: Request, token: str) -> dict[str, Any]:
    hub = hub_of(request)
    found = store.of_link(hub.engine, hub.key, token[:200])
    if found is None:
        slow_down(request, "failure")
        raise NotFoundError("this link is none of ours: take the whole address from the mail")
    return found


def _filled(invitation: dict[str, Any]) -> dict[str, str]:
    told = invitation["paper"]
    return {**{name: told.get(name, "") for name in FIELDS}, "stage": "pretrain"}


def _answer_before(hub: Hub, invitation: dict[str, Any]) -> dict[str, str]:
    """Fields of the form as the author filled them, with the id of that record; none where there is no such answer."""
    key = invitation["footprint_id"]
    stored = reading.one(hub.engine, key) if key else None
    if stored is None or stored.text is None:
        return {}
    return {**forms.given_of(stored.footprint), "id": key, "id_seal": _id_seal(hub, invitation, key)}


def _page(
    request: Request,
    invitation: dict[str, Any],
    given: dict[str, str],
    *,
    estimate: Footprint | None = None,
    **more: Any,
) -> Response:
    hub = hub_of(request)
    key = _own_id(hub, invitation, given) or uuid7(time.time())
    shown = {
        "invitation": invitation,
        "token": f"{store.link(hub.key, invitation['id'], '').rpartition('/')[2]}",
        "cited": _citation(invitation["paper"]),
        "given": given,
        "record_id": key,
        "id_seal": _id_seal(hub, invitation, key),
        "problem": None,
        "corrects": False,
        **views.form(hub_of(request).engine, estimate),
    }
    return form_page(request, "answer.html", **(shown | more))


def _own_id(hub: Hub, invitation: dict[str, Any], given: dict[str, str]) -> str | None:
    """Id of a form's record where this invitation's own page gave it; any other would be somebody else's record."""
    key = given.get("id", "")
    fits = is_uuid7(key) and same(_id_seal(hub, invitation, key), given.get("id_seal", ""))
    return key if fits else None


def _id_seal(hub: Hub, invitation: dict[str, Any], key: str) -> str:
    return mac(hub.key, "answer", f"{invitation['id']}\n{key}")
