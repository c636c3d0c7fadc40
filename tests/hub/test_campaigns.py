"""Campaigns: a sample that anyone draws again, mails, answers without an account, and who did not answer."""

from __future__ import annotations

import email
import json
import re
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from typer.testing import CliRunner

from sootprint.cli import app
from sootprint.core.errors import InputError
from sootprint.hub import chain, ingest
from sootprint.hub.campaigns import mails, sample, store
from sootprint.hub.campaigns import status as standing
from sootprint.hub.campaigns.status import status, wilson
from sootprint.hub.context import Hub
from sootprint.hub.tables import AuditEntry, table_of
from tests.hub import records
from tests.hub.conftest import KEY
from tests.hub.test_people import HTML, seal_of

HOST = "https://hub.example.org"
SENDER = mails.Sender(name="Ada Lovelace", email="ada@example.org")


def _list(path: Path, n: int = 60) -> Path:
    rows = ["title,email,task,year,hardware,count,hours,zone,arxiv"]
    for index in range(n):
        task, year = ("vision", "language", "speech")[index % 3 if index % 5 else 0], 2019 + index % 2
        rows.append(
            f'"Paper {index}, a study",a{index}@example.org,{task},{year},A100,8,24,FR,2101.{index:05}'
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _begin(engine: Engine, path: Path, n: int = 12) -> list[sample.Paper]:
    listing = sample.read(_list(path), ["task"])
    chosen = sample.drawn(listing.papers, n, seed=7)
    store.add(
        engine, "vision", chosen, store.plan_of(listing.papers, ["task"], seed=7, allocation="proportional")
    )
    return chosen


def test_same_list_and_seed_give_the_same_sample_in_any_order(tmp_path: Path) -> None:
    """The order of the rows and their repetition change nothing; another seed draws others."""
    path = _list(tmp_path / "papers.csv")
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    (tmp_path / "other.csv").write_text("\n".join([head, *reversed(rows), rows[0]]), encoding="utf-8")
    first, second = (sample.read(tmp_path / name, ["task", "year"]) for name in ("papers.csv", "other.csv"))
    assert (first.repeated, second.repeated) == (0, 1)
    one, two = (sample.drawn(listing.papers, 20, seed=3) for listing in (first, second))
    assert [paper.key for paper in one] == [paper.key for paper in two]
    assert {paper.key for paper in one} != {paper.key for paper in sample.drawn(first.papers, 20, seed=4)}
    assert "@" not in repr(one)  # an address is shown nowhere


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 200))
def test_allocation_is_whole_and_within_the_strata(sizes: dict[str, int], n: int) -> None:
    """Parts add up to the sample; none exceeds its stratum, and proportional ones are within one of their share."""
    total = sum(sizes.values())
    parts = sample.allotted(n, sizes, sizes)
    assert sum(parts.values()) == min(n, total)
    assert all(0 <= parts[name] <= sizes[name] for name in sizes)
    assert all(abs(parts[name] - min(n, total) * sizes[name] / total) < 1.0 for name in sizes)
    equal = sample.allotted(n, sizes, dict.fromkeys(sizes, 1))
    assert sum(equal.values()) == min(n, total)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,email\nx,y\n", "no column 'title'"),
        ("title\n", "lists no paper"),
        ("title,email\n,x@y.z\n", "row 2: the title is empty"),
    ],
)
def test_bad_list_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """One line says what the list lacks."""
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        sample.read(tmp_path / "x.csv")


def test_mail_asks_the_three_questions_and_holds_no_header_of_a_title(engine: Engine, tmp_path: Path) -> None:
    """The mail is whole, the reminder answers to it, and nothing of a list or name becomes a header."""
    _begin(engine, tmp_path / "papers.csv")
    one = store.invitations(engine, "vision")[0]
    link = store.link(KEY, one["id"], HOST)
    path = mails.write(tmp_path / "out", [("x", mails.message(one, "b@example.org", link, sender=SENDER))])[0]
    read = email.message_from_bytes(path.read_bytes(), policy=default)
    text = " ".join(read.get_body().get_content().split())  # type: ignore[union-attr]
    assert all(
        word in text
        for word in ("Where was it trained", "On what hardware", "How long", one["paper"]["title"])
    )
    assert link in text
    again = mails.message(one, "b@example.org", link, sender=SENDER, reminder=True)
    assert again["In-Reply-To"] == read["Message-ID"]
    for wrong in ("b@example.org\nBcc: all@example.org", "nobody", ""):
        with pytest.raises(InputError, match="none of a mail"):
            mails.message(one, wrong, link, sender=SENDER)
    assert "@example.org" not in json.dumps(store.invitations(engine, "vision"))


def test_author_answers_without_an_account_and_corrects_it(open_client: TestClient, tmp_path: Path) -> None:
    """The signed link alone lets in; its form is filled; the answer is a record, and the same form again a version."""
    engine = open_client.app._hub.engine  # type: ignore[attr-defined]
    chosen = _begin(engine, tmp_path / "papers.csv")
    one = store.invitation_id("vision", chosen[0].key)
    path = urlsplit(store.link(KEY, one, HOST)).path
    assert open_client.get(path[:-1] + ("0" if path[-1] != "0" else "1"), headers=HTML).status_code == 404
    page = open_client.get(path, headers=HTML).text
    assert 'name="hours" type="text" inputmode="decimal" value="24"' in page
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    form |= {
        "hardware": "A100",
        "count": "8",
        "hours": "24",
        "zone": "FR",
        "model": "Ours-7",
        "do": "estimate",
    }
    looked = open_client.post(path, data=form, headers=HTML)
    assert "90 % interval" in looked.text
    assert open_client.get("/api/v1/footprints").json()["items"] == []
    wrong = open_client.post(path, data={**form, "hours": "long"}, headers=HTML)
    assert (wrong.status_code, "hours" in wrong.text) == (400, True)
    form["do"] = "publish"
    for hours in ("24", "30"):
        done = open_client.post(path, data={**form, "hours": hours}, headers=HTML)
        assert f'Thank you: <a href="/footprints/{form["id"]}">your answer</a>' in done.text
    record = open_client.get(f"/api/v1/footprints/{form['id']}").json()
    assert (record["paper"]["arxiv"], record["given"]["answered_by"]) == (chosen[0].told["arxiv"], "author")
    assert len(open_client.get(f"/api/v1/footprints/{form['id']}/versions").json()["items"]) == 2
    other = urlsplit(store.link(KEY, store.invitation_id("vision", chosen[1].key), HOST)).path
    stolen = open_client.post(other, data={**form, "seal": seal_of(open_client, other)}, headers=HTML)
    assert "another invitation" in stolen.text  # nobody overwrites the answer of another paper
    assert status(engine, "vision")["answered"] == 1
    assert chain.verify(engine).count == 0


def test_author_opens_the_link_again_and_corrects_the_answer(open_client: TestClient, tmp_path: Path) -> None:
    """The page leads to the answer as it was given; what is sent from there is that record's next version."""
    engine = open_client.app._hub.engine  # type: ignore[attr-defined]
    chosen = _begin(engine, tmp_path / "papers.csv")
    path = urlsplit(store.link(KEY, store.invitation_id("vision", chosen[0].key), HOST)).path
    told = {
        "hardware": "A100", "count": "8", "hours": "24.5", "zone": "FR", "year": "2019", "model": "Ours-7",
        "task": "Image Classification", "dataset": "ImageNet", "metric": "Top-1 accuracy", "value": "76.1",
    }  # fmt: skip
    form = _fields(open_client.get(path, headers=HTML).text) | told | {"do": "publish"}
    key, thanks = form["id"], open_client.post(path, data=form, headers=HTML).text
    assert f'href="/footprints/{key}">your answer<' in thanks
    link = re.search(r'href="([^"]*)">Correct it<', thanks)
    assert link is not None
    again = _fields(open_client.get(link[1], headers=HTML).text)
    assert {name: again[name] for name in told} == told
    done = open_client.post(path, data={**again, "hours": "30", "do": "publish"}, headers=HTML)
    assert f'href="/footprints/{key}">your answer<' in done.text
    record, listed = (
        open_client.get(f"/api/v1/footprints/{key}").json(),
        open_client.get("/api/v1/footprints"),
    )
    assert (record["given"]["hours"], record["given"]["year"], len(listed.json()["items"])) == (30.0, 2019, 1)
    checked = open_client.get(f"/api/v1/footprints/{key}/assessment").json()
    assert checked["emissions_kg"]["ratio"] == pytest.approx(1.0)
    assert not [one for one in checked["findings"] if one["field"] == "year"]


def _fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input[^>]* name="(\w+)"[^>]*? value="([^"]*)"', page.partition("</form>")[0])
    return dict(found)


def test_status_tells_who_did_not_answer_by_stratum(engine: Engine, tmp_path: Path) -> None:
    """Answered, declined, silent and unreachable are apart; the rate is of those who were reached."""
    _begin(engine, tmp_path / "papers.csv", n=30)
    rows = store.invitations(engine, "vision")
    assert status(engine, "vision")["response_rate"] is None
    store.mailed(engine, [row["id"] for row in rows], reminder=False)
    store.closed(engine, [rows[0]["id"]], store.UNREACHABLE)
    store.closed(engine, [rows[1]["id"]], store.DECLINED)
    for row in rows[2:8]:
        store.answered(engine, row["id"], "x" * 36)
    store.mailed(engine, [row["id"] for row in rows[8:]], reminder=True)
    found = status(engine, "vision")
    assert {name: found[name] for name in ("sample", "asked", "answered", "declined", "silent", "unreachable")} == {
        "sample": 30, "asked": 30, "answered": 6, "declined": 1, "silent": 22, "unreachable": 1,
    }  # fmt: skip
    assert found["response_rate"] == 6 / 29
    assert found["response_low"] < 6 / 29 < found["response_high"]
    assert (found["reminders"], found["listed"]) == (22, 60)
    assert sum(row["sample"] for row in found["strata"]) == 30
    assert found["difference"]["degrees"] == len(found["strata"]) - 1
    with engine.connect() as connection:
        said = list(connection.scalars(sa.select(table_of(AuditEntry).c.action).order_by(sa.text("seq"))))
    assert said == ["campaign", "mail", "unreachable", "declined", *["answered"] * 6, "mail"]
    assert chain.verify(engine).count == 0
    low, high = wilson(77, 500)  # the survey's own 15.4 %
    assert (round(low or 0, 3), round(high or 0, 3)) == (0.125, 0.188)


# Reached and answered by stratum, with chi-squared and p of scipy 1.17.1:
# stats.chi2_contingency([[answered, reached - answered], ...], correction=False)
_ANSWERED = [
    (((100, 30), (100, 45), (100, 12)), 26.517727051966975, 1.7448123812764685e-06),
    (((10, 3), (20, 7), (30, 12)), 0.35885167464114837, 0.8357499300990053),
    (((40, 20), (60, 30)), 0.0, 1.0),
    (((500, 77), (125, 31), (80, 9), (45, 20)), 29.618678629690045, 1.6599386336004092e-06),
]


@pytest.mark.parametrize(("cells", "chi2", "p"), _ANSWERED)
def test_strata_are_told_apart_by_pearsons_chi_squared(
    cells: tuple[tuple[int, int], ...], chi2: float, p: float
) -> None:
    """Statistic, degrees of freedom and p are those of scipy; strata that nobody was asked of count for nothing."""
    strata = [{"answered": answered, "asked": reached + 2, "unreachable": 2} for reached, answered in cells]
    found = standing._difference([*strata, {"answered": 0, "asked": 3, "unreachable": 3}])
    assert found is not None
    assert found["chi2"] == pytest.approx(chi2, abs=1e-12)
    assert found["p"] == pytest.approx(p, rel=1e-9)
    assert found["degrees"] == len(cells) - 1
    rate = sum(answered for _, answered in cells) / sum(reached for reached, _ in cells)
    assert found["smallest_expected"] == pytest.approx(
        min(reached for reached, _ in cells) * min(rate, 1 - rate)
    )


@given(
    cells=st.lists(
        st.integers(1, 400).flatmap(lambda reached: st.tuples(st.just(reached), st.integers(0, reached))),
        min_size=2,
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_chi_squared_is_scipys(cells: list[tuple[int, int]]) -> None:
    """Any table of answers; none where nobody or everybody answered, as there is nothing to tell apart."""
    contingency = pytest.importorskip("scipy.stats").chi2_contingency
    found = standing._difference([{"answered": n, "asked": of, "unreachable": 0} for of, n in cells])
    answered, reached = sum(n for _, n in cells), sum(of for of, _ in cells)
    assert (found is None) == (answered in (0, reached))
    if found is not None:
        wanted = contingency([[n, of - n] for of, n in cells], correction=False)
        assert found["chi2"] == pytest.approx(wanted.statistic, rel=1e-9, abs=1e-9)
        assert found["p"] == pytest.approx(wanted.pvalue, rel=1e-7, abs=1e-12)
        assert found["smallest_expected"] == pytest.approx(wanted.expected_freq.min())


# scipy 1.17.1: stats.chi2.sf(chi2, degrees); 10.83 and 16.27 are the 0.001 points of tables (Fisher and Yates)
@pytest.mark.parametrize(
    ("chi2", "degrees", "p"),
    [
        (0.0, 1, 1.0), (0.0, 2, 1.0), (1.0, 1, 0.31731050786291115), (10.83, 1, 0.0009986863791802592),
        (16.27, 3, 0.0009982232399054186), (30.6, 15, 0.009932683830386145), (200.0, 5, 2.8406228986415534e-41),
        (100.0, 100, 0.48119168452795674), (300.0, 400, 0.9999429031142579), (450.0, 401, 0.045732496767140196),
    ],
)  # fmt: skip
def test_tail_of_chi_squared_is_scipys(chi2: float, degrees: int, p: float) -> None:
    """Also of hundreds of strata, whose powers and factorials no float holds."""
    assert standing.exceeded(chi2, degrees) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (((100, 30), (100, 45), (100, 12)), "The strata do not answer alike (p = 1.7e-06)"),
        (((100, 30), (120, 40)), "No difference between the strata shows (p = 0.6)"),
        (((9, 3), (10, 7)), "Too few were asked to say whether the strata answer alike"),
        (((10, 0), (10, 0)), "answered."),
    ],
)
def test_finding_says_what_the_test_says(cells: tuple[tuple[int, int], ...], said: str) -> None:
    """Beyond chance, within chance, too few for the test (fewer than 5 expected), and nobody at all."""
    strata = [
        {"stratum": f"s{index}", "answered": n, "asked": of, "unreachable": 0, "response_rate": n / of}
        for index, (of, n) in enumerate(cells)
    ]
    rate = sum(n for _, n in cells) / sum(of for of, _ in cells)
    found = standing._finding(
        {"strata": strata, "response_rate": rate, "difference": standing._difference(strata)}
    )
    assert said in found.replace("\N{NO-BREAK SPACE}", " ")


def test_campaign_from_the_command_line_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw, mails, remind, status and list work together; a second draw of the name is refused."""
    monkeypatch.setenv("SOOTPRINT_HOME", str(tmp_path))
    papers, runner = str(_list(tmp_path / "papers.csv")), CliRunner()
    draw = ["hub", "campaign", "draw", "v-1", "--from", papers, "--n", "9", "--strata", "task"]
    assert "9 of 60 papers drawn" in runner.invoke(app, draw).output
    assert runner.invoke(app, draw).exit_code == 2 or "already" in str(runner.invoke(app, draw).exception)
    asked = ["--from", papers, "--sender", "Ada", "--reply-to", "ada@example.org", "--public-url", HOST]
    for command, expected in (("mails", 9), ("mails", 0), ("remind", 9)):
        out = tmp_path / f"{command}{expected}"
        done = runner.invoke(app, ["hub", "campaign", command, "v-1", "--out", str(out), *asked, "--json"])
        assert len(json.loads(done.output)["written"]) == expected
    told = json.loads(runner.invoke(app, ["hub", "campaign", "status", "v-1", "--json"]).output)
    assert (told["asked"], told["silent"], told["reminders"]) == (9, 9, 9)
    assert "response rate" in runner.invoke(app, ["hub", "campaign", "status", "v-1"]).output
    assert runner.invoke(app, ["hub", "campaign", "list"]).output == "v-1\n"


def test_page_of_campaigns_has_the_rates(client: TestClient, engine: Engine, tmp_path: Path) -> None:
    """The page says how many answered, with the interval, by stratum; an author may decline with one click."""
    assert "There is none yet" in client.get("/campaigns", headers=HTML).text
    chosen = _begin(engine, tmp_path / "papers.csv")
    one = store.invitation_id("vision", chosen[0].key)
    store.mailed(engine, [row["id"] for row in store.invitations(engine, "vision")], reminder=False)
    path = urlsplit(store.link(KEY, one, HOST)).path
    said = client.post(f"{path}/decline", data={"seal": seal_of(client, path)}, headers=HTML)
    assert "will not be asked again" in said.text
    page = client.get("/campaigns", headers=HTML).text
    assert "12 asked, 0 answered: 0.0 %, 95 % interval 0.0 % to" in page
    for row in store.invitations(engine, "vision")[:6]:
        store.answered(engine, row["id"], "x" * 36)
    page = client.get("/campaigns", headers=HTML).text
    assert "of those who were reached answered: " in page
    assert "Too few were asked to say" in page
    assert 'aria-label="Response rate by stratum with 95 % intervals: ' in page
    bands = re.findall(r'<path d="M([\d.]+) [\d.]+H([\d.]+)"', page)
    assert len(bands) == 2 * len(status(engine, "vision")["strata"])  # wide and narrow, those from 0 on too
    assert all(float(low) <= float(high) for low, high in bands)


def test_link_of_one_author_is_no_way_into_the_records_of_others(
    open_client: TestClient, open_hub: Hub, tmp_path: Path
) -> None:
    """A page seals no id that was sent to it: records without an account, as published runs, stay as they are."""
    theirs = records.record()
    known = ingest.Submission(actor="local", origin="third-party")
    ingest.take_in(open_hub.engine, json.dumps(theirs).encode(), known)
    paper = _begin(open_hub.engine, tmp_path / "papers.csv")[0]
    path = urlsplit(store.link(KEY, store.invitation_id("vision", paper.key), HOST)).path
    form = {
        "seal": seal_of(open_client, path),
        "hardware": "A100",
        "hours": "1",
        "zone": "FR",
        "do": "publish",
    }
    form |= {"id": theirs["id"], "id_seal": "0" * 64}
    refused = open_client.post(path, data=form, headers=HTML)
    assert (refused.status_code, theirs["id"] in refused.text) == (400, False)
    sealed = re.search(r'name="id_seal" value="([0-9a-f]+)"', refused.text)
    assert sealed is not None
    assert open_client.post(path, data={**form, "id_seal": sealed[1]}, headers=HTML).status_code == 400
    assert len(open_client.get(f"/api/v1/footprints/{theirs['id']}/versions").json()["items"]) == 1
