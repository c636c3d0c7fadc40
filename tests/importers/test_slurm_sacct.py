"""Jobs of Slurm: each once, with its energy once, its state, and nobody's name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import slurm_sacct
from sootprint.importers.clocks import LOCAL
from sootprint.importers.slurm_sacct import rows
from sootprint.ledger.names import pseudonym

HEAD = (
    "JobID|JobName|Cluster|Account|User|Partition|State|ExitCode|Submit|Start|End|ElapsedRaw|AllocNodes|AllocCPUS|"
    "AllocTRES|NodeList|ConsumedEnergyRaw"
)
JOB = {
    "JobID": "101",
    "JobName": "train",
    "Cluster": "north",
    "Account": "physics",
    "User": "ada",
    "Partition": "gpu",
    "State": "COMPLETED",
    "ExitCode": "0:0",
    "Submit": "2025-03-01T09:00:00",
    "Start": "2025-03-01T10:00:00",
    "End": "2025-03-01T12:00:00",
    "ElapsedRaw": "7200",
    "AllocNodes": "1",
    "AllocCPUS": "32",
    "AllocTRES": "billing=32,cpu=32,gres/gpu:a100=4,gres/gpu=4,mem=256G,node=1",
    "NodeList": "node07",
    "ConsumedEnergyRaw": "0",
}
RECORDED = Path(__file__).parent / "sacct"


def text(*jobs: dict[str, str], head: str = HEAD) -> str:
    """What sacct prints for jobs that differ from the usual one."""
    columns = head.split("|")
    return (
        "\n".join((head, *("|".join({**JOB, **one}.get(name, "") for name in columns) for one in jobs)))
        + "\n"
    )


def step(name: str, energy_j: str, start: str = "10:00:00", end: str = "12:00:00") -> dict[str, str]:
    """A step of the usual job."""
    day = "2025-03-01T"
    return {"JobID": f"101.{name}", "ConsumedEnergyRaw": energy_j, "Start": day + start, "End": day + end}


def one(*jobs: dict[str, str], head: str = HEAD) -> Footprint:
    """Record of the only job."""
    (record,) = importers.read(text(*(jobs or ({},)), head=head), name="jobs.txt").records
    return record


def spent_j(*jobs: dict[str, str]) -> float | None:
    """Energy of the only job [J]."""
    energy = one(*jobs).energy_kwh
    return None if energy is None else round(energy.value * 3.6e6, 3)


def left(source: str) -> list[str]:
    """Why rows were left out."""
    return [row.why for row in importers.read(source, name="jobs.txt").left_out]


def recorded(name: str) -> dict[str, Footprint]:
    """Records of what a Slurm 22.05 with accounting printed on one machine, by job.

    Its node was given Cray's counters, `contain` and `alloc` (after the setting PrologFlags) at about 100 W; the job 11
    saw its counter set back.
    """
    found = importers.read((RECORDED / name).read_text(encoding="utf-8"), name=name)
    return {record.given["jobid"]: record for record in found.records}


def test_what_a_real_slurm_prints() -> None:
    """Array, requeue, cancel, failure, a bar in a name, and a job that still runs; accelerators with their type."""
    jobs = recorded("without-energy.txt")
    assert {job: record.tags["state"] for job, record in jobs.items()} == {
        "1": "COMPLETED", "2": "FAILED", "4": "CANCELLED", "5": "COMPLETED", "6": "REQUEUED", "3_1": "FAILED",
        "3_2": "FAILED",
    }  # fmt: skip
    assert all(record.energy_kwh is None for record in jobs.values())
    assert jobs["2"].name == "odd|name"
    assert [(part.name, part.count) for part in jobs["1"].hardware] == [("a100", 2)]
    source = (RECORDED / "without-energy.txt").read_text(encoding="utf-8")
    assert left(source) == ["it is running after 5 s and has not ended: import it again afterwards"]


def test_energies_that_a_real_slurm_prints() -> None:
    """At 100 W: 4 s by `extern`, 2 s by `batch` where the counter was set back, not the 195 J of a job's own row."""
    contain, alloc, told = recorded("contain.txt"), recorded("alloc.txt"), recorded("jobs.json")
    jobs = {**contain, **alloc}
    found = {job: round(record.energy_kwh.value * 3.6e6) for job, record in jobs.items() if record.energy_kwh}
    assert found == {"10": 406, "11": 193, "12": 222, "13": 416}
    assert any("ran back below zero" in warning for warning in contain["11"].warnings)
    assert sorted(told) == ["10", "3_1", "3_2"]
    for name in ("id", "energy_kwh", "hardware", "duration_s", "started", "tags", "device_hours"):
        assert getattr(told["10"], name) == getattr(contain["10"], name), name
    assert told["3_1"].id == recorded("without-energy.txt")["3_1"].id


def test_job_without_energy_has_its_hardware_and_hours() -> None:
    """What it was given and for how long, its end as a tag; its energy, place and PUE are unknown."""
    record = one()
    assert [(part.kind, part.name, part.count) for part in record.hardware] == [("accelerator", "a100", 4)]
    assert record.device_hours is not None
    assert (record.device_hours.value, record.duration_s, record.energy_kwh) == (8.0, 7200.0, None)
    assert (record.started, record.ended) == ("2025-03-01T10:00:00Z", "2025-03-01T12:00:00Z")
    assert record.tags == {"state": "COMPLETED", "partition": "gpu", "cluster": "north"}
    assert {"energy_kwh", "emissions_kg", "place", "pue"} <= set(record.unknown)
    assert (record.grade, record.name, record.tool) == ("D", "train", "slurm-sacct")
    assert Footprint.from_json(record.to_json()) == record


def test_nobody_is_named_unless_asked() -> None:
    """Users, accounts and nodes are left out, or pseudonyms of a key; nothing else of the record holds them."""
    source = text({"State": "CANCELLED by 31337", "JobName": "/home/ada/secret/train.sh"})
    for names in (None, lambda kind, name: pseudonym(b"k" * 32, kind, name)):
        found = importers.read(source, name="jobs.txt", **({} if names is None else {"names": names}))
        (record,) = found.records
        told = record.to_json()
        assert not any(word in told for word in ("ada", "physics", "node07", "31337", "secret"))
        assert record.name == "train.sh"
    assert record.tags["user"] == pseudonym(b"k" * 32, "user", "ada")
    assert record.project == pseudonym(b"k" * 32, "account", "physics")
    assert record.node == pseudonym(b"k" * 32, "node", "node07")
    (asked,) = importers.read(source, name="jobs.txt", names=lambda kind, name: name).records
    assert (asked.tags["user"], asked.project) == ("ada", "physics")


@pytest.mark.parametrize(
    ("cells", "steps", "energy_j"),
    [
        ({"ConsumedEnergyRaw": "3600000"}, (), 3.6e6),
        # with PrologFlags=Contain the job has the energy of its step extern
        (
            {"ConsumedEnergyRaw": "3600000"},
            (("batch", "3500000"), ("extern", "3600000"), ("0", "3400000")),
            3.6e6,
        ),
        # without, the controller adds steps up that ran on the same node at once
        ({"ConsumedEnergyRaw": "6900000"}, (("batch", "3500000"), ("0", "3400000")), 3.5e6),
        ({"ConsumedEnergyRaw": "3500000"}, (("batch", "3500000"), ("0", "0")), 3.5e6),
        ({}, (("batch", "3500000"),), 3.5e6),
        ({}, (("extern", "3600000"), ("batch", "3500000")), 3.6e6),
        ({}, (("0", "0"), ("batch", "")), None),
        # on two nodes the step batch has the first alone
        ({"AllocNodes": "2", "AllocTRES": "cpu=32,node=2"}, (("batch", "300000"), ("0", "700000")), 7e5),
        ({"AllocNodes": "2", "AllocTRES": "cpu=32,node=2"}, (("0", "300000"), ("1", "700000")), None),
    ],
)
def test_energy_of_a_job_is_counted_once(
    cells: dict[str, str], steps: Iterable[tuple[str, str]], energy_j: float | None
) -> None:
    """Of the job's row and those of its steps, which hold the same nodes at the same time."""
    assert spent_j(cells, *(step(name, spent) for name, spent in steps)) == energy_j


def test_steps_that_follow_each_other_are_added_up() -> None:
    """On two nodes without `extern`: the sum of the steps, with a remark that the pauses between are not in."""
    two = {"AllocNodes": "2", "AllocTRES": "cpu=32,node=2"}
    steps = (step("0", "300000", end="11:00:00"), step("1", "700000", start="11:00:00"))
    assert spent_j(two, *steps) == 1e6
    assert any("between them" in warning for warning in one(two, *steps).warnings)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "0",
        "4294967294",
        "4294967295",
        "18446744073709551614",
        "18446744073709551615",
        "None",
        "-5",
        "5 J",
        "nan",
    ],
)
def test_energy_that_is_none_is_unknown(cell: str) -> None:
    """0 and the marks of a missing number are not measured; what is no number is not used and told."""
    record = one({"ConsumedEnergyRaw": cell})
    assert record.energy_kwh is None
    assert "energy_kwh" in record.unknown
    assert any(one != LOCAL for one in record.warnings) == (cell not in ("", "0", "None", "nan"))


@pytest.mark.parametrize(
    ("cell", "energy_j"),
    [
        ("512", 512.0),
        ("1.50M", 1.5e6),
        ("3.60K", 3600.0),
        ("0.01G", 1e7),
        ("4294.97M", None),
        ("18446.74P", None),
    ],
)
def test_suffixes_of_the_rounded_column(cell: str, energy_j: float | None) -> None:
    """K, M, G are decimal; a mark of a missing number stays one when it is rounded."""
    head = HEAD.replace("ConsumedEnergyRaw", "ConsumedEnergy")
    energy = one({"ConsumedEnergy": cell}, head=head).energy_kwh
    assert (None if energy is None else round(energy.value * 3.6e6)) == energy_j


def test_energy_that_no_node_draws_is_not_used() -> None:
    """1 GJ in a minute on one node is a counter that jumped; 1 J in two hours is told."""
    assert one({"ConsumedEnergyRaw": "1000000000", "ElapsedRaw": "60"}).energy_kwh is None
    small = one({"ConsumedEnergyRaw": "1"})
    assert any("less than any draws" in warning for warning in small.warnings)


def test_arrays_requeues_and_waste_are_records_of_their_own() -> None:
    """Tasks of an array, a job that was requeued and started again, and those that failed or were cancelled."""
    found = importers.read(
        text(
            {"JobID": "200_1", "State": "FAILED"},
            {"JobID": "200_2", "State": "CANCELLED by 1000"},
            {"JobID": "300", "State": "NODE_FAIL", "Start": "2025-03-01T10:00:00"},
            {
                "JobID": "300",
                "State": "COMPLETED",
                "Start": "2025-03-01T13:00:00",
                "End": "2025-03-01T15:00:00",
            },
            {"JobID": "400+0", "State": "TIMEOUT"},
            {"JobID": "400+1", "State": "OUT_OF_MEMORY"},
        ),
        name="jobs.txt",
    )
    states = [record.tags["state"] for record in found.records]
    assert states == ["FAILED", "CANCELLED", "NODE_FAIL", "COMPLETED", "TIMEOUT", "OUT_OF_MEMORY"]
    assert len({record.id for record in found.records}) == 6
    assert [record.given.get("array") for record in found.records[:3]] == ["200", "200", None]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"State": "RUNNING", "End": "Unknown"}, "it is running after 7200 s and has not ended"),
        ({"State": "PENDING", "Start": "Unknown", "End": "Unknown", "ElapsedRaw": "0"}, "ran for no time"),
        ({"JobID": "500_[3-9]", "State": "PENDING", "ElapsedRaw": "0"}, "ran for no time"),
        ({"End": "Unknown"}, "has not ended"),
        ({"ElapsedRaw": ""}, "a time that is not told"),
        ({"ElapsedRaw": "-5"}, "'-5': it is a whole number of seconds"),
        ({"ElapsedRaw": "1e9"}, "'1e9': it is a whole number of seconds"),
        ({"ElapsedRaw": "99999999999"}, "more than a century"),
        ({"Start": "01/03/25 10:00"}, "'01/03/25 10:00' is no instant"),
        ({"Start": "1825-03-01T10:00:00"}, "is no instant"),
        ({"Partition": "a|b"}, "18 cells where the head has 17|10 cells"),
        ({"JobID": ""}, "it has no job"),
        ({"JobName": "x\0y"}, "null byte"),
        ({"JobName": "x" * 30_000}, "more than 20,000 characters"),
    ],
)
def test_row_that_is_no_job_of_the_past_is_told(cells: dict[str, str], why: str) -> None:
    """The value and the rule; its neighbour is a record."""
    source = text(cells, {"JobID": "999"})
    if "Partition" in cells:
        source = source.replace("JobName|", "Quota|")  # no free text that could hold the mark
    made = list(slurm_sacct.each(source.splitlines(keepends=True), "jobs.txt"))
    assert [isinstance(told, Footprint) for _, told in made] == [False, True]
    assert any(part in str(made[0][1]) for part in why.split("|"))


def test_mark_in_the_name_of_a_job_is_its_own() -> None:
    """Sacct quotes nothing: a bar more belongs to the one free text of the row."""
    assert one({"JobName": "a|b"}).name == "a|b"


def test_same_job_is_counted_once() -> None:
    """Twice in a file it is one record; the same file gives the same identities, in JSON as in text."""
    source = text({}, {})
    assert left(source) == ["the same job with the same start stands above: it is counted once"]
    assert one().id == one().id
    assert one().id != one({"Cluster": "south"}).id
    assert one().id != one({"Start": "2025-03-01T10:00:01"}).id
    assert importers.read(tree(), name="jobs.json").records[0].id == one().id


def at(clock: str) -> int:
    """Seconds since 1970 of a time of the usual day."""
    return int(datetime.fromisoformat(f"2025-03-01T{clock}").replace(tzinfo=UTC).timestamp())


def tree(*, plain: bool = False, **changes: object) -> str:
    """The usual job as `sacct --json` prints it, with plain numbers as until 22.05, or with objects as since 23.02."""

    def number(value: int) -> object:
        return value if plain else {"set": True, "infinite": False, "number": value}

    job = {
        "account": "physics",
        "user": "ada",
        "cluster": "north",
        "name": "train",
        "partition": "gpu",
        "nodes": "node07",
        "allocation_nodes": 1,
        "job_id": 101,
        "array": {"job_id": 0, "task_id": None if plain else {"set": False, "infinite": False, "number": 0}},
        "het": {"job_id": 0, "job_offset": None if plain else {"set": False, "infinite": False, "number": 0}},
        "state": {"current": "COMPLETED" if plain else ["COMPLETED"], "reason": "None"},
        "time": {
            "elapsed": 7200, "start": at("10:00:00"), "end": at("12:00:00"), "submission": at("09:00:00"),
        },
        "tres": {
            "allocated": [
                {"type": "cpu", "name": "", "id": 1, "count": 32},
                {"type": "node", "name": "", "id": 4, "count": 1},
                {"type": "gres", "name": "gpu:a100", "id": 1002, "count": 4},
            ]
        },
        "steps": [
            {
                "step": {"id": "101.extern", "name": "extern"},
                "time": {"start": number(at("10:00:00")), "end": number(at("12:00:00"))},
                "statistics": {"energy": {"consumed": number(3_600_000)}},
            }
        ],
    }  # fmt: skip
    return json.dumps({"meta": {"Slurm": {"release": "x"}}, "jobs": [job | changes], "errors": []})


@pytest.mark.parametrize("plain", [True, False])
def test_json_says_what_the_text_says(plain: bool) -> None:
    """Numbers plain or as objects, states as a text or a list, energy of the step `extern`."""
    (record,) = importers.read(tree(plain=plain), name="jobs.json").records
    text_record = one({}, step("extern", "3600000"))
    for name in ("id", "hardware", "energy_kwh", "duration_s", "started", "ended", "tags", "device_hours"):
        assert getattr(record, name) == getattr(text_record, name), name


def test_json_of_arrays_and_of_what_is_not_set() -> None:
    """A task has the number of its array; a number that is not set or infinite is unknown."""
    task = {"job_id": 90, "task_id": {"set": True, "infinite": False, "number": 3}}
    (record,) = importers.read(tree(array=task), name="jobs.json").records
    assert record.given["jobid"] == "90_3"
    endless = {"energy": {"consumed": {"set": True, "infinite": True, "number": 5}}}
    unset = {"energy": {"consumed": {"set": False, "infinite": False, "number": 5}}}
    for told in (endless, unset):
        steps = [{"step": {"id": "101.extern"}, "statistics": told}, "nonsense"]
        (record,) = importers.read(tree(steps=steps), name="jobs.json").records
        assert record.energy_kwh is None


def test_text_without_a_head_is_told() -> None:
    """What sacct prints with --noheader, and what is nothing of sacct's."""
    for source in (text({}).partition("\n")[2], "[[[["):
        with pytest.raises(InputError, match="leave --noheader out"):
            importers.read(source, name="jobs.txt", form="slurm-sacct")


def test_jobs_are_made_while_the_text_is_read() -> None:
    """A text of any length needs the memory of a job: the first record is there before the last line is."""

    def lines() -> Iterator[str]:
        yield from text({}, {"JobID": "102"}).splitlines(keepends=True)
        raise AssertionError("the whole text was read for the first job")

    place, record = next(slurm_sacct.each(lines(), "jobs.txt"))
    assert (place, isinstance(record, Footprint)) == ("line 2", True)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (HEAD + "\n", "has no rows"),
        ("JobID|State\n1|COMPLETED\n", "in no form that is known"),
        ("JobID|State|ExitCode\n1|COMPLETED|0:0\n", "no column ElapsedRaw"),
        ("JobIDRaw|Elapsed\n1|00:01:00\n", "no column JobID"),
        (HEAD + "|User\n", "'user' stands twice"),
        (
            "       JobID    JobName    Elapsed ExitCode\n------------ ---------\n101 x 1 0:0\n",
            "table for the eye",
        ),
        (text({}).replace("7200", "7.200,0"), "elapsed time is '7.200,0'"),
        ('{"jobs": [{"allocation_nodes": 1', "is no JSON of sacct"),
        ('{"jobs": {"allocation_nodes": 1}}', "not a JSON record|schema"),
        ('{"jobs": [{"allocation_nodes": 1}]}', "job 1: it has no job"),
    ],
)
def test_bad_file_gets_one_line(source: str, why: str) -> None:
    """The line has the value, the rule and the way out."""
    with pytest.raises(InputError) as caught:
        importers.read(source, name="jobs.txt")
    assert any(part in str(caught.value) for part in why.split("|"))
    assert "\n" not in str(caught.value)


def test_text_that_was_cut_off_keeps_what_is_whole() -> None:
    """The last line of a truncated file is told, and the jobs before it are there."""
    source = text({}, {"JobID": "102"}, {"JobID": "103"})
    found = importers.read(source[:-60], name="jobs.txt")
    assert [record.given["jobid"] for record in found.records] == ["101", "102"]
    assert len(found.left_out) == 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=40), max_size=4
    )
)
def test_no_rows_make_the_reader_fail(lines: list[str]) -> None:
    """Whatever stands below the head: records, reasons, or one line."""
    for name, told in slurm_sacct.each([f"{one}\n" for one in (HEAD, *lines)], "jobs.txt"):
        assert name
        assert isinstance(told, str | Footprint)


def test_command_of_the_guide_asks_for_what_is_read() -> None:
    """Its columns are those that the reader knows."""
    assert HEAD.replace("|", ",") == rows.WANTED
    guide = Path(__file__).parents[2] / "docs/how-to/import-a-clusters-history.md"
    assert rows.WANTED in guide.read_text(encoding="utf-8")
