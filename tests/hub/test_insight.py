"""Pages of all records together: sums that follow every change, trends, awards, reviews, budgets, comparisons."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import threading
import time
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, CurvePoint, Model, Paper, Place, Result
from sootprint.hub import accounts, columns, database, ingest, plot, seed, serve
from sootprint.hub.app import application
from sootprint.hub.context import Hub
from sootprint.hub.insight import awards, own, projections, projects, quality, rollups, surveyed, trends
from sootprint.hub.insight.compared import changed
from sootprint.hub.insight.tables import Rollup
from sootprint.hub.tables import FootprintRow, ResultRow, Tally, table_of
from sootprint.report import figures
from sootprint.survey.checks import flags
from sootprint.survey.dataset import from_footprints
from tests.hub import records
from tests.hub.conftest import HOST, KEY
from tests.hub.test_database import LOCAL
from tests.hub.test_pages import EVIL, HTML, _everywhere, _is_clean

TASK = {"task": "Image classification", "dataset": "ImageNet", "metric": "Top-1"}


def _run(index: int, *, value: float = 75.0, kg: float | None = None, **changes: Any) -> dict[str, Any]:
    """A measured run of grade B: 110 kWh and more, in one of three countries."""
    kwh = 110.0 + 6.0 * index
    zone, year = ("FR", "DE", "SE")[index % 3], 2020 + index % 4
    parts = tuple(
        Component(
            component=name,
            meter=meter,
            energy_kwh=Quantity(
                value=share * kwh, low=0.9 * share * kwh, high=1.1 * share * kwh, basis="sensor"
            ),
            idle_kwh=0.05 * share * kwh,
        )
        for name, meter, share in (("accelerator:0", "nvml", 0.8), ("cpu", "rapl", 0.2))
    )
    intensity = {"FR": 0.056, "DE": 0.38, "SE": 0.04}[zone]
    plain = {
        "model": Model(name=f"Net-{index % 2}", architecture="ResNet"),
        "project": "vision",
        "run_group": "seeds",
        "stage": ("pretrain", "search")[index % 2],
        "started": f"{year}-0{1 + index % 9}-03T10:00:00Z",
        "place": Place(zone=zone, country=zone),
        "components": parts,
        "energy_kwh": Quantity(value=kwh, low=0.9 * kwh, high=1.1 * kwh, basis="sensor"),
        "emissions_kg": Quantity(value=kg or kwh * intensity, basis="derived"),
        "intensity_g_per_kwh": None,
        "duration_s": None,
        "grade": "B",
        "paper": Paper(citation="He et al. 2016"),
        "results": (Result(**TASK, value=value),),
    }
    return records.record(**(plain | changes))


@pytest.fixture
def filled(client: TestClient) -> list[dict[str, Any]]:
    """Ids of twelve runs in the hub of `client`."""
    runs = [_run(index, value=70.0 + index) for index in range(12)]
    answer = client.post("/api/v1/footprints", json=runs).json()
    assert answer == {"accepted": 12, "duplicate": 0, "rejected": []}
    return runs


def _verdict(client: TestClient, one: dict[str, Any], verdict: str) -> dict[str, str]:
    """Form of a verdict on the first version of a record."""
    told = {"id": one["id"], "version": "1", "verdict": verdict, "note": "the log was looked at"}
    return {"seal": _seal(client, "/review"), **told}


def _state(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is a projection, in an order of its own."""
    found = {}
    with engine.connect() as connection:
        for table in (Rollup, Tally, FootprintRow, ResultRow):
            rows = [tuple(row) for row in connection.execute(sa.select(table_of(table)))]
            empty = {Rollup: 2, Tally: 2}.get(table)
            kept = (row for row in rows if empty is None or (row[empty] and row[0] != projections.MADE))
            found[table.__tablename__] = sorted(kept, key=lambda row: tuple(str(cell) for cell in row[:2]))
    return found


def _agree(one: dict[str, list[tuple[Any, ...]]], other: dict[str, list[tuple[Any, ...]]]) -> None:
    """Two states are the same, but for the rounding of sums."""
    for name in ("tally", "footprint", "result"):
        assert one[name] == other[name], name
    for old, new in zip(one["rollup"], other["rollup"], strict=True):
        assert old[:3] == new[:3]
        assert list(map(float, old[2:])) == pytest.approx(list(map(float, new[2:])), rel=1e-9, abs=1e-6)


def test_sums_follow_every_change_and_can_be_made_again(client: TestClient) -> None:
    """After a batch, a correction, a retraction and a review the projections are those of a new start."""
    engine = client.app._hub.engine
    runs = [_run(index) for index in range(6)]
    assert client.post("/api/v1/footprints", json=runs).json()["accepted"] == 6
    moved = {**runs[0], "place": {**runs[0]["place"], "zone": "DE", "country": "DE"}}
    client.post("/api/v1/footprints", json=moved, params={"reason": "the other site"})
    client.delete(f"/api/v1/footprints/{runs[1]['id']}", params={"reason": "wrong run"})
    slip = {**_run(7), "emissions_kg": {"value": 9e5, "basis": "claimed"}}
    client.post("/api/v1/footprints", json=slip)
    for one, verdict in ((slip, "confirmed"), (runs[2], "disputed")):
        sent = _verdict(client, one, verdict)
        assert client.post("/review", data=sent, headers=HTML, follow_redirects=False).status_code == 303
    before = _state(engine)
    with database.writing(engine) as connection:
        assert projections.rebuild(connection) == 6
    after = _state(engine)
    _agree(before, after)
    # Left out: the moved one, whose emissions are not those of its new place; the retracted; the disputed
    assert {row[1]: row[2] for row in after["rollup"] if row[0] == "place"} == {"DE": 2, "FR": 1, "SE": 1}


def test_new_version_is_looked_at_anew(client: TestClient) -> None:
    """A verdict is of one version: it stays readable, and counts no more for the next."""
    one = _run(1)
    client.post("/api/v1/footprints", json=one)
    sent = _verdict(client, one, "replicated")
    client.post("/review", data=sent, headers=HTML)
    found = client.get(f"/api/v1/footprints/{one['id']}/assessment").json()
    assert found["verification"] == "replicated"
    client.post("/api/v1/footprints", json={**one, "name": "other"}, params={"reason": "a name"})
    found = client.get(f"/api/v1/footprints/{one['id']}/assessment").json()
    assert found["verification"] == "recomputed"
    page = unescape(client.get(f"/footprints/{one['id']}", headers=HTML).text)
    assert "Replicated" in page
    assert "what changed" in page


def _seal(client: TestClient, path: str) -> str:
    found = re.search(r'name="seal" value="(\w+)"', client.get(path, headers=HTML).text)
    if found is None:  # nothing waits: any form of this browser has the same
        found = re.search(
            r'name="seal" value="(\w+)"',
            client.get("/submit", params={"hardware": "A100", "hours": "1"}, headers=HTML).text,
        )
    assert found is not None
    return found[1]


def test_only_a_reviewer_reviews_and_not_his_own(open_hub: Hub, open_client: TestClient) -> None:
    """Access to the verdict, role by role; the form of somebody else is refused."""
    for role in ("contributor", "reviewer"):
        accounts.add_account(open_hub.engine, f"a {role}", role)
    token = accounts.make_token(open_hub.engine, KEY, "a reviewer", scopes=("submit", "review"))
    one = _run(1)
    sent = {"Authorization": f"Bearer {token}"}
    assert open_client.post("/api/v1/footprints", json=one, headers=sent).json()["accepted"] == 1
    fields = {"id": one["id"], "verdict": "confirmed", "note": "seen"}
    assert open_client.post("/review", data=fields, headers=HTML).status_code == 403
    sealed = {**fields, "seal": _seal(open_client, "/submit?hardware=A100&hours=1")}
    assert open_client.post("/review", data=sealed, headers=HTML).status_code == 401
    budget = {"seal": sealed["seal"], "name": "vision", "year": "2025", "kg": "10"}
    assert open_client.post("/projects/view", data=budget, headers=HTML).status_code == 401
    from sootprint.hub.insight import reviews

    own = accounts.actor_of(open_hub.engine, KEY, token)
    assert own is not None
    with pytest.raises(reviews.NotYoursError):
        reviews.review(open_hub.engine, one["id"], "confirmed", version="1", note="mine", actor=own)
    theirs = _run(2)
    other = accounts.make_token(open_hub.engine, KEY, "a contributor", scopes=("submit",))
    as_other = {"Authorization": f"Bearer {other}"}
    assert open_client.post("/api/v1/footprints", json=theirs, headers=as_other).json()["accepted"] == 1
    token = accounts.make_token(open_hub.engine, KEY, "a reviewer", scopes=("submit", "correct"))
    changed = {**theirs, "name": "as the reviewer has it"}
    corrected = {"headers": {"Authorization": f"Bearer {token}"}, "params": {"reason": "a name"}}
    assert open_client.post("/api/v1/footprints", json=changed, **corrected).json()["accepted"] == 1
    with pytest.raises(reviews.NotYoursError, match="sent yourself"):
        reviews.review(open_hub.engine, theirs["id"], "confirmed", version="2", note="mine", actor=own)


def test_trend_is_that_of_least_squares(sqlite_engine: Engine) -> None:
    """Sums by year give the slope and the interval of a fit over single records."""
    random = np.random.default_rng(7)
    years = random.integers(2015, 2025, 200)
    logs = 3.0 + 0.4 * (years - 2015) + random.normal(0.0, 1.0, 200)
    changes = rollups.Changes()
    for year, log in zip(years.tolist(), logs.tolist(), strict=True):
        row = dict.fromkeys(("model", "architecture", "country"))
        measures = {f"our_{of}": math.exp(log) for of in ("energy_kwh", "emissions_kg")}
        bounds = {f"our_{of}": None for of in ("energy_low_kwh", "energy_high_kwh")}
        bounds |= {f"our_{of}": None for of in ("emissions_low_kg", "emissions_high_kg")}
        changes.add(
            {
                **row,
                **measures,
                **bounds,
                "state": "published",
                "marked": 0,
                "year": year,
                "stage": "other",
                "evidence": "B",
            }
        )
    with database.writing(sqlite_engine) as connection:
        changes.write(connection)
    found, fit = trends.over_years(sqlite_engine, "emissions")
    assert fit is not None
    centred = years - years.mean()
    slope = float((centred * logs).sum() / (centred**2).sum())
    residuals = logs - logs.mean() - slope * centred
    error = math.sqrt(float((residuals**2).sum()) / 198 / float((centred**2).sum()))
    assert math.log(fit.growth[0]) == pytest.approx(slope)
    assert math.log(fit.growth[2]) == pytest.approx(slope + 1.6526 * error, rel=1e-3)  # t of 198 at 95 %
    assert sum(one.n for one in found) == 200
    assert "grew" in trends.finding(found, fit, "emissions")


def test_award_goes_to_the_least_carbon_near_the_best(client: TestClient) -> None:
    """Weak evidence and marked records are out, and what cannot be told apart shares the award."""
    shared = {"low": 3.8, "high": 5.0, "basis": "derived"}
    year = {"started": "2024-05-01T00:00:00Z", "place": Place(zone="FR", country="FR")}
    runs = [
        _run(0, value=80.0, **year),
        _run(0, value=79.5, model=Model(name="Winner"), **year),
        _run(0, value=79.2, model=Model(name="Tied"), **year),
        _run(0, value=60.0, model=Model(name="Too weak"), **year),
        _run(0, value=79.9, model=Model(name="A claim"), grade="D", **year),
    ]
    runs[1]["emissions_kg"] = {"value": 4.0, **shared}
    runs[2]["emissions_kg"] = {"value": 4.2, **shared}
    runs[0]["emissions_kg"] = {"value": 6.5, "low": 6.0, "high": 7.0, "basis": "derived"}
    assert client.post("/api/v1/footprints", json=runs).json()["accepted"] == 5
    text = unescape(client.get("/award", params={"year": 2024, "within": 2}, headers=HTML).text)
    table = text[text.index("<tbody") : text.index("</tbody>")]
    assert table.index("Winner") < table.index("Tied") < table.index("shares the award")
    assert not any(name in table for name in ("Too weak", "A claim", "Net-0"))
    assert "3 of 4" in table


def test_energy_to_a_target_is_that_of_the_curve(client: TestClient) -> None:
    """Where a curve was logged it tells when the target was reached; else the whole run is an upper bound."""
    points = ((1.0, 60.0), (5.0, 74.0), (9.0, 73.0), (20.0, 78.0))
    curve = tuple(CurvePoint(energy_kwh=kwh, metric="top-1", value=value) for kwh, value in points)
    runs = [_run(0, value=78.0, curve=curve), _run(1, value=77.0), _run(2, value=60.0)]
    client.post("/api/v1/footprints", json=runs)
    answer = client.get("/leaderboards/target", params={**TASK, "target": "70"}, headers=HTML)
    text = unescape(answer.text)
    assert "5.00 kWh" in text
    assert "at most 120 kWh" in text
    assert "2 footprints reached Top-1 70, 1 did not" in text
    assert "all evidence is shown" not in text


def test_energy_to_a_target_takes_all_evidence_where_there_is_no_better(client: TestClient) -> None:
    """As on the leaderboard, and said: a page without anything helps nobody."""
    client.post("/api/v1/footprints", json=[_run(0, value=78.0, grade="D"), _run(1, value=60.0, grade="D")])
    answer = client.get("/leaderboards/target", params={**TASK, "target": "70"}, headers=HTML)
    text = unescape(answer.text)
    assert "1 footprint reached Top-1 70, 1 did not" in text
    assert "all evidence is shown" in text


def test_leaderboard_has_robustness_beside_quality(client: TestClient) -> None:
    """What else is told of an entry stands in its row."""
    other = Result(task=TASK["task"], dataset="ImageNet-C", metric="mCE", value=41.5, kind="robustness")
    client.post("/api/v1/footprints", json=[_run(0, results=(Result(**TASK, value=78.0), other)), _run(1)])
    text = unescape(client.get("/leaderboards/view", params=TASK, headers=HTML).text)
    assert "mCE 41.5" in text
    assert "none told" in text


def test_first_page_says_how_much_there_is_and_how_well_it_is_known(
    client: TestClient, filled: list[dict[str, Any]]
) -> None:
    """The typical training and the spread of all, the share that was measured, and the three ways on."""
    text = unescape(client.get("/", headers=HTML).text).replace("\N{NO-BREAK SPACE}", " ")
    found = client.get("/api/v1/footprints", params={"limit": 500, "view": "summary"}).json()["items"]
    logs = [math.log(one["our_emissions_kg"]) for one in found]
    typical = math.exp(sum(logs) / len(logs))
    assert f">{figures.number(typical, 2)} kg CO₂e<" in text
    assert "geometric mean of the 12 with a year, 90 % of them " in text
    assert ">100 %<" in text and "12 of 12, evidence A to C" in text
    ways = text[text.index('class="ways"') : text.index('class="tiles"')]
    assert [
        one for one in ("/submit", "/explore", "/leaderboards", "/downloads") if f'"{one}"' not in ways
    ] == []
    assert ">Germany<" in client.get("/explore", headers=HTML).text


def test_budget_of_a_project_and_its_idle_energy(client: TestClient, filled: list[dict[str, Any]]) -> None:
    """The page tells what is spent, what is left, and what ran idle."""
    page = client.get("/projects/view", params={"name": "vision"}, headers=HTML)
    text = unescape(page.text).replace("\N{NO-BREAK SPACE}", " ")
    assert "5.0 % of the energy" in text or "5 % of the energy" in text
    seal = re.search(r'name="seal" value="(\w+)"', page.text)
    assert seal is not None
    sent = {"seal": seal[1], "name": "vision", "year": "2023", "kg": "1000"}
    answer = client.post("/projects/view", data=sent, headers=HTML)
    assert answer.status_code == 200
    assert "are left" in unescape(answer.text)
    wrong = client.post("/projects/view", data={**sent, "kg": "-1"}, headers=HTML)
    assert wrong.status_code == 400
    assert "above 0 kg" in wrong.text


def test_project_says_which_runs_its_sums_do_not_hold(
    client: TestClient, filled: list[dict[str, Any]]
) -> None:
    """Emissions that a run does not tell are not 0, neither in the sum nor in the budget."""
    silent = _run(0, started="2023-05-03T10:00:00Z", emissions_kg=None)
    assert client.post("/api/v1/footprints", json=[silent]).json()["accepted"] == 1
    page = unescape(client.get("/projects/view", params={"name": "vision"}, headers=HTML).text)
    assert page.count("of 12 of 13 runs; the others do not tell") == 1
    seal = re.search(r'name="seal" value="(\w+)"', page)
    assert seal is not None
    sent = {"seal": seal[1], "name": "vision", "year": "2023", "kg": "1000"}
    page = unescape(client.post("/projects/view", data=sent, headers=HTML).text)
    assert "1 run of 2023 tells no emissions" in page


def test_pages_of_filled_hub_say_what_they_show(client: TestClient, filled: list[dict[str, Any]]) -> None:
    """Each page has its finding in words, and neither script nor style of its own."""
    ids = [one["id"] for one in filled[:3]]
    pages = {
        "/trends": "architecture or hyperparameter search",
        "/trends?measure=energy&stage=search&evidence=C": "energy a training",
        "/map?by=intensity": "a factor of",
        "/models/view?name=Net-0": "Scenario",
        "/architectures/view?name=ResNet": "12 trainings of this architecture",
        "/papers/view?name=He+et+al.+2016": "12 footprints of this publication",
        "/groups/view?name=seeds": "trainings of this list",
        f"/compare?id={ids[0]}&id={ids[1]}&id={ids[2]}": "3 footprints compared",
        "/quality": "Claims that hold",
        "/footprint": "a request",
        "/accessibility": "WCAG",
        "/privacy": "No tracking",
        "/methodology": "average, direct, location-based",
        "/award": "least carbon",
        "/review": "Nothing waits",
        "/explore": "Compare the chosen",
    }
    for path, words in pages.items():
        answer = client.get(path, headers=HTML)
        assert answer.status_code == 200, path
        assert words in unescape(answer.text), path
        assert _is_clean(answer.text), path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models/view?name=x", 404),
        ("/compare?id=x", 400),
        ("/compare?id=x&id=y", 404),
        ("/trends?stage=sleep", 400),
        ("/trends?measure=x", 422),
        ("/badges/x.svg", 404),
        ("/survey", 200),
        ("/footprints/x/diff?before=1&after=2", 404),
    ],
)
def test_what_is_not_there_is_said(open_client: TestClient, path: str, status: int) -> None:
    """An empty hub answers each wrong question with a page that says so."""
    answer = open_client.get(path, headers=HTML)
    assert answer.status_code == status
    assert "<main" in answer.text
    assert "1 footprints" not in answer.text


def test_nothing_that_a_record_holds_becomes_markup_here(client: TestClient) -> None:
    """A script in every text field is text on every page of this module, and in the exports."""
    one, clean = _everywhere(EVIL), _run(0)
    assert client.post("/api/v1/footprints", json=[one, clean]).json()["accepted"] == 2
    client.post("/api/v1/footprints", json={**one, "name": "x" + EVIL}, params={"reason": EVIL})
    named = {"name": EVIL}
    key = one["id"]
    for path, given in (
        ("/models/view", named),
        ("/architectures/view", named),
        ("/papers/view", named),
        ("/groups/view", named),
        ("/projects/view", named),
        ("/compare", {"id": [key, clean["id"]]}),
        (f"/footprints/{key}/diff", {"before": 1, "after": 2}),
        ("/leaderboards/target", {"task": EVIL, "dataset": EVIL, "metric": EVIL, "target": 0.5}),
        ("/review", {}),
        ("/quality", {}),
        ("/map", {}),
    ):
        answer = client.get(path, params=given, headers=HTML)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text, path
        assert "<img src=x" not in answer.text, path
    card = client.get(f"/api/v1/footprints/{key}.yaml").text.strip("-\n")
    assert yaml.safe_load(card)["co2_eq_emissions"]["emissions"] > 0.0


def test_badge_and_model_card_have_the_number(client: TestClient) -> None:
    """A badge is well-formed SVG that other sites may show; a model card counts grams."""
    one = _run(0)
    client.post("/api/v1/footprints", json=one)
    answer = client.get(f"/badges/{one['id']}.svg")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "evidence B" in "".join(ElementTree.fromstring(answer.text).itertext())
    card = yaml.safe_load(client.get(f"/api/v1/footprints/{one['id']}.yaml").text.strip("-\n"))
    assert card["co2_eq_emissions"]["emissions"] == pytest.approx(
        one["emissions_kg"]["value"] * 1000, rel=1e-3
    )


def test_differences_of_versions_are_found() -> None:
    """What was added, taken away and changed, by its pointer."""
    old = {"a": 1.0, "b": {"c": [1, 2]}, "d": None}
    new = {"a": 2.0, "b": {"c": [1]}, "e": {"f": "x"}}
    assert list(changed(old, new)) == [
        ("/a", "1.0", "2.0"),
        ("/b/c/1", "2", "not there"),
        ("/d", "null", "not there"),
        ("/e/f", "not there", "x"),
    ]


def test_stated_mean_power_is_what_an_energy_is_compared_with() -> None:
    """Of the published runs whose energy is stated, one was measured above the rated power of its devices."""
    data = from_footprints(seed.footprints(), name="seed")
    flagged = flags(data).filter(polars.col("flag") == "energy-off")
    assert flagged.get_column("model").to_list() == ["OLMoE 1B-7B 0924"]
    assert data.frame.get_column("mean_power_w").drop_nulls().unique().sort().to_list()[:2] == [
        172.553,
        189.429,
    ]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # the records are read over the same function
def test_survey_is_run_on_the_hubs_own_records(client: TestClient, filled: list[dict[str, Any]]) -> None:
    """The page has the survey's questions with this hub's answers, its figures and what was left out."""
    engine = client.app._hub.engine
    sheet = surveyed.sheet(engine)
    titles = [part.title for part in sheet.parts]
    assert "What are the main sources of energy used for training?" in titles
    assert sum(part.drawing is not None for part in sheet.parts) >= 6
    assert "12 trainings" in sheet.lead
    assert json.dumps([dataclasses.asdict(part) for part in sheet.parts])


@pytest.mark.parametrize(
    "points",
    [
        [(1.0, 70.0, True)],
        [(5.0, 0.0, True), (5.0, 0.0, True)],
        [(1e-9, -3.5e6, True), (1e12, 4e6, True), (3.0, 1.0, False)],
    ],
)
def test_leaderboard_of_any_values_is_drawn_within_its_frame(points: list[plot.Point]) -> None:
    """One point, equal points, and points of all magnitudes; names are text."""
    for width in (340, 700):
        drawn = ElementTree.fromstring(plot.quality(points, metric=EVIL, title="kg", width=width))
        places = [
            float(one.attrib[name])
            for one in drawn.iter("{http://www.w3.org/2000/svg}circle")
            for name in ("cx", "cy")
        ]
        assert all(0.0 <= place <= width for place in places)
        assert EVIL[: plot.LETTERS] in "".join(drawn.itertext())


def test_intervals_are_drawn_where_they_are() -> None:
    """A band from its low to its high bound, and no band where a bound is not known."""
    text = plot.intervals(
        [("claimed", None, 4000.0, None), ("recomputed", 1.0, 4.0, 9.0)], title="kg", width=700
    )
    assert text.count("stroke-linecap") == 1
    assert "logarithmic" in text
    assert ElementTree.fromstring(text) is not None


def test_projections_are_made_again_while_the_hub_is_in_use(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that come, change and go between two steps count once; a stop in the middle is gone on from."""
    engine = client.app._hub.engine
    runs = [_run(index, value=70.0 + index) for index in range(9)]
    client.post("/api/v1/footprints", json=runs)
    with database.writing(engine) as connection:  # as an earlier program left it: other counts, no results
        for model in (Rollup, Tally, ResultRow):
            connection.execute(sa.delete(table_of(model)))
        connection.execute(sa.update(table_of(FootprintRow)).values(evidence="E", our_energy_kwh=None))
    monkeypatch.setattr(projections, "CHUNK", 2)
    monkeypatch.setattr(projections, "AT_START", 5)
    assert projections.ensure(engine) == 0
    assert projections._renewed(engine, 0) == 2
    changes = iter(
        (
            lambda: client.post("/api/v1/footprints", json=_run(20, value=60.0)),
            lambda: client.post("/api/v1/footprints", json={**runs[0], "stage": "search"}),
            lambda: client.delete(f"/api/v1/footprints/{runs[8]['id']}", params={"reason": "wrong"}),
            lambda: client.delete(f"/api/v1/footprints/{runs[1]['id']}", params={"reason": "wrong"}),
            lambda: client.post("/api/v1/footprints", json={**runs[6], "stage": "search"}),
        )
    )
    plain = projections._heads

    def between(connection: Any, chosen: Any) -> Any:
        """Read a chunk of the one look, then let something change."""
        found = plain(connection, chosen)
        if (change := next(changes, None)) is not None:
            assert change().status_code == 200
        return found

    monkeypatch.setattr(projections, "_heads", between)
    assert projections.catch_up(engine) == 9
    assert next(changes, None) is None
    assert projections.is_made(engine)
    after = _state(engine)
    with database.writing(engine) as connection:
        assert projections.rebuild(connection) == 8
    again = _state(engine)
    _agree(after, again)


def test_hub_of_an_older_program_serves_while_its_projections_are_made_again(
    engine: Engine, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large hub with the mark of the program before shows what that counted, until its own numbers are made."""
    client.post("/api/v1/footprints", json=[_run(index) for index in range(6)])
    projections.ensure(engine)
    wanted = _state(engine)
    sums = table_of(Rollup)
    with database.writing(engine) as connection:
        connection.execute(sa.update(sums).where(sums.c.kind == rollups.TIME).values(bounded_emissions=0))
        older = sums.c.kind == projections.MADE
        connection.execute(sa.update(sums).where(older).values(n=projections.STATE - 1))
    monkeypatch.setattr(projections, "AT_START", 5)
    monkeypatch.setattr(projections, "CHUNK", 2)
    goes_on, plain = threading.Event(), projections._renewed

    def held(*given: Any) -> Any:
        assert goes_on.wait(60.0)
        return plain(*given)

    monkeypatch.setattr(projections, "_renewed", held)
    url = engine.url.render_as_string(hide_password=False)
    hub = serve.hub_of(serve.Order(home=tmp_path, database_url=url), 0)
    with TestClient(application(hub), base_url=HOST) as later:
        for path in ("/", "/explore", "/models/view?name=Net-0", "/trends", "/leaderboards", "/readyz"):
            assert later.get(path, headers=HTML).status_code == 200, path
        assert "no interval is known for 6 of 6" in later.get("/", headers=HTML).text
        assert not projections.is_made(engine)
        goes_on.set()
        for _ in range(600):
            if projections.is_made(engine):
                break
            time.sleep(0.1)
        assert "no interval is known" not in later.get("/", headers=HTML).text
    hub.engine.dispose()
    made = _state(engine)
    _agree(wanted, made)


def _of_splits(client: TestClient) -> list[dict[str, Any]]:
    """Runs with a result on each of three splits and one that does not tell its split, by their names."""
    told = (
        ("On test", "test", 70.0),
        ("On val", "val", 90.0),
        ("On valid", "Valid", 91.0),
        ("Not told", None, 80.0),
    )
    runs = [
        _run(index, model=Model(name=name), results=(Result(**TASK, split=split, value=value),))
        for index, (name, split, value) in enumerate(told)
    ]
    assert client.post("/api/v1/footprints", json=runs).json()["accepted"] == 4
    return runs


def test_results_of_different_splits_are_in_no_rank_together(client: TestClient) -> None:
    """Test and validation have a leaderboard each, as have results that tell no split; val and valid are one."""
    _of_splits(client)
    listed = {one["split"]: one["n"] for one in client.get("/api/v1/leaderboards").json()["items"]}
    assert listed == {"": 1, "test": 1, "validation": 2}
    for split, names in (
        (None, ["Not told"]),
        ("", ["Not told"]),
        ("TEST", ["On test"]),
        ("val", ["On valid", "On val"]),
    ):
        asked = TASK | ({} if split is None else {"split": split})
        found = client.get("/api/v1/leaderboards", params=asked).json()
        assert [one["model"] for one in found["entries"]] == names
        assert found["splits"] == {"validation": 2, "": 1, "test": 1}
    page = unescape(client.get("/leaderboards/view", params=TASK | {"split": "test"}, headers=HTML).text)
    assert "ImageNet · test" in page
    assert 'aria-current="true">test (1)</a>' in page
    assert "split=validation" in page
    assert "On val" not in page[page.index("<h2>Entries") :]
    target = client.get(
        "/leaderboards/target", params=TASK | {"target": "60", "split": "val"}, headers=HTML
    ).text
    assert "2 footprints reached" in target
    engine = client.app._hub.engine
    assert [one.board.split for year in range(2020, 2025) for one in awards.awards(engine, year, 10)] == []
    more = [_run(8 + 4 * index, results=(Result(**TASK, split="val", value=90.0),)) for index in (0, 1)]
    client.post("/api/v1/footprints", json=more)
    (won,) = (one for year in range(2020, 2025) for one in awards.awards(engine, year, 10))
    assert (won.board.split, won.entries) == ("validation", 2)


def test_a_leaderboard_of_splits_alone_is_found_by_an_address_without_one(client: TestClient) -> None:
    """An address of a data set whose results all tell their split leads to the split with the most."""
    runs = [
        _run(index, results=(Result(**TASK, split=split, value=70.0),))
        for index, split in enumerate(("a", "b", "b"))
    ]
    client.post("/api/v1/footprints", json=runs)
    found = client.get("/api/v1/leaderboards", params=TASK).json()
    assert (found["split"], found["n"]) == ("b", 2)


def test_splits_of_an_older_hub_are_told_apart_from_the_records(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier program had in one leaderboard is read again, and nothing else is."""
    _of_splits(client)
    engine = client.app._hub.engine
    wanted, one = _state(engine), columns.board(*TASK.values())
    with database.writing(engine) as connection:
        connection.execute(sa.update(table_of(ResultRow)).values(split="", board=one))
        connection.execute(sa.delete(table_of(Tally)).where(table_of(Tally).c.facet == columns.BOARD))
        projections._mark(connection, projections.MADE, 3)
    monkeypatch.setattr(projections, "AT_START", 2)
    read, plain = [], projections.truth.recompute
    monkeypatch.setattr(
        projections.truth, "recompute", lambda footprint: read.append(footprint.id) or plain(footprint)
    )
    assert projections.catch_up(engine) == 4
    assert len(read) == 3
    made = _state(engine)
    assert (made["tally"], made["result"]) == (wanted["tally"], wanted["result"])


def test_progress_of_another_program_is_not_gone_on_from(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a program before had made again when it stopped is not what this one makes."""
    client.post("/api/v1/footprints", json=[_run(index) for index in range(4)])
    engine = client.app._hub.engine
    with database.writing(engine) as connection:
        projections._mark(connection, projections.MADE, 2)
        nothing = dict.fromkeys(rollups.SUMS, 0)
        left = {**nothing, "kind": projections.PROGRESS, "key": "projections", "n": 3}
        connection.execute(sa.insert(table_of(Rollup)), left)
        connection.execute(sa.update(table_of(FootprintRow)).values(our_energy_kwh=None))
    assert projections.catch_up(engine) == 4
    with engine.connect() as connection:
        assert None not in connection.scalars(sa.select(table_of(FootprintRow).c.our_energy_kwh)).all()


def test_own_footprint_is_of_the_catalogue_or_of_the_meters(client: TestClient) -> None:
    """A processor that is known has its rated power, another one the range of servers; meters go before both."""
    power, whose = own.thread_power("AMD EPYC 7742 64-Core Processor")
    assert (power.value, power.low) == (pytest.approx(225 / 128), pytest.approx(0.5 * 225 / 128))
    assert "225 W rated" in whose
    power, whose = own.thread_power("a processor of nobody")
    assert 0.5 < power.low < power.value < power.high < 20.0
    assert "server processors since 2017" in whose
    engine = client.app._hub.engine
    assert "It is modelled" in str(own.sheet(engine, 3))
    said = str(own.sheet(engine, 3, records.footprint()))
    assert "Its own share by the meters of this machine" in said
    assert "Energy by component" in said
    unknown = dataclasses.replace(records.footprint(), emissions_kg=None)
    assert "Its emissions are not known" in str(own.sheet(engine, 3, unknown))


def test_analysis_that_stumbles_says_so_and_is_not_begun_for_ever(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in what is made in the background is a page with 500, not one that reloads itself for ever."""
    client.post("/api/v1/footprints", json=records.record())
    monkeypatch.setattr(surveyed, "sheet", lambda _: dict[str, Any]()["none"])
    answer = client.get("/survey", headers=HTML)
    assert answer.status_code == 500
    assert "<h1>A fault of this hub</h1>" in answer.text
    assert "refresh" not in answer.headers


def test_fault_of_the_program_is_a_page_that_tells_nothing_of_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody thought of is one line, without a name of the inside; programs get JSON."""

    def broken(_: object) -> None:
        raise KeyError("s3cret inside")

    monkeypatch.setattr(quality, "sheet", broken)
    page = client.get("/quality", headers=HTML)
    assert (page.status_code, "s3cret" in page.text) == (500, False)
    assert "a fault of the hub" in page.text.lower()
    assert client.get("/quality").json()["status"] == 500


def test_a_project_counts_a_part_once(client: TestClient) -> None:
    """A run of an hour and one inside of it: nothing more; one that went on for half of its time adds a half."""
    outer = _run(0, started="2024-03-03T10:00:00Z", duration_s=3600.0)
    inner = _run(1, started="2024-03-03T10:10:00Z", duration_s=600.0, parent=outer["id"])
    later = _run(2, started="2024-03-03T10:30:00Z", duration_s=3600.0, parent=outer["id"])
    after = _run(3, started="2024-03-03T12:00:00Z", duration_s=60.0, parent=outer["id"])
    for sent, kwh in (([outer, inner], 110.0), ([later, after], 110.0 + 122.0 / 2 + 128.0)):
        assert client.post("/api/v1/footprints", json=sent).json()["accepted"] == 2
        (row,) = projects.months(client.app._hub.engine, "vision")
        assert (row["month"], row["energy_kwh"]) == ("2024-03", pytest.approx(kwh))
        assert row["idle_kwh"] == pytest.approx(0.05 * kwh)
    assert row["n"] == 3


def test_run_inside_of_another_counts_once(client: TestClient) -> None:
    """A part and its whole are one training in each sum of names, and two where the whole is of another name."""
    named = {"model": Model(name="M", architecture="T"), "run_group": "G", "paper": Paper(citation="C")}
    whole = records.measured(10.0, "B", **named)
    inner = records.measured(4.0, "B", **named, parent=whole["id"])
    other = records.measured(3.0, "B", **{**named, "run_group": "H"}, parent=records.record()["id"])
    assert client.post("/api/v1/footprints", json=[inner, whole, other]).json()["accepted"] == 3
    for kind, name, n, kwh in (("models", "M", 2, 13), ("architectures", "T", 2, 13), ("papers", "C", 2, 13),
                               ("groups", "G", 1, 10)):  # fmt: skip
        page = unescape(client.get(f"/{kind}/view", params={"name": name}, headers=HTML).text)
        text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        assert f"{n} training" in text, kind
        assert re.search(rf"not stated {n} {kwh}.kWh", text), (kind, text)


def test_award_is_shared_where_an_interval_begins_at_zero() -> None:
    """0 is a bound as any other, not one that is missing."""
    first = {"emissions_kg": 1.0, "emissions_low_kg": 0.5, "emissions_high_kg": 2.0}
    others = [
        {"emissions_kg": 5.0, "emissions_low_kg": low, "emissions_high_kg": 10.0} for low in (0.0, None, 2.1)
    ]
    rows = [first, *others]
    assert awards._ties(rows) == [first, others[0]]
    assert awards._untold(rows, [first, others[0]]) == 1  # the second of them, whose interval is not known


def test_award_of_an_unknown_interval_says_who_may_share_it(client: TestClient) -> None:
    """The least carbon wins by its value; an interval that is not known makes no tie and denies none."""
    year = {"started": "2024-05-01T00:00:00Z", "place": Place(zone="FR", country="FR")}
    sent = [
        _run(0, value=value, model=Model(name=name), **year)
        for value, name in ((80.0, "A"), (79.9, "B"), (79.8, "C"))
    ]
    sent[0]["emissions_kg"] = {"value": 5.0, "basis": "derived"}
    sent[1]["emissions_kg"] = {"value": 6.0, "low": 4.5, "high": 8.0, "basis": "derived"}
    sent[2]["emissions_kg"] = {"value": 6.5, "low": 5.5, "high": 8.0, "basis": "derived"}
    client.post("/api/v1/footprints", json=sent)
    (made,) = awards.awards(client.app._hub.engine, 2024, 2)
    assert ([row["model"] for row in made.winners], made.untold) == (["A", "B"], 1)
    text = unescape(client.get("/award", params={"year": 2024, "within": 2}, headers=HTML).text)
    assert "1 more may share it: an interval is not known" in text


def test_sum_with_an_unknown_interval_has_none(client: TestClient) -> None:
    """Of three trainings one states no bounds: the sum of all has none and says why, that of the two others has."""
    model, bare = Model(name="M", architecture="A"), _run(3, model=Model(name="M", architecture="A"))
    for part in bare["components"]:
        part["energy_kwh"] |= {"low": None, "high": None}
    sent = [
        _run(0, model=model, stage="search"),
        _run(6, model=model, stage="search"),
        {**bare, "stage": "pretrain"},
    ]
    assert client.post("/api/v1/footprints", json=sent).json()["accepted"] == 3
    home = unescape(client.get("/", headers=HTML).text)
    assert "no interval is known for 1 of 3" in home
    for path, name, told in (("models", "M", True), ("architectures", "A", True), ("groups", "seeds", False)):
        page = unescape(client.get(f"/{path}/view", params={"name": name}, headers=HTML).text)
        assert ("no interval is known for 1 of 3" in page) is told
        text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        assert re.search(r"pre-training 1 \S+ \S+ \S+ \S+ not known", text), path
        assert re.search(r"hyperparameter search 2 \S+ \S+ \S+ \S+ [\d.]+ to [\d.]+ kg", text), path
        assert re.search(r"all together 3 \S+ \S+ \S+ \S+ not known", text), path
    engine = client.app._hub.engine
    (kept,) = (
        row for row in rollups.sums(engine, rollups.MODEL, like="M") if row["key"].startswith("pretrain")
    )
    assert (kept["n_energy"], kept["bounded_energy"], kept["bounded_emissions"]) == (1, 0, 0)


def test_verdict_is_of_the_version_that_was_looked_at(client: TestClient) -> None:
    """A version that came while the reviewer read the one before it is not confirmed unseen."""
    one = _run(1)
    client.post("/api/v1/footprints", json=one)
    sent = _verdict(client, one, "confirmed")
    client.post("/api/v1/footprints", json={**one, "name": "other"}, params={"reason": "a name"})
    answer = client.post("/review", data=sent, headers=HTML, follow_redirects=False)
    assert (answer.status_code, "the newest is 2" in answer.text) == (400, True)
    assert client.get(f"/api/v1/footprints/{one['id']}/assessment").json()["verification"] == "recomputed"


def test_a_run_names_its_parts_and_they_name_it(client: TestClient) -> None:
    """Parts with the share that is in the whole's numbers, runs that started from it, and the way back from each."""
    day_s = 86_400.0
    outer = _run(0, name="outer", started="2024-03-03T10:00:00Z", duration_s=2 * day_s)
    told = {"parent": outer["id"]}
    inner = _run(1, name="inner", started="2024-03-03T10:10:00Z", duration_s=1.9 * day_s, **told)
    later = _run(2, name="later", started="2024-03-04T10:00:00Z", duration_s=2 * day_s, **told)
    after = _run(3, name="after", started="2024-03-09T12:00:00Z", duration_s=2 * day_s, **told)
    unlisted = records.record()["id"]
    lost = _run(4, name="lost", started="2024-03-09T12:00:00Z", duration_s=2 * day_s, parent=unlisted)
    month = _run(5, name="month", started="2024-03", **told)
    sent = [outer, inner, later, after, lost, month]
    assert client.post("/api/v1/footprints", json=sent).json()["accepted"] == 6
    assert client.get("/projects/view?name=vision", headers=HTML).status_code == 200
    page = {one["name"]: client.get(f"/footprints/{one['id']}", headers=HTML).text for one in sent}
    whole = page["outer"].partition('id="parts"')[2].partition('id="s-')[0]
    inside, _, heirs = whole.partition('id="heirs"')
    shares = dict(
        re.findall(r'<a href="/footprints/([^"]+)".*?data-label="In this run"[^>]*>([^<]+)', inside, re.S)
    )
    assert shares == {inner["id"]: "100 %", later["id"]: "50 %", month["id"]: "100 %"}
    assert re.findall(r'<a href="/footprints/([^"]+)"', heirs) == [after["id"]]
    assert "count each once" in inside
    way = f'<a href="/footprints/{outer["id"]}">outer</a>'
    for name, words in (
        ("inner", "whose numbers include this one's: count one of the two"),
        ("later", "include 50 % of this one's energy; the rest came after it"),
        ("after", "the energy of each is its own"),
    ):
        assert way in page[name]
        assert words in unescape(page[name])
    assert "a parent that this hub does not list" in page["lost"]
    assert all("sootprint show" not in text for text in page.values())
    group = client.get("/groups/view?name=seeds", headers=HTML).text
    assert "4 trainings" in group  # neither the part that is all inside nor the one without a time
    listed = client.get("/api/v1/footprints", params=told | {"view": "summary"}).json()["items"]
    assert {one["name"] for one in listed} == {"inner", "later", "after", "month"}


def test_parts_are_found_by_an_index(engine: Engine) -> None:
    """Neither database reads all records, nor all of a model, for those that name a parent."""
    ingest.take_in(engine, records.batch(200, model=Model(name="0190-none"), project="0190-none"), LOCAL)
    parts = [records.record(1.0, parent=f"run {index}", project=f"p{index}") for index in range(100)]
    ingest.take_in(engine, json.dumps(parts).encode(), LOCAL)
    database.settle(engine)  # whatever PostgreSQL knew of the table before
    for column, index, more in (
        ("parent", "ix_footprint_parent", ""),
        ("model", "ix_footprint_model_inside", "AND marked + 0 = 0 AND parent IS NOT NULL"),
        ("project", "ix_footprint_project_inside", "AND parent IS NOT NULL"),
    ):
        query = (
            f"SELECT id, parent FROM footprint WHERE {column} = '0190-none' AND state = 'published' {more}"
        )
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            way = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
            explained = connection.execute(sa.text(f"{way} {query} ORDER BY seq DESC LIMIT 5000"))
            assert index in str(explained.all())


def test_award_is_of_the_year_of_quality_and_of_what_no_mark_is_on(client: TestClient) -> None:
    """A better value of another year, a robustness result and a slip of units set no bar and win nothing."""
    first, near, far = _run(0, value=80.0), _run(8, value=79.9), _run(4, value=70.0)
    slip = _run(12, value=79.9, kg=0.001)
    tough = _run(16, results=(Result(**TASK, value=99.0, kind="robustness"), Result(**TASK, value=79.5)))
    listed = [first, near, far, slip, tough, _run(1, value=95.0)]
    engine = client.app._hub.engine  # type: ignore[attr-defined]
    assert client.post("/api/v1/footprints", json=listed).json()["accepted"] == 6
    (found,) = awards.awards(engine, 2020, 2)
    assert (found.best, found.entries, found.within) == (80.0, 4, 3)
    assert [row["id"] for row in found.winners] == [first["id"]]


def test_award_of_a_metric_of_which_less_is_better(client: TestClient) -> None:
    """Within 2 % of the least perplexity: 10.1 is, 10.3 is not."""
    told = [
        _run(4 * index, results=(Result(task="LM", metric="Perplexity", value=value),))
        for index, value in ((1, 10.0), (0, 10.1), (3, 10.3))
    ]
    client.post("/api/v1/footprints", json=told)
    (found,) = awards.awards(client.app._hub.engine, 2020, 2)  # type: ignore[attr-defined]
    assert (found.best, found.within, found.winners[0]["id"]) == (10.0, 2, told[1]["id"])
