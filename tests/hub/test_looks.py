"""Every page in a real browser, wide and narrow, dark and light: it fits, it can be read, heard and reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sootprint.hub.app import unguarded
from tests.hub.looks import Filled, filled, visits
from tests.hub.test_security import _walked

FOCUSED = (
    "home",
    "explore",
    "record",
    "submit-estimate",
    "login",
    "map",
)  # pages whose focus is walked through
DARK = (  # a page of each kind, for colours are set once for all
    "home", "explore", "record-marked", "leaderboard", "map", "survey", "submit-wrong", "live-run", "review", "account",
    "answer-declined", "claims-forbidden",
)  # fmt: skip
# What is wrong with a page, one line each; it is asked in the page, as a screen reader and an eye would have it.
FAULTS = """() => {
  const said = [], all = (what) => [...document.querySelectorAll(what)];
  const name = (e) => (e.outerHTML || '').slice(0, 90);
  const text = (e) => (e.innerText || e.textContent || '').trim();
  const narrow = innerWidth < 500;
  const shown = (e) => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
  if (document.documentElement.lang !== 'en') said.push('no lang');
  if (!document.title.includes(' · ')) said.push('title ' + document.title);
  if (all('h1').length !== 1) said.push(all('h1').length + ' h1');
  if (all('main').length !== 1) said.push('no main');
  if (document.querySelector('a')?.getAttribute('href') !== '#main') said.push('the first link is no skip link');
  let before = 0;
  for (const e of all('h1,h2,h3,h4')) {
    const level = +e.tagName[1];
    if (level > before + 1) said.push('heading jumps: ' + name(e));
    before = level;
  }
  const ids = all('[id]').map((e) => e.id);
  for (const one of ids) if (ids.indexOf(one) !== ids.lastIndexOf(one)) said.push('id twice: ' + one);
  for (const e of all('input:not([type=hidden]):not([aria-hidden]),select,textarea'))
    if (![...(e.labels || [])].some(text) && !e.ariaLabel) said.push('no label: ' + name(e));
  for (const e of all('a,button,summary')) if (!text(e) && !e.ariaLabel) said.push('no name: ' + name(e));
  for (const e of all('img')) if (!e.hasAttribute('alt')) said.push('no alt: ' + name(e));
  for (const e of all('[role=img],progress,nav')) if (!e.ariaLabel) said.push('not named: ' + name(e));
  for (const e of all('table')) {
    if (!e.caption || !e.caption.textContent.trim()) said.push('no caption: ' + name(e));
    for (const th of e.querySelectorAll('th')) if (!th.scope) said.push('no scope: ' + name(th));
  }
  for (const e of all('figure'))
    if (!document.querySelector('table')) said.push('a chart without a table: ' + name(e));
  for (const e of all('.draw svg').filter(shown)) {  // letters of all charts are of one size; a phone may shrink them
    const scale = e.getBoundingClientRect().width / e.viewBox.baseVal.width;
    if (scale > 1.01 || (!narrow && scale < 0.99)) said.push('a chart at ' + scale.toFixed(2) + ' of its size');
  }
  for (const e of all('[tabindex]')) if (e.tabIndex > 0) said.push('order of focus: ' + name(e));
  for (const e of all('form[method=post]')) if (!e.querySelector('[name=seal]')) said.push('no seal: ' + e.action);
  for (const e of all('script,[style],[onclick],iframe')) said.push('not allowed: ' + name(e));
  const rules = [...document.styleSheets].flatMap((one) => [...one.cssRules]).map((one) => one.cssText);
  if (rules.length < 50) said.push('no style');
  if (rules.some((one) => /(transition|animation)[a-z-]*:/.test(one))) said.push('it moves');
  const main = document.querySelector('main').innerText;
  for (const e of all('main :is(p, li, dd, dt, td):not(.across *)'))  // data of a figure are as programs read them
    if (/(?<![\\w-])[\\d.]+e[-+]\\d+(?![\\w-])/.test(text(e))) said.push('a number with an e: ' + RegExp.lastMatch);
  for (const e of all('table:has(thead)')) {  // a cell on a phone has the name of its column, or a part of it
    const heads = [...e.querySelectorAll('thead th')].map(text);
    for (const td of e.querySelectorAll('tbody td')) {
      const label = td.dataset.label ?? '', head = heads[td.cellIndex];
      if (head !== undefined && !label.split(' ').every((one) => head.includes(one)))
        said.push('called ' + label + ' and ' + head);
    }
  }
  for (const e of all('main a, main small'))  // a name that is written from the right does not turn what follows
    if (getComputedStyle(e).unicodeBidi !== 'isolate') said.push('turns its line: ' + name(e));
  const one = /(?<![\\d.,])1 (footprints|records|runs|trainings|models|results|rows|fields|leaderboards)\\b/;
  if (one.test(main)) said.push('one of many: ' + RegExp.lastMatch);
  const header = document.querySelector('header').offsetHeight;
  if (narrow && header > 170) said.push('the header takes ' + header + ' px');
  for (const e of narrow ? all('td') : []) {  // a cell is a grid there: what is not one piece falls apart
    const parts = [...e.childNodes].filter((part) => part.textContent.trim() && part.tagName !== 'SMALL');
    if (parts.length > 1) said.push('a cell in pieces: ' + name(e));
  }
  for (const e of all('button,.button,nav a,summary,td > a,.links a,select,input:not([type=hidden],.unseen)')) {
    const box = e.getBoundingClientRect();
    const least = /checkbox|radio/.test(e.type) ? 20 : 24;  // these have their margin
    if (narrow && shown(e) && box.height < least) said.push('small target: ' + name(e));
  }
  return said;
}"""
# Words of heads of tables that stand on more than one line; names of people may, which have no room else
CUT = """() => [...document.querySelectorAll('thead th')].filter((th) => th.checkVisibility()).flatMap((th) => {
  const walk = document.createTreeWalker(th, NodeFilter.SHOW_TEXT), said = [];
  for (let node; node = walk.nextNode();) for (const word of node.data.matchAll(/[^\\s-]{1,15}(?![^\\s-])/g)) {
    const place = document.createRange();
    place.setStart(node, word.index); place.setEnd(node, word.index + word[0].length);
    const lines = new Set([...place.getClientRects()].map((box) => Math.round(box.top)));
    if (lines.size > 1 && !/[^\\s-]/.test(node.data[word.index - 1] || ' ')) said.push('cut: ' + word[0]);
  }
  return said; })"""
# Texts whose contrast with what lies below them is under what WCAG 2.2 AA asks for
FAINT = """() => {
  const parts = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => { const [r, g, b] = parts(c).map((v) => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (parts(c).length === 3 || parts(c)[3] > 0) return c; } return 'rgb(255,255,255)'; };
  const found = new Map(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walk.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility({checkVisibilityCSS: true}) || e.closest('option,datalist')) continue;
    const style = getComputedStyle(e), svg = e instanceof SVGElement;
    const pair = [svg ? style.fill : style.color, ground(svg ? e.closest('svg').parentElement : e)];
    const [a, b] = pair.map(light), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const said = ratio.toFixed(2) + ': ' + node.data.trim().slice(0, 40);
    if (ratio < (large ? 3 : 4.5)) found.set(pair.join(' on '), said);
  }
  return [...found].map((one) => one.join(' '));
}"""
# Where the focus is: its place in the document, and the width of its outline
FOCUS = """() => { const e = document.activeElement, style = getComputedStyle(e);
  const width = style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth);
  return [[...document.querySelectorAll('*')].indexOf(e), width]; }"""


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A hub with one of everything."""
    with filled(tmp_path_factory.mktemp("looks")) as made:
        yield made


def test_every_page_is_in_the_list(hubs: Filled) -> None:
    """A new page has to be looked at: each route that gives one is among the pages that are opened below."""
    routes = {path for method, path in _walked(unguarded(hubs.local).routes) if method == "GET"}
    other = ("/api/", "/badges/", "/releases/", "/static/")
    files = {"/healthz", "/readyz", "/metrics", "/template.csv"}
    pages = {path for path in routes if not path.startswith(other)} - files
    opened = {_pattern(page.path.partition("?")[0], pages) for page in hubs.pages}
    assert pages - opened == set()


def _pattern(path: str, routes: set[str]) -> str:
    """Route of a path."""
    parts = path.split("/")
    for one in sorted(routes, key=lambda route: route.count("{")):
        other = one.split("/")
        if len(other) == len(parts) and all(
            a == b or a[:1] == "{" for a, b in zip(other, parts, strict=True)
        ):
            return one
    return path


@pytest.mark.parametrize(
    ("width", "scheme", "names"), [(320, "light", ()), (1440, "dark", DARK)], ids=["narrow", "dark"]
)
def test_every_page_fits_and_can_be_read_by_all(
    hubs: Filled, chromium: Any, width: int, scheme: str, names: tuple[str, ...]
) -> None:
    """No sideways scroll; labels, captions, headings and names; 4.5 to 1; a focus that is seen."""
    wrong: list[str] = []
    seen = []
    with visits(chromium, hubs) as opened:
        for page, tab, status in opened(width, scheme, names):
            seen.append(page.name)
            found = [] if status == page.status else [f"status {status}"]
            if page.name == "survey":  # what is folded fits too
                tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            over = tab.evaluate("document.documentElement.scrollWidth") - width
            found += [f"{over} px too wide"] if over > 0 else []
            found += tab.evaluate(FAULTS)
            found += [f"faint {one}" for one in tab.evaluate(FAINT)]
            found += tab.evaluate(CUT)
            found += _focus(tab) if page.name in FOCUSED else []
            wrong += [f"{page.name}: {one}" for one in found]
    assert wrong == [], "\n".join(wrong)
    assert len(seen) >= len(names or hubs.pages)


def test_tablet_shows_lists_and_tables_whole(hubs: Filled, chromium: Any, tmp_path: Path) -> None:
    """Between a phone and a desk nothing is too wide, and no word of a table's head is cut, also after an upload."""
    file = tmp_path / "runs.csv"
    file.write_text(
        "name,hours,hardware,zone,started\nmine,48,A100,FR,2026-07-01T12:00:00\n", encoding="utf-8"
    )
    wide = "document.documentElement.scrollWidth - innerWidth"
    with visits(chromium, hubs) as opened:
        for width in (760, 900, 1020, 1030):
            for page, tab, _ in opened(width, "light", ["explore", "explore-filtered", "upload"]):
                if page.name == "upload":
                    tab.set_input_files("[name=file]", file)
                    with tab.expect_navigation():
                        tab.click("button[value=look]")
                    assert "Over ours" in tab.inner_text("thead")
                assert (tab.evaluate(wide), tab.evaluate(CUT)) == (0, []), (page.name, width)


def test_paper_and_forced_colours_hide_nothing(hubs: Filled, chromium: Any) -> None:
    """Paper has no menus, nothing folded, dark on white; where the system sets all colours, a share is still a bar."""
    printed = """() => [getComputedStyle(document.querySelector('header')).display,
      [...document.querySelectorAll('main details:not(nav *) > *')].every((e) => e.checkVisibility()),
      getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"""
    listed = """() => [document.querySelector('main table').getBoundingClientRect().width,
      [...document.querySelectorAll('main input, main button')].filter((e) => e.checkVisibility())
        .map((e) => e.outerHTML)]"""
    forced = """() => [getComputedStyle(document.querySelector('progress')).borderTopWidth,
      [...document.querySelectorAll('nav a:not([aria-current])')].map((e) => getComputedStyle(e).borderBottomColor),
      getComputedStyle(document.body).backgroundColor]"""
    with visits(chromium, hubs) as opened:
        for _, tab, _ in opened(1440, "dark", ["record-measured"]):
            tab.emulate_media(media="print", color_scheme="dark")
            assert tab.evaluate(printed) == ["none", True, "rgb(255, 255, 255)", "rgb(26, 31, 36)"]
        for _, tab, _ in opened(
            794, "light", ["explore", "leaderboard"]
        ):  # an A4 sheet; a list has all of its width
            tab.emulate_media(media="print")
            assert tab.evaluate(listed) == [794, []]
        for _, tab, _ in opened(1440, "dark", ["home"]):
            tab.emulate_media(forced_colors="active", color_scheme="dark")
            border, lines, ground = tab.evaluate(forced)
            assert (border, set(lines)) == ("1px", {ground})  # one entry of the menu alone is marked


def test_all_can_be_done_with_the_keyboard_alone(hubs: Filled, chromium: Any) -> None:
    """From home to an estimate, its record, and the comparison of two: Tab, Enter, Space and letters."""
    with visits(chromium, hubs) as opened:
        for _, tab, _ in opened(1440, "light", ["home"]):
            tab.keyboard.press("Tab")
            tab.keyboard.press("Enter")
            tab.wait_for_url("**#main")
            _reach(tab, "main a[href='/submit']", "Enter")
            for name, text in (
                ("hardware", "A100"),
                ("count", "8"),
                ("hours", "48"),
                ("zone", "Deutschland"),
            ):
                _reach(tab, f"#questions [name={name}]")
                tab.keyboard.type(text)
            _reach(tab, "#questions > button", "Enter")
            assert "The place is read as DE (Germany). For the state" in tab.inner_text("main")
            _reach(tab, "[name=model]")
            tab.keyboard.type("Keys-1")
            _reach(tab, "form[method=post] > button", "Enter")
            assert tab.inner_text("h1") == "Keys-1"
            _reach(tab, "nav a[href='/explore']", "Enter")
            for row in (1, 2):
                _reach(tab, f"tr:nth-child({row}) [name=id]", "Space")
            _reach(tab, "#compare button", "Enter")
            assert tab.inner_text("main").count("Keys-1") >= 1


def _reach(tab: Any, what: str, key: str = "") -> None:
    """Press Tab until something has the focus, then a key; a page that it leads to is waited for."""
    for _ in range(150):
        tab.keyboard.press("Tab")
        if tab.evaluate("(what) => document.activeElement.matches(what)", what):
            break
    else:
        raise AssertionError(f"the focus does not come to {what}")
    if key == "Enter":
        with tab.expect_navigation():
            tab.keyboard.press(key)
    elif key:
        tab.keyboard.press(key)


def _focus(tab: Any) -> list[str]:
    """What is wrong with the way of the Tab key through the first part of a page."""
    places, wrong = [], []
    for _ in range(14):
        tab.keyboard.press("Tab")
        place, outline_px = tab.evaluate(FOCUS)
        places.append(place)
        wrong += [] if outline_px >= 2 else [f"focus at {place} is not seen"]
    return wrong + ([] if places == sorted(places) else [f"focus jumps: {places}"])
