"""Charts for a phone: panels one below the other, legends above the plot, names in several lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sootprint.charts import render

WIDTH = 350  # of all that is drawn, as a page has on a screen of 390 pixels
_PLOT, _LEAST = (
    266,
    120,
)  # width of a plot that is tried first, as most have room for, and of the narrowest [pixel]
_SPARE = 40  # left over at the first try, above which it is drawn again [pixel]
_MAP_MORE = 44  # of a map, which has no axis before it
_LONG = 14  # letters of a name from which the entries of a legend stand one below the other
_BIN = re.compile(r"\[[^,\[\]]*replace\(datum\.value, '-', '–'\), 'n = ([\d,]+)'\]")
_FROM = "'’' + slice(split(datum.value, '-')[0], -2)"  # ’17
_TO = "(length(split(datum.value, '-')) > 1 ? '–' + slice(split(datum.value, '-')[1], -2) : '\u00a0')"
_COUNTED = rf"[{_FROM}, {_TO}, '\1']"


def svg(made: Mapping[str, Any], width: int = WIDTH) -> str:
    """SVG of a specification that is no wider than a phone.

    Args:
        made: Specification of a chart for a desk, in its theme.
        width: Width of the drawing [pixel].
    """
    drawn = render.svg(_whole(made, _PLOT))
    over = _width(drawn) - width
    return drawn if -_SPARE <= over <= 0 else render.svg(_whole(made, max(_LEAST, int(_PLOT - over))))


def _width(drawn: str) -> float:
    found = re.search(r'<svg[^>]*? width="([\d.]+)"', drawn)
    return float(found[1]) if found else 0.0


def _whole(made: Mapping[str, Any], plot: int) -> dict[str, Any]:
    """Specification with plots of a width, whose legends stand one below the other."""
    changed: dict[str, Any] = _part(dict(made), plot)
    config = changed.get("config", {})
    below = {"layout": {"top": {"direction": "vertical"}, "bottom": {"direction": "vertical"}}}
    changed["config"] = {**config, "legend": {**config.get("legend", {}), **below}}
    return changed


def _part(part: Any, plot: int) -> Any:
    if isinstance(part, list):
        return [_part(one, plot) for one in part]
    if not isinstance(part, dict):
        return part
    made = {name: _value(name, value, plot) for name, value in part.items()}
    if "hconcat" in made:  # each part begins at the left, whatever stands before its plot
        made |= {"concat": made.pop("hconcat"), "columns": 1, "align": "none", "bounds": "full"}
    if "projection" in part and "height" in part:
        made["width"] = plot + _MAP_MORE
        made["height"] = round(part["height"] * made["width"] / part["width"])
    if isinstance(part.get("legend"), dict):
        made["legend"] = _legend(part["legend"], (part.get("scale") or {}).get("domain") or [])
    if isinstance(part.get("axis"), dict) and _BIN.search(part["axis"].get("labelExpr") or ""):
        made["title"] = [part["title"], "and number of rows"]
    return made


def _value(name: str, value: Any, plot: int) -> Any:
    """Value of a property by its name."""
    if name in ("data", "datasets"):
        return value
    if name == "width" and isinstance(value, int | float):
        return min(value, plot)
    if name == "columns" and isinstance(value, int):
        return 1
    if name == "axis" and isinstance(value, dict):
        return _axis(value)
    return _part(value, plot)


def _legend(made: dict[str, Any], names: list[Any]) -> dict[str, Any]:
    """Legend above the plot, in lines that fit."""
    title = made.get("title")
    lines = title.split(" · ") if isinstance(title, str) else title
    columns = 1 if any(len(str(name)) > _LONG for name in names) else 2
    return {**made, "orient": "top", "direction": "horizontal", "columns": columns, "title": lines}


def _axis(made: dict[str, Any]) -> dict[str, Any]:
    """Axis whose bins of years, and names before a comma, have several lines."""
    said = made.get("labelExpr")
    if said:
        alone = said == "replace(datum.value, '-', '–')"
        return {**made, "labelExpr": f"[{_FROM}, {_TO}]" if alone else _BIN.sub(_COUNTED, said)}
    if made.get("labelLimit"):
        made = {name: value for name, value in made.items() if name != "minExtent"}  # the lines are shorter
        return {**made, "labelLineHeight": 12, "labelOffset": -6, "labelExpr": "split(datum.label, ', ')"}
    return made
