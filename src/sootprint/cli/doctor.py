"""`sootprint doctor`: what can be read on this machine, what cannot, and what would unlock it."""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, options, output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from sootprint.settings import Settings

Rule = Annotated[
    bool,
    typer.Option(
        "--print-udev-rule", help="Print the udev rule that lets a group read the CPU's energy counters."
    ),
]
INDENT = 17  # of what is said of a meter
SOURCE_INDENT = 23  # of what is said of a source of the grid's intensity
_NOWHERE = "the place is unknown: the world's average grid would count, with an interval that spans all grids"
_MODELLED = (
    "no energy counter of the processor can be read: it is modelled from its load, with a wide interval"
)
_NO_PUE = (
    "the PUE is unknown: the overhead of a data centre (a PUE is typically 1.1 to 1.6) would not be counted; "
    "state it with --pue, or pue of a site in sootprint.toml"
)


def doctor(print_udev_rule: Rule = False, json: options.Json = False) -> None:
    """Tell what can be measured here, and what would unlock the rest.

    Nothing is changed, and no network is used beyond the sources that [grid] of your sootprint.toml names. Commands
    that need rights are printed, not run.

        sootprint doctor
        sootprint doctor --json
    """
    from sootprint import settings
    from sootprint.meters import probe, rapl

    if print_udev_rule:
        output.print_text(rapl.udev_rule())
        return
    known = settings.load()
    meters = probe.doctor(known.machine())
    place = _place(known)
    warnings = [*_warnings(meters, place), *_home(known.home)]
    sources = _sources(known, place["zone"])
    if json:
        told = {"meters": meters, "place": place, "warnings": warnings}
        output.print_json(told | ({"grid": sources} if sources else {}))
    else:
        _print(meters, place, warnings, sources)


def _sources(known: Settings, zone: str | None) -> list[dict[str, Any]]:
    """Configured sources of the grid's intensity, and whether they answer."""
    if known.grid is None:
        return []
    from sootprint.intensity import probe

    return probe.examined(known, zone)


def _place(known: Settings) -> dict[str, Any]:
    """Assumed place, its intensity and PUE, and how to state it where it is unknown."""
    from datetime import UTC, datetime

    from sootprint import place
    from sootprint.catalogue import regions, zones
    from sootprint.core.errors import CatalogueError

    here = place.resolve(known.stated_places(), clusters=known.cluster_places(), sysfs=known.sysfs)
    problem = None
    try:
        found = zones.intensity(here.zone or zones.WORLD, known.year)
    except CatalogueError as err:
        problem, found = str(err), zones.intensity(zones.WORLD, known.year)
    pue = known.pue_on(datetime.now(UTC).date(), site=here.site)
    region_pue = regions.region(here.zone).pue if here.zone and "/" in here.zone and problem is None else None
    return {
        "zone": None if problem else here.zone,
        "source": here.source,
        "detail": problem or here.detail,
        "suggestion": here.suggestion,
        "fix": here.fix,
        "intensity_g_per_kwh": found.factor.quantity(),
        "period": found.factor.period,
        "pue": pue.value if pue else region_pue.value if region_pue else None,
    }


def _warnings(meters: list[dict[str, Any]], place: dict[str, Any]) -> list[str]:
    readable = {one["name"] for one in meters if one["readable"]}
    found = []
    if place["zone"] is None:
        found.append(_NOWHERE)
    if "rapl" not in readable:
        found.append(_MODELLED)
    if place["pue"] is None:
        found.append(_NO_PUE)
    return found


def _home(home: Path) -> Iterator[str]:
    """Whether records can be kept, and whether others of this machine can read them."""
    above = home.absolute().parents
    there = next(folder for folder in (home, *above) if os.access(folder, os.F_OK))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield (
            f"{there} cannot be written: no record could be kept, and a crash would lose the run; "
            "set SOOTPRINT_HOME to a folder that can"
        )
    elif there == home and all(folder.stat().st_mode & stat.S_IXOTH for folder in (home, *above)):
        yield f"other users of this machine can read your records: chmod o-rwx {shlex.quote(str(home))}"


def _grade(meters: list[dict[str, Any]]) -> str:
    """Grade that a run would have here, with the reason, in markup."""
    if any(one["readable"] and one["basis"] == "metered" for one in meters):
        return "A[/]: a meter of the whole node can be read"
    sensed = {one["name"] for one in meters if one["readable"] and one["basis"] == "sensor"}
    if "rapl" in sensed:
        return "B[/]: energy sensors of the main components can be read"
    if sensed:
        return "C[/]: the accelerators have energy sensors, the rest is modelled"
    return "D[/]: no energy sensor can be read, all is modelled"


def _print(
    meters: list[dict[str, Any]], place: dict[str, Any], warnings: list[str], sources: list[dict[str, Any]]
) -> None:
    console = output.console()
    console.print(f"A run here would have [bold]grade {_grade(meters)}.\n")
    console.print("[bold]Meters[/]")
    for one in sorted(meters, key=lambda entry: not entry["readable"]):
        _print_meter(console, one)
    _print_place(console, place)
    if sources:
        _print_sources(console, sources)
    console.print()
    for text in warnings:
        console.print(output.marked((output.WARNING, text), indent=1))
        if text == _NOWHERE and place["fix"]:
            _print_fix(console, place["fix"], indent=4)


def _print_meter(console: Console, one: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.padding import Padding

    mark = "[green]✓[/]" if one["readable"] else "[red]✗[/]"
    console.print(f"  {mark} {one['name']:<13}{one['basis'] or 'not read'}")
    if one["reason"]:
        reason = one["reason"].removeprefix(f"{one['name']}: ")
        console.print(Padding(f"[dim]{escape(reason)}[/]", (0, 0, 0, INDENT), expand=False))
    if one["fix"]:
        _print_fix(console, f"unlock: {one['fix']}", indent=INDENT)


def _print_place(console: Console, place: dict[str, Any]) -> None:
    from rich.markup import escape

    unknown, detail = "[yellow]unknown[/]", escape(place["detail"] or "")
    zone = f"{place['zone']} [dim](from {detail})[/]" if place["zone"] else f"{unknown} {detail}"
    of_world = "" if place["zone"] else "the world's average "
    intensity = figures.in_unit(place["intensity_g_per_kwh"], "gCO2e/kWh")
    console.print("\n[bold]Place[/]")
    console.print(f"  zone       {zone}")
    console.print(f"  intensity  {intensity} [dim]{of_world}of {place['period']}[/]")
    console.print(f"  PUE        {place['pue'] or unknown}")


def _print_sources(console: Console, sources: list[dict[str, Any]]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print("\n[bold]Grid sources[/]")
    for one in sources:
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]?[/]"}[one["answers"]]
        latest = one["latest_g_per_kwh"]
        figure = "" if latest is None else f"{latest:.0f} g/kWh now"
        console.print(f"  {mark} {one['name']:<19}{one['kind']:<10}{figure}")
        if one["reason"]:
            console.print(Padding(Text(one["reason"], "dim"), (0, 0, 0, SOURCE_INDENT), expand=False))


def _print_fix(console: Console, text: str, *, indent: int) -> None:
    """Print a command on one line, for the terminal to wrap, so that it can be copied."""
    from rich.markup import escape

    console.print(f"{'':{indent}}[cyan]{escape(text)}[/]", soft_wrap=True)
