"""Charts drawn: SVG, PNG or PDF without a browser, or the specification that a page draws itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt

from sootprint.charts import render
from sootprint.charts.render import FORMATS, converted
from sootprint.charts.theme import THEMES
from sootprint.core import files
from sootprint.core.errors import InputError
from sootprint.core.letters import clean

_DIGITS = re.compile(r"(\d+\.\d)\d+(?=[^<>]*>)")  # of the geometry; the labels stay as they are
_DESCRIBED = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"|<desc>.*?</desc>', re.DOTALL)


def spec(chart: alt.TopLevelMixin, theme: str = "web") -> dict[str, Any]:
    """Vega-Lite specification of a chart in a theme, its data included.

    Raises:
        InputError: There is no such theme.
    """
    if theme not in THEMES:
        raise InputError(f"theme {theme!r} is not one of {', '.join(THEMES)}")
    made: dict[str, Any] = _cleaned(chart.to_dict(validate=False))  # the tests of each chart validate it
    return themed(made, theme)


def themed(made: dict[str, Any], theme: str) -> dict[str, Any]:
    """Specification in another theme."""
    return {**made, "config": THEMES[theme].config()}


def both_grounds(made: Mapping[str, Any]) -> dict[str, Any]:
    """Specification in the theme "web" whose scale of colours has no end that is lost on a light or a dark page."""
    return {**made, "config": {**made["config"], "range": THEMES["page"].config()["range"]}}


def svg(chart: alt.TopLevelMixin, theme: str = "web") -> str:
    """SVG of a chart in a theme, with its description for those who cannot see it.

    Raises:
        InputError: There is no such theme.
    """
    return render.svg(spec(chart, theme))


def save(chart: alt.TopLevelMixin, path: Path, *more: Path, theme: str = "paper") -> None:
    """Write a chart to files as SVG, PNG or PDF, by the ends of their names; it is drawn once for all of them.

    Each file is whole or not there.

    Raises:
        InputError: A name ends in none of the three, a file cannot be written, or there is no such theme.
    """
    for file in (path, *more):
        if file.suffix not in FORMATS:
            raise InputError(
                f"{file.name} ends in none of {', '.join(FORMATS)}: give it one of these endings"
            )
    drawn = svg(chart, theme)
    for file in (path, *more):
        files.write(file, converted(drawn, file.suffix))


def on_page(drawn: str) -> str:
    """SVG of the theme "web" in the colours of the page that it stands in, so that it follows dark and light.

    Colours of categories stay as they are; it is much faster than to draw the chart again.
    """
    web, page = THEMES["web"], THEMES["page"]
    for name in ("ink", "muted", "grid", "shade"):
        drawn = drawn.replace(f'"{getattr(web, name)}"', f'"{getattr(page, name)}"')
    return drawn.replace(f'"{web.background}"', '"var(--ground)"')


def inline(drawn: str) -> str:
    """SVG of the theme "web" for a page that describes it itself: as `on_page`, its geometry to a tenth of a pixel."""
    return _DIGITS.sub(r"\1", _DESCRIBED.sub("", on_page(drawn)))


def _cleaned(part: Any) -> Any:
    """Part of a specification whose texts the renderer can draw; it ends the process at a control character."""
    if isinstance(part, dict):
        return {key: _cleaned(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_cleaned(value) for value in part]
    return clean(part) if isinstance(part, str) else part
