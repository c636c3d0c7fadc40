"""The hub's own footprint: the CPU time of this process, the power that is assumed for it, and the grid it is on."""

from __future__ import annotations

import resource
import time

from sqlalchemy.engine import Engine

from sootprint import settings
from sootprint.catalogue import zones
from sootprint.core import carbon, intervals
from sootprint.core.errors import SootprintError
from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG, J_PER_KWH
from sootprint.hub import reading
from sootprint.hub.insight.sheets import Grid, Part, Sheet
from sootprint.report import figures

CORE_W = Quantity(value=8.0, low=3.0, high=20.0, basis="assumed")
"""Power of one busy core with its share of the server [W]: a server of 64 cores draws 200 to 1,000 W at load
(SPECpower_ssj2008 results of 2019-2024 are 3 to 10 W a core; small machines draw up to 20)."""
LEFT_OUT = (
    "the idle machine, its manufacture, and the facility around it (PUE 1.0 is assumed)",
    "the database server, where it is PostgreSQL, and other workers of this hub",
    "the network and the visitors' own devices: pages have no script and load nothing from elsewhere",
)
_BEGAN_S = time.monotonic()
_GRAMS = (figures.plain_unit("g"), figures.plain_unit("mg"))


def sheet(engine: Engine, requests: int) -> Sheet:
    """The page.

    Args:
        engine: Database.
        requests: Requests that this process answered.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s, up_s = used.ru_utime + used.ru_stime, time.monotonic() - _BEGAN_S
    energy = intervals.scaled(CORE_W, cpu_s / J_PER_KWH)
    where, grid, source = _grid_of()
    emitted = carbon.emissions(energy, grid, intervals.exact(1.0, "assumed"))
    grams = intervals.scaled(emitted, G_PER_KG)
    held = sum(n for _, n in reading.tallies(engine, "evidence"))
    each = intervals.scaled(grams, 1000.0 / requests) if requests else None
    rows = [
        ("CPU time of this process", f"{figures.number(cpu_s)} s", "measured, since it started"),
        ("Up for", figures.duration(up_s), "measured"),
        ("Power of a busy core", f"{CORE_W.value:g} W", f"assumed, 90 % {CORE_W.low:g} to {CORE_W.high:g} W"),
        (
            "Energy",
            f"{figures.number(energy.value * 1000.0)} Wh",
            _spread(intervals.scaled(energy, 1000.0), "Wh"),
        ),
        ("Carbon intensity", f"{figures.number(grid.value)} g/kWh", f"{where}: {source}"),
        ("Emissions", figures.amount(grams, _GRAMS[0]), figures.spread(grams, _GRAMS[0])),
        ("Requests", f"{requests:,}", "answered by this process"),
    ]
    if each is not None:
        rows.append(("A request", figures.amount(each, _GRAMS[1]), figures.spread(each, _GRAMS[1])))
    amount, spread = (shown(grams, _GRAMS[0]) for shown in (figures.amount, figures.spread))
    said = f"Since it started, this process emitted about {amount} ({spread})"
    said += f", {figures.amount(each, _GRAMS[1])} a request" if each is not None else ""
    return Sheet(
        title="This hub's own footprint",
        lead="What it takes to run this site, by the same arithmetic as every record in it.",
        parts=[
            Part(
                says=[f"{said}. It holds {held:,} footprints."],
                grid=Grid(
                    caption="How it comes about", columns=("Fact", "Value", "Origin"), numbers=(1,), rows=rows
                ),
            ),
            Part(title="What is not in it", items=LEFT_OUT),
        ],
    )


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
