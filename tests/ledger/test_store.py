"""The ledger lists, finds, corrects and sums runs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
import time
from pathlib import Path

import pytest

from sootprint import Factor, Footprint, InputError, Quantity, RecordError
from sootprint.core.records import Component
from sootprint.ledger import Ledger, database, keep, leave
from sootprint.ledger.database import FILE_NAME, MIGRATIONS, on_network
from sootprint.ledger.store import LOCK_S


def test_kept_record_comes_back_equal(home: Path, a_run) -> None:
    """What was kept is what is read, by its full id."""
    footprint = a_run(name="digits", tags={"lr": "0.1"})
    assert keep(home, footprint)
    with Ledger(home) as ledger:
        assert ledger.get(footprint.id) == footprint
        assert ledger.state(footprint.id) == "finished"


def test_runs_are_listed_newest_first(home: Path, a_run) -> None:
    """The order is that of the start, not that of keeping, and the limit counts from the newest."""
    first, second, third = a_run(), a_run(), a_run()
    for footprint in (second, third, first):
        keep(home, footprint)
    with Ledger(home) as ledger:
        assert [run.id for run in ledger.runs()] == [third.id, second.id, first.id]
        assert [run.id for run in ledger.runs(limit=1)] == [third.id]
        assert ledger.runs(limit=0) == []


def test_row_holds_what_a_list_shows(home: Path, a_run) -> None:
    """A row gives name, project, state, zone and the two numbers with their intervals."""
    keep(home, a_run(name="digits", project="thesis", grade="C"), state="recovered")
    with Ledger(home) as ledger:
        run = ledger.runs()[0]
    assert (run.name, run.project, run.state, run.zone, run.grade) == (
        "digits",
        "thesis",
        "recovered",
        "FR",
        "C",
    )
    assert run.energy_kwh == Quantity(value=2.0, low=1.0, high=4.0)
    assert run.emissions_kg == Quantity(value=0.1, low=0.05, high=0.2)


def test_unknown_stays_unknown_in_a_row(home: Path, a_run) -> None:
    """A run without emissions lists None, not 0."""
    keep(home, a_run(emissions_kg=None))
    with Ledger(home) as ledger:
        assert ledger.runs()[0].emissions_kg is None


def test_run_is_found_by_prefix_end_name_and_latest(home: Path, a_run) -> None:
    """Each way of naming a run leads to it; of two runs with one name the newer is meant."""
    older, newer = a_run(name="digits"), a_run(name="digits")
    keep(home, older)
    keep(home, newer)
    with Ledger(home) as ledger:
        assert ledger.find(older.id[:23]) == older.id
        assert ledger.find(older.id[-8:]) == older.id
        assert ledger.find(older.id.upper()[-8:]) == older.id
        assert ledger.find("digits") == newer.id
        assert ledger.find("latest") == newer.id


def test_ambiguous_start_names_the_runs(home: Path, a_run) -> None:
    """Ids of one minute share their first eight characters."""
    first, second = a_run(), a_run()
    keep(home, first)
    keep(home, second)
    with Ledger(home) as ledger, pytest.raises(RecordError, match=r"fits 2 runs.*give more of the id"):
        ledger.find(first.id[:6])


def test_the_first_of_the_listed_letters_name_a_run(home: Path, a_run) -> None:
    """`runs` lists the last eight characters of an id: the first four of these are enough."""
    first, second = "0199c82c-c3e8-7ae0-85a5-e6f2f351d76f", "0199c82c-c3e9-7ae0-85a5-e6f2cb04c3fd"
    for run_id in (first, second):
        keep(home, a_run(id=run_id, name="same"))
    with Ledger(home) as ledger:
        assert [ledger.find(ref) for ref in ("f351", "CB04c3", "f351d76f", "d76f")] == [
            first,
            second,
            first,
            first,
        ]
        with pytest.raises(RecordError, match=r"no run 'b04c': the nearest are same$"):
            ledger.find("b04c")  # neither a start nor an end; a name is told once


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("digitz", r"no run 'digitz': the nearest are digits"),
        ("100%", "no run"),
        ("", "no run"),
        ("_" * 9, "no run"),
    ],
)
def test_unknown_run_names_the_nearest(home: Path, a_run, ref: str, message: str) -> None:
    """A wrong name is answered with the nearest; wildcards of SQL match nothing."""
    keep(home, a_run(name="digits"))
    with Ledger(home) as ledger, pytest.raises(RecordError, match=message):
        ledger.get(ref)


def test_empty_ledger_says_how_to_make_a_run(home: Path) -> None:
    """The first look into an empty home names the command that fills it."""
    with Ledger(home) as ledger, pytest.raises(RecordError, match=r"holds no runs yet.*sootprint run"):
        ledger.get("latest")


def test_tag_is_a_new_version_and_the_old_one_stays(home: Path, a_run) -> None:
    """A correction changes the listing and keeps what was there."""
    footprint = a_run(tags={"lr": "0.1", "seed": "1"})
    keep(home, footprint, state="recovered")
    with Ledger(home) as ledger:
        ledger.tag(footprint.id, {"lr": "0.2", "seed": None, "gpu": "none"})
        assert ledger.get(footprint.id).tags == {"lr": "0.2", "gpu": "none"}
        assert ledger.versions(footprint.id)[0].tags == {"lr": "0.1", "seed": "1"}
        assert [run.tags for run in ledger.runs()] == [{"lr": "0.2", "gpu": "none"}]
        assert ledger.state(footprint.id) == "recovered"


def test_tag_that_is_taken_back_is_gone(home: Path, a_run) -> None:
    """A record that is as it was before is a version of its own; the same one twice is none."""
    footprint = a_run()
    keep(home, footprint)
    with Ledger(home) as ledger:
        for tags in ({"seed": "1"}, {"seed": "2"}, {"seed": "1"}, {"seed": "1"}, {"seed": None}):
            assert ledger.tag(footprint.id, tags) == ledger.get(footprint.id)
        assert [one.tags for one in ledger.versions(footprint.id)] == [
            {}, {"seed": "1"}, {"seed": "2"}, {"seed": "1"}, {}
        ]  # fmt: skip
        ledger.amend(ledger.versions(footprint.id)[2])
        assert ledger.get(footprint.id).tags == {"seed": "2"}


def test_two_who_tag_at_once_lose_no_tag(home: Path, a_run, monkeypatch) -> None:
    """Whoever comes while another one changes the record waits, or is told that it is locked."""
    footprint = a_run()
    keep(home, footprint)
    with Ledger(home) as ledger, Ledger(home, lock_s=0.0) as other:
        read, wanted = ledger.get, {"mine": "1"}

        def read_while_another_tags(ref: str) -> Footprint:
            found = read(ref)
            with contextlib.suppress(RecordError):
                other.tag(footprint.id, {"theirs": "2"})
                wanted["theirs"] = "2"
            return found

        monkeypatch.setattr(ledger, "get", read_while_another_tags)
        ledger.tag(footprint.id, {"mine": "1"})
        assert other.get(footprint.id).tags == wanted


def test_correction_keeps_what_another_program_changed_meanwhile(home: Path, a_run) -> None:
    """A source took seconds to answer; a tag that was set in them stays beside the new emissions."""
    footprint = a_run()
    keep(home, footprint)
    with Ledger(home) as ledger:
        ledger.tag(footprint.id, {"seed": "1"})
        better = dataclasses.replace(footprint, emissions_kg=Quantity(value=0.3))
        ledger.amend(better, since=footprint)
        found = ledger.get(footprint.id)
    assert (found.tags, found.emissions_kg) == ({"seed": "1"}, Quantity(value=0.3))


def test_keeping_the_same_record_again_adds_nothing(home: Path, a_run) -> None:
    """A crash between database and spool leaves the file; taking it in again, even after a tag, changes nothing."""
    footprint = a_run(tags={"lr": "0.1"})
    keep(home, footprint)
    with Ledger(home) as ledger:
        ledger.tag(footprint.id, {"lr": "0.2"})
    keep(home, footprint)
    with Ledger(home) as ledger:
        assert len(ledger.versions(footprint.id)) == 2
        assert ledger.get(footprint.id).tags == {"lr": "0.2"}


def test_deleted_run_is_gone_with_all_versions(home: Path, a_run) -> None:
    """Nothing of a deleted run stays, its spool file included."""
    footprint = a_run()
    keep(home, footprint)
    with Ledger(home) as ledger:
        ledger.tag(footprint.id, {"a": "b"})
        (home / "spool" / f"{footprint.id}.json").write_text(footprint.to_json())
        assert ledger.delete(footprint.id) == footprint.id
        assert ledger.runs() == []
    with Ledger(home) as ledger:
        assert ledger.runs() == []


def test_summary_adds_values_and_bounds(home: Path, a_run) -> None:
    """Two runs of 0.1 kg (0.05-0.2) and one of 1 kg without bounds: sums by project, unknown counted apart."""
    for _ in range(2):
        keep(home, a_run(project="thesis"))
    keep(home, a_run(project="thesis", emissions_kg=None))
    keep(home, a_run(emissions_kg=Quantity(value=1.0)))
    with Ledger(home) as ledger:
        none, thesis = ledger.summary("project")
    assert (none.key, none.runs, none.emissions_kg) == (None, 1, Quantity(value=1.0))
    assert (thesis.key, thesis.runs, thesis.without_emissions) == ("thesis", 3, 1)
    assert thesis.emissions_kg is not None and thesis.energy_kwh is not None
    assert thesis.emissions_kg.value == pytest.approx(0.2)
    assert (thesis.emissions_kg.low, thesis.emissions_kg.high) == pytest.approx((0.1, 0.4))
    assert thesis.energy_kwh.value == pytest.approx(6.0)
    assert thesis.duration_s == pytest.approx(90.0)


def test_emissions_of_different_methods_are_never_added(home: Path, a_run) -> None:
    """Life-cycle and direct figures have no sum; their energies have, and each alone keeps its own."""
    life = Factor(kind="intensity", key="FR", value=50.0, method="average, life-cycle, location-based")
    direct = dataclasses.replace(life, method="average, direct, location-based")
    keep(home, a_run(project="a", factors=(life,)))
    keep(home, a_run(project="a", factors=(direct,)))
    keep(home, a_run(project="b", factors=(direct,)))
    keep(home, a_run(project="c", factors=(direct,), emissions_kg=None))
    keep(home, a_run(project="c", factors=(life,)))
    with Ledger(home) as ledger:
        rows = {row.key: row for row in ledger.summary("project")}
    assert rows["a"].emissions_kg is None and rows["a"].is_mixed
    assert rows["a"].energy_kwh is not None and rows["a"].energy_kwh.value == pytest.approx(4.0)
    assert rows["a"].methods == (direct.method, life.method)
    for key in ("b", "c"):
        emissions = rows[key].emissions_kg
        assert emissions is not None and emissions.value == pytest.approx(0.1)


def test_summary_by_month_and_by_tag(home: Path, a_run) -> None:
    """A run counts in the month of its start and under each of its tags."""
    keep(home, a_run(tags={"gpu": "a100", "user": "x"}))
    keep(home, a_run(tags={"gpu": "a100"}, started="2025-11-01T00:00:00Z"))
    keep(home, a_run(started=None))
    with Ledger(home) as ledger:
        assert {row.key: row.runs for row in ledger.summary("month")} == {"2025-10": 1, "2025-11": 1, None: 1}
        assert {row.key: row.runs for row in ledger.summary("tag")} == {"gpu=a100": 2, "user=x": 1, None: 1}
        with pytest.raises(InputError, match=r"'colour'.*project, month, year, tag, node"):
            ledger.summary("colour")


def test_summary_by_node_is_by_the_pseudonym_and_none_is_by_user(home: Path, a_run) -> None:
    """Two machines are two rows; a user is in no record, and the line says what to do."""
    for node in ("a1", "a1", "b2", None):
        keep(home, a_run(node=node))
    with Ledger(home) as ledger:
        assert {row.key: row.runs for row in ledger.summary("node")} == {"a1": 2, "b2": 1, None: 1}
        with pytest.raises(InputError, match=r"no record holds a user.*--tag user=NAME"):
            ledger.summary("user")


def test_idle_energy_is_summed_where_it_is_told(home: Path, a_run) -> None:
    """Of 2 kWh each, 0.3 and 0.5 kWh were idle; a run that does not tell is in neither number."""

    def idle(*told: float | None) -> tuple[Component, ...]:
        energy = Quantity(value=1.0)
        return tuple(
            Component(component=f"cpu:{index}", meter="rapl", energy_kwh=energy, idle_kwh=one)
            for index, one in enumerate(told)
        )

    keep(home, a_run(project="a", components=idle(0.1, 0.2)))
    keep(home, a_run(project="a", components=idle(0.5, None)))
    keep(home, a_run(project="a", components=idle(None, None)))
    keep(home, a_run(project="b", components=()))
    with Ledger(home) as ledger:
        rows = {row.key: row for row in ledger.summary("project")}
    assert (rows["a"].idle_kwh, rows["a"].metered_kwh) == pytest.approx((0.8, 4.0))
    assert (rows["b"].idle_kwh, rows["b"].metered_kwh) == (None, 0.0)


def test_idle_energy_of_an_older_ledger_is_read_from_its_records(home: Path, a_run) -> None:
    """A ledger from before the column gets it from the records that it holds."""
    part = Component(component="cpu", meter="rapl", energy_kwh=Quantity(value=2.0), idle_kwh=0.25)
    keep(home, a_run(components=(part,)))
    with Ledger(home):
        pass
    with sqlite3.connect(home / FILE_NAME) as connection:
        (view,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'latest'").fetchone()
        connection.execute("DROP VIEW latest")
        connection.execute("ALTER TABLE runs DROP COLUMN idle_kwh")
        connection.execute("DELETE FROM migrations WHERE version = 5")
        connection.execute(view)
        connection.execute("PRAGMA user_version = 4")
    with Ledger(home) as ledger:
        (row,) = ledger.summary("project")
    assert (row.idle_kwh, row.metered_kwh) == (0.25, 2.0)


def test_fields_of_a_newer_minor_version_are_kept_to_the_byte(home: Path, a_run) -> None:
    """A record of schema 1.9 keeps the fields that this version does not know, on every level."""
    data = json.loads(a_run().to_json())
    data |= {"schema": "1.9", "new_at_top": {"é": [1, 2.50, None]}}
    data["place"]["grid_operator"] = "RTE"
    text = json.dumps(data, ensure_ascii=False)
    keep(home, Footprint.from_json(text))
    with Ledger(home) as ledger:
        back = ledger.get("latest")
    assert json.loads(back.to_json()) == data
    assert back.extra == {"/new_at_top": {"é": [1, 2.50, None]}, "/place/grid_operator": "RTE"}


def test_name_of_undecodable_bytes_is_kept(home: Path, a_run) -> None:
    """A name given in bytes that are no UTF-8 does not lose the run; the bytes are shown as ?."""
    footprint = a_run(name=b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert keep(home, footprint)
    with Ledger(home) as ledger:
        assert ledger.get(footprint.id).name == ledger.runs()[0].name == "caf?"


def test_tables_are_made_once_and_their_version_is_recorded(home: Path, a_run) -> None:
    """The file states the version of its tables and when each step was applied."""
    keep(home, a_run())
    keep(home, a_run())
    with sqlite3.connect(home / FILE_NAME) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("SELECT version FROM migrations").fetchall() == [
            (1,),
            (2,),
            (3,),
            (4,),
            (5,),
        ]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_ledger_of_a_newer_version_is_refused_and_the_run_waits(home: Path, a_run) -> None:
    """An older program neither reads nor harms a newer ledger; its own run waits in the spool."""
    keep(home, a_run())
    with sqlite3.connect(home / FILE_NAME) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    footprint = a_run()
    assert not keep(home, footprint)
    assert (home / "spool" / f"{footprint.id}.json").exists()
    with pytest.raises(RecordError, match="upgrade sootprint"):
        Ledger(home)


@pytest.mark.parametrize(
    ("mounts", "shared"),
    [
        ("/dev/sda / ext4 rw 0 0\n", False),
        ("/dev/sda / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\n", True),
        ("server:/x / nfs rw 0 0\n/dev/sda /data ext4 rw 0 0\n", False),
        ("/dev/sda / ext4 rw 0 0\nserver:/x /data/runs-elsewhere lustre rw 0 0\n", False),
        ("server:/x /data/runs lustre rw 0 0\nbroken\n", True),
    ],
)
def test_network_file_system_is_recognised(tmp_path: Path, mounts: str, shared: bool) -> None:
    """The mount that holds the folder decides, not one whose name merely begins alike."""
    table = tmp_path / "mounts"
    table.write_text(mounts)
    assert on_network(Path("/data/runs"), mounts=table) is shared


def test_a_ledger_that_was_moved_to_a_network_gives_up_its_log(home: Path, a_run, monkeypatch) -> None:
    """It was made on a disk of its own; where several machines may share it, the rollback journal takes over."""
    footprint = a_run()
    keep(home, footprint)
    monkeypatch.setattr(database, "on_network", lambda folder: folder == home)
    with contextlib.closing(sqlite3.connect(home / FILE_NAME)) as other:
        other.execute("SELECT id FROM runs").fetchall()  # holds the file, so that it cannot be changed yet
        with Ledger(home, lock_s=0.0) as ledger:
            assert ledger.get(footprint.id) == footprint
    with Ledger(home):
        pass
    with sqlite3.connect(home / FILE_NAME) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_person_waits_longer_than_a_training() -> None:
    """Opening the ledger waits seconds for a lock, keeping a run fractions of one."""
    assert LOCK_S >= 1.0


def test_whoever_must_not_wait_says_for_how_long(home: Path, a_run) -> None:
    """A record that waits is taken in by the first who may write; until then the error comes after the given wait."""
    Ledger(home).close()
    leave(home, a_run(name="waits"))
    with contextlib.closing(sqlite3.connect(home / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        before_s = time.monotonic()
        with pytest.raises(RecordError, match="locked by another program"):
            Ledger(home, lock_s=0.1)
        assert time.monotonic() - before_s < 2.0
    with Ledger(home) as ledger:
        assert [row.name for row in ledger.runs()] == ["waits"]
