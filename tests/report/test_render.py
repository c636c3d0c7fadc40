"""The report in all its forms."""

from __future__ import annotations

import dataclasses
import io
import itertools
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from sootprint import Footprint, InputError, Quantity, estimate, report
from sootprint.core.errors import MissingExtraError
from sootprint.core.records import Component, Interval, Model, Place

GOLDEN = Path(__file__).with_name("golden")
ID = "019c0000-0000-7000-8000-00000000a009"
NASTY = "<script>alert(1)</script>\"'&{{ 7*7 }}\x1b[31m|`x`"
FOREIGN = {"script", "iframe", "object", "embed", "link", "img", "form", "base"}
VOID = {"meta", "link", "br", "hr", "img", "input"}


def _golden(name: str, text: str) -> str:
    """Text of a golden file; it is written anew where WRITE_GOLDEN is set, to be looked at and committed."""
    path = GOLDEN / name
    if "WRITE_GOLDEN" in os.environ:
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("format", "ending"), [("text", "txt"), ("md", "md")])
def test_report_is_the_golden_one(read, record: str, format: str, ending: str) -> None:
    """Text and Markdown of four records are, letter by letter, those that were looked at."""
    made = report.render(read(record), format)
    assert made == _golden(f"{record}.{ending}", made)


def test_json_is_the_record(read, record: str) -> None:
    """The JSON form reads back as the same record."""
    footprint = read(record)
    assert Footprint.from_json(report.render(footprint, "json")) == footprint


def test_paper_and_card_have_the_numbers_and_what_is_not_known(read) -> None:
    """A paragraph for a paper says what the report says, and a name cannot become a command of TeX."""
    footprint = dataclasses.replace(read("laptop"), name=r"50%_\input{x}")
    text = report.render(footprint, "latex")
    shown = report.render(footprint, "text")
    for number in re.findall(r"[\d.]+ (?=mg|g|kg|J|Wh|kWh)", text)[:2]:
        assert number.strip() in shown
    assert r"50\%\_\textbackslash{}input\textbraceleft{}x\textbraceright{} emitted" in text
    for words in ("90 \\% interval", "place is not known", "overhead (PUE) is not known", "grade D"):
        assert words in text
    card = yaml.safe_load(report.render(footprint, "hf").strip("-\n"))["co2_eq_emissions"]
    assert card["emissions"] == pytest.approx(footprint.emissions_kg.value * 1000.0, rel=1e-3)
    bare = Footprint(id=footprint.id, name="x")
    assert "are not known." in report.render(bare, "latex")
    assert "Evidence: not stated; " in report.render(bare, "latex")
    told = yaml.safe_load(report.render(bare, "hf").strip("-\n"))["co2_eq_emissions"]
    assert told["source"].endswith(", evidence not stated")


def test_unknown_place_stands_in_the_first_lines(read) -> None:
    """Text and Markdown say within six lines that the place is unknown, and how to state it; HTML before any number."""
    footprint = read("laptop")
    for format in ("text", "md"):
        first = " ".join(
            re.sub("[┃━]", "", "\n".join(report.render(footprint, format).splitlines()[:6])).split()
        )
        assert "Place unknown" in first and "spans the world's grids" in first
        assert "--zone FR" in first
    page = report.render(footprint, "html")
    assert page.index("Place unknown") < page.index("Emissions")


def test_warning_that_repeats_the_alarm_is_told_once(read) -> None:
    """What the first lines say of the place is not said again below; every other warning is."""
    said = "the intensity is the world's average: its interval spans the world's grids"
    footprint = dataclasses.replace(read("laptop"), warnings=(*read("laptop").warnings, said, "place", ""))
    text = report.render(footprint, "text")
    assert text.count("the intensity is the world's average") == 1
    assert "\n  - place\n" in text


def test_known_place_raises_no_alarm(read) -> None:
    """A record with a zone is not called unknown anywhere."""
    assert "unknown" not in report.render(read("cluster"), "text").lower()


def test_given_intensity_needs_no_place() -> None:
    """An estimate with a stated intensity gets no alarm, and says that the number was given."""
    footprint = Footprint(
        id=ID, intensity_g_per_kwh=Quantity(value=500.0, low=500.0, high=500.0, basis="claimed")
    )
    text = report.render(footprint, "text")
    assert "Place unknown" not in text
    assert "as stated" in text


def test_record_without_anything_says_that_nothing_is_known() -> None:
    """Unknown is said in words; no number, and no 0, is made up."""
    text = report.render(Footprint(id=ID), "text")
    assert re.search(r"Emissions +Not known", text)
    assert "Place unknown: without it the emissions cannot be told" in text
    assert not re.search(r"\b0(\.0+)? (kWh|Wh|kg|g|J)\b", text)


def test_terminal_says_the_same_as_text(read, record: str) -> None:
    """Each line of the terminal's form stands in the text, which adds factors and method."""
    footprint = read(record)
    console = Console(file=io.StringIO(), width=96, color_system=None, legacy_windows=False)
    console.print(report.terminal(footprint))
    shown = [line.rstrip() for line in console.file.getvalue().splitlines()]
    text = report.render(footprint, "text").splitlines()
    assert [line for line in shown if line not in text] == []
    assert len(text) > len(shown)


def test_brief_summary_keeps_number_place_energy_and_warnings(read) -> None:
    """The end of a run shows what matters in fewer than thirty-two lines."""
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(report.terminal(read("laptop"), brief=True))
    shown = console.file.getvalue()
    for words in ("Place unknown", "CO2e", "90 % interval", "Where the energy went", "Warnings"):
        assert words in shown
    assert len(shown.splitlines()) < 32


def test_control_characters_do_not_reach_a_terminal() -> None:
    """An escape sequence in a record's texts is shown as a blank."""
    footprint = Footprint(
        id=ID, name="a\x1b[31mb", warnings=("x\x07y\rz",), project="p\u202eq", tags={"\x9bk": "v"}
    )
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", report.render(footprint, "text")) is None


def test_markup_of_the_terminal_is_shown_as_it_is() -> None:
    """Square brackets in a name are no colours."""
    assert "[bold red]x[/]" in report.render(Footprint(id=ID, name="[bold red]x[/]"), "text")


@pytest.mark.parametrize("format", ["text", "md", "html"])
def test_wall_hours_and_device_hours_are_both_told(read, format: str) -> None:
    """Ten hours on eight devices are 80.4 device hours."""
    made = report.render(read("cluster"), format)
    assert "10 h 3 min" in made and "80.4 device hours" in made


@pytest.mark.parametrize(
    ("hours", "low", "words"),
    [
        (0.000422, 0.000422, "1.52 device seconds"),
        (0.00634, 0.00634, "22.8 device seconds"),
        (0.1, 0.08, "6.0 device minutes, 90 % interval 4.8 to 6.0 min"),
        (1.5, 1.5, "1.50 device hours"),
    ],
)
@pytest.mark.parametrize("format", ["text", "md", "html"])
def test_device_hours_of_a_short_run_are_in_a_unit_that_is_read(
    read, hours: float, low: float, words: str, format: str
) -> None:
    """Nobody reads 0.000422 device hours; the record keeps hours."""
    spent = Quantity(value=hours, low=low, high=hours)
    made = report.render(dataclasses.replace(read("cluster"), device_hours=spent), format)
    assert words in " ".join(made.replace("&nbsp;", " ").split())


def test_embodied_is_beside_the_total_and_said_to_be(read) -> None:
    """Manufacture has its own line, which says that the total does not hold it."""
    text = " ".join(report.render(read("cluster"), "text").split())
    assert "Embodied 3.9 kg 2.0 to 8.1 kg share of making the hardware; not in the total above" in text


def test_unknown_pue_is_not_called_one(read) -> None:
    """A PUE of 1 that stands for an unknown one is said to be taken, and the overhead to be missing."""
    text = report.render(read("laptop"), "text")
    assert "PUE taken as 1" in text
    assert "building's overhead for cooling and power supply, typically 10 to 60 % on top" in text


def test_missing_families_are_named() -> None:
    """A record of accelerators alone says that the rest of the machine is not in it."""
    energy = Quantity(value=1.0, low=0.9, high=1.1, basis="sensor")
    footprint = Footprint(
        id=ID, components=(Component(component="accelerator:0", meter="nvml", energy_kwh=energy),)
    )
    text = " ".join(report.render(footprint, "text").split())
    assert "Energy of the CPU, the memory, the storage, the network, the rest of the node." in text


def test_unknown_format_is_refused() -> None:
    """The message lists the formats that there are."""
    with pytest.raises(InputError, match="'pdf' is not one of text, md, json, html"):
        report.render(Footprint(id=ID), "pdf")


class _Page(HTMLParser):
    """Tags, attributes and text of a page, with its nesting checked."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(footprint: Footprint) -> _Page:
    page = _Page()
    page.feed(report.render(footprint, "html"))
    assert page.open == []
    return page


def test_page_needs_nothing_from_elsewhere(read, record: str) -> None:
    """No script, no handler, no address but the names of SVG's own vocabulary."""
    page = _page(read(record))
    assert not FOREIGN & {tag for tag, _ in page.tags}
    names = {name for _, attributes in page.tags for name in attributes}
    assert not names & {"src", "href", "srcset", "xlink:href"}
    assert not any(name.startswith("on") for name in names)
    raw = report.render(read(record), "html")
    assert set(re.findall(r"https?://([^\s\"')]+)", raw)) <= {"www.w3.org/2000/svg", "www.w3.org/1999/xlink"}
    assert "url(" not in raw and "@import" not in raw


def test_page_is_laid_out_for_all_readers(read) -> None:
    """Language, one first heading, captions, scopes, described figures, dark colours, print, phones."""
    page = _page(read("cluster"))
    tags = [tag for tag, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    assert tags.count("h1") == 1
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    described = [
        attributes.get("aria-label") for tag, attributes in page.tags if attributes.get("role") == "img"
    ]
    assert len(described) == tags.count("figure") == 4
    assert all(described)
    raw = report.render(read("cluster"), "html")
    for feature in ("prefers-color-scheme: dark", "@media print", "max-width: 47rem", "viewport"):
        assert feature in raw


def test_page_has_what_the_issue_of_a_number_needs(read) -> None:
    """Power over time, energy by component, place, factors, intervals, gaps, and the method in words."""
    text = _page(read("cluster")).text
    for words in (
        "Power over time", "Energy by component", "FR (France)", "Every factor", "90 % interval", "What was not read",
        "How the numbers were made", "CC BY 4.0", "87 % measured",
    ):  # fmt: skip
        assert words in text, words


def test_page_shows_nasty_texts_and_obeys_none() -> None:
    """Markup in every text of a record is text on the page."""
    energy = Quantity(value=1.0, low=0.5, high=2.0, basis="sensor")
    footprint = Footprint(
        id=ID,
        name=NASTY,
        project=NASTY,
        tags={NASTY: NASTY},
        place=Place(zone=NASTY, source=NASTY),
        components=(Component(component=NASTY, meter=NASTY, energy_kwh=energy),),
        energy_kwh=energy,
        software={NASTY: NASTY},
        unknown=(NASTY,),
        warnings=(NASTY,),
        tool=NASTY,
    )
    page = _page(footprint)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text and "49" not in page.text
    markdown = report.render(footprint, "md")
    assert re.search(r"(?<!\\)<script", markdown) is None
    assert all(line.count("|") - line.count("\\|") in (0, 3, 4, 5, 6) for line in markdown.splitlines())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(footprint=st.from_type(Footprint))
def test_any_record_can_be_reported(footprint: Footprint) -> None:
    """Whatever is unknown, zero, huge or tiny, text, Markdown and terminal come out and name no nan."""
    for format in ("text", "md"):
        made = report.render(footprint, format)
        assert "Emissions" in made
        assert re.search(r"\bnan\b", made) is None
    assert made.encode("utf-8")


@pytest.mark.parametrize(("low", "high"), [(5e-324, 1.7e308), (1e-9, 1e300), (0.0, 1e308), (None, 1e308)])
def test_absurd_bounds_are_drawn(low: float | None, high: float) -> None:
    """No axis overflows, however far apart the bounds of a record are."""
    emissions = Quantity(value=low or 5e-324, low=low, high=high, basis="derived")
    made = _page(Footprint(id=ID, tool_version="0.1.0", emissions_kg=emissions))
    assert "figure" in {tag for tag, _ in made.tags}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(footprint=st.from_type(Footprint))
def test_any_record_has_a_page(footprint: Footprint) -> None:
    """The page of any record is well formed and has no script."""
    assert "script" not in {tag for tag, _ in _page(footprint).tags}


def test_without_the_extra_the_page_says_how_to_install_it() -> None:
    """Text and Markdown need no extra; HTML names the command that installs it."""
    code = (
        "import sys; sys.modules.update(altair=None, vl_convert=None, jinja2=None)\n"
        "from sootprint import Footprint, report\n"
        f"footprint = Footprint(id={ID!r})\n"
        "report.render(footprint, 'text'); report.render(footprint, 'md')\n"
        "report.render(footprint, 'html')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert MissingExtraError.__name__ in ran.stderr
    assert "pip install 'sootprint[charts]'" in ran.stderr.splitlines()[-1]


def test_text_report_loads_no_chart_library() -> None:
    """A summary on a terminal pays for no chart."""
    code = (
        "import sys; from sootprint import Footprint, report\n"
        f"report.render(Footprint(id={ID!r}), 'text')\n"
        "sys.exit(any(name in sys.modules for name in ('altair', 'vl_convert', 'jinja2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_report_of_a_day_with_ten_thousand_intervals_stays_small(read) -> None:
    """A page of a long run with many intervals has less than 1 MB."""
    footprint = read("cluster")
    seconds = [f"2026-11-22T{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z" for i in range(10_001)]
    many = tuple(
        Interval(start=start, end=end, component="cpu", energy_j=float(index % 7))
        for index, (start, end) in enumerate(itertools.pairwise(seconds))
    )
    assert len(report.render(dataclasses.replace(footprint, intervals=many), "html")) < 1_000_000


def test_emissions_that_are_stated_need_no_place() -> None:
    """What a model card states can be told wherever it was; there is no alarm that it cannot."""
    stated = Footprint(id=ID, emissions_kg=Quantity(value=83.5, basis="claimed"))
    assert "cannot be told" not in report.render(stated, "text")


def test_statement_of_a_provider_needs_no_place() -> None:
    """What keeps Azure's sum out of every total is what it does not tell, and not the place."""
    assert "Place unknown" not in report.render(Footprint(id=ID, tags={"statement": "azure"}), "text")


def test_claim_says_where_its_numbers_come_from() -> None:
    """Energy and place as the file states them; no intensity was sought for emissions that are stated."""
    claim = Footprint(
        id=ID,
        tool="eco2ai",
        place=Place(zone="FR", country="FR"),
        energy_kwh=Quantity(value=2.0, basis="claimed"),
        emissions_kg=Quantity(value=0.1, basis="claimed"),
    )
    text = report.render(claim, "text")
    assert re.search(r"Place +FR \(France\) +as stated", text)
    assert re.search(r"Energy +2\.00 kWh +not known +as stated", text)
    assert re.search(r"Carbon intensity +not known +the record does not tell it", text)
    assert "sum of the components" not in text
    assert "Energy: as eco2ai tells it" in text
    assert "read by its own meter" not in text


def test_record_without_a_name_is_called_by_its_model(read) -> None:
    """A list shows the model of such a record, and its own page the same; a name comes first."""
    plain = dataclasses.replace(read("estimate"), name=None, model=Model(name="Lean-Net"))
    assert report.render(plain, "text").startswith("Lean-Net")
    assert report.render(dataclasses.replace(plain, name="third try"), "text").startswith("third try")
    assert report.render(dataclasses.replace(plain, model=Model()), "text").startswith("Estimate: ")


def test_power_of_an_estimate_is_not_its_busy_time() -> None:
    """A device that is said to draw 30 % of its rated power may be busy all the time: nobody measured it."""
    plan = estimate(hardware="V100", hours=10.0, zone="FR", utilisation=0.3)
    assert "Busy" not in report.render(plan, "text")
    measured = dataclasses.replace(plan.components[0], meter="nvml")
    assert "Busy" in report.render(dataclasses.replace(plan, components=(measured,)), "text")
