"""Files that people upload: read by the importers, filled in, judged, and taken in when they say so."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sootprint import importers
from sootprint.catalogue import zones
from sootprint.core import utc
from sootprint.core.errors import InputError, SootprintError
from sootprint.core.records import Footprint
from sootprint.estimator.filled import Beside, Filling
from sootprint.hub import ingest, judgement
from sootprint.hub.accounts import Actor
from sootprint.hub.admission import MAX_BATCH
from sootprint.hub.context import Hub
from sootprint.hub.requests import NotAllowedError, body_of
from sootprint.importers import Imported, LeftOut
from sootprint.importers.base import FAULTS, pue_of
from sootprint.ledger.names import pseudonym
from sootprint.settings import Settings

MAX_FIELD = 4_096  # bytes of a field that is no file
MOST_FIELDS = 12
MOST_FILES = 20  # of one form
MOST_SHOWN = 50  # records that a page lists, and of each file rows left out
File = tuple[str, bytes]  # name and content
_NOBODY = Settings(home=Path("/nonexistent"), runtime_dir=Path("/nonexistent"))
_ORIGINS = {
    "template": "form",
    "hf-card": "third-party",
    "mlco2": "third-party",
}  # of a file that is not a tool's


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What a file holds, and what became of it.

    Args:
        name: Name of the file.
        problem: Why it cannot be used; None where it can.
        form: Form of the file.
        records: Records, filled in.
        left_out: Rows that became none.
        previews: What the hub says of the first records.
        answer: Counts of what was taken in; None where it was only looked at.
    """

    name: str
    problem: str | None = None
    form: str = ""
    records: tuple[Footprint, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    previews: tuple[dict[str, Any], ...] = ()
    answer: dict[str, Any] | None = None


async def parts_of(request: Request) -> tuple[dict[str, str], list[File]]:
    """Fields of a form, and its files, each with name and content.

    Raises:
        InputError: The body is no such form.
        TooLargeError: It is beyond the limit of a request.
    """
    body = await body_of(request)

    async def stream() -> Any:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=MAX_FIELD
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as err:
        raise InputError(
            f"the form cannot be read: {getattr(err, 'message', err)!s:.100}; send it again"
        ) from None
    fields = {name: value.replace("\0", "") for name, value in form.items() if isinstance(value, str)}
    files = [one for one in form.getlist("file") if isinstance(one, UploadFile) and one.filename]
    named = [(Path(one.filename or "").name[:100], await one.read()) for one in files]
    await form.close()
    return fields, named


def taken(hub: Hub, given: dict[str, str], files: list[File], *, actor: Actor | None) -> list[Uploaded]:
    """What each file holds; taken in where an actor is given, each file by itself.

    Raises:
        InputError: There is no file, or what stands beside them cannot be used.
        NotAllowedError: The actor may not submit.
    """
    if actor is not None and "submit" not in actor.may:
        raise NotAllowedError("publishing needs an account or a token that may submit", 401)
    if not files:
        raise InputError("no file is chosen: choose one or several of those below")
    filling, room = Filling(_NOBODY, _beside(given)), MOST_SHOWN
    found = []
    for name, content in files:
        try:
            one = _one(hub, given, name, content, filling=filling, actor=actor, shown=room)
        except SootprintError as err:
            if len(files) == 1:
                raise
            one = Uploaded(name=name, problem=err.elsewhere)
        room -= len(one.previews)
        found.append(one)
    return found


def _one(
    hub: Hub,
    given: dict[str, str],
    name: str,
    content: bytes,
    *,
    filling: Filling,
    actor: Actor | None,
    shown: int,
) -> Uploaded:
    """What a file holds, of which some records are judged.

    Raises:
        InputError: The file cannot be used.
    """
    if not content:
        raise InputError(f"{name} is empty")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise InputError(f"{name} is no text in UTF-8 (byte {err.start}): save it as UTF-8") from None
    found = importers.read(
        text, name=name, form=given.get("format") or None, names=partial(pseudonym, hub.key)
    )
    if len(found.records) > MAX_BATCH:
        raise InputError(
            f"{name} has {len(found.records):,} records, at most {MAX_BATCH:,}: give it in parts"
        )
    records, left_out = _filled(filling, found)
    if not records:
        raise InputError(f"{name} holds no record: {left_out[0].where}: {left_out[0].why}")
    return Uploaded(
        name=name,
        form=found.form,
        records=records,
        left_out=left_out,
        previews=tuple(judgement.preview(one) for one in records[:shown]),
        answer=None if actor is None else _stored(hub, records, found.form, given=given, actor=actor),
    )


def _filled(filling: Filling, found: Imported) -> tuple[tuple[Footprint, ...], tuple[LeftOut, ...]]:
    """Records of a file, filled in, and what was left out of it; a record that cannot be filled in is, too."""
    records: list[Footprint] = []
    left_out: list[LeftOut] = []
    for where, one in importers.parts(found):
        try:
            made = one if isinstance(one, str) else filling.of(one)
        except FAULTS as err:
            made = str(err)
        if isinstance(made, str):
            left_out.append(LeftOut(where=where, why=made))
        else:
            records.append(made)
    return tuple(records), tuple(left_out)


def _beside(given: dict[str, str]) -> Beside:
    """What the form states for records that do not.

    Raises:
        CatalogueError: The place is in no table.
        InputError: The PUE or the time zone is none.
    """
    zone, timezone = given.get("zone", "").strip(), given.get("timezone", "").strip()
    place = dataclasses.replace(zones.locate(zone).place, source="argument") if zone else None
    clock = (timezone, utc.zone(timezone)) if timezone else None
    return Beside(place=place, pue=pue_of(given), clock=clock)


def _stored(
    hub: Hub, records: tuple[Footprint, ...], form: str, *, given: dict[str, str], actor: Actor
) -> dict[str, Any]:
    text = f"[{','.join(one.to_json() for one in records)}]".encode("utf-8", "replace")
    submission = ingest.Submission(
        actor=actor.name,
        account_id=actor.account_id,
        may_correct_all="correct" in actor.may,
        origin="third-party" if given.get("third_party") else _ORIGINS.get(form, "tool"),
        reason="uploaded again with changes",
    )
    answer = ingest.take_in(hub.engine, text, submission)
    for outcome in ("accepted", "duplicate"):
        hub.metrics.count("sootprint_hub_footprints_total", answer[outcome], outcome=outcome)
    hub.metrics.count("sootprint_hub_footprints_total", len(answer["rejected"]), outcome="rejected")
    return answer
