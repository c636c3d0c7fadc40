"""API v1 from outside: one test a promise."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from sootprint import __version__
from sootprint.core.records import Footprint
from sootprint.hub import accounts, leaderboards, views
from sootprint.hub.insight import reviews
from tests.fixtures import dashboards
from tests.hub import records

BASE = "/api/v1/footprints"
FORMS = ("csv", "md", "bib", "yaml")


def _engine(client: TestClient) -> Any:
    return client.app._hub.engine  # type: ignore[attr-defined]


def _post(client: TestClient, *listed: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = client.post(BASE, json=list(listed), headers=headers)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_one_record_a_list_and_gzip_are_taken(client: TestClient) -> None:
    """All three ways in lead to the same counts."""
    assert client.post(BASE, json=records.record()).json() == {"accepted": 1, "duplicate": 0, "rejected": []}
    assert _post(client, records.record(), records.record())["accepted"] == 2
    packed = gzip.compress(records.batch(4))
    answer = client.post(BASE, content=packed, headers={"Content-Encoding": "gzip"})
    assert answer.json()["accepted"] == 4


def test_record_comes_back_as_it_was_sent(client: TestClient) -> None:
    """What is read is the record, which the core parses."""
    one = records.record(name="as sent")
    one["novel"] = {"kept": True}
    _post(client, one)
    answer = client.get(f"{BASE}/{one['id']}")
    assert answer.json() == one
    assert Footprint.from_json(answer.content).name == "as sent"
    assert answer.headers["etag"]


def test_batch_that_is_wrong_as_a_whole_is_422_with_its_reasons(client: TestClient) -> None:
    """The body has the same shape as that of a good batch."""
    answer = client.post(BASE, json=[{"id": 1}])
    assert answer.status_code == 422
    assert answer.json()["rejected"][0]["index"] == 0


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"5", 400), (b'"' + b"a" * (17 << 20) + b'"', 413)],
    ids=["cut", "number", "large"],
)
def test_body_that_is_no_batch_gets_one_line(client: TestClient, content: bytes, status: int) -> None:
    """The answer is a problem in JSON."""
    answer = client.post(BASE, content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "\n" not in answer.json()["title"]


def test_pages_hold_every_record_once_while_more_come_in(client: TestClient) -> None:
    """A reader who follows the cursor sees all that was there when he began, and none twice."""
    sent = [records.record() for _ in range(25)]
    _post(client, *sent)
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        parameters = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        page = client.get(BASE, params=parameters).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        _post(client, records.record())
    assert seen == [one["id"] for one in reversed(sent)]


@pytest.mark.parametrize("order", ["emissions", "energy"])
def test_other_orders_page_as_well(client: TestClient, order: str) -> None:
    """The largest come first, equal ones too."""
    _post(client, *(records.record(float(1 + n // 2)) for n in range(9)))
    seen, cursor = [], None
    while True:
        parameters = {"limit": "4", "order": order} | ({"cursor": cursor} if cursor else {})
        page = client.get(BASE, params=parameters).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len({one["id"] for one in seen}) == 9
    values = [one["emissions_kg"]["value"] for one in seen]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"cursor": "x"},
        {"cursor": "WyJuZXdlc3QiLDEuNV0"},
        {"order": "best"},
        {"year": "MMXX"},
    ],
)
def test_question_that_cannot_be_answered_is_refused(client: TestClient, parameters: dict[str, str]) -> None:
    """A wrong parameter is a 400 or 422 with its name."""
    answer = client.get(BASE, params=parameters)
    assert answer.status_code in (400, 422)
    assert next(iter(parameters)) in answer.json()["title"]


def test_filters_and_words_narrow_the_list(client: TestClient) -> None:
    """Filters are exact, words are found by their beginnings."""
    _post(client, records.record(project="thesis", name="baseline run"), records.record(stage="finetune"))
    assert len(client.get(BASE, params={"project": "thesis"}).json()["items"]) == 1
    assert len(client.get(BASE, params={"stage": "finetune", "country": "FR"}).json()["items"]) == 1
    assert len(client.get(BASE, params={"q": "base"}).json()["items"]) == 1
    assert client.get(BASE, params={"q": "base nothing"}).json()["items"] == []
    assert client.get(BASE, params={"q": "*-'\" OR 1"}).status_code == 200


def test_summary_is_one_flat_row_each(client: TestClient) -> None:
    """The row has what the hub says beside what the record says."""
    _post(client, records.record())
    row = client.get(BASE, params={"view": "summary"}).json()["items"][0]
    assert (row["country"], row["evidence"], row["verification"], row["marked"]) == (
        "FR",
        "D",
        "recomputed",
        0,
    )


def test_assessment_puts_claim_and_recomputation_side_by_side(client: TestClient) -> None:
    """Grams typed as kilograms: the claim stays, the recomputation stands beside it, the mark says why."""
    one = records.record()
    right = one["emissions_kg"]["value"]
    one["emissions_kg"] = {"value": right * 1000.0, "basis": "claimed"}
    _post(client, one)
    found = client.get(f"{BASE}/{one['id']}/assessment").json()
    assert found["emissions_kg"]["claimed"]["value"] == right * 1000.0
    assert found["emissions_kg"]["recomputed"]["value"] == pytest.approx(right)
    assert found["emissions_kg"]["ratio"] == pytest.approx(1000.0)
    assert "grams typed as kilograms" in found["marks"][0]
    assert found["factors"]


def test_versions_are_listed_and_each_is_read(client: TestClient) -> None:
    """Version 1 is there after version 2 came."""
    one = records.record(name="first")
    _post(client, one)
    client.post(BASE, json={**one, "name": "second"}, params={"reason": "typo"})
    listed = client.get(f"{BASE}/{one['id']}/versions").json()["items"]
    assert [row["reason"] for row in listed] == [None, "typo"]
    assert client.get(f"{BASE}/{one['id']}", params={"version": 1}).json()["name"] == "first"
    assert client.get(f"{BASE}/{one['id']}").json()["name"] == "second"
    assert client.get(f"{BASE}/{one['id']}", params={"version": 3}).status_code == 404


def test_retracted_record_is_gone_with_its_reason(client: TestClient) -> None:
    """410 and the reason, and the version before is still read."""
    one = records.record()
    _post(client, one)
    assert client.delete(f"{BASE}/{one['id']}").status_code == 400
    assert client.delete(f"{BASE}/{one['id']}", params={"reason": "wrong node"}).json()["version"] == 2
    answer = client.get(f"{BASE}/{one['id']}")
    assert answer.status_code == 410
    assert "wrong node" in answer.json()["title"]
    assert client.get(f"{BASE}/{one['id']}", params={"version": 1}).json() == one
    assert client.get(f"{BASE}/{one['id']}/assessment").json()["state"] == "retracted"


@pytest.mark.parametrize(
    "name", ["x", "00000000-0000-7000-8000-000000000000", "..%2f..%2fetc%2fpasswd", "%00"]
)
def test_unknown_record_is_404(client: TestClient, name: str) -> None:
    """Whatever is asked for that is not there."""
    for path in ("", "/assessment", "/versions"):
        assert client.get(f"{BASE}/{name}{path}").status_code == 404
    assert client.delete(f"{BASE}/{name}", params={"reason": "r"}).status_code == 404


def test_csv_is_no_formula(client: TestClient) -> None:
    """A cell that a spreadsheet would obey begins with an apostrophe, here and in the dump."""
    evil = '=HYPERLINK("http://evil","x")'
    one = records.record(name=evil, project="@SUM(1)", run_group="+1", parent="-1")
    _post(client, one)
    for path in (f"{BASE}/{one['id']}.csv", f"{BASE}.csv"):
        row = next(csv.DictReader(io.StringIO(client.get(path).text)))
        assert row["name"] == f"'{evil}"
        assert (row["project"], row["run_group"], row["parent"]) == ("'@SUM(1)", "'+1", "'-1")
        assert float(row["emissions_kg"]) == one["emissions_kg"]["value"]


def test_csv_of_a_record_has_its_results(client: TestClient) -> None:
    """A line each with metric, value and split; one line where there is none."""
    told = [
        {"task": "t", "dataset": "d", "split": "test", "metric": "BLEU", "value": 27.3},
        {"task": "t", "dataset": "e", "metric": "=1+1", "value": -1.5, "kind": "robustness"},
    ]
    one, none = records.record(results=told, name="told"), records.record(name="silent")
    _post(client, one, none)
    rows = list(csv.DictReader(io.StringIO(client.get(f"{BASE}/{one['id']}.csv").text)))
    names = ("name", "kind", "task", "dataset", "split", "metric", "value")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("told", "quality", "t", "d", "test", "BLEU", "27.3"),
        ("told", "robustness", "t", "e", "", "'=1+1", "-1.5"),
    ]
    [row] = csv.DictReader(io.StringIO(client.get(f"{BASE}/{none['id']}.csv").text))
    assert (row["name"], row["metric"], row["value"]) == ("silent", "", "")


def test_markdown_and_bibtex_obey_nothing_of_a_record(client: TestClient) -> None:
    """A name with markup is shown as it is."""
    one = records.record(name="}<script>alert(1)</script>\\input{x}")
    _post(client, one)
    assert "<script>" not in client.get(f"{BASE}/{one['id']}.md").text
    entry = client.get(f"{BASE}/{one['id']}.bib").text
    assert "<script>alert(1)</script>\\textbackslash{}input\\textbraceleft{}x\\textbraceright{}" in entry
    assert entry.count("{") == entry.count("}")
    assert client.get(f"{BASE}/{one['id']}.exe").status_code == 404


def test_dump_holds_every_record(client: TestClient) -> None:
    """JSON lines are whole records, more than one page of them."""
    client.post(BASE, content=records.batch(520))
    lines = client.get(f"{BASE}.jsonl").text.splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == 520
    assert len(client.get(f"{BASE}.csv").text.splitlines()) == 521


def test_validation_stores_nothing(client: TestClient) -> None:
    """It says what is wrong, and what the hub would say of the rest."""
    answer = client.post("/api/v1/validate", json=[records.record(), {"id": 5}]).json()
    assert answer["valid"] is False
    assert answer["previews"][0]["verification"] == "recomputed"
    assert client.get(BASE).json()["items"] == []


def test_estimate_has_an_interval(client: TestClient) -> None:
    """Three answers give a footprint of grade D; a name in no table gets a line."""
    asked = {"hardware": "A100", "count": 8, "hours": 48, "zone": "FR"}
    made = client.post("/api/v1/estimate", json=asked).json()
    assert made["emissions_kg"]["low"] < made["emissions_kg"]["value"] < made["emissions_kg"]["high"]
    assert made["grade"] == "D"
    answer = client.post("/api/v1/estimate", json={**asked, "hardware": "Z9999"})
    assert answer.status_code == 400
    assert "Z9999" in answer.json()["title"]


def test_leaderboard_has_its_front(client: TestClient) -> None:
    """Of three models, the two that no other beats in both are on the front; marked records wait outside."""
    _post(
        client,
        records.trained(70.0, kg=4.0, name="small"),
        records.trained(80.0, kg=8.0, name="good"),
        records.trained(75.0, kg=9.0, name="beaten"),
        records.trained(99.0, kg=9e9, name="marked"),
    )
    boards = client.get("/api/v1/leaderboards").json()["items"]
    named = {"task": "Image classification", "dataset": "ImageNet", "metric": "Top-1", "split": ""}
    assert boards == [named | {"n": 4}]
    chosen = {"task": "image classification", "dataset": "IMAGENET", "metric": "top-1", "weak": "true"}
    found = client.get("/api/v1/leaderboards", params=chosen).json()
    fronts = {one["model"]: one["front_carbon"] for one in found["entries"]}
    assert fronts == {"small": True, "good": True, "beaten": False, "marked": True}
    sound = client.get("/api/v1/leaderboards", params={**chosen, "weak": "false"}).json()
    assert (sound["entries"], sound["left_out"]) == ([], 4)
    unasked = client.get(
        "/api/v1/leaderboards", params={k: v for k, v in chosen.items() if k != "weak"}
    ).json()
    assert unasked == found | {"weak": True}  # as the page shows them: there is no sound one
    assert sound["weak"] is False


@pytest.mark.parametrize(("metric", "sign"), [("Top-1", 1), ("Perplexity", -1)])
def test_leaderboard_of_more_entries_than_are_told_has_the_ranks_and_fronts_of_all(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, metric: str, sign: int
) -> None:
    """The best are told in their order; the fronts are those of all, however few are looked at or cost the same."""
    chance = random.Random(5)
    made = [(round(chance.uniform(60.0, 90.0)), round(chance.lognormvariate(0.0, 1.5), 2)) for _ in range(40)]
    made += [(65.0 + n, 0.01) for n in range(12)]
    _post(client, *(records.trained(float(value), kg=kg, name="m", metric=metric) for value, kg in made))
    chosen = {"task": "image classification", "dataset": "imagenet", "metric": metric, "weak": "true"}
    wanted = sorted(
        (kg, value)
        for value, kg in made
        if not any(
            (sign * v >= sign * value and k < kg) or (sign * v > sign * value and k <= kg) for v, k in made
        )
    )
    monkeypatch.setattr(leaderboards, "MOST_ENTRIES", 9)
    for looked in (256, 1, 3, 40):
        monkeypatch.setattr(leaderboards, "LOOKED", looked)
        found = client.get("/api/v1/leaderboards", params=chosen).json()
        assert [tuple(point) for point in found["fronts"]["emissions_kg"]] == sorted(set(wanted))
        assert found["n"] == len(made)
        ranked = sorted(made, key=lambda one: (-sign * one[0], one[1]))
        assert [(one["value"], one["emissions_kg"]) for one in found["entries"]] == ranked[:9]
        for one in found["entries"]:
            assert one["front_carbon"] == ((one["emissions_kg"], one["value"]) in wanted)
    page = client.get("/leaderboards/view", params={**chosen, "weak": "1"}, headers={"Accept": "text/html"})
    assert "52 footprints" in page.text


@pytest.mark.parametrize(("metric", "sign"), [("Top-1", 1), ("Perplexity", -1)])
def test_every_entry_of_a_leaderboard_is_reached_page_by_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, metric: str, sign: int
) -> None:
    """No entry is left out or told twice, however many are as good and cost the same."""
    made = [(60.0 + n % 3, 1.0 + n % 2) for n in range(14)]
    _post(
        client,
        *(records.trained(value, kg=kg, name=f"m-{n}", metric=metric) for n, (value, kg) in enumerate(made)),
    )
    chosen = {"task": "image classification", "dataset": "imagenet", "metric": metric, "weak": "1"}
    monkeypatch.setattr(leaderboards, "MOST_ENTRIES", 3)
    monkeypatch.setattr(views, "SHOWN_ENTRIES", 5)
    told, cursor = [], None
    while cursor or not told:
        asked = chosen | ({"cursor": cursor} if cursor else {})
        found = client.get("/api/v1/leaderboards", params=asked).json()
        told, cursor = told + found["entries"], found["next_cursor"]
    ranked = sorted(made, key=lambda one: (-sign * one[0], one[1]))
    assert [(one["value"], one["emissions_kg"]) for one in told] == ranked
    assert len({one["id"] for one in told}) == len(made)

    path, seen, captions, drawn = f"/leaderboards/view?{urlencode(chosen)}", [], [], []
    while path:
        page = client.get(path, headers={"Accept": "text/html"}).text
        seen += re.findall(r'rowheader" scope="row"><a href="/footprints/([^"]+)"', page)
        captions += re.findall(r"first, (\d+ to \d+ of \d+)", page)
        drawn += re.findall(r"<figcaption>.*?entries (\d+ to \d+) are drawn", page)
        following = re.search(r'<a href="([^"]+)" rel="next">', page)
        path = unescape(following[1]) if following else ""
    assert seen == [one["id"] for one in told]
    assert captions == ["1 to 5 of 14", "6 to 10 of 14", "11 to 14 of 14"]
    assert drawn == ["6 to 10", "6 to 10", "11 to 14", "11 to 14"]  # at carbon and at energy


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMiwzLDRd", "WzEuMCxOYU4sMyw0XQ", "WzEuMCwyLjAsLTEsNF0"])
def test_cursor_of_no_leaderboard_is_refused(client: TestClient, cursor: str) -> None:
    """It is not taken for the beginning."""
    asked = {"task": "t", "metric": "m", "cursor": cursor}
    answer = client.get("/api/v1/leaderboards", params=asked)
    assert (answer.status_code, "leave it out" in answer.text) == (400, True)


@pytest.mark.parametrize("form", ["", ".csv", ".jsonl"])
def test_slip_in_a_filter_is_said_and_gives_no_records(client: TestClient, form: str) -> None:
    """`contry=FR` would else be every country."""
    answer = client.get(f"{BASE}{form}?contry=FR")
    assert (answer.status_code, answer.json()["title"]) == (
        400,
        "parameter 'contry' is none of a list: the nearest is country",
    )


def test_factors_are_those_of_the_catalogue(client: TestClient) -> None:
    """A program reads what the hub computes with, and where each figure comes from."""
    found = client.get("/api/v1/factors?kind=zones&q=france").json()
    assert "FR" in [one["zone"] for one in found["items"]]
    assert all(one["source"] and one["licence"] for one in found["items"])
    assert found["engine"].startswith(f"{__version__}+")
    assert client.get("/api/v1/factors").json()["items"][0]["kind"] == "emission_factor"
    assert client.get("/api/v1/factors?kind=x").status_code == 422


def test_idempotency_key_is_honoured(client: TestClient) -> None:
    """The same key with the same body gives the first answer, with another body a 409."""
    one = records.record()
    first = _post(client, one, **{"Idempotency-Key": "k1"})
    assert _post(client, one, **{"Idempotency-Key": "k1"}) == first
    other = client.post(BASE, json=[records.record()], headers={"Idempotency-Key": "k1"})
    assert other.status_code == 409


def test_health_and_counts(client: TestClient) -> None:
    """The probes answer, and Prometheus reads what happened."""
    _post(client, records.record())
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").text == "ready\n"
    text = client.get("/metrics").text
    assert 'sootprint_hub_footprints_total{outcome="accepted"} 1' in text
    assert 'route="/api/v1/footprints",status="200"} 1' in text
    dashboards.check(dashboards.read("sootprint-hub.json"), text)  # its expressions name what is exposed


def test_every_answer_has_the_headers_that_protect_a_browser(client: TestClient) -> None:
    """Errors have them too."""
    for path in ("/healthz", "/nothing", BASE):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_earlier_version_is_told_by_its_own_evidence(client: TestClient) -> None:
    """A measured first version and a bare claim as the second: neither lends the other its grade, number or verdict."""
    one = records.measured(10.0, "A")
    claim = {**one, "components": [], "grade": "E", "emissions_kg": {"value": 0.46, "basis": "claimed"}}
    _post(client, one)
    reviews.review(
        _engine(client), one["id"], "replicated", version="1", note="run again", actor=accounts.LOCAL
    )
    _post(client, claim)
    forms = {form: client.get(f"{BASE}/{one['id']}.{form}", params={"version": 1}).text for form in FORMS}
    row = next(csv.DictReader(io.StringIO(forms["csv"])))
    assert (row["version"], row["evidence"], row["verification"]) == ("1", "A", "replicated")
    assert float(row["emissions_kg"]) == pytest.approx(0.44)
    assert all("evidence A, replicated" in forms[form] for form in ("md", "bib", "yaml"))
    newest = next(csv.DictReader(io.StringIO(client.get(f"{BASE}/{one['id']}.csv").text)))
    assert (newest["version"], newest["evidence"], newest["verification"]) == ("2", "E", "recomputed")
    page = client.get(f"/footprints/{one['id']}?version=1", headers={"accept": "text/html"}).text
    assert f"{one['id']}.csv?version=1" in page
    assert "Replicated" in page


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/explore", BASE, f"{BASE}.csv", "/static/hub.css", "/nowhere"]
)
def test_head_is_answered_as_get_without_a_body(client: TestClient, path: str) -> None:
    """Monitors and checkers of links ask so (RFC 9110, section 9.1)."""
    _post(client, records.record())
    head, whole = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_words_of_a_leaderboards_chart_have_the_digits_of_its_table(client: TestClient) -> None:
    """An interval that supports two digits gives two in the words of the chart, as in the table."""
    one = records.trained(80.0, kg=5.791, name="wide")
    one["emissions_kg"] = {"value": 5.791, "low": 4.1, "high": 8.2, "basis": "derived"}
    _post(client, one, records.trained(70.0, kg=7.0, name="other"))
    chosen = {"task": "image classification", "dataset": "imagenet", "metric": "top-1", "weak": "1"}
    page = unescape(client.get("/leaderboards/view", params=chosen, headers={"Accept": "text/html"}).text)
    assert re.findall(r"The best value is 80, at ([\d.]+)\s(\w+)", page)[0] == ("5.8", "kg")
    assert ">5.8 kg<small>4.1 to 8.2 kg<" in page
    assert "5.79" not in page
