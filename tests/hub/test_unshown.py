"""Records that were stored before a rule came: no page breaks, and their own says why it does not show them."""

from __future__ import annotations

import json
import math
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.records import Model, Paper, Result
from sootprint.hub import admission, ingest
from sootprint.hub.insight import agreement, projections
from tests.hub import records

HTML = {"Accept": "text/html"}
TOOL = ingest.Submission(actor="local", may_correct_all=True)
BOARD = {"task": "Task", "dataset": "Set", "metric": "Score"}
HUGE, TINY = 1.7e308, 5e-324


def _record(**changes: Any) -> dict[str, Any]:
    """A record of one model, project and leaderboard, with changes."""
    made = records.record(
        model=Model(name="Edge", architecture="Arch"), project="edge", run_group="group",
        paper=Paper(citation="Edge 2024"), results=(Result(task="Task", dataset="Set", metric="Score", value=1.0),),
    )  # fmt: skip
    return {**made, **changes}


def _quantity(value: float) -> dict[str, Any]:
    return {"value": value, "low": 0.5 * value, "high": value, "basis": "claimed"}


def _result(value: float) -> list[dict[str, Any]]:
    return [{"task": "Task", "dataset": "Set", "metric": "Score", "value": value, "kind": "quality"}]


BAD: dict[str, dict[str, Any]] = {
    "huge energy": {"energy_kwh": _quantity(HUGE), "components": []},
    "huge emissions": {"emissions_kg": _quantity(HUGE)},
    "both huge": {"energy_kwh": _quantity(HUGE), "emissions_kg": _quantity(HUGE), "components": []},
    "tiny": {"energy_kwh": _quantity(TINY), "emissions_kg": _quantity(TINY), "components": []},
    "huge result": {"results": _result(HUGE)},
    "least result": {"results": _result(-HUGE)},
    "tiny result": {"results": _result(TINY)},
    "huge time": {"duration_s": HUGE, "device_hours": _quantity(1e250)},
    "huge water": {"water_l": _quantity(HUGE), "embodied_kg": _quantity(HUGE)},
    "huge intensity": {"intensity_g_per_kwh": _quantity(HUGE), "pue": _quantity(1e300)},
    "odd date": {"started": "yesterday", "ended": "9999-99-99"},
    "early date": {"started": "0001-01-01", "ended": "0001-01-02"},
    "huge parameters": {"model": {"name": "Edge", "params": HUGE}, "work": {"flops": HUGE, "tokens": TINY}},
}  # fmt: skip


@pytest.fixture
def stored(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Ids of such records, beside one that is as usual, in the hub of `client`."""
    engine: Engine = client.app._hub.engine
    with monkeypatch.context() as earlier:
        earlier.setattr(admission, "LEAST", 0.0)
        earlier.setattr(admission, "MOST", math.inf)
        earlier.setattr(admission, "_check_date", lambda *given: None)
        found = {}
        for name, changes in {"usual": {}, **BAD}.items():
            one = _record(name=name, **changes)
            answer = ingest.take_in(engine, json.dumps(one).encode(), TOOL)
            assert answer["accepted"] == 1, (name, answer)
            found[name] = one["id"]
    return found


def _pages(ids: list[str]) -> list[str]:
    """All pages of many records, and of each."""
    boards = [urlencode({**BOARD, "weak": weak}) for weak in (0, 1)]
    many = [
        "/", "/explore", "/explore?order=emissions", "/explore?order=energy", "/explore?q=huge", "/leaderboards",
        *(f"/leaderboards/view?{one}" for one in boards), f"/leaderboards/target?{urlencode({**BOARD, 'target': 1})}",
        "/trends", "/trends?measure=energy", "/map", "/map?by=energy", "/map?by=intensity", "/award", "/quality",
        "/review", "/downloads", "/models/view?name=Edge", "/architectures/view?name=Arch",
        "/papers/view?name=Edge+2024", "/projects/view?name=edge", "/groups/view?name=group", "/survey",
        "/api/v1/footprints", "/api/v1/footprints?view=summary", "/api/v1/footprints.csv", "/api/v1/footprints.jsonl",
        *(f"/api/v1/leaderboards?{one}" for one in boards), "/api/v1/facets",
    ]  # fmt: skip
    return many + [path for key in ids for path in (f"/footprints/{key}", f"/badges/{key}.svg")]


def test_no_page_breaks(client: TestClient, stored: dict[str, str]) -> None:
    """Lists, charts, sums and the pages of the records themselves are there, and none holds an endless number."""
    broken = []
    for path in _pages(list(stored.values())):
        answer = client.get(path, headers=HTML)
        if answer.status_code != 200 or "Infinity" in answer.text or ">nan" in answer.text:
            broken.append((path, answer.status_code, answer.text[:200]))
    assert broken == []


@pytest.mark.parametrize("name", BAD)
def test_page_says_why_it_is_not_shown(client: TestClient, stored: dict[str, str], name: str) -> None:
    """The field, its value and the rule, with the way to its JSON; other forms of it say so in one line."""
    key = stored[name]
    page = client.get(f"/footprints/{key}", headers=HTML).text
    assert "This footprint cannot be shown" in page
    assert f'href="/api/v1/footprints/{key}?version=1"' in page
    assert client.get(f"/api/v1/footprints/{key}").json()["id"] == key
    other = stored["usual"]
    for path in (
        f"/compare?id={key}&id={other}", f"/footprints/{key}/check", f"/api/v1/footprints/{key}.md",
        f"/api/v1/footprints/{key}.yaml", f"/api/v1/footprints/{key}/assessment",
    ):  # fmt: skip
        answer = client.get(path)
        assert (answer.status_code, "cannot be shown" in answer.json()["title"]) == (409, True), path


def test_retraction_and_correction_end_it(client: TestClient, stored: dict[str, str]) -> None:
    """A version that keeps the rule is shown again, and its earlier one as it was."""
    key = stored["both huge"]
    one = {**_record(name="mended"), "id": key}
    assert client.post("/api/v1/footprints", json=one, params={"reason": "a unit"}).json()["accepted"] == 1
    assert "cannot be shown" not in client.get(f"/footprints/{key}", headers=HTML).text
    assert "cannot be shown" in client.get(f"/footprints/{key}?version=1", headers=HTML).text
    assert client.delete(f"/api/v1/footprints/{stored['tiny']}", params={"reason": "x"}).status_code == 200
    assert client.get(f"/footprints/{stored['tiny']}", headers=HTML).status_code == 410


def test_lists_are_made_again_with_them(client: TestClient, stored: dict[str, str]) -> None:
    """An upgrade that gives rows other columns is not stopped by them; their rows stay as they are."""
    engine: Engine = client.app._hub.engine
    with engine.begin() as connection:
        projections._mark(connection, projections.MADE, 0)
    assert projections.ensure(engine) == len(stored)
    with engine.begin() as connection:
        projections._mark(connection, projections.MADE, 0)
    assert projections.catch_up(engine) == len(stored)
    assert client.get("/explore", headers=HTML).status_code == 200
    agreement.mend(engine)
    assert client.get("/explore", headers=HTML).status_code == 200


def test_record_without_its_recomputation_is_shown(client: TestClient, stored: dict[str, str]) -> None:
    """What is not kept is computed for the page."""
    with client.app._hub.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM recomputation"))
    page = client.get(f"/footprints/{stored['usual']}", headers=HTML)
    assert (page.status_code, "Claimed and recomputed" in page.text) == (200, True)
    assert client.get(f"/api/v1/footprints/{stored['usual']}/assessment").json()["emissions_kg"]["ratio"]
