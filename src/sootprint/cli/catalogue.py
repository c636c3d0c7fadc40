"""`sootprint catalogue`: the packaged tables, searched, and newer rows laid over them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from sootprint.cli import figures, options, output, shell

SHOWN, SOURCES_SHOWN = 40, 3
NARROW = 100  # columns below which remarks are left to --json
Row = tuple[str, ...]
_EMPTY = ("", figures.DASH)
Query = Annotated[
    list[str] | None,
    typer.Argument(metavar="QUERY...", help="Words that must all fit; everything without them."),
]
All = Annotated[bool, typer.Option("--all", help=f"Show all that fit, not the first {SHOWN}.")]
From = Annotated[
    Path,
    typer.Option("--from", metavar="FILE", help="CSV in UTF-8 with the columns of one packaged table."),
]


class _Listing(NamedTuple):
    """A table for a person, and the entries that it was made of."""

    columns: Row
    rows: list[Row]
    found: list[dict[str, Any]]
    right: Row = ()
    wraps: Row = ()


catalogue = shell.group("catalogue")


@catalogue.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Look up hardware, zones, cloud regions and factors.

    Each entry states its source, year and licence with --json.

        sootprint catalogue hardware a100 80gb
        sootprint catalogue zones france
        sootprint catalogue update --from newer.csv
    """
    shell.helped(context)


@catalogue.command(cls=shell.Command)
def hardware(query: Query = None, everything: All = False, json: options.Json = False) -> None:
    """List accelerators and processors with their rated power.

    Devices of the settings stand first. Any name of a driver, paper or person finds its device.

        sootprint catalogue hardware h100
        sootprint catalogue hardware xeon gold 6248
    """
    from sootprint import settings

    words = " ".join(query or [])
    found = _found("hardware", words, json=json, user=settings.load().hardware)
    columns = ("device", "kind", "rated power", "memory", "cores", "remark")
    rows: list[Row] = [
        (
            one["name"],
            one["kind"],
            _with_unit(one["rated_power_w"], "W") if one["rated_power_w"] else "not published",
            _with_unit(one["memory_gb"], "GB"),
            _with_unit(one["cores"], ""),
            one["note"] or "",
        )
        for one in found
    ]
    _show(
        _Listing(columns, rows, found, right=columns[2:5], wraps=("device", "remark")),
        everything=everything,
        json=json,
    )


@catalogue.command(cls=shell.Command)
def zones(query: Query = None, everything: All = False, json: options.Json = False) -> None:
    """List grid zones with their latest carbon intensity.

    Life-cycle figures and direct ones are of different method and cannot be compared; the column tells which it is.

        sootprint catalogue zones france
        sootprint catalogue zones US-WA --json
    """
    found = _found("zones", " ".join(query or []), json=json)
    columns = ("zone", "name", "gCO2e/kWh (90 %)", "year", "method")
    rows: list[Row] = [
        (
            one["zone"],
            one["name"],
            _interval(one, "intensity_g_per_kwh"),
            one["year"] or figures.DASH,
            _method(one["method"]),
        )
        for one in found
    ]
    _show(_Listing(columns, rows, found, right=("year",), wraps=("name",)), everything=everything, json=json)


@catalogue.command(cls=shell.Command)
def regions(query: Query = None, everything: All = False, json: options.Json = False) -> None:
    """List cloud regions with their grid zone, PUE and water use.

    What a provider does not publish is not listed.

        sootprint catalogue regions gcp paris
        sootprint catalogue regions aws/us-east-1 --json
    """
    found = _found("regions", " ".join(query or []), json=json)
    columns = ("region", "place", "zone", "PUE", "water L/kWh")
    rows: list[Row] = [
        (
            one["region"],
            one["name"],
            one["zone"],
            _with_unit(one["pue"], ""),
            _with_unit(one["water_l_per_kwh"], ""),
        )
        for one in found
    ]
    _show(
        _Listing(columns, rows, found, right=columns[3:], wraps=("place",)), everything=everything, json=json
    )


@catalogue.command(cls=shell.Command)
def factors(query: Query = None, everything: All = False, json: options.Json = False) -> None:
    """List emission factors of fuels, embodied emissions, and PUE of fleets.

    Factors of different method cannot be compared; the column tells which it is.

        sootprint catalogue factors coal
        sootprint catalogue factors embodied h100
    """
    found = _found("factors", " ".join(query or []), json=json)
    columns = ("kind", "of", "value (range)", "unit", "year", "method")
    rows: list[Row] = [
        (
            one["kind"].replace("_", " "),
            one["name"],
            _interval(one, "value"),
            one["unit"],
            str(one["year"] or figures.DASH),
            _method(one["method"]),
        )
        for one in found
    ]
    _show(_Listing(columns, rows, found, wraps=("of", "method")), everything=everything, json=json)


@catalogue.command(cls=shell.Command)
def update(file: From, json: options.Json = False) -> None:
    """Lay newer rows of a file over a packaged table.

    The table is found by its columns. Every row is checked before any is taken; earlier updates stay.

        sootprint catalogue update --from newer_intensity.csv
    """
    from sootprint.catalogue.update import update as lay_over

    done = lay_over(file)
    if json:
        output.print_json(done)
        return
    print(f"{done.table}: {done.added} rows added, {done.replaced} replaced, in {done.path}")


def _found(kind: str, words: str, *, json: bool, user: Any = None) -> list[dict[str, Any]]:
    """Entries that fit, one of exactly that code first, printed as JSON where it is asked for.

    Raises:
        CatalogueError: Nothing fits; the message has what is nearest.
    """
    from sootprint.catalogue.search import search

    exact = words.casefold()
    found = sorted(
        search(kind, words, user=user), key=lambda one: str(next(iter(one.values()))).casefold() != exact
    )
    if json:
        output.print_json(found)
    if not found:
        _refuse(kind, words)
    return found


def _refuse(kind: str, words: str) -> None:
    """Refusal of words that fit nothing.

    Raises:
        CatalogueError: Always, with the three nearest names where the look-up knows them.
    """
    from sootprint.catalogue import hardware as devices
    from sootprint.catalogue import regions as clouds
    from sootprint.catalogue import zones as grids
    from sootprint.core.errors import CatalogueError

    if kind == "hardware":
        devices.accelerator(words)
    elif kind == "zones":
        grids.locate(words)
    elif kind == "regions":
        clouds.region(words)
    raise CatalogueError(f"no entry of {kind} has all of {words!r}: leave out a word")


def _show(listing: _Listing, *, everything: bool, json: bool) -> None:
    """Print the columns that hold something, and the sources of the rows that are shown."""
    if json:
        return
    from rich.markup import escape

    shown = len(listing.rows) if everything else min(SHOWN, len(listing.rows))
    rows = listing.rows[:shown]
    console = output.console()
    wanted = [name for name in listing.columns if not (name == "remark" and console.width < NARROW)]
    filled = [
        index
        for index, name in enumerate(listing.columns)
        if name in wanted and any(row[index] not in _EMPTY for row in rows)
    ]
    table = output.table(
        *(listing.columns[index] for index in filled), right=listing.right, wraps=listing.wraps
    )
    for row in rows:
        output.add_row(table, *(row[index] for index in filled))
    console.print(table)
    sources = list(dict.fromkeys(one["source"] for one in listing.found[:shown] if one["source"]))
    for source in sources[:SOURCES_SHOWN]:
        console.print(f"[dim]Source: {escape(source)}[/]")
    if len(sources) > SOURCES_SHOWN:
        console.print(f"[dim]and {len(sources) - SOURCES_SHOWN} more; --json has the source of each row[/]")
    if shown < len(listing.rows):
        console.print(f"{shown} of {len(listing.rows):,}: give a word of the name, or --all")


def _with_unit(number: float | None, unit: str) -> str:
    return figures.DASH if number is None else f"{number:,g} {unit}".rstrip()


def _method(method: str | None) -> str:
    """Method without the words that are the same for all."""
    return (method or figures.DASH).removeprefix("average, ").removesuffix(", location-based")


def _interval(one: dict[str, Any], name: str) -> str:
    """Value with its bounds, or the bounds alone where no value is published."""
    from sootprint.report.figures import number

    low, high = one["low"], one["high"]
    bounds = None if low is None or high is None else f"{number(low)} to {number(high)}"
    if one[name] is None:
        return bounds or figures.DASH
    return f"{number(one[name])} ({bounds})" if bounds else number(one[name])
