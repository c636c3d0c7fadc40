"""Every route x everybody: real requests of visitors, of each role and of each kind of token, with what they must get.

A route that is in no table here fails, whether it is of the API or a page: whoever adds one says who may come in.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from sootprint.core.ids import uuid7
from sootprint.core.records import Model, Paper, Result
from sootprint.hub import accounts
from sootprint.hub.app import application
from sootprint.hub.context import Hub
from sootprint.hub.files import dumps
from sootprint.hub.insight import surveyed
from sootprint.hub.people import sessions
from tests.hub import records
from tests.hub.conftest import HOST, KEY, hub
from tests.hub.test_access import NEEDS
from tests.hub.test_people import HTML
from tests.hub.test_security import FORMS, READING, ROUTES

BOARD = urlencode({"task": "T", "dataset": "D", "metric": "M", "weak": "1"})
OPEN = {  # routes that everybody may read, with what makes them whole
    "/": "", "/accessibility": "", "/privacy": "", "/explore": "", "/leaderboards": "", "/leaderboards/view": BOARD,
    "/leaderboards/target": f"{BOARD}&target=1", "/award": "", "/trends": "", "/map": "", "/survey": "", "/quality": "",
    "/campaigns": "", "/venues": "", "/compare": "id={key}&id={other}", "/downloads": "", "/footprint": "",
    "/live": "", "/live/{key}": "",
    "/login": "", "/methodology": "", "/review": "", "/submit": "", "/submit/full": "", "/upload": "",
    "/template.csv": "", "/healthz": "", "/readyz": "", "/metrics": "", "/footprints/{key}": "",
    "/footprints/{key}/check": "", "/footprints/{key}/diff": "before=1&after=2", "/models/view": "name=M1",
    "/architectures/view": "name=A1", "/papers/view": "name=P1", "/groups/view": "name=G1",
    "/projects/view": "name=P2", "/badges/{name}": "", "/static/{name}": "", "/releases/{tag}/{name}": "",
    "/api/v1/openapi.json": "", "/api/v1/facets": "", "/api/v1/factors": "",
    "/api/v1/footprints": "", "/api/v1/footprints.csv": "",
    "/api/v1/footprints.jsonl": "", "/api/v1/footprints/{name}": "", "/api/v1/footprints/{key}/assessment": "",
    "/api/v1/footprints/{key}/check": "venue=conference", "/api/v1/footprints/{key}/versions": "",
    "/api/v1/leaderboards": BOARD, "/api/v1/live": "", "/api/v1/live/{key}": "", "/api/v1/releases": "",
    "/api/v1/venues": "",
}  # fmt: skip
CLOSED = {
    "/account": "member",
    "/claims": "correct",
    "/footprints/{key}/claim": "member",
}  # a right, or any account
LINKED = ("/answer/{token}", "/welcome")  # opened by a signed link alone, whoever follows it


@pytest.fixture
def shared(open_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, str, str]]:
    """A hub with accounts of each role, a record of two versions, a live run and a release."""
    folder = tmp_path_factory.mktemp("doors")
    made = Hub(
        engine=open_hub.engine,
        key=KEY,
        single_user=False,
        hosts=open_hub.hosts,
        address=HOST,
        releases=folder,
    )
    made.limits._rates = dict.fromkeys(made.limits._rates, (1e6, 1e6))
    result = Result(task="T", dataset="D", metric="M", value=1.0)
    model = Model(name="M1", architecture="A1")
    about = {"model": model, "results": (result,), "paper": Paper(citation="P1")}
    one = records.record(name="x", project="P2", run_group="G1", **about)
    with TestClient(application(hub(open_hub.engine)), base_url=HOST) as client:
        client.post("/api/v1/footprints?origin=third-party", json=one)
        client.post("/api/v1/footprints?reason=r", json={**one, "name": "y"})
        other = records.record()
        client.post("/api/v1/footprints", json=other)
        told = {"duration_s": 60.0, "energy_kwh": 0.1, "emissions_kg": 0.1, "minutes": []}
        assert client.post(f"/api/v1/live/{one['id']}/minutes", json=told).status_code == 200
    dumps.make(open_hub.engine, folder, tag="2026-01-01", address=HOST)
    yield made, one["id"], other["id"]


def _address(path: str, key: str) -> str:
    """Address of a route for which there is something."""
    names = {
        "/badges/{name}": f"{key}.svg",
        "/static/{name}": "hub.css",
        "/api/v1/footprints/{name}": f"{key}.csv",
    }
    whole = path.replace("{key}", key).replace("{tag}", "2026-01-01").replace("{number}", "1")
    return whole.replace("{name}", names.get(path, "footprints.csv")).replace("{token}", "x.y")


def _callers(made: Hub) -> dict[str, tuple[dict[str, str], frozenset[str]]]:
    """Headers of each caller, and what it may in the pages; a token opens no page."""
    found = {"visitor": ({}, accounts.VISITOR.may)}
    for role in accounts.ROLES:
        number = accounts.add_account(made.engine, f"a {role}", role)
        cookie = f"{sessions.COOKIE}={sessions.start(made, number)}"
        found[role] = ({"Cookie": cookie}, accounts.MAY[role] | {"member"})
    for scope in accounts.SCOPES:
        token = accounts.make_token(made.engine, KEY, "a admin", scopes=(scope,))
        found[f"token {scope}"] = ({"Authorization": f"Bearer {token}"}, accounts.VISITOR.may)
    return found


def test_every_route_is_in_a_table() -> None:
    """A new route fails here until somebody says who may come in."""
    assert set(READING) == {*OPEN, *CLOSED, *LINKED}
    changing = {(method, path) for method, path in ROUTES if method != "GET"}
    told = {
        *NEEDS,
        *(("POST", path) for path in FORMS),
        ("POST", "/api/v1/estimate"),
        ("POST", "/api/v1/validate"),
    }
    assert changing == told


def test_every_page_and_answer_lets_in_whom_it_must(
    shared: tuple[Hub, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is open is so for all, what is closed for those with the right, and a link for its holder."""
    monkeypatch.setattr(surveyed, "sheet", lambda _: surveyed.empty())  # the analysis takes seconds
    made, key, other = shared
    with TestClient(application(made), base_url=HOST, raise_server_exceptions=False) as client:
        for who, (headers, may) in _callers(made).items():
            for path in READING:
                query = OPEN.get(path, "").format(key=key, other=other)
                address = f"{_address(path, key)}{'?' if query else ''}{query}"
                answer = client.get(address, headers={**HTML, **headers}, follow_redirects=False)
                to_login = answer.headers.get("location", "").startswith("/login")
                refused = answer.status_code in (401, 403) or to_login
                if path in LINKED:
                    assert answer.status_code == 404, (path, who)
                elif path in OPEN or CLOSED[path] in may:
                    assert answer.status_code == 200, (path, who, answer.status_code, answer.text[:300])
                else:
                    assert refused, (path, who, answer.status_code)


def test_token_may_what_its_scope_says_and_no_more(shared: tuple[Hub, str, str]) -> None:
    """Each changing route of the API x each scope, of an account that may everything; nothing of others is at stake.

    A record is taken back with the scope to submit, one's own, or to correct.
    """
    made, key = shared[0], uuid7(3.0)
    with TestClient(application(made), base_url=HOST, raise_server_exceptions=False) as client:
        for who, (headers, _) in _callers(made).items():
            scope = who.removeprefix("token ") if who.startswith("token ") else None
            for (method, path), needed in NEEDS.items():
                answer = client.request(method, _address(path, key), headers=headers, content=b"[1]")
                refused = answer.status_code in (401, 403)
                enough = (needed, "correct") if method == "DELETE" else (needed,)
                assert refused == (scope not in enough), (method, path, who, answer.status_code)
                assert answer.status_code < 500


def test_token_opens_no_form_and_a_session_no_api(shared: tuple[Hub, str, str]) -> None:
    """A cookie is no token and a token no cookie: neither does the other's work (CSRF, and a leaked token)."""
    made, key, _ = shared
    callers = _callers(made)
    with TestClient(application(made), base_url=HOST, raise_server_exceptions=False) as client:
        cookie, _ = callers["admin"]
        assert client.post("/api/v1/footprints", headers=cookie, content=b"[]").status_code == 401
        for scope in accounts.SCOPES:
            headers, _ = callers[f"token {scope}"]
            assert client.get("/claims", headers=headers).status_code == 401
            for path in FORMS:
                kind = {"files": {"file": ("x", "y")}} if path == "/upload" else {}
                answer = client.post(_address(path, key), headers=headers, data={"do": "publish"}, **kind)
                assert answer.status_code == 403, path
