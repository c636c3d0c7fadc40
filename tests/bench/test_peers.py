"""The comparison's own arithmetic: what is kept, lost and doubled, and when a row counts as lost to another tool."""

from __future__ import annotations

import importlib.util
import itertools
import math
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from bench.peers import accounts, cases, child, page, reasons, report, runner, tools
from bench.peers.node import Node
from tests.fixtures import fake_devices

PEERS = Path(tools.__file__).parent


def _result(**more: Any) -> dict[str, Any]:
    """A run of 10 s at 40 W that told its joules in one row and ended well."""
    plain = {
        "seconds": 10.0,
        "true_j": 400.0,
        "rows": [{"joules": 400.0}],
        "returned_j": [None],
        "inner_j": [None],
        "inner_true_j": None,
        "exit_codes": [0],
        "left_behind": 0,
        "printed": "",
    }
    return plain | more


def _adapter(name: str) -> ModuleType:
    made = importlib.util.spec_from_file_location(name, PEERS / "adapters" / f"use_{name}.py")
    assert made is not None and made.loader is not None
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("told_j", "kept_j", "lost_j", "doubled_j"),
    [
        (300.0, 300.0, 100.0, 0.0),
        (1000.0, 400.0, 0.0, 600.0),
        (-50.0, 0.0, 400.0, 0.0),
        (0.0, 0.0, 400.0, 0.0),
    ],
)
def test_each_joule_is_kept_or_lost_and_the_rest_is_doubled(
    told_j: float, kept_j: float, lost_j: float, doubled_j: float
) -> None:
    """Kept and lost add up to the reference; a negative reading keeps nothing."""
    made = accounts.account(told_j, 400.0)
    assert (made.kept_j, made.lost_j, made.doubled_j) == (kept_j, lost_j, doubled_j)
    assert made.kept_j + made.lost_j == 400.0


def test_run_without_energy_has_no_account() -> None:
    """A share of nothing is refused."""
    with pytest.raises(ValueError, match="above 0"):
        accounts.account(1.0, 0.0)


def test_rows_count_before_what_was_returned_and_parts_add_nothing() -> None:
    """Files win over return values; a row that is part of another is in it; damaged rows alone are unknown."""
    rows = [{"joules": 400.0, "part_of": None}, {"joules": 100.0, "part_of": "outer"}]
    assert accounts.told_j(_result(rows=rows, returned_j=[7.0])) == 400.0
    assert accounts.told_j(_result(rows=[], returned_j=[7.0, None])) == 7.0
    assert accounts.told_j(_result(rows=[{"joules": None}])) is None
    assert accounts.told_j(_result(rows=[{"joules": None}, {"joules": 3.0}])) == 3.0


def test_ending_names_the_codes_that_differ() -> None:
    """A code of the training's own is no fault; another one, or none, is."""
    assert accounts.ending(_result(exit_codes=[1]), 1) == "as without it"
    assert accounts.ending(_result(exit_codes=[0, 70, 1]), 0) == "2 of 3 ended with 1, 70"
    assert accounts.ending(_result(exit_codes=[None, 0]), 0) == "1 of 2 hung"


def test_worst_run_of_a_case_is_shown() -> None:
    """The run with most lost and doubled; one that ended the training is worse than any."""
    tool, case = tools.SOOTPRINT, cases.CONTROL
    runs = [_result(), _result(rows=[{"joules": 300.0}]), _result(rows=[{"joules": 420.0}])]
    worst = report.fault(tool, case, runs, rate=40.0)
    assert (worst["kept_percent"], worst["lost_percent"], worst["doubled_percent"]) == (75.0, 25.0, 0.0)
    runs.append(_result(exit_codes=[70], printed="a\nboom: '/x/peers-1/peers-a_2/out/f'\n\n"))
    worst = report.fault(tool, case, runs, rate=40.0)
    assert (worst["ending"], worst["said"]) == ("1 of 1 ended with 70", "boom: 'out/f'")


def test_tool_without_counters_is_compared_with_itself() -> None:
    """4 W told of an undisturbed run: 40 J in 10 s are the whole, and N processes have N times as much."""
    tool = tools.PEERS[-1]
    assert not tool.reads_counters
    row = report.fault(tool, cases.CONTROL, [_result(rows=[{"joules": 10.0}])], rate=4.0)
    assert (row["reference"], row["lost_percent"]) == ("its own undisturbed run", 75.0)
    four = report.several(tool, cases.FOUR, [_result(rows=[{"joules": 40.0}] * 3)], rate=4.0)
    assert four["sum_over_one"] == 0.75


def test_sum_of_four_processes_is_taken_over_the_node() -> None:
    """Four rows of the whole node are four times the node; a lost row is counted as lost."""
    rows = [{"joules": 400.0}, {"joules": 400.0}, {"joules": None}]
    found = report.several(tools.SOOTPRINT, cases.FOUR, [_result(rows=rows, exit_codes=[0] * 4)], rate=40.0)
    assert (found["sum_over_one"], found["fewest_rows"], found["most_damaged_rows"]) == (2.0, 2, 1)
    assert found["ended_well"]


def test_marked_inner_run_adds_nothing_to_the_sum() -> None:
    """400 J outside and 100 J inside are 400 J where the inner row says so, else 500 J."""
    marked = [{"joules": 400.0, "part_of": None}, {"joules": 100.0, "part_of": "outer"}]
    bare = [{"joules": 400.0}, {"joules": 100.0}]
    assert report.nested(tools.SOOTPRINT, [_result(rows=marked)], rate=0.0)["sum_over_true"] == 1.0
    assert report.nested(tools.SOOTPRINT, [_result(rows=bare)], rate=0.0)["sum_over_true"] == 1.25
    returned = _result(rows=[], returned_j=[400.0], inner_j=[100.0])
    assert report.nested(tools.SOOTPRINT, [returned], rate=0.0)["sum_over_true"] == 1.25


def test_truth_tells_the_median_and_the_largest_error() -> None:
    """Errors of -1, +2 and -5 %; a training that died has no error but a reason."""
    runs = [_result(rows=[{"joules": joules}]) for joules in (396.0, 408.0, 380.0)]
    assert report.truth(runs) == {"median_percent": -1.0, "largest_percent": -5.0, "runs": 3}
    assert report.truth([_result(exit_codes=[1], printed="no")])["failed"] == "1 of 1 ended with 1"


def _report(ours: float, theirs: float) -> dict[str, Any]:
    """A report in which every figure of Sootprint is `ours`, and of all others `theirs`."""
    names = [tool.name for tool in tools.TOOLS]
    value = dict.fromkeys(names, theirs) | {"sootprint": ours}
    several = {
        name: {
            "sum_over_one": value[name],
            "reference": "true joules",
            "fewest_rows": 4,
            "writes_rows": True,
            "of": 4,
        }
        | {"ended_well": True, "most_damaged_rows": 0}
        for name in names
    }
    fault = {
        name: {"off_percent": value[name], "reference": "true joules", "ended_well": True, "left_behind": 0}
        | {"kept_percent": 100.0, "lost_percent": 0.0, "doubled_percent": value[name]}
        for name in names
    }
    costs = {name: {cost: {"median": value[name]} for cost in report.COSTS} for name in names}
    errors = {name: {"median_percent": value[name], "largest_percent": -value[name]} for name in names}
    machine = {"cores": 2, "cpu": "any", "system": "Linux 6", "python": "3.11", "load_1_min": 0.0}
    nested = {"sum_over_true": 1.0, "inner_is_marked": True, "reference": "true joules"}
    return {
        "date": "2026-01-01",
        "measured": {
            "faults": {"at": "2025-12-30", **report.UNTOLD},
            "truth": {"at": "2026-01-01T10:00:00+00:00", "code": "a", "load_1_min": 1.0, "how": "--runs 3"},
            "costs": {"at": "2026-01-01T09:00:00+00:00", "code": "b", "load_1_min": 0.0, "how": "--runs 3"},
        },
        "machine": machine,
        "isolation": "",
        "calling_home": "",
        "versions": {name: {name: "1", "packages": "2"} for name in names},
        "site_packages_mb": value,
        "repeats": 11,
        "bare_ms_per_s": 0.05,
        "fault_runs": 3,
        "truth_runs": 3,
        "truth_seconds": 20.0,
        "costs": costs,
        "faults": {"a fault": fault},
        "several": {"four": several},
        "nested": dict.fromkeys(names, nested),
        "truth": {"a wave": errors},
    }


def test_rows_in_which_another_tool_is_better_are_all_named() -> None:
    """Nothing where all are equal; each cost, fault, sum and error where the others are better."""
    assert report.behind(_report(10.0, 10.0)) == []
    found = report.behind(_report(10.0, 5.0))
    peers = len(tools.PEERS)
    assert len(found) == peers * (len(report.COSTS) + 3)
    assert "start, wall: zeus 5 ms, Sootprint 10 ms" in found
    assert "a wave: zeus is 5.0 % off, Sootprint 10.0 %" in found
    assert report.behind(_report(5.0, 10.0)) == []


def test_an_error_that_another_tool_does_not_have_is_named() -> None:
    """1.1 % beside 0.1 % of the truth is behind, 0.3 % is not; the page says how long that is."""
    made = _report(0.3, 0.1)
    assert not [row for row in report.behind(made) if row.startswith("a wave")]
    made["truth"]["a wave"]["sootprint"]["largest_percent"] = -1.1
    (zeus,) = [row for row in report.behind(made) if row.startswith("a wave: zeus")]
    assert zeus == "a wave: zeus is 0.1 % off, Sootprint 1.1 %"
    told = list(reasons.reasoned(made | {"behind": [zeus]}))
    assert told[0] == f"- {zeus}" and "one percent of such a run is its energy of 200 ms" in told[1]


def test_page_shows_what_was_skipped_with_its_reason() -> None:
    """A skipped cell is a dash with the reason, never a zero."""
    made = _report(10.0, 5.0)
    made["faults"]["a fault"]["zeus"] = {"skipped": "there is no `unshare` here"}
    text = page.page(made | {"behind": report.behind(made)})
    row = next(line for line in text.splitlines() if line.startswith("| a fault |"))
    assert row.split(" | ")[4] == "- (there is no `unshare` here)"
    assert "| import, wall [ms] | 10 | 5 (0.5) |" in text


def test_page_says_of_which_code_each_part_is() -> None:
    """What was measured last is of the newest; what is of other code, or of code that nobody knows, is said to be."""
    text = page.page(_report(1.0, 1.0) | {"behind": []})
    rows = [line for line in text.splitlines() if line.startswith(("| faults |", "| truth |", "| costs |"))]
    assert rows == [
        "| faults | 2025-12-30 | unknown | unknown | an earlier one |",
        "| truth | 2026-01-01 10:00:00 UTC | --runs 3 | 1.0 | the newest here |",
        "| costs | 2026-01-01 09:00:00 UTC | --runs 3 | 0.0 | an earlier one |",
    ]


def test_code_is_known_by_its_files(tmp_path: Path) -> None:
    """A changed line and a renamed file are other code; what is compiled of it is not."""
    (tmp_path / "a.py").write_text("one", encoding="utf-8")
    first = tools.code(tmp_path)
    (tmp_path / "a.pyc").write_text("compiled", encoding="utf-8")
    assert tools.code(tmp_path) == first
    (tmp_path / "a.py").write_text("two", encoding="utf-8")
    assert tools.code(tmp_path) != first
    (tmp_path / "a.py").write_text("one", encoding="utf-8")
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert tools.code(tmp_path) != first


def test_the_truth_lies_between_the_calls_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the harness does around `start` and `stop` is no time of the tool: its reads of /proc take milliseconds."""
    clock = itertools.count()
    looks: list[int] = []
    monkeypatch.setattr(child, "helpers_cpu_s", lambda: looks.append(next(clock)) or 0.0)
    monkeypatch.setattr(child.time, "clock_gettime", lambda _: next(clock))
    with child.Cost() as cost:
        inside = next(clock)
    assert looks[0] < cost.begun_s < inside < cost.ended_s < looks[1]
    notes = {"started": {"at_s": 3.0}, "stopping": {"at_s": 9.0}, "stopped": {"at_s": 9.9, "called_s": 9.2}}
    assert runner.window(notes, {"seconds": 6.0}, 0.0, None) == (3.0, 9.2)
    del notes["stopped"]  # it raised
    assert runner.window(notes, {"seconds": 6.0}, 0.0, None) == (3.0, 9.0)
    assert runner.window({"started": {"at_s": 3.0}}, {"seconds": 6.0}, 0.0, 8.0) == (3.0, 8.0)
    assert runner.window({}, {"seconds": 6.0}, 1.0, None) == (1.0, 7.0)


def test_a_row_where_another_is_ahead_has_its_reason_and_evidence() -> None:
    """Once for each tool and part of a run, with the figures of the same report; a row without one stands alone."""
    made = _report(10.0, 5.0)
    made["faults"] = {
        "nothing": {"zeus": {"rows": 0}, "sootprint": {"rows": 1}},
        "kill -9": {"zeus": {"kept_percent": 0.0}, "sootprint": {"kept_percent": 86.4}},
    }
    made["behind"] = [
        "stop, wall: zeus 0.2 ms, Sootprint 8 ms",
        "stop, CPU: zeus 0.2 ms, Sootprint 8 ms",
        "memory added: zeus 5 MB, Sootprint 10 MB",
    ]
    told = list(reasons.reasoned(made))
    assert [line[:4] for line in told] == ["- st", "- st", "  - ", "  - ", "- me"]
    assert "zeus has read each counter a second time" in told[2] and "the whole record on disk" in told[2]
    assert (
        "of zeus leaves no record on disk; an undisturbed run of sootprint leaves 1 record on disk" in told[3]
    )
    assert "kill -9 are kept: zeus 0 % and sootprint 86 %" in told[3]
    made["faults"], made["behind"] = {}, ["start, CPU: zeus 5 ms, Sootprint 10 ms"]
    assert "zeus had taken 5 ms to import" in list(reasons.reasoned(made))[2]


def test_tables_of_a_document_are_replaced() -> None:
    """What stands between the marks goes, what stands around them stays, and a second time changes nothing."""
    made = _report(10.0, 5.0)
    made["behind"] = report.behind(made)
    document = f"before\n{page.BEGIN}\nthe former\n{page.END}\nafter\n"
    once = page.with_tables(document, made)
    assert once.startswith(f"before\n{page.BEGIN}\n\n2026-01-01, ")
    assert once.endswith(f"{page.END}\nafter\n")
    assert "the former" not in once
    assert "\n### What it costs\n" in once
    assert page.with_tables(once, made) == once


def test_carbontracker_log_of_a_cut_off_run_counts_its_finished_epochs(tmp_path: Path) -> None:
    """Two epochs of 2 s at 40 W are 160 J; a total in the output log is divided by the PUE."""
    adapter = _adapter("carbontracker")
    log = "".join(
        f"x - Epoch {number}:\nx - Duration: 0:00:02.00\nx - Average power usage (W) for cpu: [40.]\n"
        for number in (1, 2)
    )
    (tmp_path / "1_carbontracker.log").write_text(log, encoding="utf-8")
    assert adapter.kept(tmp_path, "", "cpu") == [{"joules": 160.0}]
    total = "CarbonTracker: \nActual consumption for 2 epoch(s):\n\tTime:\t0:00:04\n\tEnergy:\t0.000158 kWh\n"
    (tmp_path / "1_carbontracker_output.log").write_text(total, encoding="utf-8")
    (row,) = adapter.kept(tmp_path, "", "cpu")
    assert math.isclose(row["joules"], 360.0)


def test_damaged_csv_row_has_no_joules(tmp_path: Path) -> None:
    """A row that was cut keeps its place and tells nothing."""
    (tmp_path / "emissions.csv").write_text("cpu_energy,x\n0.0001,1\n,\n0.000", encoding="utf-8")
    rows = _adapter("codecarbon").kept(tmp_path, "", "cpu")
    assert [row["joules"] for row in rows] == [360.0, None, 0.0]


def _counter(tree: Path) -> int | None:
    try:
        return int((tree / "intel-rapl:0" / "energy_uj").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _soon(holds: Any) -> bool:
    until_s = time.monotonic() + 120.0
    while time.monotonic() < until_s:
        if holds():
            return True
        time.sleep(0.01)
    return False


def test_node_wraps_resets_and_fails_when_told(tmp_path: Path) -> None:
    """The counter moves in place, goes on from a given value, wraps, starts from 0, vanishes, and returns."""
    node = Node(tmp_path, cases.CONST)
    try:
        with (tmp_path / "intel-rapl:0" / "energy_uj").open(encoding="ascii") as kept_open:
            first = int(kept_open.read())
            assert _soon(lambda: kept_open.seek(0) == 0 and int(kept_open.read()) > first)
        node.count_from(5_000_000_000)
        assert _soon(lambda: 5_000_000_000 <= (_counter(tmp_path) or 0) < 5_010_000_000)
        node.wrap_in(0.2)
        assert _soon(lambda: (_counter(tmp_path) or 0) > 262_130_000_000)
        assert _soon(lambda: (_counter(tmp_path) or 2e11) < 1e9)
        node.count_from(200_000_000_000)
        node.reset()
        assert _soon(lambda: (_counter(tmp_path) or 2e11) < 1e9)
        node.fail_for(0.1)
        assert _soon(lambda: _counter(tmp_path) is None)
        assert _soon(lambda: _counter(tmp_path) is not None)
        assert math.isclose(node.joules(node.origin_s + 1.0, node.origin_s + 3.0), 80.0)
    finally:
        node.end()


@pytest.mark.skipif(fake_devices.compiler() is None, reason=fake_devices.NO_COMPILER)
def test_stepped_clock_moves_the_wall_and_not_the_monotonic_clock(tmp_path: Path) -> None:
    """An hour on the wall clock while a tenth of a second passes."""
    shim, step = tmp_path / "clock_step.so", tmp_path / "step"
    step.write_bytes(bytes(8))
    command = [str(fake_devices.compiler()), "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(shim)]
    subprocess.run([*command, str(PEERS / "clock_step.c"), "-ldl"], check=True)
    code = (
        "import sys, time, datetime\n"
        "a, m = time.time(), time.monotonic()\n"
        "open(sys.argv[1], 'r+b').write((3600).to_bytes(8, sys.byteorder, signed=True))\n"
        "print(time.time() - a, time.monotonic() - m, datetime.datetime.now().timestamp() - a)"
    )
    environ = {"LD_PRELOAD": str(shim), "CLOCK_STEP_FILE": str(step)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(step)], env=environ, capture_output=True, text=True, check=True
    )
    wall_s, monotonic_s, date_s = map(float, done.stdout.split())
    assert 3600.0 <= wall_s < 3605.0
    assert 3600.0 <= date_s < 3605.0
    assert 0.0 <= monotonic_s < 5.0
