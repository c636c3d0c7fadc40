"""Power logs of MLPerf: the meter at the wall of an inference run, or the readings of a node in training.

Inference: `spl.txt` of SPEC's PTDaemon, a line a second, in watts; each mark (ranging, testing) is a record. Its times
are local and have no zone, so they are taken for UTC unless it is stated. Training: `node_N.txt` of MLPerf's logger,
from power_measurement_start to power_measurement_stop, times the conversion that the log states. The readings are
integrated as those of any tool; a gap has no energy and is told. Estimates of switches (`sw_N.txt`) are not measured
and refused.

Source:
    MLCommons, power-dev, ptd_client_server/logs_example (2020); MLCommons, logging, mllog/examples/power and
    result_summarizer (2024): keys and units.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Component, Footprint
from sootprint.importers import clocks, powers
from sootprint.importers.base import Imported, finite, gathered, identity, tried

NAME = "mlperf-power"
MLLOG = ":::MLLOG"
WALL = "wall"
_MS_PER_SECOND = 1000.0
MOST_LINES = 1_000_000
MOST_W = 1e6  # of a node: a rack of 2025 draws 130 kW
_TIMES = "%m-%d-%Y %H:%M:%S.%f"
_START, _STOP = "power_measurement_start", "power_measurement_stop"
_READING, _CONVERSION, _SWITCH = "power_reading", "conversion_eff", "interconnect_power_est"
_UNMARKED = ("", "notset")
MOST_CONVERSION = 2.0  # power at the wall over that behind the supply
UNBOUNDED = "how accurate the readings are stands nowhere in the log: the energy has no bounds"
CUT_OFF = f"it has no {_STOP}: it was cut off, or still runs, and counts to its last reading"


class Log(NamedTuple):
    """Readings of one measurement.

    Args:
        label: Its mark or key.
        looks: Powers [W] by instant [s].
        conversion: What the readings are to be multiplied with [1]; None where they are of the wall.
        said: How the log calls its measurement, e.g. AC.
        doubts: What a reader must know of it.
    """

    label: str
    looks: dict[float, float]
    conversion: float | None = None
    said: str | None = None
    doubts: tuple[str, ...] = ()


def is_head(line: str) -> bool:
    """Whether a line is one of such a log.

    >>> is_head("Time,12-23-2020 10:21:51.496,Watts,23.43,Volts,228.3,Amps,0.2,PF,0.5,Mark,testing")
    True
    """
    cells = line.lower().split(",")
    return line.lower().startswith(MLLOG.lower()) or (
        len(cells) > 3 and cells[0] == "time" and cells[2] == "watts"
    )


def read(text: str, name: str) -> Imported:
    """Records of the measurements in a log.

    Raises:
        InputError: It holds none.
    """
    return gathered(NAME, name, _each(text, name))


def _each(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise InputError(f"{name} has more than {MOST_LINES:,} lines: give it in parts")
    left_out: list[tuple[str, str]] = []
    reader = _training if lines and lines[0][1].startswith(MLLOG) else _inference
    logs = reader(lines, left_out)
    yield from left_out
    for log in logs:
        yield tried(log.label, partial(_record, log))


def _inference(lines: list[tuple[int, str]], left_out: list[tuple[str, str]]) -> list[Log]:
    """Readings of each mark; those between the runs are left out."""
    found: dict[str, dict[float, float]] = {}
    for number, line in lines:
        cells = line.strip().split(",")
        told = dict(zip(cells[0::2], cells[1::2], strict=False))
        try:
            at_s = datetime.strptime(told["Time"], _TIMES).replace(tzinfo=UTC).timestamp()
            power_w = _watts(told["Watts"])
        except (KeyError, ValueError) as err:
            why = (
                str(err) if isinstance(err, InputError) else "no time MM-DD-YYYY HH:MM:SS.mmm with its watts"
            )
            left_out.append((f"line {number}", f"it has {why}: it was cut off or written over"))
            continue
        found.setdefault(told.get("Mark", ""), {})[at_s] = power_w
    for mark in _UNMARKED:
        if mark in found and len(found) > 1:
            left_out.append((f"mark {mark!r}", f"{len(found.pop(mark))} readings between the runs"))
    return [Log(mark or "power", looks, doubts=(clocks.LOCAL,)) for mark, looks in found.items()]


def _training(lines: list[tuple[int, str]], left_out: list[tuple[str, str]]) -> list[Log]:
    """Readings between start and stop of a node's log."""
    events = list(_events(lines, left_out))
    keys = {one.get("key"): at_s for at_s, one in events if one.get("key") in (_START, _STOP, _SWITCH)}
    if _SWITCH in keys:
        raise InputError("it is the estimate of a switch, which nobody measured: give the logs of nodes")
    if _START not in keys:
        raise InputError(f"it has no {_START}: it is no power log of a node")
    looks: dict[float, float] = {}
    for at_s, one in events:
        if one.get("key") == _READING and keys[_START] <= at_s <= keys.get(_STOP, math.inf):
            try:
                looks[at_s] = _watts(one.get("value"))
            except InputError as err:
                left_out.append((f"time_ms {one['time_ms']}", f"it has {err}"))
    conversion = next((one for _, one in events if one.get("key") == _CONVERSION), {})
    said = conversion.get("metadata")
    kind = said.get("measurement_type") if isinstance(said, dict) else None
    doubts = (UNBOUNDED,) if _STOP in keys else (UNBOUNDED, CUT_OFF)
    return [Log("power", looks, _ratio(conversion.get("value")), str(kind)[:20] if kind else None, doubts)]


def _events(
    lines: list[tuple[int, str]], left_out: list[tuple[str, str]]
) -> Iterator[tuple[float, dict[str, Any]]]:
    """Instant [s] and contents of each line of the logger."""
    for number, line in lines:
        try:
            one = json.loads(line.partition(MLLOG)[2])
        except (ValueError, RecursionError):
            one = None
        at_s = (finite(one.get("time_ms")) or 0.0) / _MS_PER_SECOND if isinstance(one, dict) else 0.0
        if isinstance(one, dict) and powers.FIRST_S <= at_s <= powers.LAST_S:
            yield at_s, one | {"key": str(one.get("key"))}
        else:
            left_out.append((f"line {number}", "it is no event of MLPerf's logger with time_ms"))


def _watts(value: Any) -> float:
    power_w = finite(value)
    if power_w is None:
        raise InputError(f"{value!r:.40} as its watts, which is no number")
    if not 0.0 <= power_w <= MOST_W:
        raise InputError(f"{value!r:.40} as its watts, which is from 0 to {MOST_W:,.0f}")
    return power_w


def _ratio(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= MOST_CONVERSION:
        raise InputError(f"{_CONVERSION} is {value!r:.40}: it is a ratio of powers near 1")
    return float(value)


def _record(log: Log) -> Footprint:
    found = powers.spent(
        [(at_s, power_w * (log.conversion or 1.0)) for at_s, power_w in sorted(log.looks.items())]
    )
    if not found.energy_j:
        raise InputError("all its readings are 0 W: nothing was measured")
    kwh = (
        Quantity(value=units.energy_kwh(found.energy_j), basis="metered")
        if UNBOUNDED in log.doubts
        else powers.quantity_kwh(WALL, found, basis="metered")
    )
    conversion = (
        Factor(kind="conversion", key="power supply", value=log.conversion, method="as the log states it")
        if log.conversion is not None
        else None
    )
    accuracy = None if UNBOUNDED in log.doubts else powers.ACCURACY[WALL]
    return Footprint(
        id=identity(found.first_s, NAME, log.label, len(log.looks), found.first_s, found.energy_j),
        tool=NAME,
        name=f"MLPerf {log.label}"[:200],
        stage="other",
        boundary="node",
        duration_s=found.last_s - found.first_s,
        components=(Component(component=WALL, meter=NAME, energy_kwh=kwh),),
        energy_kwh=kwh,
        grade="A",
        factors=tuple(filter(None, (conversion, accuracy))),
        unknown=("place", "pue", "emissions_kg", "hardware", "device_hours"),
        warnings=(*log.doubts, *powers.uncovered({WALL: found}, (found.first_s, found.last_s))),
        given={"readings": len(log.looks)} | ({"measurement": log.said} if log.said else {}),
        **powers.course({WALL: found}, found.first_s, found.last_s),
    )
