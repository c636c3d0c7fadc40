"""The three-question form: an estimate at once, and a record of it where the visitor publishes it."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets as randomness
from collections.abc import Iterable
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from sootprint.core.errors import InputError
from sootprint.core.ids import derived_uuid7, is_uuid7
from sootprint.core.records import STAGES, Footprint, Model, Paper, Result
from sootprint.core.typos import meant
from sootprint.hub import ingest
from sootprint.hub.accounts import VISITOR, Actor
from sootprint.hub.context import Hub
from sootprint.hub.estimates import Asked, estimated
from sootprint.hub.requests import NotAllowedError, holder_of, pace, viewer_of
from sootprint.hub.secrets import mac, same

COOKIE = "sootprint_form"
ESTIMATE = ("hardware", "count", "hours", "zone", "year", "pue", "utilisation", "power_w", "work")
ABOUT = ("model", "stage", "task", "dataset", "split", "metric", "value", "paper", "doi", "arxiv", "project")
MAX_FIELD = 200
NOT_OURS = "this form is not of this browser: send it again"
EXAMPLES = {
    "hours": "48",
    "count": "8",
    "year": "2024",
    "pue": "1.2",
    "utilisation": "0.6",
    "hardware": "A100",
}
_OF_OTHER_NAME = {
    "accelerator": "hardware",
    "processor": "hardware",
    "cloud": "zone",
}  # fields by what errors call them
_FIELD = re.compile(r"[a-z_]+")
_UNITS = ("_kwh", "_kg", "_l", "_gb", "_low", "_high")  # ends of other fields with numbers


def estimate_of(given: dict[str, str]) -> Footprint:
    """Estimate of what a form says; empty fields are not given.

    Raises:
        InputError: A field cannot be used; the line names it.
        CatalogueError: A name is in no table.
    """
    stated = {name: given[name].strip() for name in ESTIMATE if given.get(name, "").strip()}
    try:
        return estimated(Asked.model_validate(stated))
    except ValidationError as err:
        first = err.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(_wrong(name, first)) from None


def field_of(problem: str | None) -> str | None:
    """Field that an error is about: the first that it names; None where it names none.

    >>> field_of("hours is 'many': it is a number"), field_of("accelerator 'A 1' is in no table")
    ('hours', 'hardware')
    >>> field_of("no rated power is published for TPU: give power_w"), field_of("result 2 needs its task")
    ('power_w', 'task_2')
    """
    row = re.match(r"result (\d)", problem or "")
    if row is not None:
        return f"task_{row[1]}"
    said = re.sub("'[^']*'", "", problem or "")
    named = [_OF_OTHER_NAME.get(word, word) for word in _FIELD.findall(said)]
    return next(
        (name for name in named if name in (*ESTIMATE, *ABOUT, "token") or name.endswith(_UNITS)), None
    )


def _wrong(name: str, error: Any) -> str:
    """One line of what a field holds, the rule, and an example."""
    value = f"{error.get('input')!r:.40}"
    if error["type"] in ("float_parsing", "int_parsing", "int_from_float"):
        kind = "a number" if error["type"] == "float_parsing" else "a whole number"
        how = meant(str(error.get("input")), f"e.g. {EXAMPLES.get(name, '1')}")
        return f"{name} is {value}: it is {kind}; {how}"
    if error["type"] == "missing":
        return f"{name} is empty: give it, e.g. {EXAMPLES.get(name, '1')}"
    rule = error["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return f"{name} is {value}: {rule[:1].lower()}{rule[1:]}"


def record_of(given: dict[str, str]) -> Footprint:
    """Record of a form: its estimate, with what it is about.

    Raises:
        InputError: A field cannot be used; the line names it.
    """
    about = texts(given, ABOUT)
    paper = Paper(citation=about["paper"], doi=about["doi"], arxiv=about["arxiv"])
    return dataclasses.replace(
        estimate_of(given),
        name=about["model"],
        project=about["project"],
        stage=stage_of(about["stage"]),
        model=Model(name=about["model"]) if about["model"] else None,
        paper=paper if any(dataclasses.astuple(paper)) else None,
        results=_result(about),
    )


def texts(given: dict[str, str], names: Iterable[str]) -> dict[str, str | None]:
    """Fields of a form without the spaces around them; None for an empty one.

    Raises:
        InputError: One is too long, which would be cut elsewhere.
    """
    found = {name: given.get(name, "").strip() or None for name in names}
    for name, text in found.items():
        if text is not None and len(text) > MAX_FIELD:
            raise InputError(f"{name} has {len(text):,} letters: it has at most {MAX_FIELD}")
    return found


def given_of(record: Footprint) -> dict[str, str]:
    """Fields of the form that a record was made of."""
    result = record.results[0] if record.results else None
    told: dict[str, Any] = {
        **{name: record.given.get(name) for name in ESTIMATE},
        "model": record.model.name if record.model else None,
        "stage": record.stage,
        **{name: getattr(result, name, None) for name in ("task", "dataset", "split", "metric", "value")},
    }
    return {
        name: f"{value:.15g}" if isinstance(value, float) else str(value)
        for name, value in told.items()
        if value is not None
    }


def stage_of(text: str | None) -> str:
    """Stage of the life cycle that a form names.

    Raises:
        InputError: It is none.
    """
    stage = text or "other"
    if stage not in STAGES:
        raise InputError(f"stage is {stage!r}: it is one of {', '.join(STAGES)}")
    return stage


def publish(hub: Hub, given: dict[str, str], actor: Actor, *, record: Footprint | None = None) -> str:
    """Identity of the record that a form made; a form that is sent twice, as by a double click, makes one.

    Args:
        hub: The hub.
        given: Fields of the form.
        actor: Who sends it.
        record: Record, where it is not that of the three questions.

    Raises:
        InputError: A field cannot be used.
        NotAllowedError: The visitor may not submit.
    """
    if "submit" not in actor.may:
        raise NotAllowedError("publishing needs a token that may submit: ask who runs this hub", 401)
    record = dataclasses.replace(record or record_of(given), **_identity(given))
    submission = ingest.Submission(
        actor=actor.name,
        account_id=actor.account_id,
        origin="third-party" if given.get("third_party") else "form",
    )
    answer = ingest.take_in(hub.engine, record.to_json().encode(), submission)
    if answer["rejected"]:
        raise InputError(answer["rejected"][0]["errors"][0])
    return record.id


def _identity(given: dict[str, str]) -> dict[str, Any]:
    """Identity of the record of a form: it follows from what the form says and from the page that it stood on."""
    page = given.get("once", "")
    if not is_uuid7(page):
        return {}
    said = sorted((name, text) for name, text in given.items() if name not in ("seal", "token", "do"))
    return {"id": derived_uuid7(page, json.dumps(said))}


def actor_of(request: Request, given: dict[str, str]) -> Actor:
    """Who sends a form: the one user of a hub on loopback, whoever is logged in, else the holder of the token in it.

    Raises:
        NotAllowedError: The token is missing or not valid.
        TooManyError: Too many such tokens came from this address, or too many forms of this account.
    """
    actor, token = viewer_of(request), given.get("token", "").strip()
    if actor is VISITOR:
        if not token:
            raise NotAllowedError("the token is missing: publishing needs an account or a token", 401)
        actor = holder_of(request, token)
    pace(request, actor)
    return actor


def cookie_of(request: Request) -> str:
    """Random text that ties a form to a browser: the one it has, or a new one."""
    return request.cookies.get(COOKIE) or randomness.token_urlsafe(24)


def seal(hub: Hub, cookie: str) -> str:
    """Hidden field that only a page of this hub can hold for this browser."""
    return mac(hub.key, "form", cookie)


def is_sealed(hub: Hub, request: Request, given: dict[str, str]) -> bool:
    """Whether a form came from a page of this hub in this browser."""
    cookie = request.cookies.get(COOKIE, "")
    return bool(cookie) and same(seal(hub, cookie), given.get("seal", ""))


def _result(about: dict[str, Any]) -> tuple[Result, ...]:
    if not about["metric"] and not about["value"]:
        return ()
    if not about["metric"] or not about["value"] or not about["task"]:
        raise InputError("a result needs its task, metric and value: give all three or none")
    try:
        value = float(about["value"])
    except ValueError:
        how = meant(about["value"], "e.g. 76.1")
        raise InputError(f"value is {about['value']!r:.40}: it is a number; {how}") from None
    names = {name: about[name] for name in ("task", "dataset", "split", "metric")}
    return (Result(**names, value=value),)
