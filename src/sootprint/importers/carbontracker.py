"""Carbontracker's logs of a run: the standard log, its output log, or the text of both.

The standard log tells the tool's version, the PUE that it multiplies with, the mean power of each device in each epoch
and the grid; these are before PUE. The output log tells the sums, energy and emissions with the PUE in them, and not
the PUE. So the energy before PUE is that of the output log over the PUE of the standard log, or what the epochs of the
standard log add up to; of an output log alone it is told with the bounds of the PUEs that the tool has had.

Source:
    Carbontracker 2.4.7 (2026), loggerutil.py, tracker.py and parser.py; 1.1.6 (2022) wrote the same lines.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware, Place
from sootprint.importers import clocks
from sootprint.importers.base import (
    NEAR,
    Imported,
    amount,
    claimed,
    gathered,
    grade_of,
    identity,
    instant,
    place_of,
    slips,
    stamp,
    tried,
)  # fmt: skip

NAME = "carbontracker"
STEM = re.compile(r"(.+?)_carbontracker(?:_output)?\.log", re.IGNORECASE)
_ENTRY = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) - (?:CarbonTracker: ?)?", re.MULTILINE)
_VERSION = re.compile(r"carbontracker version (\S{1,60})")
_OURS = re.compile(r"Sootprint \S{1,60} writes this log of carbontracker: its own record is (\S{1,40})")
_PUE = re.compile(r"multiplied by a PUE coefficient of (\d{1,3}(?:\.\d{1,6})?)")
_KIND = re.compile(r"([A-Z]{2,8}) with device\(s\) ")
_CLOCK = r"(-?)(\d{1,6}):(\d\d):(\d\d(?:\.\d+)?)"
_DURATION = re.compile(rf"Duration:\s*{_CLOCK}")
_POWER = re.compile(r"Average power usage \(W\) for (\w{1,20}): (None|\[[^\]]{0,4000}\]|[\d.e+-]+)")
_INTENSITY = re.compile(
    r"Average carbon intensity during training was (\S{1,30}) gCO2(?:eq)?/kWh(?: at detected location: )?(.*)",
    re.DOTALL,
)
_SUM = re.compile(
    rf"(Actual|Predicted) consumption(?: for (\d{{1,9}}) epoch\(s\))?:\s+Time:\s+{_CLOCK}"
    r"\s+Energy:\s+(\S{1,40}) kWh\s+CO2eq:\s+(\S{1,40}) g"
)
# Of the releases from 2020 to 2026, constants.py
PUES = Quantity(value=1.58, low=1.55, high=1.59, basis="assumed")
_FAMILIES = {"gpu": "accelerator", "cpu": "cpu", "dram": "dram", "ram": "dram"}
_NAMELESS = re.compile(r"cpu:\d+|\d*")  # RAPL's packages and empty lists name no device


class _Sum(NamedTuple):
    """A consumption that the tool printed, with its PUE in it."""

    epochs: int | None
    duration_s: float
    energy_kwh: float
    emissions_g: float


class _Epoch(NamedTuple):
    """Time of an epoch and mean power of each kind of device; None where nothing was read."""

    duration_s: float
    power_w: dict[str, float | None]


class _Log(NamedTuple):
    """What the logs of a run tell; `means` are kinds whose power is one number, and not one for each device."""

    times: tuple[str, ...]
    version: str | None
    pue: float | None
    devices: dict[str, tuple[str, ...]]
    epochs: tuple[_Epoch, ...]
    intensity: tuple[float | None, str | None]
    means: frozenset[str]
    actual: _Sum | None
    predicted: _Sum | None
    is_stopped: bool


def is_it(text: str, _: str) -> bool:
    """Whether a text is such a log."""
    start = text[:2000].lower()
    return _ENTRY.match(text) is not None and "carbontracker" in start


def read(text: str, name: str) -> Imported:
    """Record of the run that a log tells of.

    Raises:
        InputError: It tells no consumption.
    """
    return gathered(NAME, name, _run(text, name))


def _run(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    ours = _OURS.search(text)
    if ours:
        yield "the log", f"Sootprint wrote it: its own record is `sootprint show {ours[1]}`"
        return
    yield tried("the log", lambda: _record(_parsed(text), text, name))


def _parsed(text: str) -> _Log:
    marks = list(_ENTRY.finditer(text))
    if not marks:
        raise InputError("it has no line of Carbontracker's: give a file that ends in _carbontracker.log")
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    entries = [text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    versions = [found[1] for found in map(_VERSION.search, entries) if found]
    if len(versions) > 1:
        raise InputError(f"it has the logs of {len(versions)} runs: give each run's logs by themselves")
    intensities = [found for found in map(_INTENSITY.search, entries) if found]
    sums = {found[1]: _sum(found) for found in map(_SUM.search, entries) if found}
    pues = [float(found[1]) for found in map(_PUE.search, entries) if found]
    listed = [entry for entry in entries if "components were found" in entry]
    powers = [(found[1].lower(), found[2]) for found in map(_POWER.search, entries) if found]
    return _Log(
        times=tuple(mark[1] for mark in marks),
        version=versions[0] if versions else None,
        pue=pues[0] if pues else None,
        devices=_devices(listed[0]) if listed else {},
        epochs=tuple(_epochs(entries)),
        intensity=_intensity(intensities[-1]) if intensities else (None, None),
        means=frozenset(kind for kind, one in powers if not one.startswith("[")),
        actual=sums.get("Actual"),
        predicted=sums.get("Predicted"),
        is_stopped=any("interrupted before all" in entry for entry in entries),
    )


def _seconds(found: re.Match[str], first: int) -> float:
    """Seconds of a clock's four groups, the first of which is a minus or nothing."""
    sign, hours, minutes, seconds = found.groups()[first - 1 : first + 3]
    total_s = units.seconds(float(hours)) + float(minutes) * units.SECONDS_PER_MINUTE + float(seconds)
    return -total_s if sign else total_s


def _sum(found: re.Match[str]) -> _Sum:
    duration_s = _seconds(found, 3)
    if duration_s < 0.0:
        raise InputError(
            f"its time is {duration_s:g} s: the clock was set back while it ran, so its sums are none"
        )
    return _Sum(
        epochs=int(found[2]) if found[2] else None,
        duration_s=duration_s,
        energy_kwh=amount(found[7], "Energy"),
        emissions_g=amount(found[8], "CO2eq"),
    )


def _devices(entry: str) -> dict[str, tuple[str, ...]]:
    _, *told = _KIND.split(entry)
    return {
        kind.lower(): tuple(name.strip() for name in names.rstrip(" .\n").split(","))
        for kind, names in zip(told[::2], told[1::2], strict=True)
    }


def _intensity(found: re.Match[str]) -> tuple[float | None, str | None]:
    return amount(found[1], "carbon intensity"), found[2].strip(" .\n")[:200] or None


def _epochs(entries: list[str]) -> Iterator[_Epoch]:
    """Epochs in the order of the log: a duration, and the powers up to the next one."""
    duration_s: float | None = None
    power_w: dict[str, float | None] = {}
    for entry in entries:
        clock, power = _DURATION.search(entry), _POWER.search(entry)
        if clock:
            if duration_s is not None:
                yield _Epoch(duration_s, power_w)
            duration_s, power_w = _seconds(clock, 1), {}
        elif power and duration_s is not None:
            power_w[power[1].lower()] = _power_w(power[2])
    if duration_s is not None:
        yield _Epoch(duration_s, power_w)


def _power_w(text: str) -> float | None:
    """Power of all devices of a kind [W]; None where one of them was not read."""
    if text == "None" or "None" in text or "nan" in text:
        return None
    return math.fsum(amount(one, "power") for one in text.strip("[]").replace(",", " ").split())


def _record(log: _Log, text: str, name: str) -> Footprint:
    components = _components(log)
    if log.actual is None and not components:
        why = "only a prediction, which is no measurement" if log.predicted else "no epoch with a power"
        raise InputError(f"it tells {why}: give the log of a run whose epochs were monitored")
    energy, emissions, more = _sums(log, components)
    started, ended = instant(log.times[0]), instant(log.times[-1])
    hardware = tuple(_hardware(log.devices))
    duration_s = _duration_s(log)
    made: dict[str, Any] = {
        "energy_kwh": energy,
        "emissions_kg": emissions,
        "pue": claimed(log.pue) or (PUES if log.actual else None),
        "intensity_g_per_kwh": claimed(log.intensity[0]),
        "device_hours": _device_hours(duration_s, hardware),
    }
    place = _place(log.intensity[1])
    return Footprint(
        id=identity(started.timestamp() if started else None, NAME, *_key(log, text, name)),
        tool=NAME,
        tool_version=log.version,
        name=_title(name),
        boundary="facility" if made["pue"] else "node",
        started=stamp(started) if started else None,
        ended=stamp(ended) if ended else None,
        duration_s=duration_s,
        place=place,
        hardware=hardware,
        components=components,
        grade=grade_of(components, hardware),
        unknown=tuple(key for key, value in (made | {"place": place.zone}).items() if value is None),
        warnings=(*more, *_doubts(log), *_slips(log, energy, emissions)),
        given=_given(log),
        **made,
    )


def _duration_s(log: _Log) -> float:
    """Time of the run [s]: as summed up, or of its epochs."""
    if log.actual:
        return log.actual.duration_s
    return math.fsum(max(0.0, one.duration_s) for one in log.epochs)


def _device_hours(duration_s: float, hardware: tuple[Hardware, ...]) -> Quantity | None:
    count = sum(device.count for device in hardware if device.kind == "accelerator")
    return Quantity(value=units.hours(duration_s) * count, basis="derived") if count else None


def _place(where: str | None) -> Place:
    """Place of a text such as "Copenhagen, Capital Region, DK": whole, else its last part that a table knows."""
    if not _is_known(where):
        return Place()
    parts = [part.strip() for part in (where or "").split(",")]
    return place_of(where, *reversed(parts)) or Place()


def _slips(log: _Log, energy: Quantity | None, emissions: Quantity | None) -> tuple[str, ...]:
    if energy is None or emissions is None:
        return ()
    return slips(energy.value * (log.pue or PUES.value), emissions.value)


def _key(log: _Log, text: str, name: str) -> tuple[str, ...]:
    """What tells a run from others: its logs' common name, else what the log says."""
    found = STEM.fullmatch(name)
    return (found[1],) if found else (log.times[0], text)


def _title(name: str) -> str:
    found = STEM.fullmatch(name)
    return found[1] if found else name


def _components(log: _Log) -> tuple[Component, ...]:
    """Energy of each kind of device, before PUE: mean power times time, epoch by epoch."""
    kinds = dict.fromkeys(kind for epoch in log.epochs for kind in epoch.power_w)
    found = []
    for kind in kinds:
        spent_j = [
            power * epoch.duration_s
            for epoch in log.epochs
            if epoch.duration_s > 0.0 and (power := epoch.power_w.get(kind)) is not None
        ]
        if any(spent_j):
            found.append(
                Component(
                    component=_FAMILIES.get(kind, "node"),
                    meter=NAME,
                    energy_kwh=Quantity(
                        value=units.energy_kwh(math.fsum(spent_j)),
                        basis="sensor" if kind == "gpu" else "modelled",
                    ),
                )
            )
    return tuple(found)


def _sums(
    log: _Log, components: tuple[Component, ...]
) -> tuple[Quantity | None, Quantity | None, tuple[str, ...]]:
    """Energy before PUE [kWh], emissions [kg], and what has to be said of them."""
    parts_kwh = math.fsum(part.energy_kwh.value for part in components) if components else None
    told = log.actual
    if told is None:
        if log.intensity[0] is None or log.pue is None:
            return claimed(parts_kwh, "derived"), None, ()
        emissions_kg = (parts_kwh or 0.0) * log.pue * log.intensity[0] / units.G_PER_KG
        why = (
            "its sums are in the output log beside it: the emissions are its energy x its PUE x its intensity"
        )
        return claimed(parts_kwh, "derived"), claimed(emissions_kg, "derived"), (why,)
    emissions = claimed(told.emissions_g / units.G_PER_KG)
    if log.pue is None:
        why = (
            f"its {told.energy_kwh:.6g} kWh hold a PUE that only the standard log beside it tells: 1.58 is taken out, "
            "with 1.55 and 1.59 as bounds; import both logs, or their folder"
        )
        before = Quantity(
            value=told.energy_kwh / PUES.value,
            low=told.energy_kwh / (PUES.high or PUES.value),
            high=told.energy_kwh / (PUES.low or PUES.value),
            basis="derived",
        )
        return before, emissions, (why,)
    before_kwh = told.energy_kwh / log.pue
    if parts_kwh and before_kwh and not 1.0 / NEAR <= parts_kwh / before_kwh <= NEAR:
        why = f"power x time of its epochs gives {parts_kwh:.4g} kWh, its sum without PUE is {before_kwh:.4g} kWh"
        return claimed(before_kwh, "derived"), emissions, (why,)
    return claimed(before_kwh, "derived"), emissions, ()


def _doubts(log: _Log) -> Iterator[str]:
    yield clocks.LOCAL
    if log.pue is not None:
        yield f"its PUE of {log.pue:g} is a survey's average, fixed in the tool and not the site's"
    unread = sum(not epoch.power_w or None in epoch.power_w.values() for epoch in log.epochs)
    if unread:
        yield f"{unread} of {len(log.epochs)} epochs were too short for a reading: what they used is not known"
    back = sum(epoch.duration_s < 0.0 for epoch in log.epochs)
    if back:
        yield f"{back} epochs have a negative time: the clock was set back, and they are not counted"
    if log.is_stopped:
        yield "it was stopped before all epochs: the one that was not finished is not in"
    if "cpu" in log.devices:
        yield "whether the processor was measured or taken from a table stands nowhere: it counts as modelled"
    if _is_known(log.intensity[1]):
        yield "its place is guessed from the network address, where nobody told it"
    elif log.intensity[0] is not None:
        yield f"it knew no place: its {log.intensity[0]:g} g/kWh are its average of the world"
    yield from _misread(log)


def _is_known(where: str | None) -> bool:
    return where is not None and where.lower() not in ("", "unknown", "none")


def _misread(log: _Log) -> Iterator[str]:
    """What the tool makes of several devices and of one that it may not read."""
    for kind, names in log.devices.items():
        if kind in log.means and len(names) > 1:
            yield (
                f"its power of {len(names)} {kind.upper()}s is their mean, which it counts once, as 2.4.7 does: "
                f"their energy may be {len(names)} times as much"
            )
    for kind in dict.fromkeys(kind for epoch in log.epochs for kind in epoch.power_w):
        told = [epoch.power_w.get(kind) for epoch in log.epochs]
        if not any(told) and None not in told:
            yield f"it tells 0 W of its {kind.upper()}, as where it may not be read: what that used is not known"


def _hardware(devices: dict[str, tuple[str, ...]]) -> Iterator[Hardware]:
    for kind, names in devices.items():
        for name, count in Counter(names).items():
            if kind in _FAMILIES and not _NAMELESS.fullmatch(name):
                yield Hardware(kind=_FAMILIES[kind], name=name[:200], count=count)


def _given(log: _Log) -> dict[str, Any]:
    told: dict[str, Any] = {"epochs_monitored": len(log.epochs)} if log.epochs else {}
    if _is_known(log.intensity[1]):
        told["location"] = log.intensity[1]
    for name, one in (("actual", log.actual), ("predicted", log.predicted)):
        if one is not None:
            told[f"{name}_epochs"] = one.epochs
            told[f"{name}_time_s"] = one.duration_s
            told[f"{name}_energy_kwh_with_pue"] = one.energy_kwh
            told[f"{name}_co2eq_g"] = one.emissions_g
    return told
