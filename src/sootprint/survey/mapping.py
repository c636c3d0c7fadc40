"""Mapping files: which column of a table is which column of the schema, in which unit and vocabulary.

A mapping is TOML with `[table]`, `[columns]`, and where needed `[[metrics]]`, `[vocabulary.COLUMN]`, `[missing]`
and `[groupings.NAME]`. A column is a name, or a table with `column`, `first_of`, `value`, `unit` or `unit_column`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from sootprint.catalogue.names import nearest
from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.survey import groupings
from sootprint.survey.schema import GIVEN

PACKAGED = ("counting_carbon", "published")
VALUES = ("given", "recomputed")
BIGGEST = 1 << 20  # bytes of a mapping file
KG_PER_LB = 0.45359237  # international yard and pound agreement, 1959
# Factor to the schema's unit, by the schema's unit and the one of the table.
UNITS: dict[str, dict[str, float]] = {
    "h": {"h": 1.0, "s": 1 / units.SECONDS_PER_HOUR, "min": 1 / 60, "d": 24.0},
    "W": {"W": 1.0, "kW": units.W_PER_KW},
    "kWh": {
        "kWh": 1.0,
        "Wh": 1e-3,
        "MWh": 1e3,
        "GWh": 1e6,
        "J": 1 / units.J_PER_KWH,
        "MJ": 1e6 / units.J_PER_KWH,
    },
    "kgCO2e": {"kg": 1.0, "g": 1 / units.G_PER_KG, "t": 1e3, "kt": 1e6, "lb": KG_PER_LB},
    "gCO2e/kWh": {
        "g/kWh": 1.0,
        "kg/kWh": units.G_PER_KG,
        "kg/MWh": 1.0,
        "lb/kWh": KG_PER_LB * 1e3,
        "lb/MWh": KG_PER_LB,
    },
    "1": {"1": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12},
    "metric": {"1": 1.0, "%": 1.0, "share": 100.0},
}
_TABLE = ("name", "values", "delimiter")
_COLUMN = ("column", "first_of", "value", "unit", "unit_column")
_METRIC = ("metric", "column", "tasks", "unit")
_TOP = ("table", "columns", "metrics", "vocabulary", "missing", "groupings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the cells of one schema column come from: columns of the table or one value, and their unit."""

    columns: tuple[str, ...] = ()
    value: str | None = None
    factor: float = 1.0
    unit_column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A column of metric values, and the tasks that it is for (all where none is named)."""

    metric: str
    column: str
    tasks: tuple[str, ...] = ()
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """A mapping file, checked."""

    key: str  # stem of the file
    name: str
    values: str
    delimiter: str
    columns: Mapping[str, Source]
    metrics: tuple[Metric, ...] = ()
    vocabulary: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groupings: groupings.Groupings = field(default_factory=groupings.packaged)

    def needed(self) -> tuple[str, ...]:
        """Columns that the table must have, each once."""
        named = [column for source in self.columns.values() for column in source.columns]
        named += [source.unit_column for source in self.columns.values() if source.unit_column]
        return tuple(dict.fromkeys([*named, *(metric.column for metric in self.metrics)]))


def packaged(key: str) -> TableMapping:
    """Mapping of this version: "counting_carbon" or "published"."""
    text = files("sootprint.survey").joinpath(f"data/{key}.toml").read_text(encoding="utf-8")
    return parsed(text, where=f"{key}.toml")


def identity(columns: Iterable[str]) -> TableMapping:
    """Mapping of a table that has the schema's own names."""
    own = {name: Source(columns=(name,)) for name in columns if name in GIVEN}
    return TableMapping(key="schema", name="", values="given", delimiter=",", columns=own)


def read(path: Path) -> TableMapping:
    """Mapping of a file.

    Raises:
        InputError: The file cannot be read, or a name or value in it breaks a rule.
    """
    try:
        with path.open("rb") as file:
            text = file.read(BIGGEST + 1).decode("utf-8")
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror}; give a mapping file in TOML") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8: a mapping is a TOML file") from None
    if len(text) > BIGGEST:
        raise InputError(f"{path} has more than {BIGGEST >> 20} MiB: a mapping is a short TOML file")
    return parsed(text, where=str(path))


def parsed(text: str, *, where: str) -> TableMapping:
    """Mapping of a TOML text.

    Raises:
        InputError: The text is no TOML, or a name or value in it breaks a rule.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise InputError(f"{where} is no TOML: {err}") from None
    _known(data, _TOP, where=where)
    for name in ("table", "columns", "vocabulary", "missing", "groupings"):
        if not isinstance(data.get(name, {}), dict):
            raise InputError(f"{where}: {name} is {data[name]!r:.40}: write it as [{name}]")
    table = data.get("table", {})
    _known(table, _TABLE, where=f"{where}: [table]")
    if not data.get("columns"):
        raise InputError(f'{where} has no [columns]: name at least one, e.g. task = "Task"')
    return TableMapping(
        key=Path(where).stem,
        name=str(table.get("name", "")),
        values=_one_of(table.get("values", "given"), VALUES, where=f"{where}: table.values"),
        delimiter=_delimiter(table.get("delimiter", ","), where=where),
        columns={name: _source(name, one, where=where) for name, one in data["columns"].items()},
        metrics=tuple(_metric(one, where=where) for one in _list(data.get("metrics", []), where)),
        vocabulary=_vocabulary(data.get("vocabulary", {}), where=where),
        missing=_missing(data.get("missing", {}), where=where),
        groupings=groupings.with_own(data.get("groupings", {}), where=where),
    )


def _source(name: str, given: Any, *, where: str) -> Source:
    at = f"{where}: columns.{name}"
    _known({name: given}, GIVEN, where=f"{where}: [columns]")
    if isinstance(given, str):
        return Source(columns=(given,))
    if not isinstance(given, dict):
        raise InputError(
            f'{at} is {given!r:.40}: it is a column\'s name or a table such as {{ column = "..." }}'
        )
    _known(given, _COLUMN, where=at)
    origins = [key for key in ("column", "first_of", "value") if key in given]
    if len(origins) != 1:
        raise InputError(
            f"{at} names {' and '.join(origins) or 'no origin'}: give one of column, first_of, value"
        )
    if origins == ["value"]:
        return Source(value=str(given["value"]))
    columns = given["first_of"] if "first_of" in given else [given["column"]]
    if not isinstance(columns, list) or not columns or not all(isinstance(one, str) for one in columns):
        raise InputError(f"{at}.{origins[0]} is {columns!r:.40}: it names columns of the table")
    return Source(
        columns=tuple(columns), factor=_factor(name, given, where=at), unit_column=given.get("unit_column")
    )


def _factor(name: str, given: Mapping[str, Any], *, where: str) -> float:
    if "unit" not in given:
        return 1.0
    allowed = UNITS.get(GIVEN[name].unit)
    if allowed is None:
        raise InputError(f"{where}: {name} has no unit: leave `unit` out")
    return allowed[_one_of(given["unit"], allowed, where=f"{where}.unit")]


def _metric(given: Any, *, where: str) -> Metric:
    at = f"{where}: [[metrics]]"
    if not isinstance(given, dict):
        raise InputError(f"{at} is {given!r:.40}: write it as a table with metric and column")
    _known(given, _METRIC, where=at)
    for key in ("metric", "column"):
        if not isinstance(given.get(key), str):
            raise InputError(f"{at} has no {key}: give both metric and column")
    tasks = given.get("tasks", [])
    if not isinstance(tasks, list):
        raise InputError(f"{at}.tasks is {tasks!r:.40}: it is a list of tasks")
    factor = UNITS["metric"][_one_of(given.get("unit", "1"), UNITS["metric"], where=f"{at}.unit")]
    return Metric(metric=given["metric"], column=given["column"], tasks=tuple(map(str, tasks)), factor=factor)


def _vocabulary(given: Mapping[str, Any], *, where: str) -> dict[str, dict[str, str]]:
    _known(given, GIVEN, where=f"{where}: [vocabulary]")
    for name, words in given.items():
        if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
            raise InputError(f'{where}: vocabulary.{name} is a table of texts, as "theirs" = "ours"')
    return {name: dict(words) for name, words in given.items()}


def _missing(given: Mapping[str, Any], *, where: str) -> dict[str, tuple[str, ...]]:
    _known(given, GIVEN, where=f"{where}: [missing]")
    for name, words in given.items():
        if not isinstance(words, list):
            raise InputError(f"{where}: missing.{name} is {words!r:.40}: it is a list of texts")
    return {name: tuple(map(str, words)) for name, words in given.items()}


def _known(given: Mapping[str, Any], known: Iterable[str], *, where: str) -> None:
    for name in given:
        if name not in known:
            near = nearest(name, list(known), count=1)[0]
            raise InputError(
                f"{where}: {name!r} is unknown; the nearest is {near!r}, all are {', '.join(known)}"
            )


def _one_of(given: Any, known: Iterable[str], *, where: str) -> str:
    if not isinstance(given, str) or given not in known:
        raise InputError(f"{where} is {given!r:.40}: it is one of {', '.join(known)}")
    return given


def _delimiter(given: Any, *, where: str) -> str:
    if not isinstance(given, str) or len(given) != 1:
        raise InputError(f"{where}: table.delimiter is {given!r:.40}: it is one character")
    return given


def _list(given: Any, where: str) -> list[Any]:
    if not isinstance(given, list):
        raise InputError(f"{where}: metrics is {given!r:.40}: write each as [[metrics]]")
    return given
