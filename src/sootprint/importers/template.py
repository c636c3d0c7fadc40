"""Our own template of a table: the three questions, what may be measured, and what the run was about.

The head names the columns; only `hours` or `energy_kwh` or `emissions_kg` has to be filled in a row, and columns may
be left out. Units stand in the names. A row with hours and hardware and without energy is estimated by who takes it
in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.records import SCOPES, STAGES, Footprint, Hardware, Model, Paper, Place, Result
from sootprint.core.units import SECONDS_PER_HOUR
from sootprint.importers import clocks
from sootprint.importers.base import (
    Imported,
    Row,
    claimed,
    gathered,
    identity,
    instant,
    names_in,
    number,
    place_of,
    pue_of,
    rows,
    slips,
    stamp,
    text_of,
    tried,
    whole,
)  # fmt: skip

NAME = "template"
COLUMNS = {
    "name": "name of the run",
    "zone": "where: a country, grid zone or cloud region, e.g. FR or aws/us-east-1",
    "hardware": "device as people write it, e.g. A100",
    "count": "number of devices",
    "hours": "wall hours of one device [h]",
    "year": "year of the run",
    "started": "start, ISO 8601",
    "energy_kwh": "IT energy before PUE [kWh], where it was measured",
    "emissions_kg": "emissions [kgCO2e], where they were reported",
    "pue": "facility energy over IT energy [1]",
    "stage": f"one of {', '.join(STAGES)}",
    "scope": f"one of {', '.join(SCOPES)}",
    "project": "project",
    "model": "name of the model",
    "params": "parameters [1]",
    "paper": "citation",
    "doi": "digital object identifier",
    "arxiv": "arXiv identifier",
    "task": "task of the result",
    "dataset": "data set of the result",
    "metric": "metric of the result",
    "value": "value of the result",
}
_TELLING = {"hours", "energy_kwh", "emissions_kg"}
_EXAMPLE = (
    "resnet-50,FR,A100,8,48,2024,,,,,pretrain,final_run,thesis,ResNet-50,2.5e7,,,,Image classification,ImageNet,"
    "Top-1 accuracy,76.1"
)


def is_head(line: str) -> bool:
    """Whether a line is the head of such a table."""
    names = names_in(line)
    return bool(names & _TELLING) and len(names & set(COLUMNS)) >= 2


def empty() -> str:
    """The template with one row as an example."""
    return f"{','.join(COLUMNS)}\n{_EXAMPLE}\n"


def read(text: str, name: str) -> Imported:
    """Records of a table.

    Raises:
        InputError: It holds no record, or has a column that the template has not.
    """
    return gathered(NAME, name, _each(text, name))


def _each(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    for line, row in rows(text, name):
        if isinstance(row, str):
            yield f"line {line}", row
            continue
        other = sorted(set(row) - set(COLUMNS))
        if other:
            raise InputError(f"{name}: column {other[0]!r:.40} is not one of {', '.join(COLUMNS)}")
        yield tried(f"line {line}", partial(_record, row))


def _record(row: Row) -> Footprint:
    hours_h, count = number(row, "hours", most=1_000_000.0), whole(row, "count", least=1)
    energy, emissions = number(row, "energy_kwh"), number(row, "emissions_kg")
    if not hours_h and energy is None and emissions is None:
        raise InputError("it has no hours, energy_kwh or emissions_kg: a record needs one of them")
    device, pue = text_of(row, "hardware"), pue_of(row)
    if energy is None and emissions is None and device is None:
        raise InputError("it has hours and no hardware: name the device, or give energy_kwh")
    at, year = _instant(row), whole(row, "year", least=1990, most=2100)
    made: dict[str, Any] = {
        "energy_kwh": claimed(energy),
        "emissions_kg": claimed(emissions),
        "pue": claimed(pue),
        "place": _place(row),
        "device_hours": claimed(hours_h * (count or 1) if hours_h else None),
        "started": stamp(at) if at else None,
    }
    return Footprint(
        id=identity(at.timestamp() if at else None, NAME, *(f"{key}={row[key]}" for key in sorted(row))),
        tool=NAME,
        name=text_of(row, "name") or text_of(row, "model"),
        project=text_of(row, "project"),
        stage=text_of(row, "stage") or "other",
        scope=text_of(row, "scope") or "final_run",
        boundary="node" if pue is None or pue == 1.0 else "facility",
        model=_model(row),
        paper=_paper(row),
        results=tuple(_results(row)),
        duration_s=hours_h * SECONDS_PER_HOUR if hours_h else None,
        hardware=(Hardware(kind="accelerator", name=device, count=count or 1),) if device else (),
        grade="D" if device and hours_h else "E",
        unknown=tuple(name for name, value in made.items() if value is None or value == Place()),
        warnings=(*clocks.doubts(row.get("started")), *slips(energy, emissions)),
        given={name: text for name, text in row.items() if text} | ({"year": year} if year else {}),
        **made,
    )


def _instant(row: Row) -> datetime | None:
    """Start of the run, None where it is not stated."""
    text = row.get("started", "")
    at = instant(text) if text else None
    if text and at is None:
        raise InputError(f"started is {text!r:.40}: give ISO 8601, e.g. 2024-05-01T12:00:00Z")
    return at


def _place(row: Row) -> Place:
    said = text_of(row, "zone")
    found = place_of(said)
    if said and found is None:
        raise InputError(
            f"zone {said!r:.40} is in no table: name a country, a grid zone or a cloud region",
            here="; `sootprint catalogue zones` lists them",
        )
    return found or Place()


def _model(row: Row) -> Model | None:
    name, params = text_of(row, "model"), number(row, "params")
    return Model(name=name, params=params) if name or params else None


def _paper(row: Row) -> Paper | None:
    cited = {"citation": text_of(row, "paper"), "doi": text_of(row, "doi"), "arxiv": text_of(row, "arxiv")}
    return Paper(**cited) if any(cited.values()) else None


def _results(row: Row) -> Iterator[Result]:
    metric, value = text_of(row, "metric"), number(row, "value", least=-1e308)
    if metric is None and value is None:
        return
    if metric is None or value is None:
        raise InputError("a result needs its metric and value: give both or neither")
    yield Result(task=text_of(row, "task"), dataset=text_of(row, "dataset"), metric=metric, value=value)
