"""Results of all cases as rows of figures, and the rows in which Sootprint is not ahead."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.peers.accounts import account, ending, error_percent, quartiles, told_j
from bench.peers.cases import Case
from bench.peers.tools import SOOTPRINT, Tool

Result = Mapping[str, Any]
COSTS = {  # name in the notes: title, unit
    "import_ms": ("import, wall", "ms"),
    "import_cpu_ms": ("import, CPU", "ms"),
    "start_ms": ("start, wall", "ms"),
    "start_cpu_ms": ("start, CPU", "ms"),
    "ready_ms": ("import and start, wall", "ms"),
    "settled_cpu_ms": ("import, start and the second after, CPU", "ms"),
    "stop_ms": ("stop, wall", "ms"),
    "stop_cpu_ms": ("stop, CPU", "ms"),
    "young_cpu_ms_per_s": ("CPU time in the second to the eleventh second of a run", "ms/s"),
    "cpu_ms_per_s": ("CPU time at one sample a second, after that", "ms/s"),
    "memory_mb": ("memory added", "MB"),
    "helpers": ("helper processes", ""),
}
PARTS = ("faults", "truth", "costs")  # of a report, each of which can be measured again
UNTOLD = {"load_1_min": None, "code": None, "how": None}  # of a part that an older report has
SAME = 1.05  # costs nearer than this are called equal
SAME_PERCENT = 2.0  # and shares of the energy: starting and stopping take time, too
AS_TRUE_PERCENT = 0.3  # errors against a known energy nearer than this are called equal


def costs(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """Median and quartiles of each cost over the runs of one tool."""
    rows = []
    for result in results:
        row: dict[str, float] = {}
        for note in result["notes"][0].values():
            row |= {name: note[name] for name in (*COSTS, "settle_cpu_ms") if name in note}
        row["ready_ms"] = row["import_ms"] + row["start_ms"]
        row["settled_cpu_ms"] = row["import_cpu_ms"] + row["start_cpu_ms"] + row["settle_cpu_ms"]
        rows.append(row)
    return {name: quartiles([row[name] for row in rows]) for name in COSTS}


def rate_w(results: Sequence[Result]) -> float:
    """Mean power that a tool tells of an undisturbed run [W]."""
    return float(statistics.median((told_j(result) or 0.0) / result["seconds"] for result in results))


def fault(tool: Tool, case: Case, results: Sequence[Result], *, rate: float) -> dict[str, Any]:
    """The worst of the runs of one case.

    Args:
        tool: The tool; one that reads no counters is compared with its own undisturbed run.
        case: The case.
        results: Its runs.
        rate: Mean power that the tool tells of an undisturbed run [W].
    """
    found = [_fault(tool, case, result, rate) for result in results]
    return max(
        found, key=lambda row: (not row["ended_well"], row["off_percent"] is None, row["off_percent"] or 0.0)
    )


def _fault(tool: Tool, case: Case, result: Result, rate: float) -> dict[str, Any]:
    own = not tool.reads_counters or result["true_j"] is None
    processes = 1 if tool.reads_counters else case.processes  # the others tell what their own process uses
    reference_j = rate * result["seconds"] * processes if own else result["true_j"]
    told = told_j(result)
    ended = ending(result, case.exit_code)
    row: dict[str, Any] = {
        "reference_j": reference_j,
        "reference": "its own undisturbed run" if own else "true joules",
        "told_j": told,
        "rows": len(result["rows"]),
        "readable_rows": sum(row["joules"] is not None for row in result["rows"]),
        "ending": ended,
        "ended_well": ended == "as without it",
        "left_behind": result["left_behind"],
        "off_percent": None,
    }
    if not row["ended_well"]:
        row["said"] = last_line(result)
    if told is None or not reference_j > 0.0:
        return row
    made = account(told, reference_j)
    kept, lost, doubled = made.percent
    shares = {"kept_percent": kept, "lost_percent": lost, "doubled_percent": doubled}
    joules = {"kept_j": made.kept_j, "lost_j": made.lost_j, "doubled_j": made.doubled_j}
    return row | joules | shares | {"off_percent": lost + doubled}


def truth(results: Sequence[Result]) -> dict[str, Any]:
    """Error of what one tool tells of a known energy: the median, and the largest."""
    errors = [
        error_percent(told, result["true_j"]) for result in results if (told := told_j(result)) is not None
    ]
    failed = [result for result in results if ending(result, 0) != "as without it"]
    if failed or not errors:
        reason = ending(failed[0], 0) if failed else "nothing could be read"
        return {"failed": reason, "said": last_line((failed or results)[0]), "runs": len(results)}
    largest = max(errors, key=abs)
    return {"median_percent": statistics.median(errors), "largest_percent": largest, "runs": len(errors)}


def last_line(result: Result) -> str:
    """Last line that a training printed, e.g. the error that ended it, without the folder of this run."""
    lines = [line.strip() for line in result["printed"].splitlines() if line.strip()]
    return re.sub(r"/\S*/peers-\w+/", "", lines[-1])[-200:] if lines else ""


def several(tool: Tool, case: Case, results: Sequence[Result], *, rate: float) -> dict[str, Any]:
    """Many processes of one node: what they tell together over what one of them should, and the rows that are left."""
    found = [_fault(tool, case, result, rate) for result in results]
    sums = [
        row["told_j"] / row["reference_j"]
        for row in found
        if row["told_j"] is not None and row["reference_j"]
    ]
    ended = [row["ending"] for row in found if not row["ended_well"]]
    return {
        "sum_over_one": statistics.median(sums) if sums else None,
        "fewest_rows": min(row["readable_rows"] for row in found),
        "most_damaged_rows": max(row["rows"] - row["readable_rows"] for row in found),
        "of": case.processes,
        "writes_rows": any(row["rows"] for row in found),
        "reference": found[0]["reference"],
        "ending": ended[0] if ended else "as without it",
        "ended_well": not ended,
        "runs": found,
    }


def nested(tool: Tool, results: Sequence[Result], *, rate: float) -> dict[str, Any]:
    """What the outer and the inner run tell, and the sum over rows that are no part of another; of the first result."""
    result = results[0]
    reference_j = result["true_j"] if tool.reads_counters else rate * result["seconds"]
    rows = [row["joules"] or 0.0 for row in result["rows"]]
    both = rows or [joules for joules in (*result["returned_j"], *result["inner_j"]) if joules is not None]
    marked = any(row.get("part_of") for row in result["rows"])
    total = told_j(result) if rows else sum(both)
    return {
        "told_j": both,
        "true_j": result["true_j"],
        "inner_true_j": result["inner_true_j"],
        "inner_is_marked": marked,
        "sum_over_true": None if not reference_j or total is None else total / reference_j,
        "reference": "true joules" if tool.reads_counters else "its own undisturbed run",
    }


def behind(report: Mapping[str, Any]) -> list[str]:
    """Rows in which another tool does better than Sootprint, with both figures."""
    found = []
    for name, (title, unit) in COSTS.items():
        ours = report["costs"][SOOTPRINT.name][name]["median"]
        for peer, figures in report["costs"].items():
            theirs = figures[name]["median"]
            if peer != SOOTPRINT.name and theirs * SAME < ours:
                found.append(
                    f"{title}: {peer} {theirs:.3g} {unit}, Sootprint {ours:.3g} {unit}".replace(" ,", ",")
                )
    for title, cells in report["several"].items():
        found += _behind_several(title, cells)
    for title, cells in report["faults"].items():
        found += _behind(title, cells, "off_percent", SAME_PERCENT)
    for title, cells in report["truth"].items():
        found += _behind(title, cells, "largest_percent", AS_TRUE_PERCENT)
    return found


def _behind_several(title: str, cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Tools whose processes add up better, or leave more rows."""
    ours = cells[SOOTPRINT.name]
    found = []
    for peer, cell in cells.items():
        if (
            "skipped" in cell
            or "skipped" in ours
            or cell["reference"] != "true joules"
            or peer == SOOTPRINT.name
        ):
            continue
        if abs(cell["sum_over_one"] - 1.0) + SAME_PERCENT / 100 < abs(ours["sum_over_one"] - 1.0):
            found.append(
                f"{title}: {peer} adds up to {cell['sum_over_one']:.2f}, Sootprint to {ours['sum_over_one']:.2f}"
            )
        if cell["fewest_rows"] > ours["fewest_rows"]:
            found.append(
                f"{title}: {peer} leaves {cell['fewest_rows']} rows, Sootprint {ours['fewest_rows']}"
            )
    return found


def _behind(
    title: str, cells: Mapping[str, Mapping[str, Any]], figure: str, same_percent: float
) -> list[str]:
    ours = cells[SOOTPRINT.name].get(figure)
    if ours is None:
        return [f"{title}: Sootprint has no figure"]
    return [
        f"{title}: {peer} is {abs(cell[figure]):.1f} % off, Sootprint {abs(ours):.1f} %"
        for peer, cell in cells.items()
        if peer != SOOTPRINT.name
        and cell.get(figure) is not None
        and "its own" not in cell.get("reference", "")
        and abs(cell[figure]) + same_percent < abs(ours)
    ]
