"""Power logs of MLPerf: the meter at the wall of an inference run, or the readings of a node in training.

Inference: `spl.txt` of SPEC's PTDaemon, a line a second, in watts; each mark (ranging, testing) is a record. Its times
are local and have no zone, so they are taken for UTC. Training: `node_N.txt` of MLPerf's logger, from
power_measurement_start to power_measurement_stop, times the conversion that the log states. Between two readings the
trapezoid stands; a gap has no energy and is told. Estimates of switches (`sw_N.txt`) are not measured and refused.

Source:
    MLCommons, power-dev, ptd_client_server/logs_example (2020); MLCommons, logging, mllog/examples/power and
    result_summarizer (2024): keys and units.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sootprint.core import energy, units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Component, Footprint, Gap
from sootprint.importers.base import FAULTS, Imported, gathered, identity, stamp

NAME = "mlperf-power"
MLLOG = ":::MLLOG"
MAX_GAP_S = 60.0
_MS_PER_SECOND = 1000.0
MOST_LINES = 1_000_000
_TIMES = "%m-%d-%Y %H:%M:%S.%f"
_START, _STOP = "power_measurement_start", "power_measurement_stop"
_READING, _CONVERSION, _SWITCH = "power_reading", "conversion_eff", "interconnect_power_est"
_UNMARKED = ("", "notset")
MOST_CONVERSION = 2.0  # power at the wall over that behind the supply


class Sample(NamedTuple):
    """Power at an instant since 1970 [s], [W]."""

    at_s: float
    power_w: float


class Log(NamedTuple):
    """Samples of one measurement.

    Args:
        label: Its mark or key.
        samples: Samples in the order of time.
        conversion: What the readings are to be multiplied with [1]; None where they are of the wall.
        said: How the log calls its measurement, e.g. AC.
    """

    label: str
    samples: list[Sample]
    conversion: float | None = None
    said: str | None = None


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
        try:
            yield log.label, _record(log)
        except FAULTS as err:
            yield log.label, str(err)


def _inference(lines: list[tuple[int, str]], left_out: list[tuple[str, str]]) -> list[Log]:
    """Samples of each mark; those between the runs are left out."""
    found: dict[str, list[Sample]] = {}
    for number, line in lines:
        cells = line.strip().split(",")
        told = dict(zip(cells[0::2], cells[1::2], strict=False))
        try:
            at = datetime.strptime(told["Time"], _TIMES).replace(tzinfo=UTC)
            sample = Sample(at.timestamp(), _watts(told["Watts"]))
        except (KeyError, ValueError) as err:
            why = (
                str(err) if isinstance(err, InputError) else "no time MM-DD-YYYY HH:MM:SS.mmm with its watts"
            )
            left_out.append((f"line {number}", f"it has {why}: it was cut off or written over"))
            continue
        found.setdefault(told.get("Mark", ""), []).append(sample)
    for mark in _UNMARKED:
        if mark in found and len(found) > 1:
            left_out.append((f"mark {mark!r}", f"{len(found.pop(mark))} readings between the runs"))
    return [Log(mark or "power", samples) for mark, samples in found.items()]


def _training(lines: list[tuple[int, str]], left_out: list[tuple[str, str]]) -> list[Log]:
    """Samples between start and stop of a node's log."""
    events: list[dict[str, Any]] = []
    for number, line in lines:
        try:
            one = json.loads(line.partition(MLLOG)[2])
            events.append(one | {"at_s": float(one["time_ms"]) / _MS_PER_SECOND})
        except (ValueError, KeyError, TypeError, RecursionError):
            left_out.append((f"line {number}", "it is no event of MLPerf's logger with time_ms"))
    times = {one.get("key"): one["at_s"] for one in events if one.get("key") in (_START, _STOP)}
    if any(one.get("key") == _SWITCH for one in events):
        raise InputError("it is the estimate of a switch, which nobody measured: give the logs of nodes")
    if _START not in times:
        raise InputError(f"it has no {_START}: it is no power log of a node")
    samples: list[Sample] = []
    for one in events:
        inside = times[_START] <= one["at_s"] <= times.get(_STOP, math.inf)
        if one.get("key") == _READING and inside:
            try:
                samples.append(Sample(one["at_s"], _watts(one.get("value"))))
            except InputError as err:
                left_out.append((f"time_ms {one['time_ms']}", f"it has {err}"))
    conversion = next((one for one in events if one.get("key") == _CONVERSION), {})
    said = conversion.get("metadata")
    kind = said.get("measurement_type") if isinstance(said, dict) else None
    return [Log("power", samples, _ratio(conversion.get("value")), str(kind)[:20] if kind else None)]


def _watts(value: Any) -> float:
    try:
        watts = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{value!r:.40} as its watts, which is no number") from None
    if not 0.0 <= watts < 1e9:
        raise InputError(f"{value!r:.40} as its watts, which is at least 0")
    return watts


def _ratio(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= MOST_CONVERSION:
        raise InputError(f"{_CONVERSION} is {value!r:.40}: it is a ratio of powers near 1")
    return float(value)


def _record(log: Log) -> Footprint:
    samples = sorted(set(log.samples))
    if len(samples) < 2:
        raise InputError(f"it has {len(samples)} readings: an energy needs two")
    spent_j, gaps = _integrated(samples)
    kwh = Quantity(value=units.energy_kwh(spent_j * (log.conversion or 1.0)), basis="metered")
    start, end = (datetime.fromtimestamp(one.at_s, UTC) for one in (samples[0], samples[-1]))
    found = (
        (Factor(kind="conversion", key="power supply", value=log.conversion, method="as the log states it"),)
        if log.conversion is not None
        else ()
    )
    return Footprint(
        id=identity(start.timestamp(), NAME, log.label, start.isoformat(), len(samples), spent_j),
        tool=NAME,
        name=f"MLPerf {log.label}"[:200],
        stage="other",
        boundary="node",
        started=stamp(start),
        ended=stamp(end),
        duration_s=samples[-1].at_s - samples[0].at_s,
        components=(Component(component="wall", meter=NAME, energy_kwh=kwh),),
        energy_kwh=kwh,
        gaps=tuple(gaps),
        grade="A",
        factors=found,
        unknown=("place", "pue", "emissions_kg", "hardware", "device_hours"),
        warnings=(_ZONE,) if log.conversion is None else (),
        given={"readings": len(samples)} | ({"measurement": log.said} if log.said else {}),
    )


_ZONE = "the times of the log have no zone and are taken for UTC"


def _integrated(samples: list[Sample]) -> tuple[float, list[Gap]]:
    """Energy of the samples [J], and the times between them that have none."""
    spent_j, gaps = [], []
    for before, after in itertools.pairwise(samples):
        if after.at_s <= before.at_s:
            continue  # two powers at one instant
        one = energy.integrated(before.power_w, after.power_w, after.at_s - before.at_s, max_gap_s=MAX_GAP_S)
        if one.energy_j is None:
            begun, ended = (stamp(datetime.fromtimestamp(at.at_s, UTC)) for at in (before, after))
            gaps.append(
                Gap(component="wall", start=begun, end=ended, reason=f"{one.reason}; its energy is not in")
            )
        else:
            spent_j.append(one.energy_j)
    return math.fsum(spent_j), gaps
