"""The report as one HTML page: styles and charts inside, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint import charts
from sootprint.charts.letters import formula
from sootprint.core.errors import MissingExtraError
from sootprint.core.records import Footprint
from sootprint.report.content import report
from sootprint.report.kin import Kin

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).with_name("templates")
WIDTHS = {"wide": 700, "narrow": 300}  # plot widths for a desk and for a phone [pixel]


class Drawing(NamedTuple):
    """A chart in the two sizes of the page, and what it shows in words."""

    wide: str
    narrow: str
    described: str
    caption: str


def page(footprint: Footprint, kin: Kin | None = None) -> str:
    """Report of a record as an HTML page.

    Raises:
        MissingExtraError: The charts' libraries are not installed.
    """
    return _template().render(
        report=report(footprint, kin),
        footprint=footprint,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        drawings=_drawings(footprint),
    )


@cache
def _template() -> Template:
    try:
        import jinja2

        from sootprint.report.prose import prose, sentence
    except ModuleNotFoundError as err:
        raise MissingExtraError("an HTML report needs jinja2: pip install 'sootprint[charts]'") from err
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"formula": formula, "prose": prose, "sentence": sentence}
    return environment.from_string((TEMPLATES / "report.html").read_text(encoding="utf-8"))


def _drawings(footprint: Footprint) -> dict[str, Drawing]:
    """Charts by the section that they belong to."""
    made = {}
    for key, draw, caption in _listed(footprint):
        drawn = {name: draw(footprint, width=width) for name, width in WIDTHS.items()}
        if drawn["wide"] is not None:
            described = drawn["wide"].to_dict()["description"]
            inline = {name: _inline(charts.svg(chart, "page")) for name, chart in drawn.items()}
            made[key] = Drawing(**inline, described=described, caption=caption)
    return made


def _listed(footprint: Footprint) -> tuple[tuple[str, Callable[..., Any], str], ...]:
    """Sections with a chart: what draws it, and its caption."""
    gaps = " Shaded times were not read." if footprint.gaps else ""
    known = any(one.energy_kwh.low is not None for one in footprint.components)
    lines = "; the lines are 90 % intervals" if known else ", without intervals, as the record has none"
    return (
        ("emissions", _interval, "Best estimate (dot) and 90 % interval (band) of the emissions."),
        ("power", charts.power_over_time, f"Power over time, stacked by component.{gaps}"),
        ("energy", charts.energy_by_component, f"Energy by component{lines}."),
        ("curve", charts.curve, "Logged metrics over the energy spent."),
        (
            "forecasts",
            charts.forecasts,
            "Energy of the whole run as it was forecast (dots, with 90 % intervals); the dashed line is what came.",
        ),
        (
            "advice",
            charts.measures_kept,
            "Saving of each measure alone over the emissions of this run; the lines are 90 % intervals.",
        ),
        (
            "waiting",
            charts.waited,
            "Actual carbon intensity; green is where the job ran, blue below where the first plan saw it run.",
        ),
    )


def _interval(footprint: Footprint, *, width: int) -> Any:
    """Chart of the emissions in their interval; None where there is no bound to draw."""
    kg = footprint.emissions_kg
    if kg is None or kg.low == kg.high:
        return None
    return charts.emissions_interval(footprint, width=width)


def _inline(svg: str) -> str:
    """Drawing for a page that describes it itself: sized by the page, without the parts for screen readers."""
    svg = re.sub(r"<desc>.*?</desc>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    return svg
