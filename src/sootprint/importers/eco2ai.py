"""Eco2AI's emission.csv, of all its releases.

Its energies are kilowatt-hours multiplied with the PUE that its user gave, 1 unless set, which the file does not tell;
its emissions are kilograms. A run of `start` and `stop` is one line that was written over with its sums as they grew. A
run of `start_training` is one line an epoch, each with what was used since the line before, so that they are added.

Source:
    Eco2AI 0.3.12 (2024) and 0.3.13 (2026), emission_track.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware, Place
from sootprint.importers import clocks
from sootprint.importers.base import (
    FAULTS,
    Imported,
    Row,
    beside,
    claimed,
    faint,
    gathered,
    grade_of,
    identity,
    instant,
    names_in,
    number,
    place_of,
    rows,
    slips,
    stamp,
    text_of,
    tried,
)  # fmt: skip

NAME = "eco2ai"
_ENERGY = ("power_consumption(kwh)", "power_consumption(kwth)")  # the second until 0.3
_PARTS = (("gpu", "accelerator", "sensor"), ("cpu", "cpu", "modelled"), ("ram", "dram", "modelled"))
_EPOCH = re.compile(r"epoch: .+", re.DOTALL)
_GPU = re.compile(r"(.+?) (\d{1,4}) device\(s\)(?: (.*))?", re.DOTALL)
_CPU = re.compile(r"(.+?)/(\d{1,4}) device\(s\), TDP: ?([\d.]+)(?: .*)?", re.DOTALL)
_NOTHING = ("n/a", "none", "nan", "")


class _Line(NamedTuple):
    """A line of the file: where it is, and what it says."""

    number: int
    row: Row
    duration_s: float
    energy_kwh: float | None
    emissions_kg: float | None


def is_it(text: str, _: str) -> bool:
    """Whether a text is such a file."""
    names = names_in(text.partition("\n")[0])
    return "co2_emissions(kg)" in names and bool(names & set(_ENERGY))


def read(text: str, name: str) -> Imported:
    """Records of the runs in a file.

    Raises:
        InputError: It holds no run.
    """
    return gathered(NAME, name, _runs(text, name))


def _runs(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    """Place and record of each run, or why a line became none."""
    runs: dict[str, list[_Line]] = {}
    for number_, row in rows(text, name):
        try:
            line = _line(number_, row)
        except FAULTS as err:
            yield f"line {number_}", str(err)
        else:
            runs.setdefault(line.row.get("id") or f"line {number_}", []).append(line)
    times = {key: _times(lines) for key, lines in runs.items()}
    counts = beside({key: (one[0].timestamp(), one[1].timestamp()) for key, one in times.items() if one})
    for key, lines in runs.items():
        where = f"line {lines[0].number}"
        yield tried(where, partial(_record, lines, times[key], counts.get(key, 0)))


def _line(where: int, row: Row | str) -> _Line:
    if isinstance(row, str):
        raise InputError(row)
    energy = next((number(row, column) for column in _ENERGY if row.get(column)), None)
    emissions = number(row, "co2_emissions(kg)")
    if energy is None and emissions is None:
        raise InputError(
            "it has neither power_consumption(kWh) nor CO2_emissions(kg): a record needs one of them"
        )
    return _Line(where, row, number(row, "duration(s)") or 0.0, energy, emissions)


def _times(lines: Sequence[_Line]) -> tuple[datetime, datetime] | None:
    """Start and end of a run, None where its file does not tell them."""
    starts = [instant(line.row.get("start_time", "")) for line in lines]
    known = [(at, line.duration_s) for at, line in zip(starts, lines, strict=True) if at is not None]
    if not known:
        return None
    try:
        return min(at for at, _ in known), max(at + timedelta(seconds=spent_s) for at, spent_s in known)
    except OverflowError:
        return None


def _record(lines: Sequence[_Line], times: tuple[datetime, datetime] | None, others: int) -> Footprint:
    last = lines[-1].row
    energy, emissions = _sum([one.energy_kwh for one in lines]), _sum([one.emissions_kg for one in lines])
    duration_s = math.fsum(one.duration_s for one in lines)
    hardware = tuple(_hardware(last))
    place, remarks = _place(last)
    components = tuple(_components(lines))
    made: dict[str, Any] = {
        "energy_kwh": claimed(energy),
        "emissions_kg": claimed(emissions),
        "place": place,
        "pue": None,
        "started": stamp(times[0]) if times else None,
        "device_hours": _device_hours(duration_s, hardware),
    }
    return Footprint(
        id=identity(times[0].timestamp() if times else None, NAME, *_key(lines)),
        tool=NAME,
        name=text_of(last, "experiment_description") or text_of(last, "project_name"),
        project=text_of(last, "project_name"),
        ended=stamp(times[1]) if times else None,
        duration_s=duration_s or None,
        hardware=hardware,
        software={"os": last["os"]} if last.get("os") else {},
        components=components,
        grade=grade_of(components, hardware),
        unknown=tuple(name for name, value in made.items() if value is None or value == Place()),
        warnings=(*_doubts(lines, others, hardware), *slips(energy, emissions), *remarks),
        given=_given(lines),
        **made,
    )


def _device_hours(duration_s: float, hardware: tuple[Hardware, ...]) -> Quantity | None:
    if not duration_s or not hardware:
        return None
    return Quantity(value=units.hours(duration_s) * hardware[0].count, basis="derived")


def _sum(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return math.fsum(known) if known else None


def _key(lines: Sequence[_Line]) -> Iterator[str]:
    """What tells a run from others: its identity and sums, or the whole line where it has none."""
    for line in lines:
        if line.row.get("id"):
            yield from (
                line.row["id"],
                line.row.get("epoch", ""),
                str(line.energy_kwh),
                str(line.emissions_kg),
            )
        else:
            yield from (f"{name}={value}" for name, value in sorted(line.row.items()))


def _components(lines: Sequence[_Line]) -> Iterator[Component]:
    """Parts of the energy, where the release wrote them and a device was there."""
    for short, component, basis in _PARTS:
        energy = _sum([number(line.row, f"{short}_consumption(kwh)") for line in lines])
        if energy is not None and (energy or short != "gpu"):
            yield Component(component=component, meter=NAME, energy_kwh=Quantity(value=energy, basis=basis))


def _hardware(row: Row) -> Iterator[Hardware]:
    """Devices: "NVIDIA A100 2 device(s)" and "AMD EPYC/1 device(s), TDP:155.0"; without a GPU there are 0 of a CPU."""
    card = _GPU.fullmatch(row.get("gpu_name", ""))
    if card and int(card[2]):
        yield Hardware(kind="accelerator", name=card[1][:200], count=int(card[2]))
    processor = _CPU.fullmatch(row.get("cpu_name", ""))
    if processor and processor[1].lower() not in _NOTHING:
        watts = float(processor[3]) if re.fullmatch(r"\d{1,4}(\.\d+)?", processor[3]) else None
        yield Hardware(
            kind="cpu", name=processor[1][:200], count=max(1, int(processor[2])), rated_power_w=watts or None
        )


def _place(row: Row) -> tuple[Place, tuple[str, ...]]:
    """Place of a text such as "FR/Ile-de-France": the state, where a table has it in that country, else the country."""
    said = text_of(row, "region/country")
    if said is None:
        return Place(), ()
    country, _, region = said.partition("/")
    whole, part = place_of(country), place_of(region)
    if whole is None:
        return Place(), (f"country {country!r:.40} is in no table",)
    if part is not None and part.country == whole.country:
        return part, ()
    return whole, ()


def _doubts(lines: Sequence[_Line], others: int, hardware: tuple[Hardware, ...]) -> Iterator[str]:
    cards = sum(one.count for one in hardware if one.kind == "accelerator")
    yield "its energy holds the PUE that its user gave, 1 unless set: the file does not tell it"
    yield "the processor's energy is its rated power x the share of this process, the memory's is 0.375 W/GB of it"
    yield "the place is guessed from the network address, where nobody told it"
    yield from clocks.doubts(*(line.row.get("start_time") for line in lines))
    epochs = [line.row.get("epoch", "") for line in lines]
    if len(lines) > 1 and all(_EPOCH.fullmatch(one) for one in epochs):
        yield f"{len(lines)} lines of epochs are added: each tells what was used since the one before"
        if len(set(epochs)) < len(epochs):
            yield "an epoch stands in several lines: was it trained twice, or written twice?"
    elif len(lines) > 1:
        yield f"{len(lines)} lines have one id and are added: where they are sums that grow, this counts some twice"
    yield from faint(_sum([one.energy_kwh for one in lines]), math.fsum(one.duration_s for one in lines))
    if others:
        whose = f"all {cards} GPUs of the machine" if cards else "its own processes"
        yield f"{others} other runs of the file ran at the same time, each counting {whose}: on one machine, count once"


def _given(lines: Sequence[_Line]) -> dict[str, Any]:
    """Cells as they stand, of the run's only line or of its last one."""
    told = {name: text for name, text in lines[-1].row.items() if text and name != "os"}
    return told | ({"lines": len(lines)} if len(lines) > 1 else {})
