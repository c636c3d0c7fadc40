"""Who may do what: names, origins, tokens, roles, limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from typer.testing import CliRunner

from sootprint.cli import app
from sootprint.core.errors import InputError, SettingsError
from sootprint.hub import accounts, chain, database, opening, secrets
from sootprint.hub.app import application, unguarded
from sootprint.hub.context import Hub
from sootprint.hub.limits import Limits
from sootprint.hub.people import passwords
from sootprint.hub.requests import caller
from sootprint.hub.tables import Token, table_of
from tests.hub import records
from tests.hub.conftest import HOST, KEY, hub
from tests.hub.test_people import HTML, seal_of

BASE = "/api/v1/footprints"
Bearer = Callable[..., dict[str, str]]
NEEDS = {  # what a route needs beyond reading; every other route is open to visitors
    ("POST", "/api/v1/footprints"): "submit",
    ("DELETE", "/api/v1/footprints/{key}"): "submit",
    ("POST", "/api/v1/live/{key}/minutes"): "submit",
    ("POST", "/api/v1/live/{key}/finish"): "submit",
}


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost@evil.example"]
)
def test_other_host_is_refused(client: TestClient, host: str) -> None:
    """A name that an attacker points at this machine does not reach the hub (DNS rebinding)."""
    answer = client.get(BASE, headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8765", "[::1]:8765"])
def test_own_names_are_answered(client: TestClient, host: str) -> None:
    """Loopback has three names, with any port."""
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_page_of_another_origin_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    """A web page cannot submit to, or retract from, the hub of its visitor."""
    assert client.post(BASE, json=records.record(), headers=headers).status_code == 403
    assert client.get(BASE).json()["items"] == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://["}, {"Origin": "http://[::1"}, {"Content-Length": "9" * 5_000}]
)
def test_header_that_cannot_be_read_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    """It is no fault of the hub's."""
    assert client.post(BASE, content=b"{}", headers=headers).status_code in (403, 413)


def test_own_origin_may_submit(client: TestClient) -> None:
    """The hub's own pages may."""
    headers = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}
    assert client.post(BASE, json=records.record(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via", "CF-Connecting-IP"]
)
def test_hub_without_tokens_is_not_served_through_a_proxy(client: TestClient, header: str) -> None:
    """A proxy in front of loopback would make everybody its one user."""
    answer = client.get(BASE, headers={header: "203.0.113.9"})
    assert answer.status_code == 403


def test_proxy_that_says_nothing_of_itself_is_told_by_its_http(sqlite_engine: Engine) -> None:
    """Nginx as it comes asks in HTTP/1.0, adds no header, and names the hub by its own address."""
    asked = {"type": "http", "method": "GET", "path": "/healthz", "query_string": b"", "scheme": "http"}
    for version, single_user, wanted in (("1.0", True, 403), ("1.1", True, 200), ("1.0", False, 200)):
        told: list[Any] = []

        async def send(message: Any, told: list[Any] = told) -> None:
            told.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {**asked, "http_version": version, "headers": [(b"host", b"127.0.0.1:8765")]}
        scope |= {"client": ("127.0.0.1", 1), "root_path": "", "raw_path": b"/healthz"}
        app = application(hub(sqlite_engine, single_user=single_user))
        asyncio.run(app(scope, receive, send))
        assert told[0]["status"] == wanted, (version, single_user)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_page_of_another_site_reads_nothing_of_ones_own_hub(
    client: TestClient, open_client: TestClient, site: str
) -> None:
    """It cannot see the answer, but how long a search takes; a link to the hub is followed, a badge is shown."""
    one = records.record()
    client.post(BASE, json=one)
    for headers in (
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ):
        asked = {"Sec-Fetch-Site": site, **headers}
        assert client.get(f"{BASE}?q=secret", headers=asked).status_code == 403
        assert open_client.get(f"{BASE}?q=secret", headers=asked).status_code == 200  # it is public
        assert client.get(f"/badges/{one['id']}.svg", headers=asked).status_code == 200
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get(f"/footprints/{one['id']}", headers=link).status_code == 200
    assert client.get(BASE, headers={"Origin": "https://evil.example"}).status_code == 403


def _routes(made: Hub) -> list[tuple[str, str]]:
    found = []
    for path, methods in unguarded(made).openapi()["paths"].items():
        found += [(method.upper(), path) for method in methods]
    return found


def test_every_route_asks_every_role_for_what_it_needs(
    open_hub: Hub, open_client: TestClient, bearer: Bearer
) -> None:
    """Routes x roles: refused without the right with 401 or 403, and never refused with it."""
    callers: dict[str, dict[str, str]] = {role: bearer(role) for role in accounts.ROLES}
    rights = {**{role: accounts.MAY[role] for role in accounts.ROLES}, "visitor": accounts.VISITOR.may}
    checked = 0
    for method, path in _routes(open_hub):
        needed = NEEDS.get((method, path), "read")
        for role, may in rights.items():
            address = path.replace("{key}", "x").replace("{name}", "x")
            body: Any = {"json": records.record()} if method == "POST" else {}
            headers = callers.get(role, {})
            status = open_client.request(method, address, headers=headers, **body).status_code
            assert (status in (401, 403)) == (needed not in may), (method, path, role, status)
            checked += 1
    assert checked >= 6 * 10


def test_token_works_until_it_is_revoked(open_hub: Hub, open_client: TestClient, bearer: Bearer) -> None:
    """Revocation counts from the next request on."""
    header = bearer("contributor")
    assert open_client.post(BASE, json=records.record(), headers=header).status_code == 200
    accounts.revoke(open_hub.engine, header["Authorization"].split()[1].partition(".")[0])
    assert open_client.post(BASE, json=records.record(), headers=header).status_code == 401
    assert open_client.get(BASE, headers=header).status_code == 200  # reading needs none


def test_expired_and_closed_do_not_work(open_hub: Hub, open_client: TestClient, bearer: Bearer) -> None:
    """A token ends with its time, and with its account."""
    header = bearer("contributor")
    old = accounts.make_token(
        open_hub.engine, KEY, "a contributor", scopes=("submit",), life=timedelta(seconds=-1)
    )
    answer = open_client.post(BASE, json=records.record(), headers={"Authorization": f"Bearer {old}"})
    assert answer.status_code == 401
    accounts.close_account(open_hub.engine, "a contributor")
    assert open_client.post(BASE, json=records.record(), headers=header).status_code == 401


def test_scope_and_role_both_limit_a_token(open_hub: Hub, open_client: TestClient, bearer: Bearer) -> None:
    """A token may what both allow: a narrow scope, and a role that was lowered."""
    reading = bearer("admin", scopes=("read",))
    assert open_client.post(BASE, json=records.record(), headers=reading).status_code == 403
    header = bearer("contributor")
    accounts.set_role(open_hub.engine, "a contributor", "viewer")
    assert open_client.post(BASE, json=records.record(), headers=header).status_code == 403


def test_record_of_another_is_neither_changed_nor_retracted(open_client: TestClient, bearer: Bearer) -> None:
    """Contributors have what is their own; maintainers correct all."""
    alice, bob = bearer("contributor", name="alice"), bearer("contributor", name="bob")
    one = records.record()
    open_client.post(BASE, json=one, headers=alice)
    changed = open_client.post(BASE, json={**one, "name": "x"}, headers=bob)
    assert "belongs to another account" in changed.text
    assert open_client.delete(f"{BASE}/{one['id']}?reason=r", headers=bob).status_code == 403
    maintainer = bearer("maintainer")
    assert open_client.delete(f"{BASE}/{one['id']}?reason=r", headers=maintainer).status_code == 200


def test_token_to_correct_retracts_what_others_sent(open_client: TestClient, bearer: Bearer) -> None:
    """A maintainer's token needs the scope: one to submit is told so, one to correct is enough."""
    one = records.record()
    open_client.post(BASE, json=one, headers=bearer("contributor"))
    usual = bearer("maintainer", name="usual", scopes=("read", "submit"))
    refused = open_client.delete(f"{BASE}/{one['id']}?reason=r", headers=usual)
    assert (refused.status_code, "the scope correct" in refused.text) == (403, True)
    narrow = bearer("maintainer", name="narrow", scopes=("correct",))
    assert open_client.delete(f"{BASE}/{one['id']}?reason=r", headers=narrow).status_code == 200
    assert open_client.post(BASE, json=records.record(), headers=narrow).status_code == 403


def test_database_holds_no_secret(open_hub: Hub, bearer: Bearer) -> None:
    """Neither the token nor a hash that can be had without the key is stored."""
    token = bearer("contributor")["Authorization"].split()[1]
    with open_hub.engine.connect() as connection:
        row = connection.execute(sa.select(table_of(Token))).one()
    assert token.partition(".")[2] not in str(row)
    assert row.mac == secrets.mac(KEY, "token", token)
    assert row.mac != secrets.mac(b"x" * 64, "token", token)
    assert chain.verify(open_hub.engine).count == 0


@pytest.mark.parametrize("token", ["", "x", "soot_00000000.", "soot_00000000." + "a" * 43, "Ä", "a" * 5_000])
def test_bad_token_is_401_and_then_429(open_client: TestClient, token: str) -> None:
    """Guessing is slow: after ten wrong tokens an address waits, and is told how long."""
    header = {"Authorization": f"Bearer {token}".encode("latin-1", "replace")}
    statuses = [open_client.post(BASE, json={}, headers=header).status_code for _ in range(12)]
    assert statuses[:10] == [401] * 10
    answer = open_client.post(BASE, json={}, headers=header)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_too_many_requests_of_one_address_wait(open_hub: Hub) -> None:
    """A hub that others reach limits each address, but not its probes."""
    made = hub(open_hub.engine, single_user=False)
    made.limits._rates["visit"] = (5.0, 0.5)
    try:
        with TestClient(application(made), base_url=HOST) as client:
            statuses = [client.get("/api/v1/facets").status_code for _ in range(7)]
            assert statuses == [200] * 5 + [429] * 2
            assert client.get("/healthz").status_code == 200
            assert client.get("/healthz-and-more").status_code == 429
    finally:
        made.limits._rates["visit"] = (200.0, 40.0)


def test_caller_of_ipv6_is_its_network() -> None:
    """A household or a rented machine has 2^64 addresses, each of which would else have limits of its own."""
    names = [
        "2001:db8:1:2::1",
        "2001:db8:1:2:ffff::9",
        "2001:db8:1:3::1",
        "::ffff:203.0.113.9",
        "203.0.113.9",
    ]
    found = [caller({"type": "http", "client": (name, 1)}) for name in names]
    assert found == ["2001:db8:1:2::/64"] * 2 + ["2001:db8:1:3::/64"] + ["203.0.113.9"] * 2
    assert [caller({"client": one}) for one in (None, ("fe80::1%eth0", 1), ("a.sock", 1))] == [
        "unknown", "fe80::/64", "a.sock",
    ]  # fmt: skip


def test_token_in_a_form_is_guessed_as_slowly(open_hub: Hub, open_client: TestClient, bearer: Bearer) -> None:
    """Wrong ones count together with those of the API, a right one is noted as used, and is paced."""
    token = bearer("contributor")["Authorization"].split()[1]
    given = {"hardware": "A100", "hours": "1", "zone": "FR", "seal": seal_of(open_client, "/upload")}
    publish = {"data": {**given, "token": token}, "headers": HTML, "follow_redirects": False}
    assert open_client.post("/submit", **publish).status_code == 303
    assert accounts.tokens(open_hub.engine)[0]["used_at"] is not None
    open_hub.limits._rates = {**open_hub.limits._rates, "submit": (1.0, 0.001)}
    assert [open_client.post("/submit", **publish).status_code for _ in range(2)] == [303, 429]
    without = [open_client.post("/submit", data=given, headers=HTML).status_code for _ in range(12)]
    assert without == [401] * 12  # nobody's token is no guess
    wrong = {**given, "token": "soot_00000000." + "a" * 43}
    found = [open_client.post("/submit", data=wrong, headers=HTML).status_code for _ in range(12)]
    assert found == [401] * 10 + [429] * 2


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_cookies_keep_to_https_behind_a_proxy(open_hub: Hub, scheme: str, secure: bool) -> None:
    """Also where nobody told the hub its public address: the proxy says how it was asked."""
    with TestClient(application(open_hub), base_url=f"{scheme}://127.0.0.1") as client:
        answer = client.get("/login", headers=HTML)
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure
    assert answer.headers["cache-control"] == "private, no-cache"


def test_bucket_refills_at_its_rate() -> None:
    """Two at once, then one each half second."""
    now = [0.0]
    limits = Limits(clock=lambda: now[0], rates={"visit": (2.0, 2.0)})
    assert [limits.take("visit", "a") for _ in range(3)] == [0.0, 0.0, 0.5]
    assert limits.take("visit", "b") == 0.0
    now[0] = 0.5
    assert limits.take("visit", "a") == 0.0


@pytest.mark.parametrize(
    ("name", "role", "words"),
    [
        ("", "viewer", "1 to 80"),
        ("x", "king", "role 'king'"),
        ("local", "admin", "meaning of its own"),
        ("a\nb", "viewer", "1 to 80"),
    ],
)
def test_bad_account_is_refused(open_hub: Hub, name: str, role: str, words: str) -> None:
    """Names and roles have rules."""
    with pytest.raises(InputError, match=words):
        accounts.add_account(open_hub.engine, name, role)


def test_two_accounts_do_not_look_alike(open_hub: Hub) -> None:
    """Spellings of Unicode, wide letters, capitals and letters of other scripts make no second account of a name."""
    accounts.add_account(open_hub.engine, "Anna Müller", "viewer")
    for name in ("anna müller", "Аnna Müller", "Anna Mu\u0308ller", "ANNA MÜLLER"):
        with pytest.raises(InputError, match="looks like"):
            accounts.add_account(open_hub.engine, name, "admin")
    for name in ("Anna  Müller", "ａnna", "ﬁnn", " anna", "Local", "vіsitor", "Campaign vision", "a\u200db"):
        with pytest.raises(InputError, match=r"1 to 80|look like others|meaning of its own"):
            accounts.add_account(open_hub.engine, name, "admin")
    passwords.set_password(open_hub.engine, "Anna Mu\u0308ller", "x" * 12)
    assert passwords.account_of(open_hub.engine, "Anna Mu\u0308ller", "x" * 12) is not None
    accounts.set_role(open_hub.engine, "Anna Mu\u0308ller", "reviewer")
    assert [one["role"] for one in accounts.listed(open_hub.engine)] == ["reviewer"]


def test_log_of_a_fault_of_the_database_has_no_value(
    open_client: TestClient, open_hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """Words that were searched for, and what was stored, stay out of the log."""
    with open_hub.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE footprint")
    caplog.set_level("INFO", logger="sootprint.hub")
    assert open_client.get(f"{BASE}?project=secret-project").status_code == 503
    told = [getattr(one, "facts", {}) for one in caplog.records]
    assert any("no such table" in str(one) for one in told)
    assert "secret-project" not in str(told)
    assert "secret-project" not in str([one.getMessage() for one in caplog.records])


def test_database_is_nobody_elses(tmp_path: Path) -> None:
    """It holds what is private, also where its folder is open to all; the files of its log have the same mode."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    engine = database.connect(database.url_of(f"sqlite:///{folder / 'hub.sqlite'}", folder))
    opening.bring_up(engine)
    with engine.connect():
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    engine.dispose()
    assert "hub.sqlite" in modes
    assert set(modes.values()) == {0o600}


def test_scope_beyond_the_role_is_refused(open_hub: Hub) -> None:
    """A viewer's token cannot submit."""
    accounts.add_account(open_hub.engine, "eve", "viewer")
    with pytest.raises(InputError, match="may not submit"):
        accounts.make_token(open_hub.engine, KEY, "eve", scopes=("submit",))


@pytest.mark.parametrize(
    ("role", "scopes"),
    [("viewer", ["read"]), ("contributor", ["read", "submit"]), ("admin", ["read", "submit"])],
)
def test_token_without_asked_scopes_has_those_of_its_role(
    tmp_path: Path, role: str, scopes: list[str]
) -> None:
    """A viewer's token reads, and nobody's has more than to read and to submit unless that is asked for."""
    of_hub = ("--database-url", f"sqlite:///{tmp_path}/hub.sqlite")
    made = CliRunner().invoke(app, ["hub", "user", "add", "eve", "--role", role, *of_hub])
    assert made.exit_code == 0, made.output
    key = ("--key-file", str(tmp_path / "hub.key"))
    told = CliRunner().invoke(app, ["hub", "token", "create", "eve", "--json", *key, *of_hub])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["scopes"] == scopes


def test_key_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    """The file is private; one that others can read, or a short one, is refused."""
    path = tmp_path / "sub" / "hub.key"
    key = secrets.key_of(path)
    assert secrets.key_of(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        secrets.key_of(path)
    short = tmp_path / "short.key"
    short.write_bytes(b"x")
    with pytest.raises(SettingsError, match="at least 32"):
        secrets.key_of(short)
