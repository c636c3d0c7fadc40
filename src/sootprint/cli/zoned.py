"""What a plan is told of each zone: the zones themselves, their traces, their prices and their PUE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sootprint.cli import options, shell
from sootprint.cli.backtest import named_file


def told(zones: str | None, traces: list[str]) -> tuple[list[str], dict[str, Path]]:
    """Zones of a list with commas, else those of the traces, else that of this machine; and the trace of each.

    Raises:
        InputError: No zone is known, a trace is of no zone of the plan, or a zone has two.
    """
    stated = [name.strip() for name in (zones or "").split(",") if name.strip()]
    named = dict(_files("trace", [named_file(text) for text in traces], stated))
    return stated or list(named) or [_own()], named


def prices(files: list[str], zones: list[str]) -> dict[str, Path]:
    """File of prices of each zone that has one, named or in the order of the zones, as a trace.

    Raises:
        InputError: A file is of no zone of the plan, or one of several that nothing names; or a zone has two.
    """
    return dict(_files("price", [options.zone_file(text) for text in files], list(dict.fromkeys(zones))))


def _files(name: str, told: list[tuple[Path, str | None]], zones: list[str]) -> Iterator[tuple[str, Path]]:
    """File of each zone: named, or in the order of the zones that no other file names."""
    stated = {zone for _, zone in told if zone is not None}
    free = [name for name in dict.fromkeys(zones) if name not in stated]
    bare = [path for path, zone in told if zone is None]
    if zones and stated - set(zones):
        shell.wrong(
            f"--{name} of {min(stated - set(zones))!r}: it is not in --zones {','.join(zones)}; add it there"
        )
    if zones and len(bare) > len(free):
        shell.wrong(
            f"{len(told)} {name}s are given for {len(zones)} zones: name each as ZONE=FILE, and add its zone"
        )
    if zones and bare and len(bare) < len(free):
        shell.wrong(f"--{name} {bare[0]} is of one zone, but there are {len(free)}: name it as ZONE=FILE")
    left, seen = iter(free), set()
    for path, zone in told:
        whose = zone or (next(left) if zones else path.name.removesuffix(".gz").removesuffix(".csv"))
        if whose in seen:
            shell.wrong(f"--{name} is given twice for {whose}: give one file of it")
        seen.add(whose)
        yield whose, path


def pues(texts: list[str], zones: list[str]) -> dict[str, float] | None:
    """PUE of each zone of which one is stated: its own, else the one without a name; None where none is [1].

    Raises:
        InputError: One is of no zone of the plan, or a zone has two.
    """
    told: dict[str, float] = {}
    for text in texts:
        zone, sign, number = text.rpartition("=")
        if sign and not zone:
            shell.wrong(f"--pue {text} names no zone before the =: give ZONE=X, or X for all zones")
        if zone and zone not in zones:
            shell.wrong(f"--pue {text}: {zone!r} is not among the zones {','.join(zones)}; add it to --zones")
        if zone in told:
            shell.wrong(f"--pue is given twice for {zone or 'all zones'}: give one of it")
        told[zone] = options.number(number)
    every = told.pop("", None)
    if every is not None:
        told = {zone: told.get(zone, every) for zone in zones}
    return told or None


def _own() -> str:
    """Zone of this machine."""
    from sootprint import place, settings

    known = settings.load()
    found = place.resolve(known.stated_places(), clusters=known.cluster_places(), sysfs=known.sysfs)
    if found.zone is None:
        shell.wrong(f"no zone is known: add --zones, e.g. --zones DE,FR; {found.fix or ''}")
    return found.zone
