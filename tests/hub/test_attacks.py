"""What an attacker types into each field of each form, and where it comes out again: pages, exports and releases."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.cells import OBEYED
from sootprint.core.records import Model
from sootprint.hub.app import application
from sootprint.hub.campaigns import store
from sootprint.hub.context import LOOPBACK, Hub
from sootprint.hub.files import dumps
from sootprint.hub.insight import surveyed
from tests.hub import records
from tests.hub.conftest import HOST, KEY, hub
from tests.hub.test_campaigns import _begin
from tests.hub.test_pages import EVIL, HTML
from tests.hub.test_security import READING, _address

FORMULA = '=HYPERLINK("http://evil.example","x")'
HIDDEN = "a\u202eb\u2066c\x07\x1b[31m\x00\ufeffd"  # turns the direction, rings, colours, ends a text
LONG = "é" * 5_000
VALUES = (EVIL, FORMULA, HIDDEN, LONG)
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
GOOD = {
    "hardware": "A100", "count": "8", "hours": "24", "zone": "FR", "model": "m", "stage": "pretrain", "task": "t",
    "dataset": "d", "metric": "Top-1", "value": "1", "do": "publish", "name": "x", "year": "2024", "kg": "10",
    "note": "I looked", "verdict": "disputed", "method": "orcid", "proof": "p", "format": "", "to": "/explore",
    "task_1": "t", "metric_1": "m", "value_1": "1", "scope_read": "1", "days": "9", "work": "unknown",
}  # fmt: skip
FIELD = re.compile(r'<(input|select|textarea)\b[^>]*?\bname="([\w-]+)"[^>]*>')


@pytest.fixture
def attacked(sqlite_engine: Engine, tmp_path: Path) -> Iterator[tuple[TestClient, Hub, dict[str, str]]]:
    """A hub of one user with a marked third-party record, and the addresses of its forms with what each shows."""
    made = Hub(
        engine=sqlite_engine,
        key=KEY,
        single_user=True,
        hosts=frozenset(LOOPBACK),
        address=HOST,
        releases=tmp_path / "releases",
    )
    with TestClient(application(made), base_url=HOST, raise_server_exceptions=False) as client:
        one = records.record(name="x", project="x")
        one["emissions_kg"] = {"value": 1e6, "basis": "claimed"}
        assert client.post("/api/v1/footprints?origin=third-party", json=one).json()["accepted"] == 1
        paper = _begin(sqlite_engine, tmp_path / "papers.csv")[0]
        answer = urlsplit(store.link(KEY, store.invitation_id("vision", paper.key), HOST)).path
        forms = {  # address that a form is sent to -> page that it is on
            "/submit": f"/submit?{urlencode({'hardware': 'A100', 'hours': '1', 'zone': 'FR'})}",
            "/submit/full": "/submit/full",
            "/review": "/review",
            "/projects/view": "/projects/view?name=x",
            f"/footprints/{one['id']}/claim": f"/footprints/{one['id']}/claim",
            answer: answer,
        }
        yield client, made, forms


def _fields(text: str) -> dict[str, str]:
    """Fields of the forms of a page that change something, with the values that are hidden in them."""
    found = {}
    for form in re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL):
        for one in FIELD.finditer(form):
            value = re.search(r'\bvalue="([^"]*)"', one[0])
            hidden = 'type="hidden"' in one[0] and value is not None
            found[one[2]] = unescape(value[1]) if hidden and value else found.get(one[2], "")
    return found


def _is_safe(answer: Any, what: object) -> None:
    """Nothing of what was typed is markup, an address elsewhere, a template, or a letter that hides others."""
    assert answer.status_code < 500, (what, answer.text[:300])
    where = urlsplit(answer.headers.get("location", "/"))
    assert where.netloc in ("", "127.0.0.1"), (what, where)
    if "html" in answer.headers.get("content-type", ""):
        assert "<script" not in answer.text, what
        assert "<img src=x" not in answer.text, what
        assert "62571049" not in answer.text, what
        assert CONTROL.search(unescape(answer.text)) is None, (what, CONTROL.search(answer.text))


def test_no_field_of_a_form_is_a_way_in(
    attacked: tuple[TestClient, Hub, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each field of each form, with markup, a formula, hidden letters and far too much: pages and files stay whole."""
    monkeypatch.setattr(surveyed, "sheet", lambda _: surveyed.empty())  # the analysis takes seconds
    client, made, forms = attacked
    sent = 0
    for address, page in forms.items():
        known = _fields(client.get(page, headers=HTML).text)
        assert len(known) > 1, page
        for name in known:
            for value in VALUES if name not in ("seal", "id", "id_seal") else VALUES[:2]:
                fresh = _fields(client.get(page, headers=HTML).text) if "id_seal" in known else known
                given = {
                    **{one: fresh.get(one) or GOOD.get(one, "") for one in known},
                    "do": "publish",
                    name: value,
                }
                answer = client.post(address, data=given, headers=HTML, follow_redirects=False)
                _is_safe(answer, (address, name, value[:20]))
                sent += answer.status_code == 303
    assert sent > 60  # most of it was taken in, so that what follows looks at something
    listed = client.get("/api/v1/footprints", params={"limit": 500, "view": "summary"}).json()["items"]
    for one in listed[::7]:  # each of the four values in turn
        _is_safe(client.get(f"/footprints/{one['id']}", headers=HTML), one["id"])
    for path in READING:
        for value in VALUES[:3]:
            asked = {
                "task": value,
                "metric": value,
                "dataset": value,
                "name": value,
                "weak": "1",
                "target": "1",
            }
            answer = client.get(_address(path, listed[0]["id"]), params=asked, headers=HTML)
            _is_safe(answer, (path, value))
    _no_cell_is_a_formula(client, made, listed)


def _no_cell_is_a_formula(client: TestClient, made: Hub, listed: list[dict[str, Any]]) -> None:
    """Whatever a spreadsheet can open: the list, a record, and the files of a release."""
    release = dumps.make(made.engine, made.releases or Path(), tag="2026-01-01", address=HOST)
    texts = [client.get(f"/api/v1/footprints/{one['id']}.csv").text for one in listed[:20]]
    texts += [client.get("/api/v1/footprints.csv").text, client.get("/template.csv").text]
    texts += [
        client.get(f"/releases/2026-01-01/{name}").text for name in release.sizes if name.endswith(".csv")
    ]
    cells = [cell for text in texts for row in csv.reader(io.StringIO(text)) for cell in row]
    assert f"'{FORMULA}" in cells
    for cell in cells:
        assert CONTROL.search(cell) is None, cell
        if cell.lstrip().startswith(OBEYED):
            assert re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cell), cell


@pytest.mark.parametrize("raw", [b"name=%ED%A0%80", b"name=%FF%FE", b"name=%00", b"&" * 5_000, b"a=" * 300])
def test_bad_unicode_and_too_many_fields_are_one_answer(client: TestClient, raw: bytes) -> None:
    """What is no form is refused as one that is not sealed, whatever it holds."""
    headers = {**HTML, "content-type": "application/x-www-form-urlencoded"}
    for path in ("/submit", "/submit/full", "/login", "/review", "/projects/view"):
        answer = client.post(path, content=raw, headers=headers, follow_redirects=False)
        assert answer.status_code in (400, 401, 403), (path, raw)


@pytest.mark.parametrize(
    "name", ["../../x.csv", "/etc/passwd", "a\\..\\b.csv", "\u202egnp.csv", "<b>.csv", "x" * 900]
)
def test_name_of_a_file_is_a_name_and_no_path(client: TestClient, name: str) -> None:
    """Nothing of it is opened or shown as markup."""
    seal = _fields(client.get("/upload", headers=HTML).text)["seal"]
    content = f"name,hours,hardware,zone\n{FORMULA.replace(',', ';')},1,A100,FR\n"
    upload = {"file": (name, content.encode("utf-16" if name == "<b>.csv" else "utf-8"))}
    answer = client.post("/upload", data={"seal": seal, "do": "publish"}, files=upload, headers=HTML)
    _is_safe(answer, name)
    assert "<b>.csv" not in answer.text


def test_nul_in_an_address_is_refused(engine: Engine) -> None:
    """PostgreSQL takes no NUL: it would be a fault of the database on each page that looks for a name."""
    with TestClient(application(hub(engine)), base_url=HOST, raise_server_exceptions=False) as client:
        named = records.record(model=Model(name="M", architecture="T"), project="P")
        client.post("/api/v1/footprints", json=named)
        for path in (
            "welcome?name=a",
            "models/view?name=M",
            "architectures/view?name=T",
            "projects/view?name=P",
        ):
            answer = client.get(f"/{path}%00", headers=HTML)
            assert (answer.status_code, "NUL" in answer.text) == (400, True), path


def test_digits_that_are_no_number_are_no_fault(sqlite_engine: Engine) -> None:
    """`str.isdigit` holds of a superscript, of which no number can be made: in a file, a record and a form."""
    with TestClient(application(hub(sqlite_engine)), base_url=HOST, raise_server_exceptions=False) as client:
        odd = records.record(
            energy_kwh=None, emissions_kg=None, components=(), started="\u00b2\u00b2\u00b2\u00b2"
        )
        seal = _fields(client.get("/upload", headers=HTML).text)["seal"]
        upload = {"file": ("x.json", json.dumps(odd).encode())}
        assert client.post("/upload", data={"seal": seal}, files=upload, headers=HTML).status_code < 500
        dated = records.trained(76.0, kg=5.5)
        dated["paper"] = {
            "citation": "x",
            "doi": None,
            "arxiv": None,
            "published": "\u00b2\u2070\u00b2\u2074",
        }
        assert client.post("/api/v1/footprints", json=dated).json()["accepted"] == 1
        assert surveyed.sheet(sqlite_engine).title == "Survey"
