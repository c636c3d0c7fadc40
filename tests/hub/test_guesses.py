"""Guessing of passwords: slow for whoever guesses, and never the end of the owner's way in."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.hub import accounts
from sootprint.hub.context import Hub
from sootprint.hub.limits import Limits
from sootprint.hub.people import guesses, passwords
from sootprint.hub.people.guesses import Try
from sootprint.hub.people.tables import LoginFailure
from sootprint.hub.tables import table_of
from tests.hub.conftest import hub
from tests.hub.test_people import HTML, PASSWORD, browser, log_in, seal_of

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_failures = table_of(LoginFailure)


def at(seconds: float) -> str:
    """Instant after the beginning, as the database has it."""
    made = BEGAN + timedelta(seconds=seconds)
    return made.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def guarded(engine: Engine) -> Hub:
    """A hub with an account, whose limits for each address are out of the way."""
    made = hub(engine, single_user=False)
    accounts.add_account(engine, "ada", "contributor")
    passwords.set_password(engine, "ada", PASSWORD)
    rates = dict.fromkeys(("visit", "submit", "failure", "login", "link"), (1000000.0, 1000000.0))
    return dataclasses.replace(made, limits=Limits(rates=rates))


@pytest.mark.parametrize("name", ["ada", "nobody", "Ada", ""])
def test_wait_doubles_with_each_wrong_password_from_an_address(guarded: Hub, name: str) -> None:
    """Five cost nothing, then 1, 2, 4 s and so on to 15 min; a name that nobody has waits alike."""
    one, now_s, waits = Try(name, "192.0.2.1", ""), 0.0, []
    for _ in range(20):
        wait_s = guesses.begin(guarded, one, at(now_s))
        if wait_s:
            waits.append(wait_s)
            now_s += wait_s
            assert guesses.begin(guarded, one, at(now_s)) == 0.0
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[9:] == [512.0, *[900.0] * (len(waits) - 10)]


def test_try_that_comes_too_early_counts_for_nothing(guarded: Hub) -> None:
    """A thousand tries within a wait make it no longer."""
    one = Try("ada", "192.0.2.1", "")
    for _ in range(7):
        guesses.begin(guarded, one, at(0.0))
    assert {guesses.begin(guarded, one, at(0.5)) for _ in range(20)} == {0.5}
    assert guesses.begin(guarded, one, at(1.0)) == 0.0


def test_many_addresses_together_have_one_try_a_minute(guarded: Hub) -> None:
    """Whoever guesses from a thousand addresses has twenty tries, and in a day less than 1,500 more."""
    tried = sum(guesses.begin(guarded, Try("ada", f"address {n}", ""), at(0.0)) == 0.0 for n in range(100))
    assert tried == guesses.OF_ALL.free
    over_time = (
        guesses.begin(guarded, Try("ada", f"other {n}", ""), at(n * 7.0)) == 0.0 for n in range(1_000)
    )
    assert sum(over_time) <= 10 + 7_000 / guesses.OF_ALL.most_s
    assert guesses.begin(guarded, Try("bea", "other 1", ""), at(0.0)) == 0.0


def test_known_browser_of_the_owner_waits_for_its_own_wrong_passwords_alone(guarded: Hub) -> None:
    """While others guess without end the owner logs in; the cookie of another account, or a forged one, is none."""
    mine = accounts.named("ada")
    with guarded.engine.connect() as connection:
        number = connection.execute(mine).one().id
    cookie = guesses.known(guarded, number, "")
    for n in range(60):
        guesses.begin(guarded, Try("ada", f"address {n}", ""), at(0.0))
    owner = Try("ada", "192.0.2.9", cookie)
    assert guesses.begin(guarded, owner, at(0.0)) == 0.0
    for forged in (guesses.known(guarded, number + 1, ""), f"x{cookie}", "a.b", ".", "ä" * 300):
        assert guesses.begin(guarded, owner._replace(cookie=forged), at(0.0)) > 0.0
    waits = [guesses.begin(guarded, owner, at(0.0)) for _ in range(8)]
    assert waits == [0.0] * 4 + [1.0] * 4
    assert guesses.known(guarded, number, cookie) == cookie


def test_all_is_forgotten_after_a_day_and_a_clock_that_was_put_back_makes_no_wait_longer(
    guarded: Hub,
) -> None:
    """The table holds a day; a wait is never more than its rule says."""
    one = Try("ada", "192.0.2.1", "")
    for _ in range(6):
        guesses.begin(guarded, one, at(90_000.0))
    assert guesses.begin(guarded, one, at(0.0)) == 1.0
    assert guesses.begin(guarded, one, at(90_000.0 + 86_401.0)) == 0.0
    with guarded.engine.connect() as connection:
        assert set(connection.scalars(sa.select(_failures.c.n))) == {1}
        kept = "".join(connection.scalars(sa.select(_failures.c.account + _failures.c.source)))
    assert "ada" not in kept and "192.0.2.1" not in kept


def test_login_page_says_how_long_to_wait_and_lets_in_who_was_there_before(
    guarded: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five wrong passwords, then 429 with Retry-After even for the right one; the owner's own browser goes on."""
    monkeypatch.setattr(guesses, "now", lambda: at(0.0))  # a slow machine forgives nothing
    with browser(guarded) as stranger, browser(guarded) as owner:
        assert log_in(owner, "ada") == 303
        owner.post("/logout", data={"seal": seal_of(owner, "/account")}, headers=HTML)
        assert [log_in(stranger, "ada", "wrong") for _ in range(5)] == [401] * 5
        form = {"seal": seal_of(stranger, "/login"), "name": "ada", "password": PASSWORD}
        answer = stranger.post("/login", data=form, headers=HTML)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert "try again in 1 s" in answer.text
        assert log_in(owner, "ada") == 303


def test_right_password_is_held_against_nobody(guarded: Hub) -> None:
    """A hundred log-ins leave no count behind, and a wrong password before the right one is forgotten."""
    with browser(guarded) as client:
        assert log_in(client, "ada", "wrong") == 401
        for _ in range(8):
            assert log_in(client, "ada") == 303
            client.cookies.delete(guesses.COOKIE)
    with guarded.engine.connect() as connection:
        found = {row.source: row.n for row in connection.execute(sa.select(_failures))}
    assert found == {"": 1}


def test_old_password_on_the_account_page_is_guessed_as_slowly(
    guarded: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds a browser that is logged in has five guesses at its password."""
    monkeypatch.setattr(guesses, "now", lambda: at(0.0))
    with browser(guarded) as client:
        assert log_in(client, "ada") == 303
        seal = seal_of(client, "/account")
        form = {"seal": seal, "old": "wrong", "new": "another long enough"}
        found = [client.post("/account/password", data=form, headers=HTML).status_code for _ in range(7)]
    assert found == [400] * 5 + [429] * 2
