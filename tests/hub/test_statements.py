"""Statements of a record in the hub: offered on its page, made of the version that is asked for."""

from __future__ import annotations

import json

import jsonschema
import pytest
from fastapi.testclient import TestClient

from sootprint.core.records import Model, Place, Work
from tests.hub import records
from tests.report.boamps_rules import REPORT

BASE = "/api/v1/footprints"
HTML = {"accept": "text/html"}
TAGS = {"boamps.task": "chat", "boamps.data": "text", "boamps.infra": "onPremise"}
MEDIA = {
    "boamps.json": "application/json",
    "sci.json": "application/json",
    "form.md": "text/markdown; charset=utf-8",
    "checklist.md": "text/markdown; charset=utf-8",
}


def posted(client: TestClient, **changes: object) -> str:
    """Identity of a record that the hub took."""
    one = records.record(**({"stage": "finetune", "tags": TAGS} | changes))
    assert client.post(BASE, json=one).json()["accepted"] == 1
    return str(one["id"])


@pytest.mark.parametrize("form", list(MEDIA))
def test_statement_is_a_file_and_its_page_has_the_link(client: TestClient, form: str) -> None:
    """Each is served with its kind and name, and stands on the record's page."""
    key = posted(client, model=Model(name="big-2", params=7e9), work=Work(tokens=2e9))
    answer = client.get(f"{BASE}/{key}.{form}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA[form])
    assert f"footprint-{key}.{form}" in answer.headers["content-disposition"]
    assert f"{BASE}/{key}.{form}" in client.get(f"/footprints/{key}", headers=HTML).text
    tag = answer.headers["etag"]
    assert client.get(f"{BASE}/{key}.{form}", headers={"if-none-match": tag}).status_code == 304


def test_boamps_of_a_correction_is_corrective_and_of_the_first_version_final(client: TestClient) -> None:
    """A later version corrects what was published; each version has its own report."""
    one = records.record(stage="finetune", tags=TAGS)
    client.post(BASE, json=one)
    client.post(BASE, json=one | {"name": "corrected"}, params={"reason": "a slip"})
    found = {
        version: client.get(f"{BASE}/{one['id']}.boamps.json", params={"version": version}).json()
        for version in (1, 2)
    }
    for report in found.values():
        jsonschema.validate(report, REPORT)
    assert [found[version]["header"]["reportStatus"] for version in (1, 2)] == ["final", "corrective"]


def test_record_that_boamps_cannot_have_says_what_is_missing(client: TestClient) -> None:
    """No link on its page but a line; the address itself is a problem with the same; the others are there."""
    key = posted(client, tags={})
    page = client.get(f"/footprints/{key}", headers=HTML).text
    assert f"{key}.boamps.json" not in page
    assert "the record does not tell: the family of the task" in page
    assert f"{key}.sci.json" in page
    refused = client.get(f"{BASE}/{key}.boamps.json")
    assert refused.status_code == 400
    title = refused.json()["title"]
    assert "BoAmps requires what this record does not tell" in title and "sootprint tag" not in title


def test_evidence_is_what_the_hub_counts(client: TestClient) -> None:
    """A record that claims a wall meter and has none is not of grade A in a statement of the hub."""
    key = posted(client, grade="A")
    said = client.get(f"/api/v1/footprints/{key}/assessment").json()["grade_counted"]
    assert said != "A"
    assert f"Evidence: grade {said} of A to E" in client.get(f"{BASE}/{key}.form.md").text


def test_texts_of_strangers_stay_texts(client: TestClient) -> None:
    """Markup in a name is text in Markdown, and in a tag of ours a line on the page."""
    evil = "<script>alert(1)</script>"
    key = posted(client, name=evil, tags=TAGS | {"boamps.data": evil}, place=Place(zone="FR", country="FR"))
    for form in ("form.md", "checklist.md"):
        text = client.get(f"{BASE}/{key}.{form}").text
        assert "alert(1)" in text and "<script" not in text.replace(r"\<script", "")
    assert "<script" not in client.get(f"/footprints/{key}", headers=HTML).text
    assert json.loads(client.get(f"{BASE}/{key}.sci.json").text)["sci"]["standard"]
