"""The hub's own footprint: as the meters of `hub serve --measure` tell it, else from CPU time and the catalogue."""

from __future__ import annotations

import resource
import statistics
import time
from functools import cache
from pathlib import Path

from sqlalchemy.engine import Engine

from sootprint import settings
from sootprint.catalogue import hardware, tables, zones
from sootprint.charts.scale import ENERGY, MASS
from sootprint.core import carbon, intervals
from sootprint.core.errors import SootprintError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.core.units import J_PER_KWH
from sootprint.hub import reading
from sootprint.hub.insight.sheets import Grid, Part, Sheet
from sootprint.report import content, figures, words

THREADS = 2  # of a core, as servers have them
KNOWN = (0.5, 1.6)  # bounds over the rated power of a processor that is known: load, other guests, idle share
SERVER_CORES, SERVER_YEAR = 16, 2017  # from which a processor of the catalogue is one of a server of today
CPUINFO = Path("/proc/cpuinfo")
LEFT_OUT = (
    "memory, drives, network, fans and power supplies",
    "the idle machine, its manufacture, and the facility around it (PUE 1.0 is assumed)",
    "the database server, where it is PostgreSQL, and other workers of this hub",
    "the network and the visitors' own devices: pages have no script and load nothing from elsewhere",
)
_BEGAN_S = time.monotonic()


def sheet(engine: Engine, requests: int, measured: Footprint | None = None) -> Sheet:
    """The page.

    Args:
        engine: Database.
        requests: Requests that this process answered.
        measured: What the meters tell of this process so far; None where they are not read.
    """
    held = sum(n for _, n in reading.tallies(engine, "evidence"))
    parts = _modelled(requests, held) if measured is None else _measured(measured, requests, held)
    return Sheet(
        title="This hub's own footprint",
        lead="What it takes to run this site, by the same arithmetic as every record in it.",
        parts=parts,
    )


def _measured(footprint: Footprint, requests: int, held: int) -> list[Part]:
    """Parts of the page from the meters."""
    emitted = footprint.emissions_kg
    said = f"It holds {held:,} footprints and has answered {requests:,} requests."
    if emitted is not None:
        amount, spread = (shown(emitted, MASS) for shown in (figures.amount, figures.spread))
        said = f"Since it started, this process emitted {amount} (90 % interval {spread}). {said}"
    else:
        said = f"Its emissions are not known. {said}"
    sections = {one.key: one for one in content.report(footprint).sections}
    tables = [sections[key].table for key in ("energy", "carbon") if key in sections]
    grids = [
        Grid(caption=one.caption, columns=one.columns, rows=one.rows, numbers=one.numbers, total=one.total)
        for one in tables
        if one is not None
    ]
    grade = f"grade {footprint.grade}: {words.GRADES[footprint.grade]}" if footprint.grade else "no grade"
    by_meters = f"Its own share by the meters of this machine, as of a run with `--share process`; {grade}."
    return [
        Part(says=[said, by_meters]),
        *(Part(grid=grid) for grid in grids),
        Part(title="What to know", items=[*footprint.warnings, *LEFT_OUT[2:]]),
    ]


def _modelled(requests: int, held: int) -> list[Part]:
    """Parts of the page from CPU time and the catalogue."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s, up_s = used.ru_utime + used.ru_stime, time.monotonic() - _BEGAN_S
    thread_w, whose = thread_power()
    energy = intervals.scaled(thread_w, cpu_s / J_PER_KWH)
    where, grid, source = _grid_of()
    emitted = carbon.emissions(energy, grid, intervals.exact(1.0, "assumed"))
    each = intervals.scaled(emitted, 1.0 / requests) if requests else None
    rows = [
        ("CPU time of this process", f"{figures.number(cpu_s)} s", "measured, since it started"),
        ("Up for", figures.duration(up_s), "measured"),
        ("Power of a busy thread", f"{thread_w.value:.2g} W", f"90 % {_spread(thread_w, 'W')}: {whose}"),
        ("Energy", figures.amount(energy, ENERGY), figures.spread(energy, ENERGY)),
        ("Carbon intensity", f"{figures.number(grid.value)} g/kWh", f"{where}: {source}"),
        ("Emissions", figures.amount(emitted, MASS), figures.spread(emitted, MASS)),
        ("Requests", f"{requests:,}", "answered by this process"),
    ]
    if each is not None:
        rows.append(("A request", figures.amount(each, MASS), figures.spread(each, MASS)))
    amount, spread = (shown(emitted, MASS) for shown in (figures.amount, figures.spread))
    said = f"Since it started, this process emitted about {amount} ({spread})"
    said += f", {figures.amount(each, MASS)} a request" if each is not None else ""
    how = Grid(caption="How it comes about", columns=("Fact", "Value", "Origin"), numbers=(1,), rows=rows)
    known = "It is modelled; `sootprint hub serve --measure` reads the meters of this machine instead."
    return [
        Part(says=[f"{said}. It holds {held:,} footprints.", known], grid=how),
        Part(title="What is not in it", items=LEFT_OUT),
    ]


def thread_power(name: str | None = None) -> tuple[Quantity, str]:
    """Power of a busy hardware thread [W], and whose figure it is.

    Args:
        name: Name of the processor; as the kernel has it where None.
    """
    found = hardware.find_cpu(_processor() if name is None else name)
    if found is not None and found.rated_power_w and found.cores:
        each = found.rated_power_w / (THREADS * found.cores)
        low, high = (each * ratio for ratio in KNOWN)
        whose = f"{found.name}, {found.rated_power_w:g} W rated, {found.cores} cores of {THREADS} threads"
        return Quantity(value=each, low=low, high=high, basis="modelled"), f"{whose} ({found.source})"
    return _any_server()


@cache
def _any_server() -> tuple[Quantity, str]:
    """Power of a thread of a processor that is not known: the median and the 90 % range of the catalogue's servers."""
    rows = tables.all_rows("cpus")
    of_servers = [
        watts / (THREADS * cores)
        for row in rows
        if (watts := tables.cell(row, "rated_power_w"))
        and (cores := tables.integer(row, "cores") or 0) >= SERVER_CORES
        and (tables.integer(row, "year") or 0) >= SERVER_YEAR
    ]
    cuts = statistics.quantiles(of_servers, n=20)
    made = Quantity(
        value=statistics.median(of_servers),
        low=KNOWN[0] * cuts[0],
        high=KNOWN[1] * cuts[-1],
        basis="modelled",
    )
    whose = f"median of {len(of_servers)} server processors since {SERVER_YEAR} in the catalogue"
    return made, f"{whose}; this machine's is not in it"


def _processor() -> str:
    """Name of the processor as the kernel has it; empty where it does not tell."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _grid_of() -> tuple[str, Quantity, str]:
    """Name of the zone, its intensity, and whose figure it is."""
    known = settings.load().zone or zones.WORLD
    try:
        factor = zones.intensity(known, None).factor
    except SootprintError:
        known, factor = zones.WORLD, zones.intensity(zones.WORLD, None).factor
    why = "" if known != zones.WORLD else "; set SOOTPRINT_ZONE where it runs"
    return known, factor.quantity(), f"{factor.source}{why}"


def _spread(one: Quantity, unit: str) -> str:
    return figures.spread(one, figures.plain_unit(unit))
