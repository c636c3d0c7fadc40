"""People in a browser: passwords, sessions, tokens, and claims on what others estimated."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.errors import InputError
from sootprint.hub import accounts, chain, ingest
from sootprint.hub.app import application
from sootprint.hub.context import Hub
from sootprint.hub.limits import Limits
from sootprint.hub.people import passwords, sessions
from sootprint.hub.people.tables import LoginSession
from sootprint.hub.tables import Account, AuditEntry, table_of
from tests.hub import records
from tests.hub.conftest import HOST, KEY, hub

HTML = {"Accept": "text/html"}
BASE = "/api/v1/footprints"
PASSWORD = "a long enough one"


@pytest.fixture
def people_hub(engine: Engine) -> Hub:
    """A hub with an author and a maintainer, who have passwords."""
    made = hub(engine, single_user=False)
    for name, role in (("ada", "contributor"), ("mel", "maintainer")):
        accounts.add_account(engine, name, role)
        passwords.set_password(engine, name, PASSWORD)
    return made


@pytest.fixture
def visitor(people_hub: Hub) -> Iterator[TestClient]:
    """A browser at that hub."""
    with browser(people_hub) as made:
        yield made


def browser(made: Hub) -> TestClient:
    """A browser of its own."""
    return TestClient(application(made), base_url=HOST, raise_server_exceptions=False)


def seal_of(client: TestClient, path: str) -> str:
    """Hidden field of a page's form."""
    found = re.search(r'name="seal" value="([0-9a-f]{64})"', client.get(path, headers=HTML).text)
    assert found is not None, path
    return found[1]


def once_of(client: TestClient, path: str) -> str:
    """Identity of a page that holds a form."""
    found = re.search(r'name="once" value="([0-9a-f-]{36})"', client.get(path, headers=HTML).text)
    assert found is not None, path
    return found[1]


def log_in(client: TestClient, name: str, password: str = PASSWORD, **more: str) -> int:
    """Status of a login."""
    form = {"seal": seal_of(client, "/login"), "name": name, "password": password, **more}
    return client.post("/login", data=form, headers=HTML, follow_redirects=False).status_code


def test_account_makes_a_token_in_the_browser_that_works_until_revoked(visitor: TestClient) -> None:
    """From the login to the first record that a tool sends, and to the token's end."""
    assert visitor.get("/account", headers=HTML, follow_redirects=False).headers["location"] == "/login"
    assert log_in(visitor, "ada") == 303
    page = visitor.get("/", headers=HTML)
    assert 'href="/account">ada<' in page.text
    assert "no-store" in page.headers["cache-control"]
    form = {"seal": seal_of(visitor, "/account"), "scope_submit": "1", "days": "30"}
    made = visitor.post("/account/tokens", data=form, headers=HTML)
    token = re.search(r"soot_[0-9a-f]{8}\.[\w-]{43}", made.text)
    assert token is not None
    header = {"Authorization": f"Bearer {token[0]}"}
    with browser(visitor.app._hub) as tool:
        assert tool.post(BASE, json=records.record(), headers=header).status_code == 200
        listed = visitor.get("/account", headers=HTML)
        assert token[0] not in listed.text
        form = {"seal": seal_of(visitor, "/account"), "prefix": token[0].partition(".")[0]}
        assert visitor.post("/account/tokens/revoke", data=form, headers=HTML).status_code == 200
        assert tool.post(BASE, json=records.record(), headers=header).status_code == 401


def test_session_ends_with_logout_with_the_password_and_with_the_account(visitor: TestClient) -> None:
    """A cookie that was copied is worth nothing afterwards, and the database never held it."""
    made: Hub = visitor.app._hub
    copied = []
    for _ in range(2):
        visitor.cookies.clear()
        assert log_in(visitor, "ada") == 303
        copied.append(visitor.cookies[sessions.COOKIE])
    with made.engine.connect() as connection:
        rows = connection.execute(sa.select(table_of(LoginSession))).all()
        hashed = connection.scalar(sa.select(table_of(Account).c.password).limit(1))
    assert not any(one in str(rows) for one in copied)
    assert str(hashed).startswith("$argon2id$")
    visitor.post("/logout", data={"seal": seal_of(visitor, "/account")}, headers=HTML)
    assert sessions.actor_of(made, copied[1]) is accounts.VISITOR
    assert sessions.actor_of(made, copied[0]).name == "ada"
    passwords.set_password(made.engine, "ada", PASSWORD + "!")
    assert sessions.actor_of(made, copied[0]) is accounts.VISITOR
    assert log_in(visitor, "ada") == 401
    assert log_in(visitor, "ada", PASSWORD + "!") == 303
    newest = visitor.cookies[sessions.COOKIE]
    accounts.close_account(made.engine, "ada")
    assert sessions.actor_of(made, newest) is accounts.VISITOR
    assert sessions.actor_of(made, "") is accounts.VISITOR
    assert chain.verify(made.engine).count == 0


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "x", "/a\nb"])
def test_login_goes_on_to_no_other_site(open_hub: Hub, to: str) -> None:
    """The address to go on to is a path of this hub."""
    accounts.add_account(open_hub.engine, "ada", "contributor")
    passwords.set_password(open_hub.engine, "ada", PASSWORD)
    with browser(open_hub) as client:
        form = {"seal": seal_of(client, "/login"), "name": "ada", "password": PASSWORD, "to": to}
        answer = client.post("/login", data=form, headers=HTML, follow_redirects=False)
    assert answer.headers["location"] == "/account"


def test_form_of_another_browser_is_refused_and_guessing_is_slow(open_hub: Hub) -> None:
    """Every form of people needs the seal of its own browser; after some wrong passwords an address waits."""
    accounts.add_account(open_hub.engine, "ada", "contributor")
    still = dataclasses.replace(open_hub, limits=Limits(clock=lambda: 0.0))  # a slow machine forgives nothing
    with browser(still) as client, browser(still) as other:
        stolen = seal_of(other, "/login")
        seal_of(client, "/login")
        for path in ("/login", "/logout", "/welcome", "/account/tokens", "/account/password", "/claims/1"):
            answer = client.post(path, data={"seal": stolen}, headers=HTML)
            assert answer.status_code == 403, path
        statuses = [log_in(client, name, "wrong") for name in ["ada", "nobody"] * 6]
    assert statuses[:10] == [401] * 10
    assert statuses[10:] == [429] * 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/account/tokens", 401),
        ("/account/tokens/revoke", 401),
        ("/account/password", 401),
        ("/claims/1", 401),
        ("/footprints/00000000-2328-77ce-aaa4-0a59a2cf2bd2/claim", 401),
        ("/submit/full", 401),
        ("/answer/x.y", 404),
        ("/answer/x.y/decline", 404),
    ],
)
def test_visitor_with_a_form_of_his_own_may_do_nothing(
    open_client: TestClient, path: str, status: int
) -> None:
    """A valid seal is no permission: each route asks who sends it."""
    form = {"seal": seal_of(open_client, "/login"), "verdict": "confirm", "do": "publish"}
    form |= {"hardware": "A100", "hours": "1", "zone": "FR", "method": "orcid", "proof": "x"}
    assert open_client.post(path, data=form, headers=HTML).status_code == status


def test_link_sets_a_password_once(open_hub: Hub) -> None:
    """The first password comes by a link, which fits no more afterwards; a changed one never fits."""
    accounts.add_account(open_hub.engine, "ada", "contributor")
    link = urlsplit(sessions.welcome_link(open_hub.engine, KEY, "ada", HOST))
    path, given = f"{link.path}?{link.query}", {key: one[0] for key, one in parse_qs(link.query).items()}
    with browser(open_hub) as client:
        assert client.get(path.replace("ada", "eve"), headers=HTML).status_code == 404
        assert client.get(f"{path}%C3%A9", headers=HTML).status_code == 404
        form = {"seal": seal_of(client, path), "link_seal": given.pop("seal"), **given}
        short = client.post("/welcome", data={**form, "password": "short"}, headers=HTML)
        assert "10 to 200" in short.text
        done = client.post("/welcome", data={**form, "password": PASSWORD}, headers=HTML)
        assert done.url.path == "/account"
        assert client.get(path, headers=HTML).status_code == 404
        other = {**form, "password": PASSWORD + "!"}
        assert client.post("/welcome", data=other, headers=HTML).status_code == 404
        assert passwords.account_of(open_hub.engine, "ada", PASSWORD) is not None
    with pytest.raises(InputError, match="no open account"):
        sessions.welcome_link(open_hub.engine, KEY, "nobody", HOST)


def test_author_claims_an_estimate_and_corrects_it(people_hub: Hub, visitor: TestClient) -> None:
    """A third-party estimate becomes its author's when a maintainer has confirmed it, and only then."""
    one = records.record(name="theirs")
    mel = accounts.make_token(people_hub.engine, KEY, "mel", scopes=("submit",))
    ada = accounts.make_token(people_hub.engine, KEY, "ada", scopes=("submit",))
    as_mel, as_ada = ({"Authorization": f"Bearer {token}"} for token in (mel, ada))
    visitor.post(f"{BASE}?origin=third-party", json=one, headers=as_mel)
    path = f"/footprints/{one['id']}/claim"
    away = visitor.get(path, headers=HTML, follow_redirects=False).headers["location"]
    assert away == f"/login?to=%2Ffootprints%2F{one['id']}%2Fclaim"
    assert log_in(visitor, "ada") == 303
    form = {"seal": seal_of(visitor, path), "method": "orcid", "proof": "0000-0002-1825-0097"}
    assert visitor.post(path, data=form, headers=HTML).url.path == f"/footprints/{one['id']}"
    assert visitor.post(path, data=form, headers=HTML).status_code == 400  # it waits already
    assert visitor.get("/claims", headers=HTML).status_code == 403
    assert visitor.post("/claims/1", data={**form, "verdict": "confirm"}, headers=HTML).status_code == 403
    better = {**one, "name": "ours"}
    assert visitor.post(BASE, json=better, headers=as_ada).status_code == 422
    with browser(people_hub) as second:
        assert log_in(second, "mel") == 303
        page = second.get("/claims", headers=HTML).text
        number = re.search(r'action="/claims/(\d+)"', page)
        assert number is not None
        assert "0000-0002-1825-0097" in page
        verdict = {"seal": seal_of(second, "/claims"), "verdict": "confirm"}
        second.post(f"/claims/{number[1]}", data=verdict, headers=HTML)
        assert second.post(f"/claims/{number[1]}", data=verdict, headers=HTML).status_code == 400
    page = visitor.get(f"/footprints/{one['id']}", headers=HTML).text
    assert "Carbon footprint · third-party estimate, claimed by its authors" in page
    assert visitor.get("/api/v1/facets").json()["origin"].get("claimed") == 1
    assert visitor.post(BASE, json=better, headers=as_ada).json()["accepted"] == 1
    page = visitor.get(f"/footprints/{one['id']}", headers=HTML).text
    assert "confirmed on" in page
    assert "Carbon footprint · from its authors" in page
    earlier = visitor.get(f"/footprints/{one['id']}?version=1", headers=HTML).text
    assert "Carbon footprint · third-party estimate" in earlier
    assert chain.verify(people_hub.engine).count == 0


def test_user_of_a_hub_on_loopback_needs_no_account(client: TestClient) -> None:
    """The one user claims and decides; login and account say that there is nothing to do."""
    one = records.record()
    client.post(f"{BASE}?origin=third-party", json=one)
    path = f"/footprints/{one['id']}/claim"
    form = {"seal": seal_of(client, path), "method": "other", "proof": "I am its author"}
    assert client.post(path, data=form, headers=HTML).status_code == 200
    page = client.get("/claims", headers=HTML).text
    number = re.search(r'action="/claims/(\d+)"', page)
    assert number is not None
    verdict = {"seal": seal_of(client, "/claims"), "verdict": "refuse", "note": "not convincing"}
    assert "No claim waits" in client.post(f"/claims/{number[1]}", data=verdict, headers=HTML).text
    assert "not convincing" in client.get("/account", headers=HTML).text
    assert "nothing to log in to" in client.get("/login", headers=HTML).text


def test_days_of_a_token_are_a_number(open_hub: Hub, open_client: TestClient) -> None:
    """A superscript two is a digit for Python, and no number."""
    accounts.add_account(open_hub.engine, "ann", "contributor")
    passwords.set_password(open_hub.engine, "ann", PASSWORD)
    assert log_in(open_client, "ann", PASSWORD) == 303
    form = {"seal": seal_of(open_client, "/account"), "days": "\u00b2", "scope_read": "1"}
    assert open_client.post("/account/tokens", data=form, headers=HTML).status_code == 400


def test_form_that_is_sent_twice_makes_one_token(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double click; another page, or another wish on the same, is another token, and later none is shown again."""
    assert log_in(visitor, "ada") == 303
    once = once_of(visitor, "/account")
    form = {"seal": seal_of(visitor, "/account"), "once": once, "scope_submit": "1", "days": "30"}

    def made(**changes: str) -> list[str]:
        answer = visitor.post("/account/tokens", data={**form, **changes}, headers=HTML)
        return re.findall(r"soot_[0-9a-f]{8}\.[\w-]{43}", answer.text) or [str(answer.status_code)]

    first = made()
    assert made() == first
    engine = visitor.app._hub.engine
    assert [one["prefix"] for one in accounts.tokens(engine)] == [first[0].partition(".")[0]]
    assert accounts.actor_of(engine, KEY, first[0]) is not None
    others = [
        made(days="31"),
        made(once="01890000-0000-7000-8000-000000000000"),
        made(once=""),
        made(once=""),
    ]
    assert len({one for (one,) in [first, *others]}) == 5
    assert len(accounts.tokens(engine)) == 5
    accounts.revoke(engine, first[0])
    assert made() == ["400"]
    monkeypatch.setattr(accounts, "AGAIN", timedelta(seconds=-1))
    assert made(days="31") == ["400"]
    assert log_in(visitor, "mel") == 303
    assert made(seal=seal_of(visitor, "/account"), days="31")[0] not in {one for (one,) in others}


def test_form_that_is_sent_twice_does_what_it_says_once(visitor: TestClient) -> None:
    """The end of a token, a claim and its verdict, a review, a budget: the second click shows what the first did."""
    engine = visitor.app._hub.engine
    with browser(visitor.app._hub) as boss:
        assert log_in(boss, "mel") == 303
        assert log_in(visitor, "ada") == 303
        token = accounts.make_token(engine, KEY, "ada", scopes=("read",))
        accounts.add_account(engine, "seeder", "maintainer")
        others = ingest.Submission(
            actor="seeder", account_id=accounts.actor_of(engine, KEY, _token(engine)).account_id,
            origin="third-party",
        )  # fmt: skip
        one = records.record(project="vision")
        ingest.take_in(engine, json.dumps(one).encode(), others)
        accounts.set_role(engine, "mel", "reviewer")
        claim, review = f"/footprints/{one['id']}/claim", {"id": one["id"], "version": "1"}
        sent = [
            (visitor, "/account/tokens/revoke", {"prefix": token.partition(".")[0]}),
            (visitor, claim, {"method": "orcid", "proof": "0000-0001"}),
            (boss, "/claims/1", {"verdict": "refuse", "note": "not convincing"}),
            (boss, "/review", review | {"verdict": "confirmed", "note": "the log was looked at"}),
            (boss, "/projects/view", {"name": "vision", "year": "2024", "kg": "100"}),
        ]
        for client, path, fields in sent:
            form = fields | {"seal": seal_of(client, "/account"), "once": once_of(client, "/account")}
            answers = [client.post(path, data=form, headers=HTML, follow_redirects=False) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [303, 303], path
    with engine.connect() as connection:
        actions = list(connection.scalars(sa.select(table_of(AuditEntry).c.action)))
    assert [actions.count(one) for one in ("revoke", "claim", "decide", "review", "budget")] == [1] * 5


def _token(engine: Engine) -> str:
    return accounts.make_token(engine, KEY, "seeder", scopes=("read",))


def test_password_that_is_sent_twice_logs_in(visitor: TestClient) -> None:
    """The second click has the cookie of before the first: whoever set the password is let in, nobody else."""
    assert log_in(visitor, "ada") == 303
    before, new = visitor.cookies[sessions.COOKIE], "quite another one"
    form = {"seal": seal_of(visitor, "/account"), "username": "ada", "old": PASSWORD, "new": new}

    def status(**changes: str) -> int:
        visitor.cookies.delete(sessions.COOKIE)
        visitor.cookies.set(sessions.COOKIE, before)
        answer = visitor.post("/account/password", data=form | changes, headers=HTML, follow_redirects=False)
        return answer.status_code

    assert [status() for _ in range(2)] == [303, 303]
    assert status(new="a guess of somebody") == 401
    assert status(username="mel") == 401


def test_link_that_is_sent_twice_logs_in(open_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A double click on the first password: the second is let in, too, and sets none, one by one or side by side."""
    accounts.add_account(open_hub.engine, "ada", "contributor")
    link = urlsplit(sessions.welcome_link(open_hub.engine, KEY, "ada", HOST))
    given = {key: one[0] for key, one in parse_qs(link.query).items()}
    with browser(open_hub) as client:
        form = {"seal": seal_of(client, f"{link.path}?{link.query}"), "link_seal": given.pop("seal"), **given}

        def status(**changes: str) -> int:
            client.cookies.delete(sessions.COOKIE)
            told = form | {"password": PASSWORD} | changes
            answer = client.post("/welcome", data=told, headers=HTML, follow_redirects=False)
            return answer.status_code

        assert [status(), status()] == [303, 303]
        assert status(password="a guess of somebody") == 404
        assert status(name="mel") == 404
        monkeypatch.setattr(
            sessions, "is_welcome", lambda *_: True
        )  # as one that came before the other was done
        assert [status(), status(password="a guess of somebody")] == [303, 404]
    with open_hub.engine.connect() as connection:
        actions = list(connection.scalars(sa.select(table_of(AuditEntry).c.action)))
    assert actions.count("password") == 1


def test_account_has_as_many_valid_tokens_as_it_may(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is refused with the way out; those that ended make room, and are told apart from the others."""
    engine = visitor.app._hub.engine
    monkeypatch.setattr(accounts, "MOST_TOKENS", 3)
    assert log_in(visitor, "ada") == 303
    accounts.make_token(engine, KEY, "mel", scopes=("read",))
    old = accounts.make_token(engine, KEY, "ada", scopes=("read",), life=timedelta(seconds=-1))
    first, *_ = [accounts.make_token(engine, KEY, "ada", scopes=("read",), life=life) for life in (None,) * 3]

    def asked() -> tuple[int, str]:
        form = {"seal": seal_of(visitor, "/account"), "once": once_of(visitor, "/account"), "scope_read": "1"}
        answer = visitor.post("/account/tokens", data=form, headers=HTML)
        return answer.status_code, answer.text

    status, page = asked()
    assert status == 400
    assert "has 3 valid tokens, the most that it may: revoke an unused one" in page
    with pytest.raises(InputError, match="revoke an unused one"):
        accounts.make_token(engine, KEY, "ada", scopes=("read",))
    accounts.revoke(engine, first)
    assert asked()[0] == 200
    page = visitor.get("/account", headers=HTML).text
    valid, _, ended = page.partition("Tokens that have ended")
    assert valid.count(">Revoke</button>") == 3
    assert first.partition(".")[0] not in valid
    assert re.search(rf"{first.partition('.')[0]}.*revoked 20", ended)
    assert re.search(rf"{old.partition('.')[0]}.*expired 20", ended)


def test_tokens_that_are_made_and_revoked_without_end_are_slowed(people_hub: Hub) -> None:
    """Rows of tokens stay, so that one account makes only so many of them a day."""
    still = dataclasses.replace(people_hub, limits=Limits(clock=lambda: 0.0))
    with browser(still) as client:
        assert log_in(client, "ada") == 303
        form = {"seal": seal_of(client, "/account"), "scope_read": "1"}
        statuses = [client.post("/account/tokens", data=form, headers=HTML).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
