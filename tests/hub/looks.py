"""Every page of a hub that has one of everything, to look at and to check: `python -m tests.hub.looks FOLDER [WORD]`.

The pictures are of each page at 1440 and 390 pixels, light and dark; WORD takes only the pages whose name holds it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.ids import uuid7
from sootprint.core.records import CurvePoint, Model, Paper, Place, Result
from sootprint.hub import accounts, database, opening, seed
from sootprint.hub.accounts import LOCAL
from sootprint.hub.app import application
from sootprint.hub.campaigns import sample, store
from sootprint.hub.context import LOOPBACK, Hub
from sootprint.hub.files import dumps
from sootprint.hub.insight import projects, reviews
from sootprint.hub.insight.keeping import Kept
from sootprint.hub.limits import RATES, Limits
from sootprint.hub.people import claims, sessions
from tests.hub import records
from tests.hub.conftest import FLAGS, HOST, KEY
from tests.hub.serving import served

LOOKS = tuple((width, scheme) for width in (1440, 390) for scheme in ("light", "dark"))
BOARD = {"task": "Image Classification", "dataset": "ImageNet", "metric": "Top-1 accuracy", "weak": "1"}
WEAK = {
    "task": "Machine Translation",
    "dataset": "WMT2014 English-French",
    "metric": "BLEU",
}  # nothing but claims
SURVEY_S = 90.0
RIGHT = "שפה גדולה (2)"  # written from the right, and of a few seconds
LONG = "a_name_without_any_space_that_is_as_long_as_somebody_may_type_it_" * 3


class Page(NamedTuple):
    """A page: its name, its address, who looks, and the status that it answers with."""

    name: str
    path: str
    who: str = "local"  # the one user, a visitor, or the role of an account
    status: int = 200


class Filled(NamedTuple):
    """A hub with one of everything: with a single user, with accounts, and in trouble; its pages."""

    local: Hub
    shared: Hub
    others: dict[str, Hub]  # without records, asked too often, without its tables, at work on its survey
    pages: list[Page]
    cookies: dict[str, str]


class Busy(Kept):
    """Answers that are always still being made."""

    def later(self, engine: Engine, name: str, make: Callable[[], Any], *, wait_s: float) -> tuple[Any, bool]:
        """Nothing yet."""
        return None, False


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[Filled]:
    """A hub that is filled through its own doors.

    Args:
        folder: Where its files lie.
    """
    engines = [_engine(folder / name) for name in ("full.sqlite", "empty.sqlite", "broken.sqlite")]
    kept: dict[str, Any] = {"key": KEY, "hosts": frozenset(LOOPBACK), "address": "http://127.0.0.1:8765"}
    full: dict[str, Any] = {**kept, "engine": engines[0], "releases": folder / "releases"}
    local, shared = Hub(single_user=True, **full), Hub(single_user=False, **full)
    shared.limits._rates = dict.fromkeys(shared.limits._rates, (1e6, 1e6))
    others = {
        "empty": Hub(single_user=True, **{**kept, "engine": engines[1]}),
        "hurried": Hub(single_user=False, limits=Limits(rates=dict.fromkeys(RATES, (0.0, 0.04))), **full),
        "broken": Hub(single_user=True, **{**kept, "engine": engines[2]}),
        "busy": Hub(single_user=True, kept=Busy(), **full),
    }
    database.downgrade(engines[2], "base")
    seed.seed(engines[0])
    try:
        with TestClient(application(local), base_url=HOST) as client:
            ids = _records(client)
        cookies = _people(shared, ids)
        dumps.make(engines[0], folder / "releases", address=HOST, licence="CC-BY-4.0")
        pages = [*_pages(ids), *_of_people(shared, ids), *_answers(shared, folder)]
        yield Filled(local, shared, others, pages, cookies)
    finally:
        for engine in engines:
            engine.dispose()


def _engine(path: Path) -> Any:
    engine = database.connect(database.url_of(f"sqlite:///{path}", path.parent))
    opening.bring_up(engine)
    return engine


def _records(client: TestClient) -> dict[str, str]:
    """Ids of records of each kind, by what they show."""

    def sent(one: dict[str, Any], **params: str) -> str:
        answer = client.post("/api/v1/footprints", json=one, params=params).json()
        assert not answer["rejected"], answer
        return str(one["id"])

    curve = tuple(
        CurvePoint(energy_kwh=30.0 * n, metric="Top-1 accuracy", value=60.0 + 2 * n) for n in range(1, 9)
    )
    reached = (
        Result(task=BOARD["task"], dataset=BOARD["dataset"], metric=BOARD["metric"], value=76.1),
        Result(task=BOARD["task"], dataset="ImageNet-C", metric="mCE", value=61.0, kind="robustness"),
        Result(task=BOARD["task"], dataset="FairFace", metric="gap", value=0.04, kind="fairness"),
    )
    whole = records.record(
        name="baseline",
        project="thesis",
        run_group="sweep",
        model=Model(name="Tiny-50", architecture="ResNet-50", params=25.6e6),
        results=reached,
        curve=curve,
        started="2026-03-02T08:00:00Z",
    )
    found = {"whole": sent(whole)}
    mended = {"name": "baseline, again", "device_hours": {"value": 380.0, "basis": "claimed"}}
    sent({**whole, **mended}, reason="the hours of one node were missing")
    for n, month in enumerate(("01", "02", "03", "04")):
        sent(
            records.record(
                hours=20.0 + 9 * n,
                name=f"seed {n}",
                project="thesis",
                run_group="sweep",
                started=f"2026-{month}-03T10:00:00Z",
                model=Model(name="Tiny-50", architecture="ResNet-50"),
                results=reached[:1],
            )
        )
    found |= _measured(sent)
    around = records.measured(96.0, "B", name="search of five settings", project="search", run_group="search",
                              model=Model(name="Tiny-18"), started="2026-06-01")  # fmt: skip
    found["around"] = sent(around)
    inside = {"project": "search", "parent": around["id"], "model": Model(name="Tiny-18")}
    for n, kwh in enumerate((14.0, 21.0, 70.0)):
        started = f"2026-06-0{1 + 2 * n}"
        found["inside"] = sent(records.measured(kwh, "B", name=f"setting {n + 1}", started=started, **inside))
    sent(records.measured(9.0, "B", name="trained further", started="2026-07-01", **inside))
    slip = records.record(name="a slip of units", model=Model(name="Slip-1"))
    slip["emissions_kg"] = {"value": slip["emissions_kg"]["value"] * 1000.0, "basis": "claimed"}
    found["slip"] = sent(slip)
    long = records.record(
        name=LONG, project=LONG[:150], model=Model(name=LONG, architecture=LONG), paper=Paper(citation=LONG),
        results=(Result(task=LONG[:190], dataset=LONG[:190], metric=LONG[:190], value=1.0),), tags={LONG: LONG},
    )  # fmt: skip
    found["long"] = sent(long)
    other = records.measured(
        2e-5, "B", name=RIGHT, project=RIGHT, model=Model(name=RIGHT), started="2026-07-02",
        results=(Result(task=RIGHT, dataset=RIGHT, metric=RIGHT, value=2.0),),
    )  # fmt: skip
    found["right"] = sent(other)
    bare = {"id": uuid7(time.time()), "schema": "1.0", "tool": "by hand"}
    found["unknown"] = sent(bare)
    gone = records.record(name="withdrawn", place=Place(zone="FR"))
    found["gone"] = sent(gone)
    client.delete(f"/api/v1/footprints/{gone['id']}", params={"reason": "sent by mistake"})
    minutes = [
        {"minute": n, "energy_kwh": 0.01 * (n + 1), "emissions_kg": 0.0004 * (n + 1), "power_w": 600 + 9 * n}
        for n in range(30)
    ]
    told = {"name": "live one", "zone": "FR", "duration_s": 1800.0, "energy_kwh": 0.3, "emissions_kg": 0.012}
    found["live"] = uuid7(time.time() + 1)
    client.post(f"/api/v1/live/{found['live']}/minutes", json={**told, "minutes": minutes})
    listed = client.get("/api/v1/footprints", params={"limit": 500, "view": "summary"}).json()["items"]
    third = [one["id"] for one in listed if one["origin"] == "third-party"]
    return {**found, "third": third[0], "claimed": third[1], "waiting": third[2]}


def _measured(sent: Callable[..., str]) -> dict[str, str]:
    """Ids of what meters measured, of each grade: entries of leaderboards and awards, one of them corrected."""
    runs = (
        ("wall", "A", 310.0, 79.6, "Wide-101"), ("sensors", "B", 96.0, 78.9, "Small-34"),
        ("tied", "B", 101.0, 78.6, "Small-36"),
        ("partly", "C", 22.0, 74.2, "Tiny-18"), ("least", "B", 4.1, 66.0, "Micro-8"),
    )  # fmt: skip
    found = {}
    for n, (name, grade, kwh, value, model) in enumerate(runs):
        curve = tuple(
            CurvePoint(energy_kwh=kwh * part, metric=BOARD["metric"], value=value - 24.0 * (1.0 - part) ** 2)
            for part in (0.1, 0.25, 0.5, 0.75, 1.0)
        )
        results = [
            Result(task=BOARD["task"], dataset=BOARD["dataset"], metric=BOARD["metric"], value=value),
            Result(
                task=BOARD["task"], dataset="ImageNet-C", metric="mCE", value=120.0 - value, kind="robustness"
            ),
        ]
        if grade != "C":
            results.append(
                Result(task="Object Detection", dataset="COCO", metric="box AP", value=value - 30.0)
            )
        found[name] = sent(
            records.measured(
                kwh, grade, name=f"{model}, measured", project="detector", results=tuple(results),
                model=Model(name=model, architecture="ResNet-50"), curve=curve if n % 2 == 0 else (),
                started=f"2026-0{n + 1}-05T08:00:00Z",
            )
        )  # fmt: skip
    return found


def _people(made: Hub, ids: dict[str, str]) -> dict[str, str]:
    """Cookies of accounts of each role; one of them claimed two records, of which one was confirmed."""
    numbers = {role: accounts.add_account(made.engine, f"a {role}", role) for role in accounts.ROLES}
    author = accounts.Actor(
        name="a contributor", account_id=numbers["contributor"], may=accounts.MAY["contributor"]
    )
    for name in ("claimed", "waiting"):
        number = claims.claim(made.engine, ids[name], author, method="orcid", proof="0000-0002-1825-0097")
        if name == "claimed":
            claims.decide(made.engine, number, LOCAL, confirmed=True)
    accounts.make_token(made.engine, KEY, "a contributor", scopes=("submit",))
    reviews.review(
        made.engine,
        ids["slip"],
        "disputed",
        version="1",
        note="The unit is grams, as the paper's table says.",
        actor=LOCAL,
    )
    for name, verdict in (("wall", "confirmed"), ("sensors", "confirmed")):
        reviews.review(
            made.engine,
            ids[name],
            verdict,
            version="1",
            note="The log of the meter was looked at.",
            actor=LOCAL,
        )
    projects.set_budget(made.engine, "detector", "2026", "100", actor=LOCAL)
    projects.set_budget(made.engine, "thesis", "2026", "20", actor=LOCAL)
    return {role: sessions.start(made, number) for role, number in numbers.items()}


def _pages(ids: dict[str, str]) -> list[Page]:
    """Pages of the hub with a single user."""
    of = {name: f"/footprints/{key}" for name, key in ids.items()}
    named = {"name": "Tiny-50"}
    measured = urlencode([("id", ids[name]) for name in ("wall", "sensors", "tied", "partly")])
    question = {"hardware": "A100", "count": "8", "hours": "48", "zone": "FR"}
    return [
        Page("home", "/"),
        Page("explore", "/explore"),
        Page("explore-filtered", "/explore?country=FR&q=tiny&order=energy"),
        Page("explore-none", "/explore?q=nothing-is-called-so"),
        Page("record", of["whole"]),
        Page("record-measured", of["wall"]),
        Page("record-marked", of["slip"]),
        Page("record-long", of["long"]),
        Page("record-right", of["right"]),
        Page("record-unknown", of["unknown"]),
        Page("record-third-party", of["third"]),
        Page("record-claimed", of["claimed"]),
        Page("record-claim-waits", of["waiting"]),
        Page("record-earlier", f"{of['whole']}?version=1"),
        Page("record-around", of["around"]),
        Page("record-inside", of["inside"]),
        Page("record-gone", of["gone"], status=410),
        Page("diff", f"{of['whole']}/diff?before=1&after=2"),
        Page("check", f"{of['whole']}/check"),
        Page("model", f"/models/view?{urlencode(named)}"),
        Page("architecture", "/architectures/view?name=ResNet-50"),
        Page("paper", f"/papers/view?{urlencode({'name': LONG})}"),
        Page("group", "/groups/view?name=sweep"),
        Page("project", "/projects/view?name=thesis"),
        Page("project-measured", "/projects/view?name=detector"),
        Page("leaderboards", "/leaderboards"),
        Page("leaderboard-weak", f"/leaderboards/view?{urlencode(WEAK)}"),
        Page("leaderboard-not-sound", f"/leaderboards/view?{urlencode({**WEAK, 'weak': '0'})}"),
        Page("leaderboard", f"/leaderboards/view?{urlencode(BOARD)}"),
        Page("leaderboard-sound", f"/leaderboards/view?{urlencode({**BOARD, 'weak': ''})}".replace("&weak=", "")),
        Page("target", f"/leaderboards/target?{urlencode({**BOARD, 'target': '70'})}"),
        Page("target-weak", f"/leaderboards/target?{urlencode({**WEAK, 'target': '20'})}"),
        Page("target-none", f"/leaderboards/target?{urlencode({**BOARD, 'target': '101'})}"),
        Page("award", "/award"),
        Page("award-energy", "/award?by=energy"),
        Page("award-board", f"/award?{urlencode({**BOARD, 'year': '2026'})}"),
        Page("trends", "/trends"),
        Page("map", "/map"),
        Page("compare", f"/compare?{urlencode([('id', ids[name]) for name in ('whole', 'slip', 'third')])}"),
        Page("compare-measured", f"/compare?{measured}"),
        Page("submit", "/submit"),
        Page("submit-estimate", f"/submit?{urlencode(question)}"),
        Page("submit-wrong", f"/submit?{urlencode({**question, 'hours': 'many'})}", status=400),
        Page("submit-full", "/submit/full"),
        Page("upload", "/upload"),
        Page("live", "/live"),
        Page("live-run", f"/live/{ids['live']}"),
        Page("review", "/review"),
        Page("downloads", "/downloads"),
        Page("methodology", "/methodology"),
        Page("quality", "/quality"),
        Page("own-footprint", "/footprint"),
        Page("accessibility", "/accessibility"),
        Page("privacy", "/privacy"),
        Page("survey", "/survey"),
        Page("venues", "/venues"),
        Page("campaigns", "/campaigns"),
        Page("not-found", "/nothing/here", status=404),
        Page("wrong-number", "/leaderboards/view", status=422),
    ]  # fmt: skip


def _of_people(made: Hub, ids: dict[str, str]) -> list[Page]:
    """Pages of the hub with accounts."""
    welcome = urlsplit(sessions.welcome_link(made.engine, KEY, "a viewer", HOST))
    return [
        Page("home-shared", "/", "contributor"),
        Page("login", "/login", "visitor"),
        Page("welcome", f"{welcome.path}?{welcome.query}", "visitor"),
        Page("account", "/account", "contributor"),
        Page("account-maintainer", "/account", "maintainer"),
        Page("claim", f"/footprints/{ids['third']}/claim", "contributor"),
        Page("claims", "/claims", "maintainer"),
        Page("claims-refused", "/claims", "visitor", 401),
        Page("claims-forbidden", "/claims", "viewer", 403),
        Page("review-shared", "/review", "reviewer"),
        Page("submit-shared", "/submit", "visitor"),
        Page("too-fast", "/explore", "hurried", 429),
        Page("database-away", "/explore", "broken", 503),
        Page("survey-waits", "/survey", "busy"),
    ]


def _answers(made: Hub, folder: Path) -> list[Page]:
    """Pages of a campaign in which some answered."""
    rows = ["title,email,task,year,hardware,count,hours,zone,arxiv"]
    tasks = ("vision", "language", "speech", "vision")
    rows += [
        f'"Paper {n}, a study",a{n}@example.org,{tasks[n % 4]},{2019 + n % 2},A100,8,24,FR,2101.{n:05}'
        for n in range(80)
    ]
    (folder / "papers.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    listing = sample.read(folder / "papers.csv", ["task"])
    plan = store.plan_of(listing.papers, ["task"], seed=7, allocation="proportional")
    store.add(made.engine, "authors-2026", sample.drawn(listing.papers, 60, seed=7), plan)
    invited = store.invitations(made.engine, "authors-2026")
    store.mailed(made.engine, [one["id"] for one in invited[:-1]], reminder=False)
    for one in invited[:14:2]:
        store.answered(made.engine, one["id"], "x" * 36)
    store.closed(made.engine, [invited[20]["id"], invited[21]["id"]], store.UNREACHABLE)
    store.closed(made.engine, [invited[30]["id"]], store.DECLINED)
    paths = [urlsplit(store.link(KEY, invited[n]["id"], HOST)).path for n in (40, 30)]
    return [Page("answer", paths[0], "visitor"), Page("answer-declined", paths[1], "visitor")]


@contextlib.contextmanager
def visits(browser: Any, made: Filled) -> Iterator[Any]:
    """Function that opens pages, all or the named: `for page, tab, status in opened(390, "dark", ["home"])`."""
    empty = [
        page._replace(name=f"empty-{page.name}", who="empty") for page in made.pages if _may_be_empty(page)
    ]
    hubs = {"local": made.local, "shared": made.shared, **made.others}
    with contextlib.ExitStack() as stack:
        at = {name: stack.enter_context(served(application(one))) for name, one in hubs.items()}
        shared = at["shared"]
        listed = [
            (page, f"{at.get(page.who, shared)}{page.path}", made.cookies.get(page.who))
            for page in (*made.pages, *empty)
        ]

        def opened(width: int, scheme: str, names: Sequence[str] = ()) -> Iterator[tuple[Page, Any, int]]:
            looked = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
            chosen = [one for one in listed if not names or one[0].name in names]
            for who in dict.fromkeys(cookie for _, _, cookie in chosen):
                context = browser.new_context(**looked)
                if who:
                    context.add_cookies([{"name": sessions.COOKIE, "value": who, "url": shared}])
                tab = context.new_page()
                for page, address, cookie in chosen:
                    if cookie == who:
                        yield page, tab, _loaded(tab, address, page)
                context.close()

        yield opened


def _may_be_empty(page: Page) -> bool:
    return page.who == "local" and page.path in EMPTY


def _loaded(tab: Any, address: str, page: Page) -> int:
    """Status of a page that was opened; the survey is waited for, unless it is its waiting that is looked at."""
    until_s = time.monotonic() + SURVEY_S
    waits = page.path == "/survey" and page.who == "local"
    while waits and time.monotonic() < until_s and "is being made" in tab.request.get(address).text():
        tab.wait_for_timeout(500)
    status: int = tab.goto(address).status
    return status


EMPTY = (
    "/", "/explore", "/leaderboards", "/award", "/trends", "/map", "/live", "/review", "/downloads",
    "/quality", "/survey", "/campaigns",
)  # fmt: skip


def main(folder: Path, word: str = "") -> None:
    """Take pictures of all pages, and list what the browser said against one."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        tempfile.TemporaryDirectory() as place,
        filled(Path(place)) as made,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        with visits(browser, made) as opened:
            for width, scheme in LOOKS:
                names = [page.name for page in made.pages if word in page.name] if word else []
                for page, tab, status in opened(width, scheme, names):
                    tab.screenshot(path=folder / f"{page.name}-{width}-{scheme}.png", full_page=True)
                    over = tab.evaluate("document.documentElement.scrollWidth") - width
                    if over > 0 or status != page.status:
                        said = {"page": page.name, "width": width, "over": over, "status": status}
                        sys.stdout.write(f"{json.dumps(said)}\n")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
