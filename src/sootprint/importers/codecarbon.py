"""CodeCarbon's emissions.csv, of all its releases, and the files of its tasks.

Its energies are multiplied by its PUE where one was given, so they are divided by it: a record's energy is before PUE.
Its emissions are kilograms. The file does not say whether the processor was measured or modelled; what it does not
say is taken for modelled. A run that wrote several lines wrote sums that grow: the last of them is the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware, Place
from sootprint.core.units import G_PER_KG, hours
from sootprint.importers import clocks
from sootprint.importers.base import (
    NEAR,
    Imported,
    Row,
    claimed,
    crowded,
    faint,
    gathered,
    grade_of,
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
    warned,
    whole,
)  # fmt: skip

NAME = "codecarbon"
# Columns since 2020: the first have no parts, no hardware and no run_id; `pue`, `wue`, `water_consumed` and the
# utilisations came with 3.x; the files of tasks have `task_name`.
_PARTS = (("gpu", "accelerator"), ("cpu", "cpu"), ("ram", "dram"))
_COUNTED = re.compile(r"(\d{1,5})\s*[x×]\s*(\S.*)", re.IGNORECASE)  # of a cell without blanks around it
_SOFTWARE = {"codecarbon": "codecarbon_version", "python": "python_version", "os": "os"}
NOBODYS_PUE = Quantity(value=1.0, basis="assumed")
_GIVEN = (
    "run_id", "experiment_id", "task_name", "duration", "emissions", "emissions_rate", "energy_consumed",
    "cpu_energy", "gpu_energy", "ram_energy", "cpu_power", "gpu_power", "ram_power", "water_consumed", "pue",
    "wue", "cpu_count", "tracking_mode", "ram_total_size",
)  # fmt: skip


def is_head(line: str) -> bool:
    """Whether a line is the head of such a file."""
    names = names_in(line)
    return {"emissions", "duration"} <= names and bool({"project_name", "energy_consumed", "run_id"} & names)


def read(text: str, name: str) -> Imported:
    """Records of the runs in a file.

    Raises:
        InputError: It holds no run.
    """
    return gathered(NAME, name, _runs(text, name))


def _runs(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    """Place and record of each run, or why a line became none; those that may have shared a node say so."""
    made = list(_each(text, name))
    others = crowded(one for _, one in made if not isinstance(one, str) and of_node_kwh(one))
    for where, one in made:
        count = 0 if isinstance(one, str) else others.get(one.id, 0)
        yield (
            where,
            one if isinstance(one, str) or not count else warned(one, _CROWDED.format(count, count + 1)),
        )


_CROWDED = (
    "{} other runs of the file ran at the same time on like hardware: CodeCarbon counts a node for each process, so "
    "that on one node its energy stands here up to {} times"
)


def of_node_kwh(record: Footprint) -> float | None:
    """Energy of a run that is of its whole node, whatever else ran there [kWh]; None where none is.

    In the mode of processes that is the accelerators' alone. Tasks of a run follow each other in one process.
    """
    if record.given.get("task_name"):
        return None
    if record.given.get("tracking_mode") != "process":
        return record.energy_kwh.value if record.energy_kwh else None
    cards = [one.energy_kwh.value for one in record.components if one.component == "accelerator"]
    return sum(cards) if cards else None


def _each(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    listed = list(rows(text, name))
    last: dict[tuple[str, str], tuple[float, int]] = {}
    for line, row in listed:
        if not isinstance(row, str) and row.get("run_id"):
            last[_run(row)] = max(last.get(_run(row), (-1.0, 0)), (_seconds(row), line))
    for line, row in listed:
        where = f"line {line}"
        if isinstance(row, str):
            yield where, row
        elif row.get("codecarbon_version", "").startswith("sootprint"):
            yield where, f"Sootprint wrote it: its own record is `sootprint show {row.get('run_id', '')}`"
        elif row.get("run_id") and last[_run(row)][1] != line:
            kept = last[_run(row)][1]
            yield where, f"an earlier sum of the run that line {kept} completes: it is in that one"
        else:
            yield tried(where, partial(_record, row))


def _run(row: Row) -> tuple[str, str]:
    return row["run_id"], row.get("task_name", "")


def _seconds(row: Row) -> float:
    try:
        return number(row, "duration") or 0.0
    except InputError:
        return 0.0


def _record(row: Row) -> Footprint:
    duration_s, emissions = number(row, "duration"), number(row, "emissions")
    pue = pue_of(row)
    energy = _before(number(row, "energy_consumed"), pue)
    if energy is None and emissions is None:
        raise InputError("it has neither energy_consumed nor emissions: a record needs one of them")
    ended = instant(row.get("timestamp", ""))
    started = _started(ended, duration_s)
    place, remarks = placed(row)
    components, hardware = _components(row, pue), tuple(_hardware(row))
    made: dict[str, Any] = {
        "emissions_kg": claimed(emissions),
        "energy_kwh": claimed(energy, "derived" if components else "claimed"),
        "place": place,
        "pue": _pue(pue),
        "water_l": claimed(_water(row)),
        "started": stamp(started) if started else None,
        "device_hours": _device_hours(duration_s, hardware),
    }
    return Footprint(
        id=identity(started.timestamp() if started else None, NAME, *_key(row)),
        tool=NAME,
        tool_version=text_of(row, "codecarbon_version"),
        name=text_of(row, "task_name") or text_of(row, "project_name"),
        project=text_of(row, "project_name"),
        boundary="node" if pue is None or pue == 1.0 else "facility",
        ended=stamp(ended) if ended else None,
        duration_s=duration_s,
        hardware=hardware,
        software={name: row[column] for name, column in _SOFTWARE.items() if row.get(column)},
        components=components,
        grade=grade_of(components, hardware),
        unknown=tuple(name for name, value in made.items() if value in (None, Place(), NOBODYS_PUE)),
        warnings=(*_doubts(row), *slips(energy, emissions), *remarks),
        given={name: row[name] for name in _GIVEN if row.get(name)},
        **made,
    )


def _pue(pue: float | None) -> Quantity | None:
    """PUE of a run; 1 is what CodeCarbon writes where nobody has stated one."""
    return NOBODYS_PUE if pue == 1.0 else claimed(pue)


def _water(row: Row) -> float | None:
    """Water of a run [L]; the 0 that CodeCarbon writes where no water use was stated is none."""
    water = number(row, "water_consumed")
    return water if water or number(row, "wue") else None


def _started(ended: datetime | None, duration_s: float | None) -> datetime | None:
    """Start of a run: its end, where the duration is not told."""
    try:
        return ended - timedelta(seconds=duration_s) if ended and duration_s is not None else ended
    except OverflowError:
        raise InputError(f"duration is {duration_s:g} s: no run began so long ago") from None


def _before(energy: float | None, pue: float | None) -> float | None:
    return energy if energy is None or pue is None else energy / pue


def _key(row: Row) -> tuple[str, ...]:
    """What tells a run from others: its own identity and final sums, or the whole line where it has none."""
    if row.get("run_id"):
        return (*_run(row), row.get("duration", ""), row.get("emissions", ""))
    return tuple(f"{name}={value}" for name, value in sorted(row.items()))


def _components(row: Row, pue: float | None) -> tuple[Component, ...]:
    """Parts of the energy, where the release wrote them; its zero for a device that there is not is no part."""
    found = []
    for short, component in _PARTS:
        energy = _before(number(row, f"{short}_energy"), pue)
        if energy is None or (energy == 0.0 and short == "gpu" and not row.get("gpu_model")):
            continue
        share = number(row, f"{short}_utilization_percent", most=100.0)
        found.append(
            Component(
                component=component,
                meter=NAME,
                energy_kwh=Quantity(value=energy, basis="sensor" if short == "gpu" else "modelled"),
                utilisation=None if share is None else share / 100.0,
            )
        )
    return tuple(found)


def _hardware(row: Row) -> Iterator[Hardware]:
    """Devices: "2 x NVIDIA A100" or a bare name; `cpu_count` counts threads, so a processor is one."""
    named = text_of(row, "gpu_model")
    if named:
        counted = _COUNTED.fullmatch(named)
        count = int(counted[1]) if counted else whole(row, "gpu_count", most=100_000) or 1
        yield Hardware(kind="accelerator", name=counted[2] if counted else named, count=max(1, count))
    if text_of(row, "cpu_model"):
        yield Hardware(kind="cpu", name=row["cpu_model"])


def _device_hours(duration_s: float | None, hardware: tuple[Hardware, ...]) -> Quantity | None:
    if duration_s is None or not hardware:
        return None
    return Quantity(value=hours(duration_s) * hardware[0].count, basis="derived")


def placed(row: Row) -> tuple[Place, tuple[str, ...]]:
    """Cloud region, else the state or province, else the country, as far as a table knows it."""
    provider, region = row.get("cloud_provider", "").lower(), row.get("cloud_region", "").lower()
    if row.get("on_cloud", "").upper() == "Y" and provider and region:
        found = place_of(f"{provider}/{region}")
        if found is not None:
            return found, ()
    country = place_of(text_of(row, "country_iso_code"), text_of(row, "country_name"))
    part = place_of(text_of(row, "region"))
    if part is not None and country is not None and part.country == country.country:
        return part, ()
    if country is not None:
        return country, ()
    said = text_of(row, "country_name") or text_of(row, "country_iso_code")
    return Place(), (f"country {said!r:.40} is in no table",) if said else ()


def _doubts(row: Row) -> Iterator[str]:
    """What does not fit within the line: parts and their sum, rate and emissions over time, times without a zone."""
    energy, duration_s = number(row, "energy_consumed"), number(row, "duration")
    emissions, rate = number(row, "emissions"), number(row, "emissions_rate")
    parts = [number(row, f"{short}_energy") for short, _ in _PARTS]
    total = sum(one for one in parts if one is not None)
    if energy and total and not 1.0 / NEAR <= total / energy <= NEAR:
        yield f"cpu, gpu and ram add up to {total:.4g} kWh, energy_consumed is {energy:.4g} kWh"
    if emissions and duration_s and rate:
        off = rate / (emissions / duration_s)
        if not 0.5 <= off <= 2.0:
            slip = ", as where it was written in grams" if G_PER_KG / 2 <= off <= G_PER_KG * 2 else ""
            yield f"emissions_rate is {off:.3g} x emissions over duration{slip}; it is not used"
    yield from faint(energy, duration_s)
    yield from clocks.doubts(row.get("timestamp"))
