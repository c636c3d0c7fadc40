"""`sootprint refresh`: records of finished runs with the intensity of their own hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, lookup, options, output, shell
from sootprint.core.errors import IntensityError, RecordError

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.ledger import Ledger
    from sootprint.settings import Settings

Runs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN...", help="Runs: id, start or end of it, name, or `latest`; else all that lack hours."
    ),
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="S", help="Source to ask, e.g. energy_charts; else those of [grid]."),
]


def refresh(runs: Runs = None, source: Source = None, json: options.Json = False) -> None:
    """Read the intensity of finished runs' own hours, and multiply their energies again.

    A record is not changed but gets a new version. Without a run it is each one that still has an annual figure, or
    hours that were forecasts. What no source knows yet stays as it is.

        sootprint refresh latest
        sootprint refresh
        sootprint refresh baseline --source energy_charts --json
    """
    from sootprint import settings

    known = settings.load()
    if source is None and not (known.grid and known.grid.sources):
        raise IntensityError(
            "no source is configured: give --source, or state sources in [grid] of your sootprint.toml"
        )
    with lookup.ledger() as ledger:
        wanted = iter([ledger.get(run) for run in runs]) if runs else _lacking(ledger)
        told = [_one(ledger, record, known, source) for record in wanted]
    if json:
        output.print_json(told)
    elif told:
        _print(told)
    else:
        shell.say("nothing to refresh: every run with a place has the intensity of its own hours")
    failed = [one for one in told if one["reason"] and not one["refreshed"]]
    raise typer.Exit(shell.FAILED if runs and failed else 0)


def _lacking(ledger: Ledger) -> Iterator[Footprint]:
    """Measured records with a place that lack the intensity of their hours, or a part of it."""
    from sootprint.core import regrid

    listed = (ledger.get(row.id) for row in ledger.runs())  # one at a time: all at once may be much
    return (
        one
        for one in listed
        if one.intervals
        and one.place.zone
        and not one.given.get("merged")
        and (regrid.is_provisional(one) or not regrid.has_hours(one) or _waits(one))
    )


def _waits(record: Footprint) -> bool:
    """Whether a part of what waiting saved was not known yet."""
    told = (record.savings or {}).get("waiting")
    return isinstance(told, dict) and told.get("oracle_kg") is None


def _one(ledger: Ledger, record: Footprint, known: Settings, source: str | None) -> dict[str, Any]:
    """What became of one run."""
    from sootprint.intensity.chain import ANNUAL
    from sootprint.tracker.refresh import refreshed

    told: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "refreshed": False,
        "source": None,
        "reason": None,
    }
    told |= {"before_kg": record.emissions_kg, "after_kg": record.emissions_kg}
    try:
        found = refreshed(record, known, source=source)
    except (IntensityError, RecordError) as err:
        return told | {"reason": str(err)}
    if found.record != record:
        ledger.amend(found.record, since=record)
    _waiting(ledger, found.record, known, source)
    return told | {
        "refreshed": found.source != ANNUAL,
        "source": found.source,
        "reason": "; ".join(found.passed) or None,
        "after_kg": found.record.emissions_kg,
    }


def _waiting(ledger: Ledger, record: Footprint, known: Settings, source: str | None) -> None:
    """Count again what waiting saved, where a plan ended with this run."""
    if not record.savings:
        return
    from sootprint.runner.saved import book_of, with_savings

    book = book_of(record, known)
    if book is not None:
        again = with_savings(record, book, ledger, known, source=source)
        if again != record:
            ledger.amend(again, since=record)


def _print(told: list[dict[str, Any]]) -> None:
    table = output.table("run", "source", "before", "after", right=("before", "after"), wraps=("source",))
    for one in told:
        output.add_row(
            table,
            one["name"] or one["id"],
            one["source"] or "–",
            str(figures.emissions(one["before_kg"])),
            str(figures.emissions(one["after_kg"])),
            style=None if one["refreshed"] else "dim",
        )
    output.console().print(table)
    for text in dict.fromkeys(one["reason"] for one in told if one["reason"]):
        shell.say(text)
