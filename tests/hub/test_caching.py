"""What may be kept of an answer: tags that follow the content, 304, and nothing kept of who is logged in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.hub import caching
from sootprint.hub.app import application
from sootprint.hub.context import LOOPBACK, Hub
from sootprint.hub.files import dumps
from sootprint.hub.rendering import fingerprint
from tests.hub import records
from tests.hub.conftest import HOST, KEY
from tests.hub.test_people import HTML, log_in, people_hub, visitor

__all__ = ["people_hub", "visitor"]  # fixtures
KINDS = {
    "/api/v1/footprints/{key}": caching.ASK,
    "/api/v1/footprints/{key}?version=1": caching.FOREVER,
    "/api/v1/footprints/{key}.csv": caching.ASK,
    "/api/v1/footprints/{key}.md?version=1": caching.ASK,
    "/api/v1/footprints/{key}.bib": caching.ASK,
    "/api/v1/footprints/{key}.yaml": caching.ASK,
    "/api/v1/footprints/{key}.form.md": caching.ASK,
    "/badges/{key}.svg": caching.HOUR,
    "/static/hub.css": caching.ASK,
    f"/static/hub.css?{fingerprint('hub.css')}": caching.FOREVER,
    "/footprints/{key}": caching.ASK,
    "/explore": caching.ASK,
}


@pytest.mark.parametrize(("address", "rule"), list(KINDS.items()))
def test_what_the_caller_has_is_not_sent_again(client: TestClient, address: str, rule: str) -> None:
    """A tag that is given back gets 304 without a body, also one among others and one that a proxy made weak."""
    one = records.record()
    client.post("/api/v1/footprints", json=one)
    path, headers = address.format(key=one["id"]), HTML if "/api/" not in address else {}
    first = client.get(path, headers=headers)
    tag = first.headers["etag"]
    assert (first.status_code, first.headers["cache-control"]) == (200, rule)
    for given in (tag, f'W/{tag}, "other"', "*"):
        again = client.get(path, headers={**headers, "if-none-match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["cache-control"]) == (tag, rule)
        assert again.headers["content-security-policy"]
    assert client.head(path, headers={**headers, "if-none-match": tag}).status_code == 304
    assert client.get(path, headers={**headers, "if-none-match": '"other"'}).content == first.content


def test_tag_follows_the_record_and_not_an_earlier_version(client: TestClient) -> None:
    """After a correction and a retraction what was kept of the newest is asked anew; version 1 stays as it is."""
    one = records.record(name="first")
    client.post("/api/v1/footprints", json=one)
    newest = [path.format(key=one["id"]) for path in KINDS if "key" in path and "version" not in path]
    old = f"/api/v1/footprints/{one['id']}?version=1"
    tags = {path: client.get(path, headers=HTML).headers["etag"] for path in (*newest, old)}
    changed = {**one, "name": "second", "emissions_kg": {"value": 3.0, "basis": "claimed"}}
    client.post("/api/v1/footprints", json=changed, params={"reason": "a meter"})
    found = {
        path: client.get(path, headers={**HTML, "if-none-match": tag}).status_code
        for path, tag in tags.items()
    }
    assert found == dict.fromkeys(newest, 200) | {old: 304}
    client.delete(f"/api/v1/footprints/{one['id']}", params={"reason": "wrong"})
    gone = [client.get(path, headers={**HTML, "if-none-match": tags[path]}).status_code for path in newest]
    assert gone == [200 if path.startswith("/badges") else 410 for path in newest]


def test_files_of_releases_are_kept_by_their_tag(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A file of a release, whole and 304."""
    folder = tmp_path / "releases"
    dumps.make(sqlite_engine, folder, tag="2026-11-22")
    made = Hub(
        engine=sqlite_engine,
        key=KEY,
        single_user=True,
        hosts=frozenset(LOOPBACK),
        address=HOST,
        releases=folder,
    )
    with TestClient(application(made), base_url=HOST) as client:
        first = client.get("/releases/2026-11-22/footprints.csv")
        assert first.headers["cache-control"] == caching.HOUR
        again = client.get(
            "/releases/2026-11-22/footprints.csv", headers={"if-none-match": first.headers["etag"]}
        )
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_nothing_is_kept_of_who_is_logged_in_or_of_a_form(visitor: TestClient) -> None:
    """A page with a name on it or with the seal of a browser has no tag, and no proxy may keep it."""
    before = visitor.get("/", headers=HTML)
    assert before.headers["vary"] == "Cookie"
    form = visitor.get("/login", headers=HTML)
    assert form.headers["cache-control"] == caching.OWN
    assert "etag" not in form.headers
    assert log_in(visitor, "ada") == 303
    page = visitor.get("/", headers={**HTML, "if-none-match": before.headers["etag"]})
    assert (page.status_code, page.headers["cache-control"]) == (200, caching.PRIVATE)
    assert "etag" not in page.headers
