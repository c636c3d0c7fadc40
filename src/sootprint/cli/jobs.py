"""Estimates and predictions on the command line: one by its options, or those of a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.cli import figures, lookup, options, output, shell

if TYPE_CHECKING:
    from rich.table import Table

    from sootprint.core.quantity import Quantity
    from sootprint.core.records import Footprint
    from sootprint.estimator.table import Kind

IN_MEMORY = 1 << 24  # bytes of JSON before a table's records wait on the disk
MOST_LINES = 1000  # of a table on a terminal; JSON has all
MOST_SKIPPED = 20  # rows that are named one by one


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a command was asked for besides the numbers.

    Args:
        kind: "estimates" or "predictions".
        explain: Show the factors.
        chart: File for the drawing of what the interval is made of.
        json: JSON in place of text.
        skip: Go on behind a row that breaks a rule.
    """

    kind: str
    explain: bool = False
    chart: Path | None = None
    json: bool = False
    skip: bool = False


@dataclass(slots=True)
class _Skipped:
    """Rows that broke a rule: counted, and the first of them named on stderr."""

    count: int = 0

    def __call__(self, message: str) -> None:
        self.count += 1
        if self.count <= MOST_SKIPPED:
            shell.say(f"left out: {message}")

    def say(self) -> None:
        if self.count:
            shell.say(f"{self.count} rows were left out, for they break a rule; the sums do not have them")


_WISHES: dict[str, tuple[Any, Any]] = {
    "explain": (options.Explain, False),
    "chart": (options.Chart, None),
    "table": (options.From, None),
    "skip_wrong_rows": (options.SkipWrongRows, False),
    "json": (options.Json, False),
}


def offer(command: Callable[..., None], listed: dict[str, Any]) -> None:
    """Give a command its options, and those that estimates and predictions share: Typer reads the signature.

    Args:
        command: Function of the command, which takes its options by their names.
        listed: Annotated types of its own options, by name.
    """
    kinds = {name: (kind, None) for name, kind in listed.items()} | _WISHES
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in kinds.items()
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}


def wished(kind: str, given: dict[str, Any]) -> tuple[Path | None, Wishes]:
    """File and wishes of a call; they are taken out of `given`, which keeps the arguments that have a value."""
    table = given.pop("table")
    wishes = Wishes(kind, *(given.pop(name) for name in ("explain", "chart", "json", "skip_wrong_rows")))
    for name, value in list(given.items()):
        if value is None:
            del given[name]
        elif isinstance(value, Enum):
            given[name] = value.value
    return table, wishes


def one(given: dict[str, Any], wishes: Wishes) -> None:
    """Make and show the record of one job; raises as `estimate` and `predict`."""
    from sootprint import settings
    from sootprint.estimator.hours import Lookups

    show(_kind(wishes).make(given, Lookups(settings.load())), wishes)


def show(footprint: Footprint, wishes: Wishes) -> None:
    """Show one record, what its interval is made of, and draw that."""
    from sootprint import report
    from sootprint.cli import explained

    if wishes.chart is not None:
        explained.draw(footprint, wishes.chart)
    if wishes.json:
        output.print_text(footprint.to_json(indent=2))
        return
    console = output.console()
    if "reuse" in footprint.given:
        console.print(explained.reusable(footprint))
    console.print(report.terminal(footprint))
    if wishes.explain:
        console.print(explained.factors(footprint))


def several(path: Path, given: dict[str, Any], wishes: Wishes) -> None:
    """Make and show the records of a file.

    Raises:
        InputError: The file cannot be read, or a job breaks a rule.
    """
    from sootprint.estimator import spec

    if spec.is_spec(path.name):
        found = list(_of_spec(path, given, wishes))
        if len(found) == 1:
            show(found[0], wishes)
            return
        records: Iterator[Footprint] = iter(found)
        skipped = _Skipped()
    else:
        skipped = _Skipped()
        records = _of_table(path, given, wishes, skipped)
    if wishes.explain or wishes.chart:
        shell.wrong("--explain and --chart are for one job: leave them out beside --from, or give one job")
    (_print_json if wishes.json else _print_table)(records)
    skipped.say()


def _kind(wishes: Wishes) -> Kind:
    from sootprint.estimator import table

    return table.PREDICTIONS if wishes.kind == "predictions" else table.ESTIMATES


def _of_spec(path: Path, defaults: dict[str, Any], wishes: Wishes) -> Iterator[Footprint]:
    from sootprint import settings
    from sootprint.estimator import spec
    from sootprint.estimator.hours import Lookups
    from sootprint.estimator.table import from_values

    known, kind = Lookups(settings.load()), _kind(wishes)
    listed = spec.jobs(lookup.text_of(str(path), wanted="a file of jobs"), path.name)
    for number, values in enumerate(listed, start=1):
        where = path.name if len(listed) == 1 else f"{path.name} job {number}"
        yield from_values(values, where=where, known=known, defaults=defaults, kind=kind)


def _of_table(path: Path, defaults: dict[str, Any], wishes: Wishes, skipped: _Skipped) -> Iterator[Footprint]:
    """Records of a table, one at a time."""
    from sootprint import settings
    from sootprint.estimator.table import estimates

    known = settings.load()
    told = skipped if wishes.skip else None
    try:
        with lookup.opened(str(path)) as lines:
            yield from estimates(
                lines, name=path.name, settings=known, defaults=defaults, kind=_kind(wishes), skip=told
            )
    except UnicodeDecodeError as err:
        shell.wrong(f"{path} is no text in UTF-8: save it as CSV in UTF-8", cause=err)


def _print_json(records: Iterator[Footprint]) -> None:
    """Print records as one JSON list, after all of them were found good."""
    import shutil
    import sys
    import tempfile

    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+", encoding="utf-8") as draft:
        before = "[\n"
        for footprint in records:
            draft.write(f"{before}{footprint.to_json()}")
            before = ",\n"
        draft.write("\n]\n" if before == ",\n" else "[]\n")
        draft.seek(0)
        shutil.copyfileobj(draft, sys.stdout)


def _print_table(records: Iterator[Footprint]) -> None:
    """Print one line for each record and their sum, after all of them were found good."""
    from sootprint.estimator.totals import Totals

    columns = ("job", "device hours", "energy", "CO2e", "90 %", "zone")
    table = output.table(*columns, right=columns[1:4], wraps=("job",))
    totals = Totals()
    for footprint in records:
        totals.add(footprint)
        if totals.count <= MOST_LINES:
            output.add_row(table, *_cells(footprint, totals.count))
    _add_sum(table, totals)
    output.console().print(table)


def _add_sum(table: Table, totals: Any) -> None:
    if totals.count > MOST_LINES:
        output.add_row(table, f"and {totals.count - MOST_LINES:,} more (--json has all)", *[""] * 5)
    table.add_section()
    spent, emitted = figures.energy(totals.energy_kwh), figures.emissions(totals.emissions_kg)
    output.add_row(table, f"{totals.count} jobs", "", spent.value, *emitted, "", style="bold")


def _cells(footprint: Footprint, number: int) -> tuple[str, ...]:
    device = footprint.hardware[0].name if footprint.hardware else "given power"
    return (
        footprint.name or f"{number}: {device}",
        _hours(footprint.device_hours),
        figures.energy(footprint.energy_kwh).value,
        *figures.emissions(footprint.emissions_kg),
        footprint.place.zone or ("given" if "intensity" in footprint.given else "unknown"),
    )


def _hours(spent: Quantity | None) -> str:
    """Device hours as given, or with three digits where they are foreseen."""
    if spent is None:
        return figures.DASH
    exact = spent.low is None or spent.low == spent.high
    return f"{spent.value if exact else float(f'{spent.value:.3g}'):,.10g}"
