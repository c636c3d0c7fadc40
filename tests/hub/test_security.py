"""What no route may do, whichever it is: each test asks the application for its routes, so that a new one is in."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sootprint.hub import accounts, database, secrets
from sootprint.hub.app import application, unguarded
from sootprint.hub.context import Hub
from sootprint.hub.people import passwords
from tests.hub.conftest import HOST, KEY, hub
from tests.hub.test_access import NEEDS
from tests.hub.test_pages import EVIL, _everywhere
from tests.hub.test_people import HTML, PASSWORD, log_in, seal_of

Route = tuple[str, str]
AWAY = "https://evil.example/x"
# Forms of the pages with what whoever sends one must be allowed to; None for those that are for everybody
FORMS: dict[str, str | None] = {
    "/login": None,
    "/logout": None,
    "/welcome": None,
    "/submit": "submit",
    "/submit/full": "submit",
    "/upload": "submit",
    "/account/tokens": "member",
    "/account/tokens/revoke": "member",
    "/account/password": "member",
    "/footprints/{key}/claim": "submit",
    "/claims/{number}": "correct",
    "/review": "review",
    "/projects/view": "correct",
    "/answer/{token}": None,
    "/answer/{token}/decline": None,
}


GOOD = {"hardware": "A100", "hours": "1", "zone": "FR", "model": "m", "stage": "other", "name": "m"}
GOOD |= {"verdict": "confirm"}


def _walked(routes: Any) -> Iterator[Route]:
    for one in routes:
        inner = getattr(one, "original_router", None)
        if inner is not None:
            yield from _walked(inner.routes)
        else:
            yield from ((method, one.path) for method in one.methods - {"HEAD"})


def _routes() -> list[Route]:
    engine = database.connect(database.url_of("sqlite://", Path()))
    return sorted(set(_walked(unguarded(hub(engine)).routes)))


ROUTES = _routes()
CHANGING = [(method, path) for method, path in ROUTES if method != "GET"]
READING = [path for method, path in ROUTES if method == "GET"]


def _address(path: str, value: str = "x") -> str:
    from urllib.parse import quote

    return re.sub(r"\{\w+\}", quote(value, safe=""), path.replace("{number}", "1"))


def test_every_route_that_changes_something_is_known() -> None:
    """A new one has to be put into one of the two tables, with what it needs."""
    pages = {path for _, path in CHANGING if not path.startswith("/api/")}
    assert pages == set(FORMS)
    programs = {one for one in CHANGING if one[1].startswith("/api/")}
    assert programs - set(NEEDS) == {("POST", "/api/v1/estimate"), ("POST", "/api/v1/validate")}
    assert not [one for one in ROUTES if one[0] not in ("GET", "POST", "DELETE")]


def _sent(client: TestClient, path: str, **fields: str) -> Any:
    """Answer to a form of a page, as its browser sends it."""
    given = {"seal": seal_of(client, "/upload"), **GOOD, **fields}
    upload = {"files": {"file": ("x.csv", "hours,hardware\n1,A100\n")}} if path == "/upload" else {}
    return client.post(_address(path), data=given, headers=HTML, follow_redirects=False, **upload)


def test_every_form_asks_every_role_for_what_it_needs(open_hub: Hub) -> None:
    """Forms x roles: whoever lacks the right is refused or sent to the login, and whoever has it is not."""
    for role in accounts.ROLES:
        accounts.add_account(open_hub.engine, f"a {role}", role)
        passwords.set_password(open_hub.engine, f"a {role}", PASSWORD)
    rights = {role: accounts.MAY[role] | {"member"} for role in accounts.ROLES}
    rights["visitor"] = accounts.VISITOR.may
    for role, may in rights.items():
        with _browser(open_hub) as client:
            assert role == "visitor" or log_in(client, f"a {role}") == 303
            for path, needed in FORMS.items():
                if needed is None:
                    continue
                answer = _sent(client, path, do="publish")
                refused = answer.status_code in (401, 403) or answer.headers.get("location") == "/login"
                assert refused == (needed not in may), (path, role, answer.status_code)


def _browser(made: Hub) -> TestClient:
    made.limits._rates = dict.fromkeys(made.limits._rates, (1000000.0, 1000000.0))
    return TestClient(application(made), base_url=HOST, raise_server_exceptions=False)


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_no_other_site_changes_anything(client: TestClient, method: str, path: str) -> None:
    """Each route refuses a request of another origin; each form one without the seal of its browser (CSRF)."""
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.request(method, _address(path), headers=headers, content=b"{}")
        assert answer.status_code == 403, headers
    if path in FORMS:
        for seal in ("", "0" * 64, "é"):
            kind = {"files": {"file": ("x", "y")}} if path == "/upload" else {}
            answer = client.post(_address(path), data={"seal": seal}, follow_redirects=False, **kind)
            assert answer.status_code == 403, seal


def _parameters(path: str) -> list[str]:
    """Names of the parameters of all pages, those of a page that nobody knows included."""
    return ["q", "task", "dataset", "metric", "model", "name", "to", "cursor", "id", "by", "stage", "seal", "target",
            "version", "before", "after", "year", "until", "hours", "hardware", path.rpartition("/")[2]]  # fmt: skip


@pytest.mark.parametrize("path", READING)
def test_no_page_gives_back_markup_or_leads_away(client: TestClient, path: str) -> None:
    """A script, a template and an address of another site in every parameter: text, or a refusal."""
    for value in (EVIL, AWAY, "//evil.example", "/\\evil.example", "\r\nLocation: https://evil.example"):
        asked = dict.fromkeys(_parameters(path), value)
        for parameters in (asked, dict.fromkeys(("task", "metric", "name", "to", "q"), value)):
            answer = client.get(
                _address(path, value), params=parameters, headers=HTML, follow_redirects=False
            )
            assert answer.status_code < 500, (value, answer.text)
            where = answer.headers.get("location", "/")
            assert where.startswith("/"), where
            assert where[1:2] not in ("/", "\\"), where
            if "html" in answer.headers.get("content-type", ""):
                assert "<script>alert" not in answer.text
                assert "<img src=x" not in answer.text
                assert "62571049" not in unescape(answer.text).replace(" ", "")


def test_no_page_makes_markup_of_a_record(client: TestClient) -> None:
    """A script in every text of a record stays text on every page that there is."""
    one = _everywhere(EVIL)
    assert client.post("/api/v1/footprints", json=one).json()["accepted"] == 1
    chosen = {"task": EVIL, "dataset": EVIL, "metric": EVIL, "weak": "1", "name": EVIL, "target": "1"}
    shown = 0
    for path in READING:
        for parameters in ({}, chosen):
            answer = client.get(_address(path, one["id"]), params=parameters, headers=HTML)
            assert answer.status_code < 500, path
            if "html" in answer.headers.get("content-type", ""):
                shown += "alert(1)" in answer.text
                assert "<script>alert" not in answer.text, path
                assert "<img src=x" not in answer.text, path
                assert "62571049" not in unescape(answer.text).replace(" ", ""), path
    assert shown >= 4  # it is on some pages, so that the test looks at something


def test_each_answer_forbids_scripts_of_others(client: TestClient) -> None:
    """Every route, whatever it answers, has the strict policy."""
    for method, path in ROUTES:
        answer = client.request(method, _address(path), follow_redirects=False)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert answer.headers["x-content-type-options"] == "nosniff", path


def test_token_that_is_wrong_costs_the_same_whatever_is_wrong(
    open_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known prefix, unknown prefix, no token, expired, closed: one look-up, one hash, one comparison, one answer."""
    accounts.add_account(open_hub.engine, "ada", "contributor")
    good = accounts.make_token(open_hub.engine, KEY, "ada", scopes=("submit",))
    prefix, _, secret = good.partition(".")
    done: list[str] = []
    compare, mac = hmac.compare_digest, secrets.mac
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: done.append("compared") or compare(a, b))
    monkeypatch.setattr(accounts, "mac", lambda *given: done.append("hashed") or mac(*given))
    wrong = (
        f"{prefix}.{'a' * 43}",
        f"soot_00000000.{secret}",
        "x",
        "",
        f"{prefix}.",
        "soot_00000000." + "a" * 43,
    )
    costs, answers = [], set()
    with _browser(open_hub) as client:
        for token in wrong:
            done.clear()
            answer = client.post("/api/v1/footprints", json={}, headers={"Authorization": f"Bearer {token}"})
            costs.append(tuple(done))
            answers.add((answer.status_code, answer.text))
    assert set(costs) == {("hashed", "compared")}
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401
