"""The first content: published runs of the packaged table as third-party estimates, so that no hub is empty.

Numbers that a publication states stand as claims; what it does not state is estimated from its hardware, hours and
place. Rows of one run are one record with several results. The ids follow from the rows, so seeding twice adds nothing.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.catalogue import zones
from sootprint.core import carbon, intervals
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.ids import derived_uuid7, uuid7
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Hardware, Model, Paper, Place, Result
from sootprint.core.units import G_PER_KG
from sootprint.estimator import hours as estimator
from sootprint.estimator.inputs import Job
from sootprint.hub import admission, ingest
from sootprint.hub.database import writing
from sootprint.hub.ingest import Submission
from sootprint.hub.people.claims import CLAIMED
from sootprint.hub.tables import FootprintRow, table_of
from sootprint.settings import Settings

TABLE = "published.csv"
ACTOR = "seed"
WHY = "estimated again by another version of Sootprint"
MAX_HOURS = 1_000_000  # of one device that an estimate takes
_NOWHERE = Settings(home=Path("/nonexistent"), runtime_dir=Path("/nonexistent"))
_STAGES = (("search", "search"), ("distil", "distil"), ("pre-training", "pretrain"))
_STATED = (
    "n_devices", "wall_hours", "device_hours", "avg_power_w_reported", "ci_g_per_kwh", "ci_basis", "pue_used",
    "energy_kwh_reported", "energy_includes_pue", "tco2e_reported", "tco2e_basis", "confidence", "confidence_where",
    "notes",
)  # fmt: skip
_MILLISECONDS = 1000.0
Row = Mapping[str, str]
_rows = table_of(FootprintRow)


def seed(engine: Engine) -> dict[str, Any]:
    """Counts of the published runs that were added, that got a newer version, and that were there already.

    What its authors have claimed is theirs: no estimate of ours takes the place of their own numbers.
    """
    ready = [ingest.prepared(index, one) for index, one in enumerate(admitted())]
    submission = Submission(actor=ACTOR, may_correct_all=True, origin="third-party", reason=WHY)
    with writing(engine) as connection:
        query = sa.select(_rows.c.id, _rows.c.origin).where(_rows.c.id.in_([one.id for one in ready]))
        known = {row.id: row.origin for row in connection.execute(query)}
        ours = [one for one in ready if known.get(one.id) != CLAIMED]
        answer = ingest.store(connection, ours, submission).plain()
    theirs, added = len(ready) - len(ours), len(ready) - len(known)
    answer["duplicate"] += theirs
    updated = answer["accepted"] - added
    return answer | {"accepted": added, "updated": updated}


def admitted() -> Iterator[admission.Admitted]:
    """Published runs as the hub takes them in."""
    for footprint in footprints():
        yield admission.admitted(admission.items(footprint.to_json().encode())[0])


def footprints() -> Iterator[Footprint]:
    """Published runs as records."""
    text = resources.files("sootprint.survey").joinpath("data", TABLE).read_text(encoding="utf-8")
    rows = sorted(csv.DictReader(text.splitlines()), key=lambda row: row["run_id"])
    for run, listed in groupby(rows, key=lambda row: row["run_id"]):
        yield _footprint(run, list(listed))


def _footprint(run: str, rows: Sequence[Row]) -> Footprint:
    first = rows[0]
    made = _with_claims(_estimated(first), first)
    return dataclasses.replace(
        made,
        id=_id(run, int(first["year"])),
        name=first["model"],
        model=Model(name=first["model"]),
        stage=next((stage for words, stage in _STAGES if words in first["scope"]), "other"),
        paper=Paper(citation=first["paper"] or None, arxiv=first["arxiv"] or None, published=first["year"]),
        results=tuple(_results(rows)),
        given=_given(first) | {"table": TABLE, "run": run},
    )


def _given(row: Row) -> dict[str, Any]:
    """What the table states; the mean power of a device also by the name that estimates have for it."""
    power_w = _number(row, "avg_power_w_reported")
    stated: dict[str, Any] = {name: row[name] for name in _STATED if row[name]}
    return stated | ({} if power_w is None else {"power_w": power_w})


def _id(run: str, year: int) -> str:
    """Identity that follows from the name of a run: the year's first instant, and a hash for what is random."""
    milliseconds = int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * _MILLISECONDS)
    return derived_uuid7(uuid7(milliseconds / _MILLISECONDS), f"sootprint seed {run}")


def _results(rows: Sequence[Row]) -> Iterator[Result]:
    for row in rows:
        if row["metric_name"] and row["metric_value"]:
            yield Result(
                task=row["task"],
                dataset=row["dataset"],
                split=row["metric_split"] or None,
                metric=row["metric_name"],
                value=float(row["metric_value"]),
            )


def _estimated(row: Row) -> Footprint:
    """What hardware, hours and place give; a record of the claims alone where they do not suffice."""
    count, device_hours = _number(row, "n_devices"), _number(row, "device_hours")
    zone = _zone(row)
    try:
        devices = int(count or max(1, math.ceil((device_hours or 0.0) / MAX_HOURS)))
        job = Job(
            hours=(device_hours or 0.0) / devices,
            hardware=row["hardware"] or None,
            count=devices,
            zone=zone or zones.WORLD,
            year=int(row["year"]),
            pue=_number(row, "pue_used"),
        )
        made = estimator.footprint(job, _NOWHERE)
    except (InputError, CatalogueError) as err:
        return _bare(row, zone, why=str(err))
    if count is None:  # the device hours are known, and neither devices nor wall hours
        alone = tuple(dataclasses.replace(one, count=1) for one in made.hardware)
        left = (*made.unknown, "hardware.count", "duration_s")
        made = dataclasses.replace(made, hardware=alone, duration_s=None, unknown=left)
    return made if zone else dataclasses.replace(made, place=Place())


def _bare(row: Row, zone: str | None, *, why: str) -> Footprint:
    named = bool(row["hardware"])
    device = Hardware(
        kind="accelerator",
        name=row["hardware"],
        count=max(1, int(_number(row, "n_devices") or 1)),
        rated_power_w=_number(row, "tdp_w"),
    )
    device_hours = _number(row, "device_hours")
    return Footprint(
        id=uuid7(0.0),
        boundary="node",
        place=zones.locate(zone).place if zone else Place(),
        hardware=(device,) if named else (),
        device_hours=intervals.exact(device_hours, "claimed") if device_hours else None,
        grade="E",
        unknown=("energy_kwh", "emissions_kg", *(() if row["n_devices"] else ("hardware.count",))),
        warnings=(f"no estimate could be made: {why}",),
    )


def _with_claims(made: Footprint, row: Row) -> Footprint:
    """A record with the numbers that its publication states in place of estimated ones."""
    energy, tonnes, pue = (
        _number(row, name) for name in ("energy_kwh_reported", "tco2e_reported", "pue_used")
    )
    changes: dict[str, Any] = {}
    if energy is not None:
        with_overhead = row["energy_includes_pue"] == "yes"
        changes["energy_kwh"] = Quantity(
            value=energy / pue if with_overhead and pue else energy, basis="claimed"
        )
        changes["components"] = ()
        if made.intensity_g_per_kwh is not None:  # of the stated energy, not of the estimated one
            overhead = made.pue or intervals.exact(1.0, "assumed")
            changes["emissions_kg"] = carbon.emissions(
                changes["energy_kwh"], made.intensity_g_per_kwh, overhead
            )
        if with_overhead and not pue:
            changes["warnings"] = (*made.warnings, "the energy as stated includes a PUE that is not stated")
    if tonnes is not None:
        changes["emissions_kg"] = Quantity(value=tonnes * G_PER_KG, basis="claimed")
    if changes:
        left = tuple(name for name in made.unknown if name not in changes)
        changes |= {"unknown": left, "grade": "D" if made.hardware and made.device_hours else "E"}
    return dataclasses.replace(made, **changes)


def _zone(row: Row) -> str | None:
    try:
        return zones.locate(row["country"]).place.zone if row["country"] else None
    except CatalogueError:
        return None


def _number(row: Row, name: str) -> float | None:
    return float(row[name]) if row[name] else None
