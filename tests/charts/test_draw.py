"""Charts as specifications and as files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sootprint import Footprint, InputError, Quantity, charts
from sootprint.charts.theme import COLOURS, THEMES, edge_of
from sootprint.core.errors import MissingExtraError
from sootprint.core.records import Component, CurvePoint

GOLDEN = Path(__file__).with_name("golden")
ID = "019c0000-0000-7000-8000-00000000a009"
CHARTS = ("power_over_time", "energy_by_component", "emissions_interval", "curve")
DRAWN = [("laptop", name) for name in CHARTS] + [("cluster", name) for name in CHARTS]


def _layer(chart, index: int) -> dict:
    """Layer of a chart's specification, with its rows of data wherever the library put them."""
    made = charts.spec(chart)
    layer = made["layer"][index]
    data = layer.get("data") or made["data"]
    return {**layer, "rows": data["values"] if "values" in data else made["datasets"][data["name"]]}


@pytest.mark.parametrize(("record", "name"), DRAWN)
def test_specification_is_the_golden_one(read, record: str, name: str) -> None:
    """The drawing instructions are those that were looked at; WRITE_GOLDEN=1 writes them anew."""
    made = charts.spec(getattr(charts, name)(read(record)), "paper")
    made.pop("$schema")
    path = GOLDEN / f"{record}_{name}.json"
    if "WRITE_GOLDEN" in os.environ:
        path.write_text(
            json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    assert made == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CHARTS)
def test_chart_is_described(read, name: str) -> None:
    """Those who cannot see a chart are told what it shows, in the SVG too."""
    chart = getattr(charts, name)(read("cluster"))
    described = charts.spec(chart)["description"]
    assert len(described) > 20
    assert f"<desc>{described}</desc>" in charts.svg(chart)


@pytest.mark.parametrize("name", CHARTS)
def test_record_without_the_data_has_no_chart(name: str) -> None:
    """Nothing is drawn of what a record does not tell."""
    assert getattr(charts, name)(Footprint(id=ID)) is None


def test_chart_uses_the_packaged_font_and_the_subscript(read) -> None:
    """The font is ours throughout, and the 2 of CO₂e is a real subscript."""
    drawn = charts.svg(charts.emissions_interval(read("laptop")))
    assert set(re.findall(r'font-family="([^"]*)"', drawn)) == {"Roboto"}
    assert "CO₂e" in drawn


def test_wide_intervals_are_drawn_on_a_scale_of_factors(read) -> None:
    """The world's interval spans a factor of 37: powers of ten; one of 1.4 starts at zero."""
    wide = _layer(charts.emissions_interval(read("laptop")), 1)["encoding"]["x"]["scale"]
    narrow = _layer(charts.emissions_interval(read("cluster")), 1)["encoding"]["x"]["scale"]
    assert (wide["type"], wide["domain"]) == ("log", [0.001, 1.0])
    assert narrow == {"zero": True, "nice": True}


def test_measured_and_modelled_look_different(read) -> None:
    """A full bar was measured, a faint one was not, and a legend says so."""
    drawn = _layer(charts.energy_by_component(read("cluster")), 0)
    assert {row["component"]: row["obtained"] for row in drawn["rows"]} == {
        "Accelerator × 8": "measured", "CPU × 2": "measured", "Memory × 2": "measured",
        "Storage": "modelled or stated", "Network": "modelled or stated", "Rest of the node": "modelled or stated",
    }  # fmt: skip
    assert "modelled or stated" in charts.svg(charts.energy_by_component(read("cluster")))


def test_hole_and_gap_are_visible(read) -> None:
    """The record's missing half hour is a hole in the areas; its two gaps are shaded."""
    chart = charts.power_over_time(read("cluster"))
    assert len({row["segment"] for row in _layer(chart, 0)["rows"]}) == 2
    assert len(_layer(chart, 1)["rows"]) == 2


def test_page_theme_leaves_the_colours_to_the_page(read) -> None:
    """In a page the ink is a variable of its style sheet, so that the chart follows light and dark."""
    drawn = charts.svg(charts.power_over_time(read("cluster")), "page")
    assert "var(--muted)" in drawn
    fixed = set(re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]{3,6})"', drawn))
    known = {shown for colour in COLOURS.values() for shown in (colour, edge_of(colour))}
    assert {colour.lower() for colour in fixed} <= {colour.lower() for colour in known}


@pytest.mark.parametrize(("ending", "first"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_chart_is_saved_as(read, tmp_path: Path, ending: str, first: bytes) -> None:
    """The end of the name decides the format."""
    path = tmp_path / f"chart{ending}"
    charts.save(charts.energy_by_component(read("laptop")), path)
    assert path.read_bytes().startswith(first)


def test_unknown_ending_and_theme_are_refused(read, tmp_path: Path) -> None:
    """The messages name what there is."""
    chart = charts.energy_by_component(read("laptop"))
    with pytest.raises(InputError, match=r"chart.gif ends in none of .svg, .png, .pdf"):
        charts.save(chart, tmp_path / "chart.gif")
    with pytest.raises(InputError, match="'neon' is not one of paper, web, dark, page"):
        charts.svg(chart, "neon")


@pytest.mark.parametrize("theme", THEMES)
def test_each_theme_draws(read, theme: str) -> None:
    """All themes give a drawing with the bars' colours."""
    assert "#0072B2" in charts.svg(charts.energy_by_component(read("cluster")), theme)


def test_control_characters_do_not_end_the_process() -> None:
    """The renderer would abort on a character that XML has not; the chart shows a blank."""
    energy = Quantity(value=1.0, low=0.5, high=2.0, basis="sensor")
    footprint = Footprint(
        id=ID,
        components=(Component(component="a\x00b\x1b\ufffe", meter="x", energy_kwh=energy),),
        curve=(CurvePoint(energy_kwh=0.1, metric="l\x07oss", value=1.0),),
    )
    assert "a b" in charts.svg(charts.energy_by_component(footprint))
    assert "l oss" in charts.svg(charts.curve(footprint))


def test_missing_extra_names_the_command() -> None:
    """Without the chart library the package imports, and a chart says how to install it."""
    code = "import sys; sys.modules['altair'] = None; from sootprint import charts; charts.curve"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert MissingExtraError.__name__ in ran.stderr
    assert "pip install 'sootprint[charts]'" in ran.stderr.splitlines()[-1]
