"""Storing: each content once, each version for ever, all of a batch or nothing."""

from __future__ import annotations

import itertools
import json
import random
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core.errors import RecordError
from sootprint.hub import (
    beginnings,
    chain,
    columns,
    corrections,
    database,
    ingest,
    keys,
    reading,
    ways,
    words,
)
from sootprint.hub.ingest import Submission
from sootprint.hub.tables import Account, FootprintRow, FootprintVersion, Tally, table_of
from tests.hub import records

LOCAL = Submission(actor="local", may_correct_all=True)


def _send(engine: Engine, *listed: dict[str, Any], submission: Submission = LOCAL) -> dict[str, Any]:
    return ingest.take_in(engine, json.dumps(listed).encode(), submission)


def _count(engine: Engine, model: Any) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(table_of(model))) or 0)


def _accounts(engine: Engine, *names: str) -> list[Submission]:
    rows = [
        {"id": n, "name": name, "role": "contributor", "created_at": "2026"}
        for n, name in enumerate(names, 1)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(table_of(Account)), rows)
    return [Submission(actor=row["name"], account_id=row["id"]) for row in rows]


def test_resent_batch_changes_nothing(engine: Engine) -> None:
    """Records that are sent again are counted as duplicates, and no row of any table is added."""
    text = records.batch(20)
    assert ingest.take_in(engine, text, LOCAL) == {"accepted": 20, "duplicate": 0, "rejected": []}
    before = chain.verify(engine)
    assert ingest.take_in(engine, text, LOCAL) == {"accepted": 0, "duplicate": 20, "rejected": []}
    assert chain.verify(engine) == before
    assert dict(reading.tallies(engine, "country")) == {"FR": 20}


def test_bad_records_are_named_by_their_place_and_the_others_are_stored(engine: Engine) -> None:
    """One wrong record does not hold back its neighbours."""
    answer = _send(engine, records.record(), {**records.record(), "grade": "Z"}, {"id": 5})
    assert answer["accepted"] == 1
    assert [one["index"] for one in answer["rejected"]] == [1, 2]
    assert "grade is 'Z'" in answer["rejected"][0]["errors"][0]


def test_record_twice_in_one_batch_is_stored_once(engine: Engine) -> None:
    """A batch may hold the same record twice, and two versions of one."""
    one = records.record()
    answer = _send(engine, one, one, {**one, "name": "second"})
    assert (answer["accepted"], answer["duplicate"]) == (2, 1)
    assert [row["version"] for row in reading.history(engine, one["id"])] == [1, 2]


def test_change_of_a_record_is_a_new_version(engine: Engine) -> None:
    """The list shows the newest, the first is still there, and the counts follow."""
    one = records.record()
    _send(engine, one)
    _send(engine, {**one, "place": {"zone": "DE"}, "name": "moved"})
    assert [row["name"] for row in reading.page(engine, reading.Question())[0]] == ["moved"]
    first = reading.one(engine, one["id"], 1)
    assert first is not None
    assert json.loads(first.text or b"") == one
    assert dict(reading.tallies(engine, "country")) == {"DE": 1}
    assert reading.history(engine, one["id"])[1]["reason"] == "sent again with changes"


def test_old_version_that_comes_late_changes_nothing(engine: Engine) -> None:
    """A resend of the first version after the second does not bring the first back."""
    one = records.record()
    _send(engine, one)
    _send(engine, {**one, "name": "second"})
    assert _send(engine, one)["duplicate"] == 1
    assert [row["name"] for row in reading.page(engine, reading.Question())[0]] == ["second"]


def test_record_of_another_account_is_not_changed(engine: Engine) -> None:
    """Who did not submit a record gets a line, unless his role is to correct."""
    alice, bob = _accounts(engine, "alice", "bob")
    one = records.record()
    _send(engine, one, submission=alice)
    answer = _send(engine, {**one, "name": "taken"}, submission=bob)
    assert "belongs to another account" in answer["rejected"][0]["errors"][0]
    maintainer = Submission(actor="bob", account_id=2, may_correct_all=True)
    assert _send(engine, {**one, "name": "mended"}, submission=maintainer)["accepted"] == 1


def test_key_gives_the_first_answer_again(engine: Engine) -> None:
    """A request that is repeated with its key gets the answer it missed."""
    keyed = Submission(actor="local", may_correct_all=True, key="batch-1")
    text = records.batch(3)
    first = ingest.take_in(engine, text, keyed)
    assert first["accepted"] == 3
    assert ingest.take_in(engine, text, keyed) == first


def test_key_of_another_request_is_refused(engine: Engine) -> None:
    """A key means one request."""
    keyed = Submission(actor="local", may_correct_all=True, key="batch-1")
    ingest.take_in(engine, records.batch(1), keyed)
    with pytest.raises(keys.KeyReusedError, match="use a new key"):
        ingest.take_in(engine, records.batch(1), keyed)


def test_two_clients_with_the_same_id_leave_it_once(engine: Engine) -> None:
    """Eight threads send the same twenty records at once: each is there exactly once, and the log holds."""
    text = records.batch(20)
    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ingest.take_in(engine, text, LOCAL))) for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    assert sum(one["accepted"] for one in answers) == 20
    assert sum(one["duplicate"] for one in answers) == 7 * 20
    assert _count(engine, FootprintVersion) == 20
    assert chain.verify(engine).count == 0


def test_failure_within_a_batch_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails before the end is not half there."""
    monkeypatch.setattr(ingest, "count", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ingest.take_in(engine, records.batch(5), LOCAL)
    monkeypatch.undo()
    assert _count(engine, FootprintVersion) == 0
    assert chain.verify(engine).entries == 0


def test_retraction_leaves_a_tombstone(engine: Engine) -> None:
    """The record leaves lists, counts and leaderboards; its versions and the reason stay."""
    one = records.trained(76.0, kg=3.0)
    _send(engine, one)
    reasoned = Submission(actor="local", may_correct_all=True, reason="measured the wrong node")
    assert corrections.retract(engine, one["id"], reasoned) == 2
    assert reading.page(engine, reading.Question())[0] == []
    assert reading.tallies(engine, "country") == []
    assert reading.tallies(engine, columns.BOARD) == []
    assert [row["reason"] for row in reading.history(engine, one["id"])] == [None, "measured the wrong node"]
    assert corrections.retract(engine, one["id"], reasoned) == 2
    assert "was retracted" in _send(engine, {**one, "name": "again"})["rejected"][0]["errors"][0]
    assert chain.verify(engine).count == 0


def test_retraction_needs_a_reason(engine: Engine) -> None:
    """Nothing goes without a word."""
    one = records.record()
    _send(engine, one)
    with pytest.raises(RecordError, match="say in 1 to 400 why"):
        corrections.retract(engine, one["id"], Submission(actor="local", may_correct_all=True, reason=" "))


def test_texts_of_all_kinds_are_stored_and_found(engine: Engine) -> None:
    """Zero characters, quotes and other scripts in every label neither break a database nor get lost."""
    name = "nul\0 'quote\" ; DROP TABLE footprint; -- 模型 \u202e é"
    one = records.record(name=name, project=name, tags={name: name})
    assert _send(engine, one)["accepted"] == 1
    stored = reading.one(engine, one["id"])
    assert stored is not None
    assert stored.footprint.name == name
    assert len(reading.page(engine, reading.Question(words="模型 quote"))[0]) == 1


def test_counts_are_those_of_the_rows(engine: Engine) -> None:
    """After versions and retractions each facet has the counts that a query over the rows gives."""
    sent = [records.record(1.0 + n) for n in range(6)]
    _send(engine, *sent)
    _send(engine, {**sent[0], "stage": "finetune"}, {**sent[1], "place": {"zone": "DE"}})
    corrections.retract(engine, sent[2]["id"], Submission(actor="x", may_correct_all=True, reason="r"))
    rows = table_of(FootprintRow)
    with engine.connect() as connection:
        for facet in columns.FACETS:
            value = sa.cast(rows.c[facet], sa.String)
            query = sa.select(value, sa.func.count()).where(rows.c.state == "published", value.is_not(None))
            counted = dict(connection.execute(query.group_by(value)).tuples().all())
            assert dict(reading.tallies(engine, facet)) == counted


def test_no_count_falls_below_nothing(engine: Engine) -> None:
    """Retracting all leaves only zeros."""
    sent = [records.record() for _ in range(3)]
    _send(engine, *sent)
    for one in sent:
        corrections.retract(engine, one["id"], Submission(actor="x", may_correct_all=True, reason="r"))
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(table_of(Tally).c.n))) == {0}


_FOUND = {
    "p1": "p1",
    "P1 nvid": "p1",
    "2023_x p1": "nobody",
}  # words, and the project whose records have them


@pytest.mark.parametrize(
    ("few", "many", "walk"), [(20_000, 150_000, 30_000), (1, 100, 1), (1, 100, 12), (1, 1, 3), (0, 0, 1)]
)
def test_list_is_the_same_by_whichever_index(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, few: int, many: int, walk: int
) -> None:
    """Each order and filter, frequent, rare and of nobody, gives the pages that sorting all records gives."""
    for name, value in (("FEW", few), ("MANY", many), ("WALK", walk)):
        monkeypatch.setattr(ways, name, value)
    for name, value in (("FEW", few), ("DEARER", 1), ("WALK", walk)):
        monkeypatch.setattr(words, name, value)
    chance = random.Random(1)
    sent = [
        records.record(
            float(1 + chance.randrange(5)), stage=chance.choice(("pretrain", "finetune")), project=f"p{n % 3}"
        )
        for n in range(12)
    ]
    _send(engine, *sent)
    _send(engine, {key: value for key, value in records.record().items() if key != "emissions_kg"})
    reasoned = Submission(actor="local", may_correct_all=True, reason="measured twice")
    corrections.retract(engine, sent[3]["id"], reasoned)
    database.settle(engine)
    rows, _ = reading.page(engine, reading.Question(limit=500))
    orders = {"newest": "seq", "emissions": "emissions_kg", "energy": "energy_kwh"}
    for filters in (
        {}, {"stage": "pretrain"}, {"stage": "pretrain", "project": "p1"}, {"stage": "pretrain", "country": "FR"},
        {"stage": "search"}, {"year": "2024"}, {"evidence": "D", "year": "2024", "marked": "0"},
    ):  # fmt: skip
        fits = [row for row in rows if all(str(row[name]) == value for name, value in filters.items())]
        for (order, name), asked in itertools.product(orders.items(), (None, *_FOUND, "nobody", "?")):
            fitting = _FOUND.get(asked or "", asked)
            costed = [row for row in fits if row[name] is not None and fitting in (None, row["project"])]
            wanted = sorted(costed, key=lambda row: (row[name], row["seq"]), reverse=True)
            question = reading.Question(limit=5, filters=filters, order=order, words=asked)
            found = reading.pages(engine, question, reading.page(engine, question))
            assert [row for page in found for row in page] == wanted


def test_beginnings_of_words_are_found_spelled_out_and_not(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terms that are named, and put together by SQLite where they are many: the same records in the same order."""
    names = (
        "model",
        "Models 12",
        "modèle",
        "MODEL-x 123",
        "un modelé",
        "mod_el 模型",
        "modeß 1",
        "model OR x",
        "12a",
    )
    _send(sqlite_engine, *(records.record(name=name, project=None) for name in names))
    asked = (
        "m", "mod", "MODEL", "model", "models", "modele", "modèle", "1", "12", "123", "el", "x model", "or", "模",
        "mod_el", "modess", "modeß", "z", "model z", "12 m", "_", "_ model", "?",
    )  # fmt: skip
    found = []
    for most in (64, 2, 0):
        monkeypatch.setattr(beginnings, "MOST", most)
        pages = [
            reading.page(sqlite_engine, reading.Question(words=words, filters=filters, limit=5))[0]
            for words, filters in itertools.product(asked, (None, {"country": "FR"}))
        ]
        found.append([[row["name"] for row in page] for page in pages])
    assert found[0] == found[1] == found[2]
    assert found[0][2 * asked.index("models")] == ["Models 12"]
    assert found[0][2 * asked.index("_ model")] == found[0][2 * asked.index("model")] != []
    assert found[0][2 * asked.index("12 m")] == ["MODEL-x 123", "Models 12"]


def test_record_that_cannot_be_computed_holds_up_no_other(engine: Engine) -> None:
    """Each of its numbers is one, and their product is infinite: it is refused by its place in the batch."""
    most = {"value": 1e99, "basis": "claimed"}
    one = {**records.record(), "components": [], "duration_s": 1e99, "device_hours": None, "pue": most}
    one |= {"intensity_g_per_kwh": most, "place": {**one["place"], "zone": None, "country": None}}
    one["hardware"][0]["count"] = 10**98
    answer = _send(engine, records.record(), one, records.record())
    assert answer["accepted"] == 2
    assert [refused["index"] for refused in answer["rejected"]] == [1]
    assert "not a finite number" in answer["rejected"][0]["errors"][0]
