"""Sootprint, CodeCarbon, carbontracker, Zeus and Eco2AI through the same cases, side by side, into bench/results.

    python bench/bench_peers.py [--quick] [--repeats 11] [--runs 3] [--again PART ...]
                                 [--source TREE] [--no-install]

Every tool runs in an environment of its own under build/bench, from PyPI at pinned versions, and sees a fake node
whose energy is known. Where namespaces cannot be had, what needs them is skipped, with the reason in the table.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import datetime
import functools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from bench.peers import cases, report, tools  # noqa: E402 - the folder above is not on the path of a script
from bench.peers.page import page, with_tables  # noqa: E402
from bench.peers.runner import YOUNG_S  # noqa: E402
from bench.peers.stage import Device, SkippedError, Stage, nvml, powercap  # noqa: E402

RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "explanation" / "compared-with-other-tools.md"
ASIDE = (
    "Without namespaces there is no fake node: the tools see this machine, and a closed port as their proxy"
)
BOXED = (
    "Each run had mounts of its own, with a fake powercap tree at /sys/class/powercap, "
    "and a network without interfaces."
)
SILENT = "Nothing can call home; where a tool offers it, the country is given and its offline mode used."


class Bench:
    """One pass over all cases.

    Args:
        stage: Where cases run.
        quick: Whether to do with few and short runs.
        repeats: Fresh processes for each cost.
        runs: Runs of each fault and of each wave.
    """

    def __init__(self, stage: Stage, *, quick: bool, repeats: int, runs: int) -> None:
        self._stage = stage
        self._folder = stage.folder
        self._rates: dict[str, float] = {}
        self._sample_s = 3.0 if quick else 10.0  # as long as Sootprint takes from one whole look to the next
        self.repeats = 2 if quick else repeats
        self.fault_runs = self.truth_runs = 1 if quick else runs
        self.several_runs = 1 if quick else max(1, runs // 2)
        self.truth_seconds = 8.0 if quick else 15.0
        self.how = "--quick" if quick else f"--repeats {repeats} --runs {runs}"

    def facts(self) -> dict[str, Any]:
        """What all parts have in common."""
        return {
            "isolation": BOXED if self._stage.boxed else f"{ASIDE} ({self._stage.no_box}).",
            "calling_home": SILENT,
            "settings": {tool.name: tool.settings for tool in tools.TOOLS},
            "machine": tools.machine(),
            "versions": {tool.name: tools.versions(tool) for tool in tools.TOOLS},
        }

    def part(self, name: str) -> dict[str, Any]:
        """One of `report.PARTS`, measured now: its tables, and how often each figure was taken."""
        if name == "faults":
            tables = {"faults": self.faults(), "several": self.several(), "nested": self.nested()}
            return tables | {"fault_runs": self.fault_runs, "several_runs": self.several_runs}
        if name == "truth":
            runs = {"truth_runs": self.truth_runs, "truth_seconds": self.truth_seconds}
            return {"truth": self.truth()} | runs
        summary = {tool: report.costs(results) for tool, results in self.costs().items()}
        bare = summary.pop(tools.NOTHING.name)
        return {
            "costs": summary,
            "bare_ms_per_s": bare["cpu_ms_per_s"]["median"],
            "repeats": self.repeats,
            "site_packages_mb": {tool.name: tools.site_packages_mb(tool) for tool in tools.TOOLS},
        }

    def costs(self) -> dict[str, list[dict[str, Any]]]:
        """Results of the cost case, the tools in turn, never two at a time."""
        found: dict[str, list[dict[str, Any]]] = {tool.name: [] for tool in (*tools.TOOLS, tools.NOTHING)}
        case = cases.COST._replace(seconds=1.0 + YOUNG_S + self._sample_s)
        with self._tree(cases.CONST, tick_s=0.2) as device:
            for number in range(self.repeats):
                for tool in (*tools.TOOLS, tools.NOTHING):
                    found[tool.name].append(self._stage.run(tool, case, device))
                print(f"  costs: {number + 1} of {self.repeats}", flush=True)
        return found

    def case(self, case: cases.Case, runs: int, device: Device | None = None) -> dict[str, Any]:
        """Results of a case by tool, or why a tool was skipped; the tools side by side unless they are many."""

        def one(tool: tools.Tool) -> list[dict[str, Any]] | SkippedError:
            try:
                return [self._stage.run(tool, case, device) for _ in range(runs)]
            except SkippedError as skip:
                return skip
            except (RuntimeError, subprocess.TimeoutExpired) as err:  # one cell is not worth the run
                print(f"  {tool.name}, {case.title}: {err}", flush=True)
                return SkippedError("the harness failed")

        width = 1 if case.processes > 1 else len(tools.TOOLS)
        with concurrent.futures.ThreadPoolExecutor(width) as pool:
            found = dict(zip([tool.name for tool in tools.TOOLS], pool.map(one, tools.TOOLS), strict=True))
        print(f"  {case.title}", flush=True)
        return found

    def faults(self) -> dict[str, dict[str, Any]]:
        """The table of faults: title of the case to the cell of each tool."""
        control = self.case(cases.CONTROL, self.fault_runs)
        rates = {name: report.rate_w(results) for name, results in control.items()}
        table = {cases.CONTROL.title: self._cells(cases.CONTROL, control, rates)}
        for case in cases.FAULTS[1:]:
            table[case.title] = self._cells(case, self.case(case, self.fault_runs), rates)
        self._rates = rates
        return table

    def _cells(self, case: cases.Case, found: dict[str, Any], rates: dict[str, float]) -> dict[str, Any]:
        made = report.several if case.processes > 1 else report.fault
        return {
            tool.name: _cell(
                found[tool.name],
                functools.partial(made, tool, case, rate=rates[tool.name]),
            )
            for tool in tools.TOOLS
        }

    def several(self) -> dict[str, dict[str, Any]]:
        """Many processes on one node, by title of the case and tool; after `faults`."""
        return {
            case.title: self._cells(case, self.case(case, self.several_runs), self._rates)
            for case in (cases.FOUR, cases.TOGETHER)
        }

    def nested(self) -> dict[str, Any]:
        """A run within a run, by tool; after `faults`."""
        found = self.case(cases.NESTED, 1)
        return {
            tool.name: _cell(
                found[tool.name],
                functools.partial(report.nested, tool, rate=self._rates[tool.name]),
            )
            for tool in tools.TOOLS
        }

    def truth(self) -> dict[str, dict[str, Any]]:
        """The table of errors: device and wave to the cell of each tool."""
        table: dict[str, dict[str, Any]] = {}
        case = cases.Case("truth", "truth", seconds=self.truth_seconds, epoch_s=self.truth_seconds)
        for number, (title, wave) in enumerate(cases.WAVES.items()):
            with self._tree(wave, tick_s=0.02, name=f"truth-{number}") as device:
                named = case._replace(title=f"processor, {title}")
                table[named.title] = self._errors(named, device)
        for kind, counter in (("with a counter", True), ("with power only", False)):
            if self._stage.no_compiler:
                continue
            wave = cases.WAVES["square 40/120 W, 3.3 s"]
            device = nvml(self._folder / f"nvml-{counter}", wave, counter=counter)
            named = case._replace(title=f"card {kind}, square 40/120 W, 3.3 s", part="gpu")
            table[named.title] = self._errors(named, device)
        return table

    def _errors(self, case: cases.Case, device: Device | None) -> dict[str, Any]:
        case = case._replace(boxed=case.part == "cpu")
        found = self.case(case, self.truth_runs, device)
        return {name: _cell(results, report.truth) for name, results in found.items()}

    def _tree(
        self, wave: dict[str, Any], *, tick_s: float, name: str = "tree"
    ) -> contextlib.AbstractContextManager[Device | None]:
        """A powercap tree for all tools, where each can be shown it."""
        if not self._stage.boxed:
            return contextlib.nullcontext()
        return powercap(self._folder / name, wave, tick_s=tick_s)


def _cell(found: Any, of: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    return {"skipped": str(found)} if isinstance(found, SkippedError) else of(found)


def measured(bench: Bench, parts: Sequence[str], before: Mapping[str, Any]) -> dict[str, Any]:
    """The report with some parts that are measured now.

    Args:
        bench: What measures them.
        parts: Some of `report.PARTS`.
        before: A report that the others are taken from; empty where all parts are measured.
    """
    made = {**before, **bench.facts(), "measured": dict(before.get("measured", {}))}
    for part in report.PARTS if before else ():
        made["measured"].setdefault(part, {**report.UNTOLD, "at": before["date"]})
    for part in parts:
        load = tools.machine()["load_1_min"]  # before it is measured
        made |= bench.part(part)
        made["measured"][part] = {"at": _now(), "load_1_min": load, "code": tools.code(), "how": bench.how}
    return made | {"date": _now().partition("T")[0], "behind": report.behind(made)}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _newest() -> dict[str, Any]:
    """The newest whole report."""
    found = sorted(RESULTS.glob("peers-2*.json"))
    if not found:
        sys.exit("bench_peers: there is no report of which a part could be measured again: leave out --again")
    newest: dict[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))
    return newest


def main() -> None:
    """Install, measure, print, and write the two result files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="few and short runs: for trying it, not for quoting"
    )
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--runs", type=int, default=3, help="runs of each fault and each wave")
    parser.add_argument(
        "--again",
        nargs="+",
        choices=report.PARTS,
        metavar="PART",
        help=f"measure these parts again, of {', '.join(report.PARTS)}, and take the rest of the newest report",
    )
    parser.add_argument("--source", type=Path, default=ROOT, help="tree of Sootprint to install")
    parser.add_argument("--no-install", action="store_true", help="take the environments as they are")
    chosen = parser.parse_args()
    if not chosen.no_install:
        try:
            tools.install(source=chosen.source)
        except subprocess.CalledProcessError as err:
            sys.exit(f"bench_peers: not run, as an environment could not be made ({err}); it needs PyPI once")
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        stage = Stage(Path(folder))
        bench = Bench(stage, quick=chosen.quick, repeats=chosen.repeats, runs=chosen.runs)
        made = measured(bench, chosen.again or report.PARTS, before=_newest() if chosen.again else {})
    RESULTS.mkdir(parents=True, exist_ok=True)
    name = f"peers-{'quick-' if chosen.quick else ''}{made['date']}"
    (RESULTS / f"{name}.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(page(made), encoding="utf-8")
    if not chosen.quick:
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8"), made), encoding="utf-8")
    print(page(made))
    print(f"written: bench/results/{name}.json and .md")


if __name__ == "__main__":
    main()
