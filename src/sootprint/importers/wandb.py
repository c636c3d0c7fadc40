"""Powers that Weights & Biases logged as system metrics: the CSV of `run.history(stream="events")`, or of a chart.

The first has a column `system.gpu.N.powerWatts` for each GPU and the instants in `_timestamp`; what is logged of the
GPUs of the process alone, `system.gpu.process.N`, are the same devices again and is left. The second has a column
`RUN - system/gpu.N.powerWatts` for each run and GPU, with the least and most beside it, over the time since the run's
start, so that its records have no date.

Source:
    wandb 0.22 (2026), system monitor; W&B public API guide (2026), `Run.history`; issues 2712, 5349 and 6005.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import powers
from sootprint.importers.base import Imported, LeftOut, Row, finite, gathered, identity, rows, tried

NAME = "wandb"
MOST_ROWS = 1_000_000
SAMPLES = 500  # rows that Run.history gives unless it is asked for more
_COLUMN = re.compile(
    r"(?:(?P<run>.{1,200}) - )?system[./]gpu\.(?P<index>\d{1,3})\.(?P<what>powerWatts|gpu)(?:/l:(?P<node>.{1,100}))?"
)
_MOST_S = 4e8  # of a time since the start of a run: 12 years


class _Column(NamedTuple):
    """A column of the table: whose run and device it is, and whether it holds powers or busy shares."""

    name: str
    run: str
    device: tuple[str, int]
    is_power: bool


def is_it(text: str, _: str) -> bool:
    """Whether a text is such a table."""
    return "powerWatts" in text.partition("\n")[0] and bool(_columns(_head(text)))


def _head(text: str) -> list[str]:
    line = text.partition("\n")[0][:1_000_000]
    return [cell.strip(' "\r') for cell in line.split(max(",;\t", key=line.count))]


def _columns(names: Sequence[str]) -> list[_Column]:
    found = [(name, _COLUMN.fullmatch(name)) for name in names]
    return [
        _Column(name, one["run"] or "", (one["node"] or "", int(one["index"])), one["what"] == "powerWatts")
        for name, one in found
        if one
    ]


def read(text: str, name: str) -> Imported:
    """Records of the runs in a table.

    Raises:
        InputError: It holds no powers over time.
    """
    left_out: list[LeftOut] = []
    columns, clock, looked = _read(text, name, left_out)
    runs = dict.fromkeys(column.run for column in columns if column.is_power)
    made = gathered(NAME, name, _runs(runs, columns, clock, looked, name))
    return Imported(form=NAME, records=made.records, left_out=(*made.left_out, *left_out))


def _read(
    text: str, name: str, left_out: list[LeftOut]
) -> tuple[list[_Column], str, dict[str, powers.Series]]:
    """Columns of the table, the name of that of the times, and what each column holds."""
    columns: list[_Column] = []
    clock, looked = "", dict[str, powers.Series]()
    for line, row in rows(text, name, as_written=True, most=MOST_ROWS):
        if isinstance(row, str):
            left_out.append(LeftOut(where=f"line {line}", why=row))
            continue
        if not columns:
            columns, clock = _columns(list(row)), _clock(row, name)
            looked = {column.name: powers.Series("") for column in columns}
        at_s = _seconds(row[clock], clock)
        if at_s is None:
            left_out.append(
                LeftOut(where=f"line {line}", why=f"{clock} is {row[clock]!r:.40}: it is a number of seconds")
            )
            continue
        for column in columns:
            if column.is_power:
                looked[column.name].add(at_s, row[column.name])
            else:
                looked[column.name].add_busy(row[column.name], whole=100.0)
    if not columns:
        raise InputError(f"{name} has no rows under its head")
    return columns, clock, looked


def _clock(row: Row, name: str) -> str:
    """Column of the times: instants where there are some, else seconds since the start."""
    relative = [
        one for one in row if one.startswith("Relative Time") and not one.endswith(("__MIN", "__MAX"))
    ]
    for known in ("_timestamp", *relative[:1], "_runtime"):
        if known in row:
            return known
    raise InputError(
        f"{name} has no column of times (_timestamp, _runtime or Relative Time): choose one of them as the x axis "
        "before the chart is exported"
    )


def _seconds(said: str, clock: str) -> float | None:
    value = finite(said)
    if value is None:
        return None
    if clock == "_timestamp":
        return value if powers.FIRST_S <= value <= powers.LAST_S else None
    return value if 0.0 <= value <= _MOST_S else None


def _runs(
    runs: Mapping[str, None],
    columns: Sequence[_Column],
    clock: str,
    looked: Mapping[str, powers.Series],
    name: str,
) -> Iterator[tuple[str, Footprint | str]]:
    for run in runs:
        own = [column for column in columns if column.run == run]
        yield tried(f"run {run or name}", partial(_record, own, clock, looked, run or name))


def _record(
    columns: Sequence[_Column], clock: str, looked: Mapping[str, powers.Series], name: str
) -> Footprint:
    series: list[powers.Series] = []
    for column in sorted((one for one in columns if one.is_power), key=lambda one: one.device):
        one = looked[column.name]
        one.component = f"accelerator:{len(series)}"
        for other in columns:
            if not other.is_power and other.device == column.device:
                one.busy = looked[other.name].busy
        series.append(one)
    dated = clock == "_timestamp"
    fields: dict[str, Any] = powers.parts(series, meter=NAME, dated=dated)
    warnings = [*fields.pop("warnings")]
    count = max(len(one.looks) for one in series)
    if count == SAMPLES:
        warnings.append(
            f"it has {SAMPLES} rows, to which Run.history thins a run out unless it is asked for more samples: what "
            "lies between them is in the bounds"
        )
    if not dated:
        warnings.append("its times count from the start of the run: when it ran is not known")
    first_s = min(min(one.looks) for one in series if one.looks)
    looks = (f"{one.component} {sorted(one.looks.items())!r}" for one in series)
    return Footprint(
        id=identity(first_s if dated else None, NAME, name, *looks),
        tool=NAME,
        name=name.removesuffix(".csv"),
        boundary="accelerator",
        grade="C",
        unknown=(
            *("place", "emissions_kg", "intensity_g_per_kwh", "pue", "hardware"),
            *(() if dated else ("started",)),
        ),
        warnings=tuple(warnings),
        given={"rows": count},
        **fields,
    )
