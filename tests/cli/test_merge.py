"""`sootprint merge`: a job's records from the ledger and from files, as one run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.fixtures.job_records import node_record, run_id

from sootprint import Footprint
from sootprint.ledger import Ledger, keep


@pytest.fixture
def job(own_home: Path) -> list[Footprint]:
    """Four nodes of one job, the first three of them in the ledger."""
    records = [node_record(rank, rank=rank, name=f"rank{rank}") for rank in range(4)]
    for record in records[:3]:
        keep(own_home, record, timeout_s=5.0)
    return records


@pytest.fixture
def fourth(job: list[Footprint], tmp_path: Path) -> Path:
    """File with the record of the fourth node, which kept its ledger elsewhere."""
    path = tmp_path / "node3.json"
    path.write_text(job[3].to_json(), encoding="utf-8")
    return path


def _merged(result) -> Footprint:
    assert result.exit_code == 0, result.stderr
    return Footprint.from_json(result.stdout)


def _kwh(record: Footprint) -> float:
    assert record.energy_kwh is not None
    return record.energy_kwh.value


def test_a_group_of_the_ledger_and_a_file_make_one_run(call, job: list[Footprint], fourth: Path) -> None:
    """Four nodes of 2 kWh are 8 kWh, which `summary` counts once."""
    record = _merged(call("merge", "--group", "job", fourth, "--name", "all", "--json"))
    assert (_kwh(record), record.name, record.warnings) == (8.0, "all", ())
    total = json.loads(call("summary", "--json").stdout)["total"]
    assert (total["runs"], total["energy_kwh"]["value"]) == (1, 8.0)
    listed = {row["id"]: row["part_of"] for row in json.loads(call("runs", "--json").stdout)}
    assert listed == {record.id: None, **{one.id: record.id for one in job[:3]}}
    assert f"part of {record.id[-8:]}" in call("runs").stdout


def test_a_group_of_all_nodes_but_one_says_so(call, job: list[Footprint]) -> None:
    """The lost node is filled in and warned of; --strict keeps nothing and ends with 2."""
    refused = call("merge", "--group", "job", "--strict")
    assert refused.exit_code == 2 and "1 of 4 nodes left no record" in refused.stderr
    assert len(json.loads(call("runs", "--json").stdout)) == 3
    shown = call("merge", "--group", "job")
    assert shown.exit_code == 0
    assert "3 runs of 3 nodes merged into" in shown.stderr
    assert "1 of 4 nodes left no record" in " ".join(shown.stdout.split())


def test_merging_again_gives_a_new_version(call, own_home: Path, job: list[Footprint], fourth: Path) -> None:
    """The same run with the fourth node instead of its fill; its name and tags stay; twice the same is nothing new."""
    first = _merged(call("merge", "--group", "job", "--name", "all", "--json"))
    assert call("tag", first.id, "seed=1").exit_code == 0
    second = _merged(call("merge", first.id, fourth, "--json"))
    assert (second.id, second.name, second.tags) == (first.id, "all", {"seed": "1"})
    assert (_kwh(second), second.warnings) == (8.0, ())
    again = _merged(call("merge", "--group", "job", "--json"))
    assert again == second
    with Ledger(own_home) as ledger:
        assert len(ledger.versions(first.id)) == 3  # merged, tagged, merged with the fourth
        assert len(ledger.runs()) == 4


def test_names_prefixes_and_out(call, job: list[Footprint], tmp_path: Path) -> None:
    """Runs are named as everywhere; --out is the record that another ledger can merge."""
    file = tmp_path / "pair.json"
    assert call("merge", "rank0", job[1].id[-8:], "--nodes", 2, "--out", file).exit_code == 0
    record = Footprint.from_json(file.read_text(encoding="utf-8"))
    assert (_kwh(record), record.given["merged"]) == (4.0, [run_id(0), run_id(1)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name runs or files, or a --group"),
        (["rank0"], "`sootprint merge --group job` adds all of its group"),
        (["--group", "jobs"], "the nearest are job"),
        (["rank0", "nobody"], "no run 'nobody'"),
        (["rank0", "missing.json"], "cannot be read"),
        (["rank0", "rank1", "--nodes", "1"], "1 nodes were stated, but 2"),
        (["rank0", "rank1", "--nodes", "few"], "'few' is not a whole number"),
    ],
)
def test_wrong_use_is_one_line_and_changes_nothing(
    call, job: list[Footprint], arguments: list[str], words: str
) -> None:
    """The line names the value and the way out, and nothing is kept."""
    result = call("merge", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert len(json.loads(call("runs", "--json").stdout)) == 3


def test_a_run_is_in_one_sum_only(call, job: list[Footprint]) -> None:
    """A second sum of the same run beside another would count it twice."""
    assert call("merge", "rank0", "rank1", "--nodes", 2).exit_code == 0
    result = call("merge", "rank1", "rank2", "--nodes", 2)
    assert result.exit_code == 2
    assert f"run {job[1].id} is already in" in result.stderr


def test_whole_nodes_that_overlap_need_a_word(call, own_home: Path, job: list[Footprint]) -> None:
    """Two records of one node at one time are refused until --allow-overlap says that they are no double."""
    keep(own_home, node_record(9, rank=0, name="beside", node="machine0"), timeout_s=5.0)
    refused = call("merge", "rank0", "beside", "--nodes", 1)
    assert refused.exit_code == 2 and "--allow-overlap" in refused.stderr
    record = _merged(call("merge", "rank0", "beside", "--nodes", 1, "--allow-overlap", "--json"))
    assert _kwh(record) == 4.0


def test_a_stated_group_is_in_the_record_and_in_no_file(program, own_home: Path, tmp_path: Path) -> None:
    """The variable names the job; a project's file would make one job of all its runs."""
    record = tmp_path / "record.json"
    named = {**os.environ, "SOOTPRINT_RUN_GROUP": "night"}
    ran = program("run", "--quiet", "--record", record, "--", "true", env=named)
    assert ran.returncode == 0, ran.stderr
    assert Footprint.from_json(record.read_text(encoding="utf-8")).run_group == "night"
    (tmp_path / "sootprint.toml").write_text('run_group = "night"\n', encoding="utf-8")
    refused = program("config", cwd=tmp_path)
    assert refused.returncode == 2 and "run_group is not a setting" in refused.stderr
