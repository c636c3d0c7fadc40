"""Lists, leaderboards and sums against the versions: what was changed by hand is told and made again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from sootprint.cli import app
from sootprint.core.records import CurvePoint, Model, Result
from sootprint.hub import chain, corrections, ingest, seed, truth
from sootprint.hub.accounts import LOCAL
from sootprint.hub.insight import agreement, heads, projections, reviews, tallied
from sootprint.hub.insight.tallied import Tallied
from sootprint.hub.people import claims
from sootprint.hub.tables import FootprintRow, ResultRow, table_of
from tests.hub import records

TOOL = ingest.Submission(actor="local", may_correct_all=True)
_rows, _results = table_of(FootprintRow), table_of(ResultRow)


@pytest.fixture
def filled(engine: Engine) -> list[dict[str, Any]]:
    """Records of a hub in which all happened that changes a row: of these the first three are as they came."""
    projections.ensure(engine)  # as a hub that opens it
    plain = [records.trained(70.0 + n, kg=3.0 + n, name=f"net {n}") for n in range(3)]
    corrected, retracted, disputed, claimed = (records.trained(60.0, kg=2.0, name="x") for _ in range(4))
    curve = (CurvePoint(energy_kwh=1.0, metric="Top-1", value=50.0),)
    measured = records.measured(
        12.0, "B", model=Model(name="M", architecture="A"), curve=curve,
        results=(Result(task="T", dataset="D", metric="Top-1", value=50.0, split="val"),),
    )  # fmt: skip
    ingest.take_in(engine, json.dumps([*plain, corrected, retracted, disputed, measured]).encode(), TOOL)
    ingest.take_in(engine, json.dumps(claimed).encode(), dataclasses.replace(TOOL, origin="third-party"))
    ingest.take_in(engine, json.dumps({**corrected, "name": "other"}).encode(), TOOL)
    corrections.retract(engine, retracted["id"], dataclasses.replace(TOOL, reason="the wrong run"))
    reviews.review(engine, disputed["id"], "disputed", version="1", note="no", actor=LOCAL)
    reviews.review(engine, measured["id"], "replicated", version="1", note="yes", actor=LOCAL)
    number = claims.claim(engine, claimed["id"], LOCAL, method="orcid", proof="0000")
    claims.decide(engine, number, LOCAL, confirmed=True)
    return [*plain, corrected, retracted, disputed, claimed, measured]


def _found(engine: Engine) -> agreement.Agreement:
    found = agreement.check(engine)
    assert found is not None
    return found


def test_hub_that_nobody_touched_agrees(engine: Engine, filled: list[dict[str, Any]]) -> None:
    """Corrections, retractions, verdicts, claims and published runs are no faults; nothing is made again."""
    seed.seed(engine)
    found = _found(engine)
    assert found.problems == []
    assert found.count == 0
    assert found.records > len(filled)
    assert found.sums > 100
    assert agreement.mend(engine) == 0
    assert _found(engine) == found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE footprint SET emissions_kg = emissions_kg / 10 WHERE id = :id", "is listed with emissions_kg"),
        ("UPDATE footprint SET our_emissions_low_kg = NULL WHERE id = :id", "is listed with our_emissions_low_kg None"),
        ("UPDATE footprint SET country = 'XX' WHERE id = :id", "is listed with country 'XX', its versions give 'FR'"),
        ("UPDATE footprint SET evidence = 'A' WHERE id = :id", "is listed with evidence 'A'"),
        ("UPDATE footprint SET marked = 1 - marked WHERE id = :id", "is listed with marked"),
        ("UPDATE footprint SET verification = 'reviewed' WHERE id = :id", "is listed with verification 'reviewed'"),
        ("UPDATE footprint SET our_energy_kwh = 1 WHERE id = :id", "is listed with our_energy_kwh 1.0"),
        ("UPDATE footprint SET words = words || ' best' WHERE id = :id", "is listed with words"),
        ("UPDATE footprint SET origin = 'form' WHERE id = :id", "is listed with origin 'form'"),
        ("UPDATE footprint SET first_at = '2001' WHERE id = :id", "is listed with first_at '2001'"),
        ("UPDATE footprint SET state = 'retracted' WHERE id = :id", "is listed with state 'retracted'"),
        ("UPDATE footprint SET version = 7 WHERE id = :id", "is listed with version 7, its versions give 1"),
        ("UPDATE result SET value = value + 9 WHERE seq = 1", "the results of"),
        ("UPDATE result SET emissions_kg = 1 WHERE seq = 1", "the results of"),
        ("UPDATE result SET marked = 1 WHERE seq = 1", "the results of"),
        ("DELETE FROM result WHERE seq = 1", "the results of"),
        ("UPDATE tally SET n = n + 1 WHERE facet = 'country'", "the count of country 'FR'"),
        ("DELETE FROM tally WHERE facet = 'evidence'", "is missing"),
        ("INSERT INTO tally (facet, value, n) VALUES ('country', 'XY', 3)", "the count of country 'XY' is 3"),
        ("UPDATE rollup SET n = n + 1 WHERE kind = 'place'", "the sum n of place 'FR'"),
        ("UPDATE rollup SET emissions_kg = 2 * emissions_kg + 1 WHERE kind = 'model'", "the sum emissions_kg of model"),
        ("DELETE FROM rollup WHERE kind = 'place'", "the sum of place 'FR' is missing"),
        ("UPDATE recomputation SET emissions_kg = 1 WHERE id = :id", "what the hub keeps of its recomputation of"),
        ("UPDATE recomputation SET detail = 'x' WHERE id = :id", "what the hub keeps of its recomputation of"),
        ("DELETE FROM recomputation WHERE id = :id", "what the hub keeps of its recomputation of"),
    ],
)  # fmt: skip
def test_change_by_hand_is_told_and_made_again(
    engine: Engine, filled: list[dict[str, Any]], change: str, words: str
) -> None:
    """A column, a result, a count, a sum and a recomputation; the log itself tells none of it."""
    before = _found(engine)
    key = {"id": filled[0]["id"]} if ":id" in change else {}
    with engine.begin() as connection:
        connection.execute(sa.text(change), key)
    assert chain.verify(engine, shown=False).count == 0
    found = _found(engine)
    assert found.count > 0
    assert any(words in problem for problem in found.problems), found.problems
    agreement.mend(engine)
    assert _found(engine) == before
    assert chain.verify(engine).count == 0


def test_record_that_no_list_has_comes_back_and_one_without_a_version_goes(
    engine: Engine, filled: list[dict[str, Any]]
) -> None:
    """Rows that were deleted, of a published and of a retracted record, and a row that was made up."""
    before = _found(engine)
    gone = [filled[0]["id"], filled[4]["id"]]
    with engine.begin() as connection:
        seqs = list(connection.scalars(sa.select(_rows.c.seq).where(_rows.c.id.in_(gone))))
        connection.execute(sa.delete(_results).where(_results.c.seq.in_(seqs)))
        connection.execute(sa.delete(_rows).where(_rows.c.seq.in_(seqs)))
        row = dict(connection.execute(sa.select(_rows)).mappings().first() or {})
        made_up = {**row, "seq": 900, "id": records.record()["id"], "emissions_kg": 0.001}
        connection.execute(sa.insert(_rows), made_up)
    problems = _found(engine).problems
    assert sum("has versions and is in no list" in one for one in problems) == 2
    assert f"{made_up['id']} is listed, and there is no version of it" in problems
    assert agreement.mend(engine) == 3
    assert _found(engine) == before
    assert chain.verify(engine).count == 0


def test_counts_and_sums_that_are_many_are_put_together_on_the_disk(
    engine: Engine, filled: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many parts find what one finds, no more is held than one part and a record, and the rows are read once."""
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE tally SET n = n + 1 WHERE facet IN ('country', 'hardware')"))
        connection.execute(sa.text("UPDATE rollup SET n = n + 1 WHERE kind = 'model'"))
    whole = _found(engine)
    read: list[int] = []
    published = projections.published

    def reading(*given: Any) -> Any:
        read.append(1)
        return published(*given)

    monkeypatch.setattr(projections, "published", reading)
    held = _in_parts(monkeypatch)
    parts = _found(engine)
    assert (parts.count, parts.sums, sorted(parts.problems)) == (
        whole.count,
        whole.sums,
        sorted(whole.problems),
    )
    assert len(held) > 2
    assert max(held) < whole.sums
    assert read == [1]


def test_counts_and_sums_are_made_again_with_few_in_memory(
    engine: Engine, filled: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In many parts they become what they were, although all were wrong, some missing and some too many."""
    right = _found(engine)
    assert right.count == 0
    held = _in_parts(monkeypatch)
    monkeypatch.setattr(tallied, "AT_ONCE", 2)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE tally SET n = n + 7"))
        connection.execute(sa.text("DELETE FROM tally WHERE facet = 'country'"))
        connection.execute(sa.text("UPDATE rollup SET n = n + 7, energy_kwh = 1 WHERE kind <> 'made'"))
        connection.execute(sa.text("INSERT INTO tally (facet, value, n) VALUES ('country', 'XX', 1)"))
    assert _found(engine).count > 7
    held.clear()
    assert projections.count_again(engine) == right.records - 1  # one is retracted
    assert len(held) > 2
    assert max(held) < right.sums
    monkeypatch.undo()
    assert _found(engine) == right


def _in_parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many counts and sums were in memory each time that they were put on the disk, few at a time."""
    held: list[int] = []
    put = Tallied._put

    def watched(one: Tallied) -> None:
        held.append(len(one._held) + len(one._changes))
        put(one)

    monkeypatch.setattr(Tallied, "_put", watched)
    monkeypatch.setattr(tallied, "HELD", 3)
    return held


def test_progress_of_a_check_is_told(engine: Engine, filled: list[dict[str, Any]]) -> None:
    """From the log to the sums, each to its end."""
    told: list[tuple[str, int, int]] = []
    part = ["log"]

    def step(done: int, total: int) -> None:
        told.append((part[-1], done, total))

    assert chain.verify(engine, step=step).count == 0
    assert agreement.check(engine, say=part.append, step=step) is not None
    assert part == ["log", "comparing lists", "comparing sums"]
    for name in part[:2]:
        done, total = [one[1:] for one in told if one[0] == name][-1]
        assert done == total > 0
    assert any(name == "comparing sums" for name, _, _ in told)


def test_row_that_an_earlier_engine_made_is_as_good(engine: Engine) -> None:
    """What stands beside a version is of the tables of its day, and so is its row; no other number is."""
    one = records.record()
    ingest.take_in(engine, json.dumps(one).encode(), TOOL)
    halve = "emissions_kg = 0.5 * emissions_kg, emissions_low_kg = 0.5 * emissions_low_kg"
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE recomputation SET engine = '0.1+old', {halve}"))
        connection.execute(sa.text(f"UPDATE footprint SET {halve.replace('emissions_', 'our_emissions_')}"))
        assert [*heads.of(connection, [one["id"]])[0].problems()] == []
        connection.execute(sa.text("UPDATE footprint SET our_emissions_kg = 1.5 * our_emissions_kg"))
        assert "our_emissions_kg" in next(heads.of(connection, [one["id"]])[0].problems())
    assert truth.engine() != "0.1+old"


def test_hub_that_makes_its_lists_again_is_not_compared(engine: Engine, filled: list[dict[str, Any]]) -> None:
    """After an upgrade that gives rows other columns nothing is to be told of those of the earlier program."""
    with engine.begin() as connection:
        projections._mark(connection, projections.MADE, projections.STATE - 1)
    assert agreement.check(engine) is None
    projections.ensure(engine)
    assert _found(engine).count == 0


def test_command_tells_the_problem_and_the_way_out(tmp_path: Any, sqlite_engine: Engine) -> None:
    """Exit code 1 and one line with the value; --rebuild ends it, and is refused where the versions do not fit."""
    url = sqlite_engine.url.render_as_string()
    ingest.take_in(sqlite_engine, records.batch(3), TOOL)
    env = {"SOOTPRINT_HOME": str(tmp_path)}

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["hub", "verify", "--database-url", url, *words], env=env)

    assert (run().exit_code, "all of it fits" in run().stdout) == (0, True)
    with sqlite_engine.begin() as connection:
        connection.execute(sa.text("UPDATE footprint SET country = 'XX' WHERE seq = 2"))
    told = run()
    assert told.exit_code == 1
    assert "listed with country 'XX', its versions give 'FR'" in told.stdout
    assert "`sootprint hub verify --rebuild`" in told.stdout
    assert json.loads(run("--json").stdout)["records"] == 3
    mended = json.loads(run("--rebuild", "--json").stdout)
    assert (mended["mended"], mended["count"]) == (1, 0)
    assert run().exit_code == 0
    with sqlite_engine.begin() as connection:
        connection.execute(sa.text("UPDATE footprint_version SET reason = 'x' WHERE version = 1"))
        connection.execute(sa.text("UPDATE footprint SET country = 'XX' WHERE seq = 2"))
    refused = run("--rebuild")
    assert (refused.exit_code, "restore a backup" in refused.stdout) == (1, True)
    assert "country 'XX'" in run().stdout


def test_claim_that_is_decided_while_sums_are_made_again_is_counted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changes a row, and brings neither a version nor a review."""
    one = records.record()
    projections.ensure(engine)
    ingest.take_in(engine, json.dumps(one).encode(), dataclasses.replace(TOOL, origin="third-party"))
    number = claims.claim(engine, one["id"], LOCAL, method="orcid", proof="0000")
    published = projections.published

    def then_decided(connection: Any) -> Any:
        yield from published(connection)
        claims.decide(engine, number, LOCAL, confirmed=True)

    monkeypatch.setattr(projections, "published", then_decided)
    projections.count_again(engine)
    monkeypatch.undo()
    assert _found(engine).problems == []
