"""The pages: whole without a script, safe whatever a record holds, and the form from question to leaderboard."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.records import CurvePoint, Hardware, Model, Paper, Place, Result
from sootprint.hub import accounts, corrections, ingest, reading, seed
from sootprint.hub.context import Hub
from sootprint.hub.people import claims
from tests.hub import records
from tests.hub.conftest import KEY

HTML = {"Accept": "text/html"}
PAGES = ("/", "/explore", "/leaderboards", "/submit", "/methodology", "/downloads")
QUESTIONS = {"hardware": "A100", "count": "8", "hours": "48", "zone": "FR"}
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7901*7919}}'"


def _post(client: TestClient, *listed: dict[str, Any]) -> None:
    assert client.post("/api/v1/footprints", json=list(listed)).status_code == 200


def _is_clean(text: str) -> bool:
    """Whether a page has no script, no style but its file's, and nothing of another address."""
    loaded = re.findall(r'<(?:script|img|link|iframe|source|object)[^>]*(?:src|href)="([^"]*)"', text)
    inline = re.search(r"<script|<style|\son\w+=|\sstyle=|javascript:", re.sub(r'"[^"]*"', '""', text))
    return inline is None and all(one.startswith(("/static/", "/badges/")) for one in loaded)


@pytest.mark.parametrize("path", PAGES)
def test_page_of_an_empty_hub_is_there(client: TestClient, path: str) -> None:
    """A first look is a page with a way on, not an error."""
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200
    assert "<main" in answer.text
    assert _is_clean(answer.text)


def test_newer_estimate_of_a_published_run_is_a_version_with_a_reason(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade nothing is said to be added that is there already."""
    few = list(itertools.islice(seed.footprints(), 3))
    monkeypatch.setattr(seed, "footprints", lambda: few)
    assert seed.seed(client.app._hub.engine)["accepted"] == 3
    few[0] = dataclasses.replace(few[0], warnings=("estimated otherwise",))
    answer = seed.seed(client.app._hub.engine)
    assert {name: answer[name] for name in ("accepted", "updated", "duplicate")} == {
        "accepted": 0,
        "updated": 1,
        "duplicate": 2,
    }
    newest = client.get(f"/api/v1/footprints/{few[0].id}/versions").json()["items"][-1]
    assert (newest["version"], newest["reason"]) == (2, seed.WHY)


def test_page_of_each_published_run_is_there(client: TestClient) -> None:
    """The packaged runs have pages, and the one whose emissions cannot be is marked."""
    answer = seed.seed(client.app._hub.engine)
    assert answer["accepted"] > 100
    assert answer["rejected"] == []
    assert seed.seed(client.app._hub.engine)["accepted"] == 0
    items = client.get("/api/v1/footprints", params={"limit": 500, "view": "summary"}).json()["items"]
    assert {one["origin"] for one in items} == {"third-party"}
    marked = [one["model"] for one in items if one["marked"]]
    assert marked == ["Llama 3.3 70B"]
    for one in items[:3]:
        page = client.get(f"/footprints/{one['id']}", headers=HTML)
        assert page.status_code == 200
        assert _is_clean(page.text)


def test_seeding_leaves_to_authors_what_they_claimed(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer estimate of ours takes no place of an author's own number; a retracted one stays so."""
    few = list(itertools.islice(seed.footprints(), 3))
    monkeypatch.setattr(seed, "footprints", lambda: few)
    seed.seed(sqlite_engine)
    author = dataclasses.replace(
        accounts.LOCAL, account_id=accounts.add_account(sqlite_engine, "ada", "contributor")
    )
    number = claims.claim(sqlite_engine, few[0].id, author, method="orcid", proof="0000-0002-1825-0097")
    claims.decide(sqlite_engine, number, accounts.LOCAL, confirmed=True)
    sender = ingest.Submission(actor="ada", account_id=author.account_id, reason="the logs were found")
    own = dataclasses.replace(few[0], name="mine")
    ingest.take_in(sqlite_engine, own.to_json().encode(), sender)
    corrections.retract(
        sqlite_engine, few[1].id, ingest.Submission(actor="local", reason="twice", may_correct_all=True)
    )
    few[:] = [dataclasses.replace(one, warnings=("estimated anew",)) for one in few]
    answer = seed.seed(sqlite_engine)
    assert (answer["accepted"], answer["updated"], answer["duplicate"]) == (0, 1, 1)
    assert len(answer["rejected"]) == 1
    assert reading.history(sqlite_engine, few[0].id)[-1]["reason"] == "the logs were found"


def _everywhere(text: str) -> dict[str, Any]:
    """A record with a text in every field that takes any."""
    return records.record(
        name=text,
        project=text,
        tags={text: text},
        run_group=text,
        parent=text,
        node=text,
        model=Model(name=text, family=text, architecture=text, technique=text, base=text),
        results=(Result(task=text, dataset=text, split=text, metric=text, value=1.0),),
        curve=(CurvePoint(energy_kwh=1.0, metric=text, value=1.0),),
        paper=Paper(citation=text, doi=text, arxiv=text, published=text),
        place=Place(zone=text, country=text, subdivision=text, provider=text, region=text, source=text),
        hardware=(Hardware(kind="accelerator", vendor=text, name=text),),
        software={text: text},
        tool=text,
        tool_version=text,
        warnings=(text,),
        unknown=(text,),
        given={text: text},
    )


def test_nothing_that_a_record_holds_becomes_markup(client: TestClient) -> None:
    """A script in every text field is shown as text on every page that shows the record."""
    one = _everywhere(EVIL)
    _post(client, one)
    chosen = {"task": EVIL, "dataset": EVIL, "metric": EVIL, "weak": "1"}
    for path, parameters in (
        ("/", {}),
        ("/explore", {}),
        ("/explore", {"task": EVIL, "q": "script"}),
        ("/leaderboards", {}),
        ("/leaderboards/view", chosen),
        (f"/footprints/{one['id']}", {}),
    ):
        answer = client.get(path, params=parameters, headers=HTML)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text
        assert "<img src=x" not in answer.text
        assert "62571049" not in unescape(answer.text).replace(" ", ""), (
            "a template in a record was evaluated"
        )
    client.delete(f"/api/v1/footprints/{one['id']}", params={"reason": EVIL})
    gone = client.get(f"/footprints/{one['id']}", headers=HTML)
    assert gone.status_code == 410
    assert "<script" not in gone.text


@pytest.mark.parametrize(
    "path",
    [
        "/explore?q={}",
        "/explore?task={}",
        "/submit?hardware={}&hours=1",
        "/leaderboards/view?task={}&metric={}",
        "/footprints/{}",
        "/{}",
    ],
)
def test_nothing_that_an_address_holds_becomes_markup(client: TestClient, path: str) -> None:
    """A script in the address comes back as text."""
    answer = client.get(path.replace("{}", EVIL.replace("#", "")), headers=HTML)
    assert answer.status_code < 500
    assert "<script" not in answer.text
    assert "<img src=x" not in answer.text


@pytest.mark.parametrize(
    "path", ["/static/..%2f..%2fpages.py", "/static/%2e%2e/app.py", "/static/hub.key", "/static//etc/passwd"]
)
def test_no_other_file_is_served(client: TestClient, path: str) -> None:
    """Only the two files of the pages."""
    assert client.get(path).status_code == 404


def test_record_page_shows_claim_beside_recomputation(client: TestClient) -> None:
    """Both numbers, the ratio, the mark, the history and the exports are on the page."""
    one = records.record(name="slip")
    recomputed = f"{one['emissions_kg']['value']:.2g} kg"
    one["emissions_kg"] = {"value": one["emissions_kg"]["value"] * 1000.0, "basis": "claimed"}
    _post(client, one)
    client.post("/api/v1/footprints", json={**one, "name": "slip, again"}, params={"reason": "a better name"})
    text = unescape(client.get(f"/footprints/{one['id']}", headers=HTML).text)
    for words in (
        "grams typed as kilograms",
        "1,000\N{NO-BREAK SPACE}×",
        "a better name",
        "BibTeX",
        "Grade D",
        recomputed,
    ):
        assert words in text
    earlier = client.get(f"/footprints/{one['id']}?version=1", headers=HTML).text
    assert "This is an earlier version" in earlier


def test_form_gives_an_estimate_with_its_interval(client: TestClient) -> None:
    """Three answers, and nothing is stored."""
    text = unescape(client.get("/submit", params=QUESTIONS, headers=HTML).text)
    assert "Your estimate" in text
    assert "90 % interval 2.7 to 9.1 kg" in text
    assert client.get("/api/v1/footprints").json()["items"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("hours", "-1"), ("hours", "many"), ("hardware", "Z9999"), ("zone", "Atlantis"), ("pue", "0.2")],
)
def test_wrong_answer_is_named_and_the_others_are_kept(client: TestClient, field: str, value: str) -> None:
    """The page says what is wrong, and the form still holds what was typed."""
    answer = client.get("/submit", params={**QUESTIONS, field: value}, headers=HTML)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert f'value="{value}"' in answer.text


def _publish(client: TestClient, **more: str) -> Any:
    page = client.get("/submit", params=QUESTIONS, headers=HTML)
    sealed = re.search(r'name="seal" value="(\w+)"', page.text)
    assert sealed is not None
    fields = QUESTIONS | {"seal": sealed[1], "model": "ResNet-50", "stage": "pretrain"} | more
    return client.post("/submit", data=fields, headers=HTML, follow_redirects=False)


def test_published_form_is_on_its_page_and_leaderboard(client: TestClient) -> None:
    """From three questions to the leaderboard."""
    result = {
        "task": "Image Classification",
        "dataset": "ImageNet",
        "metric": "Top-1 accuracy",
        "value": "76.1",
    }
    answer = _publish(client, **result, paper="He et al. 2016")
    assert answer.status_code == 303
    assert "ResNet-50" in client.get(answer.headers["location"], headers=HTML).text
    chosen = {key: result[key] for key in ("task", "dataset", "metric")}
    for asked in ({}, {"weak": "1"}):  # all evidence where there is no better
        board = client.get("/leaderboards/view", params=chosen | asked, headers=HTML).text
        assert "He et al. 2016" in board
        assert "carbon, energy" in board
        assert ("all evidence is shown" in board) == (not asked)
    sound = client.get("/leaderboards/view", params=chosen | {"weak": "0"}, headers=HTML).text
    assert "He et al. 2016" not in sound


def test_form_of_somebody_else_is_refused(client: TestClient) -> None:
    """Without the seal of this browser nothing is published (CSRF)."""
    assert _publish(client, seal="0" * 64).status_code == 403
    assert _publish(client, seal="é").status_code == 403
    client.cookies.clear()
    assert client.post("/submit", data=QUESTIONS | {"model": "x"}, headers=HTML).status_code == 403
    assert client.get("/api/v1/footprints").json()["items"] == []


def test_result_without_its_metric_is_refused(client: TestClient) -> None:
    """Half a result is none."""
    answer = _publish(client, task="Image Classification", value="76.1")
    assert answer.status_code == 400
    assert "task, metric and value" in answer.text


def test_hub_with_tokens_asks_for_one(open_hub: Hub, open_client: TestClient) -> None:
    """An estimate is for everybody, publishing for who may submit."""
    assert _publish(open_client).status_code == 401
    accounts.add_account(open_hub.engine, "alice", "contributor")
    token = accounts.make_token(open_hub.engine, KEY, "alice", scopes=("submit",))
    assert _publish(open_client, token=token).status_code == 303


def test_error_is_a_page_for_a_browser_and_json_for_a_program(client: TestClient) -> None:
    """Both say the same."""
    assert "<h1>" in client.get("/footprints/x", headers=HTML).text
    assert client.get("/footprints/x").json()["status"] == 404


def test_page_behind_the_last_says_so_and_leads_back(client: TestClient) -> None:
    """A kept address whose entries have left the list says neither that the hub is empty nor that nothing fits."""
    client.post(
        "/api/v1/footprints", json=[records.trained(70.0 + n, kg=3.0, name=f"m {n}") for n in range(3)]
    )
    behind = base64.urlsafe_b64encode(b'["newest", 0]').decode()
    best = base64.urlsafe_b64encode(b"[-1.0, 9.0, 9, 900]").decode()
    board = {"task": "image classification", "dataset": "imagenet", "metric": "top-1", "weak": "1"}
    for path, asked, back in (
        ("/explore", {"cursor": behind, "country": "FR"}, 'href="/explore?country=FR"'),
        ("/review", {"cursor": behind}, 'href="/review"'),
        ("/leaderboards/view", board | {"cursor": best}, "To the best"),
    ):
        page = client.get(path, params=asked, headers=HTML).text
        assert "Nothing is left behind the last page" in page, path
        assert back in page
        assert not re.search("No footprint fits|Nothing waits|901 to 900", page)


def test_instants_of_other_time_zones_are_told_in_utc(client: TestClient) -> None:
    """Lists of runs inside of another say UTC above, whatever zone a record has its start in."""
    around = records.record(name="around", started="2023-12-31T20:00:00-08:00")
    inside = records.record(name="inside", parent=around["id"], started="2023-12-31T23:30:00-08:00")
    client.post("/api/v1/footprints", json=[around, inside])
    page = client.get(f"/footprints/{around['id']}", headers=HTML).text
    assert "2024-01-01 07:30" in page
    assert "2023-12-31 23:30" not in page
