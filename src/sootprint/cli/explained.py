"""What the interval of an estimate is made of, as a table and as a chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sootprint.cli import figures, output

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sootprint.core.records import Footprint
    from sootprint.estimator.explain import Swing


def factors(footprint: Footprint) -> RenderableType:
    """Table of the factors with their evidence and their parts in the interval, the swings, and the sources."""
    from rich.console import Group
    from rich.text import Text

    from sootprint.estimator.explain import TIERS, shares, tier, tornado, worst
    from sootprint.report.figures import share as percent

    columns = ("factor", "of", "value", "90 %", "share", "evidence", "from")
    table = output.table(*columns, right=("value", "share", "from"), wraps=("factor", "of", "evidence"))
    sources: dict[str, int] = {}
    for factor, share in shares(footprint):
        source = ", ".join(filter(None, [factor.source, factor.period]))
        number = sources.setdefault(source, len(sources) + 1)
        known = None if factor.value is None else factor.quantity()
        words = figures.in_unit(known, "" if factor.unit == "1" else factor.unit)
        cells = (factor.kind.replace("_", " "), factor.key, *words, percent(share))
        output.add_row(table, *cells, TIERS[tier(factor)], str(number))
    title = Text.assemble(("\nFactors", "bold"), ", with their shares in the width of the interval")
    notes = [Text(f"{number}  {source}", style="dim") for source, number in sources.items()]
    weakest = worst(footprint)
    said = "" if weakest is None else f"{weakest.kind.replace('_', ' ')} ({TIERS[tier(weakest)]})"
    ending = [Text.assemble("\nWeakest evidence: ", (said, "bold"))] if said else []
    return Group(title, table, *ending, *_swings(footprint, tornado(footprint)), *notes)


def reusable(footprint: Footprint) -> RenderableType:
    """Published models that reach the target already, or what the table knows instead."""
    from rich.console import Group
    from rich.text import Text

    wanted, listed = footprint.given.get("target"), footprint.given["reuse"]
    if not listed:
        from sootprint.estimator.reuse import metrics

        known = ", ".join(metrics())
        said = f"Reuse first: no packaged published model reaches {wanted}; the table has {known}.\n"
        return Text(said)
    columns = ("model", "result", "data set", "device hours", "paper")
    table = output.table(*columns, right=("result", "device hours"), wraps=("model", "paper"))
    for one in listed:
        hours = figures.DASH if one["device_hours"] is None else f"{one['device_hours']:,.10g}"
        output.add_row(table, one["model"], f"{one['value']:g}", one["dataset"], hours, one["paper"])
    return Group(
        Text.assemble(("Reuse first", "bold"), f": published models that reach {wanted}"), table, Text("")
    )


def draw(footprint: Footprint, path: Path) -> None:
    """Draw the swings into a file.

    Raises:
        InputError: The name ends in no format, or no factor has a spread.
        MissingExtraError: The chart library is not installed.
    """
    from sootprint import charts
    from sootprint.core.errors import InputError

    chart = charts.width_by_factor(footprint)
    if chart is None:
        raise InputError(
            "no factor of this estimate has a spread: there is nothing to draw, leave out --chart"
        )
    charts.save(chart, path)


def _swings(footprint: Footprint, swings: list[Swing]) -> list[RenderableType]:
    """The tornado in letters: emissions with one factor at its bounds, as bars around the best estimate."""
    from rich.text import Text

    from sootprint.core.quantity import Quantity

    if not swings or footprint.emissions_kg is None:
        return []
    value = footprint.emissions_kg.value
    least, most = min(swing.low for swing in swings), max(swing.high for swing in swings)
    table = output.table("factor", "", "CO2e")
    for swing in swings:
        ends = figures.emissions(
            Quantity(value=value, low=min(swing.low, value), high=max(swing.high, value))
        )
        name = swing.factor.kind.replace("_", " ")
        unit = ends.value.rpartition(" ")[2]
        output.add_row(table, name, _bar(swing, value, least, most), f"{ends.interval} {unit}")
    return [
        Text.assemble(
            ("\nTornado", "bold"), ", the emissions with one factor at its 5th and 95th percentile"
        ),
        table,
        Text(""),
    ]


def _bar(swing: Swing, value: float, least: float, most: float) -> str:
    width = 40
    span = (most - least) or 1.0
    start, middle, end = (round((point - least) / span * width) for point in (swing.low, value, swing.high))
    bar = [" "] * (width + 1)
    bar[start : end + 1] = ["━"] * (end + 1 - start)
    bar[middle] = "┃"
    return "".join(bar)
