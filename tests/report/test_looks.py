"""Pages of reports in a real browser: they fit a phone, can be read in light and dark, heard, and printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from sootprint import Footprint, Quantity, report, survey
from sootprint.core.records import Gap, Hardware, Stage
from tests.hub.conftest import chromium  # noqa: F401 - a fixture
from tests.hub.test_looks import FAINT
from tests.report.conftest import RECORDS
from tests.survey.conftest import ROWS, cells, write

ID = "019c0000-0000-7000-8000-00000000a009"
WIDTHS = (320, 390, 768, 1280)
LONG = "a_name_without_any_space_that_is_as_long_as_somebody_may_type_it_" * 2
# What is wrong with a page, one line each; it is asked in the page, as a screen reader and an eye would have it.
FAULTS = """() => {
  const said = [], all = (what) => [...document.querySelectorAll(what)];
  const name = (e) => (e.outerHTML || '').slice(0, 90);
  const shown = (e) => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) said.push(over + ' px too wide');
  if (document.documentElement.lang !== 'en') said.push('no lang');
  if (all('h1').length !== 1) said.push(all('h1').length + ' h1');
  if (all('main').length !== 1) said.push('no main');
  let before = 0;
  for (const e of all('h1,h2,h3,h4')) {
    const level = +e.tagName[1];
    if (level > before + 1) said.push('heading jumps: ' + name(e));
    before = level;
  }
  for (const e of all('section')) if (e.children.length < 2) said.push('an empty section: ' + name(e));
  for (const e of all('[role=img],nav')) if (!e.ariaLabel) said.push('not named: ' + name(e));
  for (const e of all('figure')) {  // where the data give nothing to draw, the caption says so
    const drawn = e.querySelector('svg');
    if (!e.querySelector(drawn ? '[role=img]' : 'figcaption')) said.push('a figure without words: ' + name(e));
  }
  for (const e of all('[tabindex]')) if (e.tabIndex > 0) said.push('order of focus: ' + name(e));
  for (const e of all('table')) {
    if (!e.closest('details,#claims,#excluded') && !e.caption?.textContent.trim()) said.push('no caption: ' + name(e));
    for (const th of e.querySelectorAll('th')) if (!th.scope) said.push('no scope: ' + name(th));
  }
  for (const e of all('[role=img]').filter(shown)) {  // a figure has no scroll bar, and no letter outside of the page
    const hides = getComputedStyle(e).overflowX !== 'visible';
    if (hides && e.scrollWidth > e.clientWidth + 1) said.push('scrolls: ' + name(e));
    for (const one of [...e.querySelectorAll('svg text')].filter(shown)) {
      const box = one.getBoundingClientRect();
      if (box.left < -0.5 || box.right > innerWidth + 0.5) said.push('cut: ' + one.textContent.slice(0, 40));
    }
  }
  return said;
}"""
OVERLAPS = """() => {  // labels of one drawing that lie on each other
  const said = [];
  for (const svg of [...document.querySelectorAll('[role=img] svg')].filter((e) => e.checkVisibility())) {
    const boxes = [...svg.querySelectorAll('text')].filter((e) => e.textContent.trim() && e.checkVisibility()
      && getComputedStyle(e).opacity !== '0').map((e) => [e.textContent, e.getBoundingClientRect()]);
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i][1], boxes[j][1]];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 2 && high > 0.4 * Math.min(a.height, b.height)) said.push(boxes[i][0] + ' on ' + boxes[j][0]);
    }
  }
  return said;
}"""


def records(read: Callable[[str], Footprint]) -> dict[str, Footprint]:
    """Records of each kind that a report has to show."""
    cluster, laptop = read("cluster"), read("laptop")

    def times(quantity: Quantity | None, factor: float) -> Quantity | None:
        if quantity is None:
            return None
        low, high = (None if one is None else one * factor for one in (quantity.low, quantity.high))
        return Quantity(value=quantity.value * factor, low=low, high=high, basis=quantity.basis)

    huge = {
        name: times(getattr(cluster, name), 1700.0) for name in ("energy_kwh", "emissions_kg", "embodied_kg")
    }
    parts = tuple(
        dataclasses.replace(one, energy_kwh=times(one.energy_kwh, 1700.0)) for one in cluster.components
    )
    stages = tuple(
        Stage(stage=one, energy_kwh=laptop.energy_kwh, emissions_kg=laptop.emissions_kg, basis="modelled")
        for one in ("data", "pretrain", "inference", "embodied")
    )
    return {
        **{name: read(name) for name in ("cluster", "laptop", "estimate", "recovered")},
        "weeks": dataclasses.replace(cluster, duration_s=21 * 86_400.0, components=parts, **huge),
        "moment": dataclasses.replace(laptop, duration_s=0.2, intervals=(), curve=(), spans=()),
        "stated": Footprint(id=ID, emissions_kg=Quantity(value=25.0, basis="claimed"), grade="E", tool="hf_card"),
        "nothing": Footprint(id=ID),
        "stages": dataclasses.replace(laptop, components=(), stages=stages),
        "long": dataclasses.replace(
            cluster, name=LONG, project=LONG, tags={LONG: LONG}, warnings=(LONG,),
            hardware=(Hardware(kind="accelerator", name=LONG, count=8),),
            gaps=(Gap(component=LONG, start="2026-11-22T16:33:00Z", end="2026-11-22T16:34:00Z", reason=LONG),),
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the pages by the kind of their records."""
    home, found = tmp_path_factory.mktemp("pages"), {}
    known = records(lambda name: Footprint.from_json((RECORDS / f"{name}.json").read_text(encoding="utf-8")))
    for name, one in known.items():
        path = home / f"{name}.html"
        path.write_text(report.render(one, "html"), encoding="utf-8")
        found[name] = path.as_uri()
    return found


def _looked_at(browser: Any, address: str, width: int, scheme: str) -> list[str]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    try:
        tab = context.new_page()
        tab.goto(address)
        return [
            *tab.evaluate(FAULTS),
            *tab.evaluate(OVERLAPS),
            *(f"faint {one}" for one in tab.evaluate(FAINT)),
        ]
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_of_every_kind_of_record_fits_and_can_be_read(
    pages: dict[str, str],
    chromium: Any,  # noqa: F811
    scheme: str,
) -> None:
    """No sideways scroll, no label cut or upon another, 4.5 to 1, captions, scopes and names."""
    wrong = [
        f"{name} at {width}: {one}"
        for name, address in pages.items()
        for width in (WIDTHS if name in ("cluster", "long") else (390, 1280))
        for one in _looked_at(chromium, address, width, scheme)
    ]
    assert wrong == [], "\n".join(wrong)


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the report of a survey of the small table."""
    home = tmp_path_factory.mktemp("survey")
    analysis = survey.analyse(
        survey.load(write(home / "models.csv", [cells(row) for row in ROWS])),
        how=survey.Settings(resamples=200),
    )
    survey.write(analysis, survey.summary(analysis), home / "out")
    return (home / "out" / "report.html").as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_report_of_a_survey_has_no_figure_to_be_scrolled(
    surveyed: str,
    chromium: Any,  # noqa: F811
    width: int,
    scheme: str,
) -> None:
    """A phone gets drawings of its own, as wide as its page; nothing of them is cut."""
    assert _looked_at(chromium, surveyed, width, scheme) == []


def test_tables_of_a_survey_are_read_downwards_on_a_phone(
    surveyed: str,
    chromium: Any,  # noqa: F811
) -> None:
    """Each row is its cells below each other, each with the name of its column; none is scrolled sideways or cut."""
    context = chromium.new_context(viewport={"width": 390, "height": 900})
    tab = context.new_page()
    tab.goto(surveyed)
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    scrolled = tab.evaluate(
        "[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel)"
    )
    assert scrolled == []
    rows = tab.locator("#tables tbody tr")
    assert rows.count() > 3
    for row in rows.all():
        cells = row.locator("td").all()
        tops = [box["y"] for cell in cells if (box := cell.bounding_box())]
        assert tops == sorted(set(tops))
        assert all(cell.get_attribute("data-label") for cell in cells)
        assert {cell.evaluate("(e) => getComputedStyle(e).textAlign") for cell in cells} <= {"left"}
    assert (
        tab.get_by_role("table").count() == tab.locator("table").count()
    )  # a phone's reader hears tables still
    context.close()


def test_paper_is_light_and_shows_the_drawings(
    pages: dict[str, str],
    surveyed: str,
    chromium: Any,  # noqa: F811
) -> None:
    """Of a dark screen as well: black on white, the wide drawing of each figure, none made by a script, no menu."""
    printed = """() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
      [...document.querySelectorAll('[role=img]')].every((e) => e.querySelector('.wide svg')?.checkVisibility()),
      [...document.querySelectorAll('.narrow, .live, nav')].some((e) => e.checkVisibility())]"""
    for address in (pages["cluster"], surveyed):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
        tab = context.new_page()
        tab.goto(address)
        if tab.query_selector("[data-chart]"):
            tab.locator("[data-chart]").first.scroll_into_view_if_needed()
            tab.locator(".live svg").first.wait_for()
        tab.emulate_media(media="print", color_scheme="dark")
        assert tab.evaluate(printed) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)", True, False]
        assert tab.evaluate(FAINT) == []
        context.close()
