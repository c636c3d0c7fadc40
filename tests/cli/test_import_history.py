"""A cluster's history by the command: estimated with what is stated beside it, summed by user and state, once."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.importers.test_slurm_sacct import text

from sootprint.estimator import estimate
from sootprint.ledger import Ledger

Command = Callable[..., Any]


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Three jobs of two users: four accelerators for two hours, 64 CPUs for two hours, one that failed."""
    file = tmp_path / "jobs.txt"
    cores = {"AllocTRES": "cpu=64,mem=1G,node=1", "User": "ben", "Account": "chemistry"}
    file.write_text(
        text(
            {}, {"JobID": "102", **cores}, {"JobID": "103", "State": "FAILED", "Start": "2025-04-01T10:00:00"}
        )
    )
    return file


def records(done: Any) -> list[dict[str, Any]]:
    """Records that a command printed."""
    return list(json.loads(done.stdout)["records"])


def test_jobs_get_the_estimate_of_what_they_were_given(command: Command, jobs: Path) -> None:
    """That of the command `estimate` for the device, hours, place and PUE; 64 of 128 CPUs are half a processor."""
    stated = ("--zone", "DE", "--pue", "1.3", "--hardware", "a100=A100-SXM4-80GB", "--cpu", "EPYC 7763=128")
    made = records(command("import", jobs, *stated, "--json"))
    gpu = estimate(hours=2, hardware="A100-SXM4-80GB", count=4, zone="DE", year=2025, pue=1.3)
    cpu = estimate(hours=1, hardware="EPYC 7763", zone="DE", year=2025, pue=1.3)
    for found, wanted in ((made[0], gpu), (made[1], cpu)):
        for name in ("energy_kwh", "emissions_kg"):
            told = getattr(wanted, name)
            assert (found[name]["value"], found[name]["low"]) == pytest.approx((told.value, told.low))
        assert (found["boundary"], found["pue"]["value"], found["place"]["zone"]) == ("facility", 1.3, "DE")
        assert found["duration_s"] == 7200.0
    assert (made[1]["device_hours"]["value"], made[1]["given"]["processor"]) == (128.0, "EPYC 7763")


def test_nothing_is_estimated_of_what_nobody_named(command: Command, jobs: Path) -> None:
    """Cores without a processor have no energy, and the command says which option would give it."""
    done = command("import", "slurm-sacct", jobs)
    assert done.stdout == "3 records in the ledger, 0 rows left out\n"
    assert "1 records of cores have no energy" in done.stderr
    assert "--cpu" in done.stderr
    assert "2 records tell no place: the intensity is the world's average" in done.stderr
    assert "state it, e.g. --zone DE" in done.stderr
    unnamed = text({"AllocTRES": "cpu=4,gres/gpu=2,node=1"})
    done = command("import", "-", stdin=unnamed)
    assert "1 records of unnamed accelerators have no energy" in done.stderr
    (made,) = records(command("import", "-", "--hardware", "V100", "--json", stdin=unnamed))
    assert made["energy_kwh"]["value"] > 0.0


@pytest.mark.parametrize(
    ("plugin", "grades", "components"),
    [
        ("acct_gather_energy/ipmi", ("A", "A"), ("wall", "wall")),
        ("rapl", ("D", "B"), ("estimate", "cpu")),
        ("gpu", ("C", "D"), ("accelerator", "estimate")),
        ("none", ("D", "D"), ("estimate", "estimate")),
    ],
)
def test_plugin_says_what_was_measured(
    command: Command, plugin: str, grades: tuple[str, ...], components: tuple[str, ...]
) -> None:
    """An energy that leaves out what a job computed on is not used, and the job is estimated."""
    cores = {"JobID": "102", "AllocTRES": "cpu=64,node=1"}
    source = text({"ConsumedEnergyRaw": "7200000"}, {**cores, "ConsumedEnergyRaw": "3600000"})
    stated = ("--cpu", "EPYC 7763", "--zone", "DE", "--energy-plugin", plugin)
    made = records(command("import", "-", *stated, "--json", stdin=source))
    assert tuple(one["grade"] for one in made) == grades
    for one, component, measured_kwh in zip(made, components, (2.0, 1.0), strict=True):
        meter = one["components"][0]["meter"]
        assert (meter if meter == "estimate" else one["components"][0]["component"]) == component
        assert (one["energy_kwh"]["value"] == measured_kwh) == (component != "estimate")
        assert one["emissions_kg"]["value"] > 0.0
        assert "energy_kwh" not in one["unknown"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--zone", "Atlantis"), "Atlantis"),
        (("--pue", "0.9"), "--pue is 0.9"),
        (("--pue", "nan"), "--pue is nan"),
        (("--hardware", "a100=Nonsense 9000"), "Nonsense 9000"),
        (("--hardware", "=A100"), "is not DEVICE or NAME=DEVICE"),
        (("--hardware", "a100="), "is not DEVICE or NAME=DEVICE"),
        (("--cpu", "A100"), "is no processor"),
        (("--cpu", "EPYC 7763=0"), "N of Slurm's CPUs"),
        (("--cpu", "EPYC 7763=many"), "N of Slurm's CPUs"),
        (("--energy-plugin", "magic"), "'magic' is not one of ipmi"),
    ],
)
def test_bad_statement_beside_a_file_gets_one_line(
    command: Command, jobs: Path, words: tuple[str, ...], why: str
) -> None:
    """Exit code 2, and nothing is in the ledger."""
    done = command("import", jobs, *words)
    assert done.exit_code == 2
    assert why in done.stderr
    assert json.loads(command("runs", "--json").stdout) == []


def test_history_is_summed_by_user_state_month_and_node(command: Command, jobs: Path) -> None:
    """Pseudonyms that stay the same; the same file again, and with more stated, changes no count."""
    for words in ((), (), ("--cpu", "EPYC 7763", "--zone", "DE")):
        assert command("import", jobs, "--hardware", "a100=A100", *words).exit_code == 0
    sums = {}
    for by in ("user", "project", "node", "month", "tag:state", "tag:partition"):
        found = json.loads(command("summary", "--by", by, "--json").stdout)
        assert found["total"]["runs"] == 3
        assert found["total"]["without_energy"] == 0
        sums[by] = {row["key"]: row["runs"] for row in found["rows"]}
    assert sorted(sums["user"].values()) == [1, 2]
    assert all(key.startswith("user-") for key in sums["user"])
    assert all(key.startswith("account-") for key in sums["project"])
    assert [len(key) for key in sums["node"]] == [16]
    assert sums["month"] == {"2025-03": 2, "2025-04": 1}
    assert sums["tag:state"] == {"COMPLETED": 2, "FAILED": 1}
    assert command("import", jobs, "--store-users").exit_code == 0
    asked = json.loads(command("summary", "--by", "user", "--json").stdout)
    assert {row["key"] for row in asked["rows"]} == {"ada", "ben"}


def test_key_of_the_pseudonyms_is_its_users_alone(command: Command, jobs: Path, tmp_path: Path) -> None:
    """It is made at the first name, and others cannot read it."""
    home = tmp_path / "home"
    assert command("import", jobs, "--out", tmp_path / "out.jsonl").exit_code == 0
    assert stat.S_IMODE((home / "names.key").stat().st_mode) == 0o600
    (home / "names.key").chmod(0o644)
    done = command("import", jobs)
    assert done.exit_code == 2
    assert "can be read by others" in done.stderr


def test_file_that_breaks_off_leaves_nothing_behind(command: Command, jobs: Path, tmp_path: Path) -> None:
    """Bytes that are no text behind a thousand jobs: one line, and none of the jobs is in the ledger."""
    whole = text(*({"JobID": f"{number}"} for number in range(1000)))
    jobs.write_bytes(whole.encode() + b"\xff\xfe\x00")
    out = tmp_path / "out.jsonl"
    for words in ((), ("--out", out)):
        done = command("import", jobs, *words)
        assert done.exit_code == 2
        assert "is no text in UTF-8" in done.stderr
    assert json.loads(command("runs", "--json").stdout) == []
    assert not out.exists()


def test_jobs_that_shared_a_node_are_told(command: Command) -> None:
    """Two of three jobs ran at once on one node, each with its energy; one after the other, or estimated, is none."""
    measured = {"ConsumedEnergyRaw": "7200000"}
    later = {"Start": "2025-03-01T12:00:00", "End": "2025-03-01T14:00:00"}
    other = {"NodeList": "node08"}
    source = text(measured, {"JobID": "102", **measured, **later}, {"JobID": "103", **measured, **other})
    assert "shared a node" not in command("import", "-", stdin=source).stderr
    during = {"JobID": "104", **measured, "Start": "2025-03-01T11:59:59"}
    assert "2 jobs shared a node" in command("import", "-", stdin=text(measured, during)).stderr
    done = command("import", "-", "--energy-plugin", "none", stdin=text(measured, during))
    assert "shared a node" not in done.stderr


def test_many_rows_left_out_are_told_in_few_lines(command: Command) -> None:
    """The first twenty, and how many more; --json has all of them."""
    source = text({}, *({"JobID": f"{number}", "State": "RUNNING"} for number in range(200, 300)))
    done = command("import", "-", "--strict", stdin=source)
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) < 30
    assert "and 80 more rows left out" in done.stderr
    told = json.loads(command("import", "auto", "-", "--json", stdin=source).stdout)
    assert len(told["left_out"]) == 100


def test_ledger_takes_all_records_or_none(tmp_path: Path) -> None:
    """What fails on the way leaves the ledger as it was; what is there already is not added again."""
    made = [estimate(hours=hours, hardware="T4", zone="FR") for hours in (1, 2)]

    def failing() -> Any:
        yield made[0]
        raise sqlite3.OperationalError("disk I/O error")

    with Ledger(tmp_path) as ledger:
        with pytest.raises(Exception, match="could not keep the records"):
            ledger.take(failing())
        assert ledger.runs() == []
        assert ledger.take(made) == ledger.take(made) == 2
        assert len(ledger.runs()) == 2
        assert len(ledger.versions(made[0].id)) == 1
