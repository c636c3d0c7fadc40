"""What an interpreter and a notebook show of a record."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser

from sootprint import Footprint, Quantity, estimate
from sootprint.core.records import Interval, Place

ID = "019c0000-0000-7000-8000-00000000a009"
RUN = Footprint(
    id=ID,
    name="digits",
    energy_kwh=Quantity(value=0.5, low=0.4, high=0.6),
    emissions_kg=Quantity(value=0.02, low=0.015, high=0.03),
    duration_s=252.0,
    place=Place(zone="FR"),
    grade="B",
)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _read(footprint: Footprint) -> _Words:
    found = _Words()
    found.feed(footprint._repr_html_())
    return found


def test_line_has_figures_intervals_and_units() -> None:
    """A bare `run.footprint` says what was emitted, how sure that is, and which record it is."""
    assert repr(RUN) == (
        "<Footprint digits: emissions 20 g CO2e (90 %: 15 to 30 g), energy 500 Wh (90 %: 400 to 600 Wh), "
        f"time 4 min 12 s, zone FR, grade B; {ID}>"
    )


def test_line_is_short_whatever_the_record_holds() -> None:
    """Ten thousand intervals and a name of a page are still one line; what is not known is said to be."""
    row = Interval(start="2026-01-01T00:00:00Z", end="2026-01-01T00:01:00Z", component="cpu", energy_j=1.0)
    long = dataclasses.replace(
        RUN, name="n\n\x1b[31m" * 500, intervals=(row,) * 10_000, emissions_kg=None, energy_kwh=None
    )
    assert len(repr(long)) < 250 and repr(long).isprintable()
    assert "emissions not known, energy not known" in repr(long)
    assert repr(Footprint(id=ID)).startswith("<Footprint without a name: emissions not known")


def test_table_of_a_notebook_shows_the_same_and_obeys_no_name() -> None:
    """Each figure of the line stands in a row; HTML in a name or zone is letters."""
    shown = _read(RUN)
    for said in ("Carbon footprint of digits", "20 g CO2e", "90 % interval 15 to 30 g", "500 Wh", "B"):
        assert said in shown.words, said
    nasty = _read(dataclasses.replace(RUN, name="<script>alert(1)</script>", place=Place(zone="<img>")))
    assert set(nasty.tags) == {"table", "caption", "tr", "th", "td"}
    assert "<img>" in nasty.words


def test_estimate_tells_its_figures() -> None:
    """The figures of the line are those of the report."""
    made = estimate(hardware="V100", hours=24, zone="FR")
    assert f"grade D; {made.id}>" in repr(made) and "zone FR" in repr(made)
