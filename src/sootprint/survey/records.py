"""Records as rows of the tidy schema: of a file, a folder, this machine's ledger or a hub."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core import codec, units, utc
from sootprint.core.errors import InputError, RecordError
from sootprint.core.merging import parts
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Paper, Result, Work, device_count, main_device
from sootprint.core.results import is_higher_better
from sootprint.survey.exclusions import Exclusion
from sootprint.survey.read import holds_zero
from sootprint.survey.schema import GIVEN, types

if TYPE_CHECKING:
    import polars as pl

BIGGEST = 512 << 20  # bytes; some 100,000 records
MOST_NAMES = 200_000  # files and folders below a folder of records
SUFFIXES = (".json", ".jsonl", ".ndjson")
Row = dict[str, Any]


def is_records(path: Path) -> bool:
    """Whether a path means records: a folder, or a file that is named or begins as JSON."""
    if path.is_dir() or path.suffix in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip()[:1] in (b"{", b"[")
    except OSError:
        return False


def read(source: str | Path) -> Iterator[Footprint | str]:
    """Records of a file, a folder or the ledger; a text is the reason why one could not be read.

    Raises:
        InputError: The file is none, is no JSON, or a folder has no records.
    """
    if str(source) == "ledger":
        yield from _ledger()
        return
    path = Path(source)
    files = _files(path) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path} has no files that end in {', '.join(SUFFIXES)}: name a folder of records")
    yield from chain.from_iterable(_file(one) for one in files)


def _files(folder: Path) -> list[Path]:
    """Files of records below a folder; what goes away or may not be looked into on the way has none.

    Raises:
        InputError: There is so much below it that it is no folder of records.
    """
    found: list[Path] = []
    seen = 0
    for where, _, names in os.walk(folder):
        seen += 1 + len(names)
        if seen > MOST_NAMES:
            raise InputError(f"{folder} holds more than {MOST_NAMES:,} files: name a folder of records")
        found += [Path(where, name) for name in names if Path(name).suffix in SUFFIXES]
    return sorted(found)


def _ledger() -> Iterator[Footprint]:
    from sootprint import settings
    from sootprint.ledger import Ledger

    with Ledger(settings.load().home) as ledger:
        for run in ledger.runs():
            if run.state != "live":
                yield ledger.get(run.id)


def _file(path: Path) -> Iterator[Footprint | str]:
    """Records of one file: one object, a list, a page of a hub, or one record a line."""
    try:
        _look_at(path)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror}; give JSON records or a CSV table") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8: give JSON records or a CSV table") from None
    try:
        data = json.loads(text)
    except ValueError:
        yield from _lines(path, text)
        return
    if isinstance(data, dict) and isinstance(data.get("items"), list):
        data = data["items"]
    yield from decoded(data if isinstance(data, list) else [data])


def _look_at(path: Path) -> None:
    """Refuse what is no text, or too large to be held, before it is read.

    Raises:
        InputError: It is.
    """
    if holds_zero(path):
        raise InputError(f"{path} is no text: it holds bytes that no JSON has; give JSON records")
    size = path.stat().st_size
    if size > BIGGEST:
        raise InputError(
            f"{path} has {size >> 20:,} MiB, more than {BIGGEST >> 20}: split it into several files"
        )


def _lines(path: Path, text: str) -> Iterator[Footprint | str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except ValueError as err:
            if number == 1:
                raise InputError(f"{path} is no JSON: {err}") from None
            yield f"line {number}: {err}"
            continue
        yield from decoded([data])


def decoded(items: Iterable[Any]) -> Iterator[Footprint | str]:
    """Records of plain objects; a text is the reason why one is none."""
    for item in items:
        try:
            yield codec.from_dict(item)
        except RecordError as err:
            yield str(err)


def rows(found: Iterable[Footprint | str]) -> tuple[pl.DataFrame, list[Exclusion]]:
    """Given columns of records, one row a result (one without any), and what was left out.

    Raises:
        InputError: No record could be read.
    """
    import polars as pl

    listed = list(found)
    problems = [one for one in listed if isinstance(one, str)]
    prints = [one for one in listed if isinstance(one, Footprint)]
    if not prints:
        raise InputError(f"there are no records: {problems[0] if problems else 'the source is empty'}")
    known = {one.id: one for one in prints}
    places = {one.id: parts.place(one) for one in known.values()}
    whole = [one for one in known.values() if parts.part(places[one.id], places) is None]
    excluded = []
    if len(known) < len(prints):
        reason = "the same record again"
        excluded.append(Exclusion(what="records", reason=reason, count=len(prints) - len(known)))
    if problems:
        excluded.append(
            Exclusion(what="records", reason="no record", count=len(problems), example=problems[0][:120])
        )
    if len(whole) < len(known):
        reason = "part of another run that is in the data"
        excluded.append(Exclusion(what="records", reason=reason, count=len(known) - len(whole)))
    lower = [one.metric for record in whole for one in _quality(record) if not is_higher_better(one.metric)]
    if lower:
        reason = "less is better: a front and a correlation of the survey are of metrics that rise"
        excluded.append(
            Exclusion(what="metric_value", reason=reason, count=len(lower), example=lower[0][:60])
        )
    made = list(chain.from_iterable(_rows(one) for one in whole))
    of = types()
    return pl.DataFrame(made, schema={name: of[name] for name in GIVEN}), excluded


def _rows(record: Footprint) -> Iterator[Row]:
    """Rows of one record: its quality results that are the better the higher, or one row without a metric."""
    whole = {**_work(record), **_place(record), **_carbon(record)}
    results = [one for one in _quality(record) if is_higher_better(one.metric)]
    if not results:
        yield whole
    for result in results:
        yield whole | {
            "task": result.task,
            "dataset": result.dataset or None,
            "metric": result.metric,
            "metric_value": result.value,
            "metric_split": result.split,
        }


def _quality(record: Footprint) -> list[Result]:
    return [one for one in record.results if one.kind == "quality"]


def _work(record: Footprint) -> Row:
    model, paper = record.model, record.paper or Paper()
    main = main_device(record.hardware)
    hours = record.device_hours.value if record.device_hours else None
    published = paper.published or record.started
    return {
        "run": record.id,
        "model": (model.name if model else None) or record.name,
        "family": model.family if model else None,
        "architecture": model.architecture if model else None,
        "technique": model.technique if model else None,
        "parameters": model.params if model else None,
        "flops": (record.work or Work()).flops,
        "stage": record.stage,
        "paper": paper.citation or paper.doi or paper.arxiv,
        "published": published,
        "year": utc.written_year(published),
        "hardware": main.name if main else None,
        "devices": None if (count := device_count(record)) is None else float(count),
        "wall_hours": units.hours(record.duration_s) if record.duration_s else None,
        "device_hours": hours or None,
        "rated_power_w": main.rated_power_w if main else None,
        "mean_power_w": _stated_power_w(record),
    }


def _stated_power_w(record: Footprint) -> float | None:
    """Mean power of one device that whoever made the record stated beside it [W]."""
    given = record.given.get("power_w")
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return float(given) if 0.0 < given < math.inf else None


def _place(record: Footprint) -> Row:
    return {
        "country": record.place.country,
        "location": record.place.subdivision,
        "zone": record.place.zone,
    }


def _carbon(record: Footprint) -> Row:
    energy, emissions = record.energy_kwh, record.emissions_kg
    factor = next((one for one in record.factors if one.kind == "intensity"), None)
    return {
        "intensity_g_per_kwh": _value(record.intensity_g_per_kwh),
        "intensity_year": utc.written_year(factor.period) if factor else None,
        "intensity_basis": _basis_of_intensity(record),
        "pue": _value(record.pue),
        "energy_given_kwh": _value(energy),
        "energy_basis": energy.basis if energy else None,
        "energy_includes_pue": "no" if energy else None,
        "emissions_given_kg": _value(emissions),
        "emissions_basis": emissions.basis if emissions else None,
        "confidence": record.grade,
        "reference": record.tool,
        "note": "; ".join(record.warnings) or None,
    }


def _basis_of_intensity(record: Footprint) -> str | None:
    """Whose the intensity is: the catalogue's where emissions are those of a source that states none."""
    intensity, emissions = record.intensity_g_per_kwh, record.emissions_kg
    if intensity is None:
        return None
    stated = emissions is not None and emissions.basis == "claimed"
    return "catalogue" if stated and intensity.basis == "assumed" else "reported"


def _value(quantity: Quantity | None) -> float | None:
    return quantity.value if quantity is not None else None
