"""Powers that MLflow logged as system metrics: a run of its file store, an export of the history, or one metric's file.

Read are `system/gpu_N_power_usage_watts`, of any node, and the busy shares beside them. In the file store a metric is a
file with a line `milliseconds value step` for each value; the REST API and `get_metric_history` give objects with key,
value, timestamp and step; the page of a chart exports rows of Run, Run ID, metric, step, timestamp and value.

Source:
    MLflow 3 (2026), system_metrics/, store/tracking/file_store.py, server/js/.../utils/CsvUtils.ts, REST API
    metrics/get-history.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import powers
from sootprint.importers.base import (
    Imported,
    LeftOut,
    finite,
    gathered,
    identity,
    mapping,
    names_in,
    rows,
    tried,
)

NAME = "mlflow"
MOST_VALUES = 5_000_000
POWER = re.compile(r"(?:system/)?(?:(?P<node>[^/]{1,100})/)?gpu_(?P<index>\d{1,3})_power_usage_watts")
BUSY = re.compile(r"(?:system/)?(?:(?P<node>[^/]{1,100})/)?gpu_(?P<index>\d{1,3})_utilization_percentage")
_LINE = re.compile(r"(\d{10,16}) (\S{1,40})(?: -?\d{1,18})?(?: .*)?")
_MILLI = 1e-3
_COLUMNS = ({"key", "metric"}, {"value"}, {"timestamp"})


class Told(NamedTuple):
    """What is told of a run beside its metrics."""

    key: str = ""
    name: str | None = None
    start_s: float | None = None
    end_s: float | None = None


class Run:
    """Powers of one run, as they are read."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.powers: dict[tuple[str, int], powers.Series] = {}
        self.bad = 0

    def add(self, key: str, at_ms: Any, value: Any) -> None:
        """Add a value of a metric at an instant [ms]; those of other metrics are nothing."""
        found = POWER.fullmatch(key) or BUSY.fullmatch(key)
        if found is None:
            return
        at_s = _seconds(at_ms)
        if at_s is None:
            self.bad += 1
            return
        device = (found["node"] or "", int(found["index"]))
        series = self.powers.setdefault(device, powers.Series(""))
        if "power_usage" in key:
            series.add(at_s, str(value))
        else:
            series.add_busy(value, whole=100.0)

    def record(self, name: str) -> Footprint:
        """Record of the run.

        Raises:
            InputError: It has no powers.
        """
        listed = []
        for index, (device, series) in enumerate(sorted(self.powers.items())):
            series.component = f"accelerator:{index}"
            if series.looks or series.bad:
                listed.append((device, series))
        if not listed:
            raise InputError(
                "it has no system/gpu_N_power_usage_watts: MLflow logs them where system metrics are switched on"
            )
        fields = powers.parts(
            [series for _, series in listed], meter=NAME, told_s=(self.told.start_s, self.told.end_s)
        )
        told = self.told
        looks = (f"{series.component} {sorted(series.looks.items())!r}" for _, series in listed)
        first_s = min(min(series.looks) for _, series in listed if series.looks)
        lost = (f"{self.bad} values have no time in milliseconds since 1970: they count as not logged",)
        nodes = sorted({node for (node, _), _ in listed if node})
        warnings = (*fields.pop("warnings"), *(lost if self.bad else ()))
        return Footprint(
            id=identity(first_s, NAME, *((told.key, len(listed)) if told.key else looks)),
            tool=NAME,
            name=told.name or told.key or name,
            boundary="accelerator",
            grade="C",
            unknown=("place", "emissions_kg", "intensity_g_per_kwh", "pue", "hardware"),
            warnings=warnings,
            given={"run_id": told.key} | ({"nodes": len(nodes)} if nodes else {})
            if told.key or nodes
            else {},
            **fields,
        )


def is_it(text: str, name: str) -> bool:
    """Whether a text is such an export, or the file of such a metric."""
    head = text[:100_000]
    if head[:1] in ("{", "["):
        return "power_usage_watts" in head and '"timestamp"' in head
    first = head.partition("\n")[0].strip()
    if POWER.fullmatch(name) is not None:
        return _LINE.fullmatch(first) is not None
    names = names_in(first)
    return all(names & one for one in _COLUMNS)


def read(text: str, name: str) -> Imported:
    """Records of the runs of an export, or of one metric's file.

    Raises:
        InputError: It holds no power.
    """
    text = text.lstrip()
    if text[:1] in ("{", "["):
        runs, left_out = _of_json(text, name), tuple[LeftOut, ...]()
    elif _LINE.fullmatch(text.partition("\n")[0].strip()) is not None:
        runs, left_out = _of_file(text, name), ()
    else:
        runs, left_out = _of_table(text, name)
    made = gathered(NAME, name, records(runs, name))
    return Imported(form=NAME, records=made.records, left_out=(*made.left_out, *left_out))


def records(runs: Iterable[Run], name: str) -> Iterator[tuple[str, Footprint | str]]:
    """Place and record of each run, or why it became none."""
    for index, run in enumerate(runs, 1):
        yield tried(f"run {run.told.key or index}", partial(run.record, name))


def values_of(text: str) -> Iterator[tuple[str, str]]:
    """Instant [ms] and value of each line of a metric's file; a line that was cut off has an instant of 0."""
    for index, line in enumerate(text.splitlines()):
        if index >= MOST_VALUES:
            raise InputError(f"a metric has more than {MOST_VALUES:,} values: give its run in parts")
        found = _LINE.fullmatch(line.strip())
        if found:
            yield found[1], found[2]
        elif line.strip():
            yield "0", ""


def _of_file(text: str, name: str) -> list[Run]:
    key = name if POWER.fullmatch(name) else "gpu_0_power_usage_watts"
    run = Run(Told(name=name))
    for at_ms, value in values_of(text):
        run.add(key, at_ms, value)
    return [run]


def _of_json(text: str, name: str) -> list[Run]:
    """Runs of what the REST API answers: {"metrics": [...]}, that with the "run" beside it, or the bare list."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise InputError(f"{name} is no JSON: {err!s:.100}") from None
    listed = whole.get("metrics") if isinstance(whole, dict) else whole
    if not isinstance(listed, list):
        raise InputError(f'{name} has no list of "metrics": give what metrics/get-history answers')
    info = mapping(mapping(whole.get("run")).get("info")) if isinstance(whole, dict) else {}
    told = told_of(info)
    runs: dict[str, Run] = {told.key: Run(told)}
    for one in listed:
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            own = one.get("run_id")  # in the histories that the Python client gives
            key = own[:100] if isinstance(own, str) else told.key
            runs.setdefault(key, Run(Told(key=key))).add(one["key"], one.get("timestamp"), one.get("value"))
    return [run for run in runs.values() if run.powers or len(runs) == 1]


def told_of(info: Mapping[str, Any]) -> Told:
    """What the information of a run tells: its identity, name, start and end."""
    key = info.get("run_id") or info.get("run_uuid")
    called = info.get("run_name")
    return Told(
        key=key if isinstance(key, str) else "",
        name=called[:200] if isinstance(called, str) and called else None,
        start_s=_seconds(info.get("start_time")),
        end_s=_seconds(info.get("end_time")),
    )


def _seconds(at_ms: Any) -> float | None:
    at_s = (finite(at_ms) or 0.0) * _MILLI
    return at_s if powers.FIRST_S <= at_s <= powers.LAST_S else None


def _of_table(text: str, name: str) -> tuple[list[Run], tuple[LeftOut, ...]]:
    """Runs of rows with key or metric, timestamp and value, by run_id or Run ID."""
    runs: dict[str, Run] = {}
    left_out = []
    for line, row in rows(text, name, most=MOST_VALUES):
        if isinstance(row, str):
            left_out.append(LeftOut(where=f"line {line}", why=row))
            continue
        key = row.get("run id") or row.get("run_id") or row.get("run_uuid") or ""
        if key not in runs:
            runs[key] = Run(
                Told(key=key[:100], name=(row.get("run") or row.get("run_name") or "")[:200] or None)
            )
        metric = row.get("key") or row.get("metric") or ""
        runs[key].add(metric, row.get("timestamp"), row.get("value", ""))
    return list(runs.values()), tuple(left_out)
