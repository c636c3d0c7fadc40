"""Charts of a footprint: one function gives one chart, `save` and `svg` draw it, `spec` hands it to a page.

The chart library loads on first use; the numbers behind the charts (`families`, `power`, `scale`) need none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import MissingExtraError

if TYPE_CHECKING:
    from sootprint.charts.ahead import forecasts
    from sootprint.charts.bars import energy_by_component
    from sootprint.charts.browser import bundle
    from sootprint.charts.course import curve, power_over_time
    from sootprint.charts.draw import both_grounds, inline, on_page, save, spec, svg, themed
    from sootprint.charts.measures import measures_kept, savings_by_measure
    from sootprint.charts.planned import planned
    from sootprint.charts.range import emissions_interval
    from sootprint.charts.render import FORMATS, converted
    from sootprint.charts.studio import Studio
    from sootprint.charts.theme import THEMES, Theme
    from sootprint.charts.tools import emissions_by_tool
    from sootprint.charts.tornado import width_by_factor
    from sootprint.charts.waited import waited

__all__ = [
    "FORMATS",
    "THEMES",
    "Studio",
    "Theme",
    "both_grounds",
    "bundle",
    "converted",
    "curve",
    "emissions_by_tool",
    "emissions_interval",
    "energy_by_component",
    "forecasts",
    "inline",
    "measures_kept",
    "on_page",
    "planned",
    "power_over_time",
    "save",
    "savings_by_measure",
    "spec",
    "svg",
    "themed",
    "waited",
    "width_by_factor",
]

_HOMES = {
    "FORMATS": "render",
    "Studio": "studio",
    "THEMES": "theme",
    "Theme": "theme",
    "both_grounds": "draw",
    "bundle": "browser",
    "converted": "render",
    "curve": "course",
    "emissions_by_tool": "tools",
    "emissions_interval": "range",
    "energy_by_component": "bars",
    "forecasts": "ahead",
    "inline": "draw",
    "measures_kept": "measures",
    "on_page": "draw",
    "planned": "planned",
    "power_over_time": "course",
    "save": "draw",
    "savings_by_measure": "measures",
    "spec": "draw",
    "svg": "draw",
    "themed": "draw",
    "waited": "waited",
    "width_by_factor": "tornado",
}


_EXTRA = ("altair", "vl_convert", "fontpkg_roboto")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sootprint.charts' has no attribute {name!r}")
    try:
        found = getattr(importlib.import_module(f"sootprint.charts.{_HOMES[name]}"), name)
    except ModuleNotFoundError as err:
        if err.name not in _EXTRA:
            raise
        raise MissingExtraError(f"charts need {err.name}: pip install 'sootprint[charts]'") from err
    globals()[name] = found  # a module of the same name would hide it from now on
    return found
