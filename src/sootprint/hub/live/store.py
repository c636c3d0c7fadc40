"""Minutes of live runs in the database: each minute once, the last word counting, and old runs forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from sootprint.core import utc
from sootprint.core.errors import RecordError
from sootprint.core.ids import is_uuid7
from sootprint.hub import columns
from sootprint.hub.accounts import Actor
from sootprint.hub.corrections import NotYoursError, UnknownRecordError
from sootprint.hub.database import now, writing
from sootprint.hub.people.tables import LiveMinute, LiveRun
from sootprint.hub.tables import FootprintRow, table_of

LOST_AFTER = timedelta(minutes=3)  # three reports that did not come
KEPT = timedelta(days=30)
MOST_MINUTES = 1_500  # of one report: a day without a connection
LIVE, LOST, FINISHED = "live", "lost", "finished"
_runs, _minutes, _rows = table_of(LiveRun), table_of(LiveMinute), table_of(FootprintRow)


class Minute(BaseModel):
    """One minute of a run."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    minute: int = Field(description="Number of the minute since the start.", ge=0, le=5_000_000)
    energy_kwh: float | None = Field(None, description="IT energy since the start [kWh].", ge=0)
    emissions_kg: float | None = Field(None, description="Emissions since the start [kgCO2e].", ge=0)
    power_w: float | None = Field(None, description="Mean power over the minute [W].", ge=0)


class Report(BaseModel):
    """What a run tells: who it is, where it is now, and the minutes that are new."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: str | None = Field(None, description="Name of the run.", max_length=1000)
    project: str | None = Field(None, description="Project.", max_length=1000)
    zone: str | None = Field(None, description="Grid zone.", max_length=1000)
    started: str | None = Field(None, description="Start, ISO 8601 UTC.", max_length=40)
    duration_s: float | None = Field(None, description="Time since the start [s].", ge=0)
    energy_kwh: float | None = Field(None, description="IT energy so far [kWh].", ge=0)
    emissions_kg: float | None = Field(None, description="Emissions so far [kgCO2e].", ge=0)
    minutes: list[Minute] = Field(default_factory=list, max_length=MOST_MINUTES)


def report(engine: Engine, key: str, told: Report, actor: Actor) -> dict[str, Any]:
    """Where a run stands after a report; the same report again changes nothing but the time of the last word.

    Raises:
        RecordError: The id is none.
        NotYoursError: The run belongs to another account.
    """
    if not is_uuid7(key):
        raise RecordError(f"run {key!r:.60} is no UUID of version 7")
    at = now()
    with writing(engine) as connection:
        _own(connection, key, actor)
        _forget(connection)
        row = {
            "id": key, "account_id": actor.account_id, "first_at": at, "last_at": at,
            **{name: columns.label(getattr(told, name)) for name in ("name", "project")},
            "zone": columns.label(told.zone, 60), "started": columns.label(told.started, 40),
            **{name: getattr(told, name) for name in ("duration_s", "energy_kwh", "emissions_kg")},
        }  # fmt: skip
        kept = ("id", "account_id", "first_at")
        _upsert(connection, _runs, [row], keys=("id",), changed=[one for one in row if one not in kept])
        last = {one.minute: {"run_id": key, **one.model_dump()} for one in told.minutes}
        values = ("energy_kwh", "emissions_kg", "power_w")
        _upsert(connection, _minutes, list(last.values()), keys=("run_id", "minute"), changed=values)
    return {"id": key, "minutes": len(last)}


def finish(engine: Engine, key: str, actor: Actor) -> dict[str, Any]:
    """Note that a run has ended; its record comes by itself.

    Raises:
        UnknownRecordError: There is no such live run.
        NotYoursError: It belongs to another account.
    """
    with writing(engine) as connection:
        _own(connection, key, actor)
        change = sa.update(_runs).where(_runs.c.id == key, _runs.c.ended_at.is_(None))
        connection.execute(change.values(ended_at=now()))
        found = connection.scalar(sa.select(_runs.c.ended_at).where(_runs.c.id == key))
    if found is None:
        raise UnknownRecordError(f"no live run {key!r:.60}")
    return {"id": key, "ended_at": found}


def one(engine: Engine, key: str) -> dict[str, Any] | None:
    """A live run with its minutes; None where there is none."""
    with engine.connect() as connection:
        found = connection.execute(_listing().where(_runs.c.id == key)).mappings().first()
        if found is None:
            return None
        names = ("minute", "energy_kwh", "emissions_kg", "power_w")
        query = sa.select(*(_minutes.c[name] for name in names)).where(_minutes.c.run_id == key)
        rows = connection.execute(query.order_by(_minutes.c.minute)).mappings().all()
    return {**_stated(dict(found)), "minutes": [dict(row) for row in rows]}


def listed(engine: Engine, most: int = 50) -> list[dict[str, Any]]:
    """Live runs, the last that was heard of first."""
    with engine.connect() as connection:
        query = _listing().order_by(_runs.c.last_at.desc()).limit(most)
        return [_stated(dict(row)) for row in connection.execute(query).mappings()]


def _listing() -> sa.Select[Any]:
    shown = [one for one in _runs.c if one.name != "account_id"]
    record = sa.and_(_rows.c.id == _runs.c.id, _rows.c.state == columns.PUBLISHED)
    return sa.select(*shown, _rows.c.seq.label("record")).outerjoin(_rows, record)


def _stated(row: dict[str, Any]) -> dict[str, Any]:
    """A run with its state: finished, live, or lost where it has been silent for three minutes."""
    has_record = row.pop("record") is not None
    heard = LIVE if row["last_at"] >= _ago(LOST_AFTER) else LOST
    state = FINISHED if row["ended_at"] or has_record else heard
    return {**row, "state": state, "has_record": has_record}


def _own(connection: Connection, key: str, actor: Actor) -> None:
    for table in (_runs, _rows):
        found = connection.execute(sa.select(table.c.account_id).where(table.c.id == key)).first()
        if found is not None and found.account_id != actor.account_id and "correct" not in actor.may:
            raise NotYoursError(f"run {key} belongs to another account")


def _forget(connection: Connection) -> None:
    old = sa.select(_runs.c.id).where(_runs.c.last_at < _ago(KEPT))
    connection.execute(sa.delete(_minutes).where(_minutes.c.run_id.in_(old)))
    connection.execute(sa.delete(_runs).where(_runs.c.last_at < _ago(KEPT)))


def _ago(span: timedelta) -> str:
    return utc.text_of(datetime.now(UTC) - span)


def _upsert(
    connection: Connection, table: Any, rows: list[dict[str, Any]], *, keys: Any, changed: Any
) -> None:
    if not rows:
        return
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = dialect.insert(table)
    values = {name: made.excluded[name] for name in changed}
    connection.execute(made.on_conflict_do_update(index_elements=list(keys), set_=values), rows)
