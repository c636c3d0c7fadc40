"""The results as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.peers.accounts import ratio
from bench.peers.reasons import reasoned
from bench.peers.report import COSTS
from bench.peers.tools import SOOTPRINT, TOOLS

Report = Mapping[str, Any]
NAMES = [tool.name for tool in TOOLS]
HEAD = f"| | {' | '.join(NAMES)} |"
BEGIN, END = "<!-- tables of bench/bench_peers.py -->", "<!-- end of tables -->"
RULE = f"|{' --- |' * (len(NAMES) + 1)}"


def page(report: Report) -> str:
    """The whole page."""
    parts = (
        _opening(report),
        _costs(report),
        _faults(report),
        _sharing(report),
        _truth(report),
        _closing(report),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def with_tables(document: str, report: Report) -> str:
    """A document with the tables of a report between its two marks, in place of those that stood there."""
    before, rest = document.split(BEGIN)
    after = rest.split(END)[1]
    tables = page(report).partition("\n")[2].replace("\n## ", "\n### ").strip()
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def _opening(report: Report) -> Iterator[str]:
    machine = report["machine"]
    yield "# Sootprint beside other tools"
    yield ""
    yield (
        f"{report['date']}, on {machine['cores']} cores of {machine['cpu']}, {machine['system']}, "
        f"Python {machine['python']}. Each part by `python bench/bench_peers.py`:"
    )
    yield ""
    yield "| part | measured | with | load before | Sootprint |"
    yield "| --- | --- | --- | --- | --- |"
    yield from _measured(report["measured"])
    yield ""
    yield f"{report['isolation']} {report['calling_home']}"
    yield ""
    yield "| tool | version | packages | used as its documents say |"
    yield "| --- | --- | --- | --- |"
    for tool in TOOLS:
        told = report["versions"][tool.name]
        more = ", ".join(f"{name} {told[name]}" for name in ("numpy", "pandas") if name in told)
        yield f"| {tool.name} | {told[tool.name]} ({more}) | {told['packages']} | {tool.settings} |"


def _measured(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """When each part was measured, and whether with the Sootprint that the newest was measured with."""
    newest = max(parts.values(), key=lambda part: str(part["at"]))
    for name, part in parts.items():
        is_same = part["code"] is not None and part["code"] == newest["code"]
        load = "unknown" if part["load_1_min"] is None else f"{part['load_1_min']:.1f}"
        yield (
            f"| {name} | {part['at'].replace('T', ' ').replace('+00:00', ' UTC')} | {part['how'] or 'unknown'} "
            f"| {load} | {'the newest here' if is_same else 'an earlier one'} |"
        )


def _costs(report: Report) -> Iterator[str]:
    yield ""
    yield "## What it costs"
    yield ""
    yield (
        f"Medians of {report['repeats']} fresh processes, one after another, the tools in turn; "
        "the ratio to Sootprint in brackets."
    )
    yield (
        "CPU and memory include helper processes. "
        f"The same process without a tool uses {report['bare_ms_per_s']:.2g} ms/s."
    )
    yield ""
    yield HEAD
    yield RULE
    for name, (title, unit) in COSTS.items():
        ours = report["costs"][SOOTPRINT.name][name]["median"]
        cells = [_cost(report["costs"][tool][name]["median"], ours) for tool in NAMES]
        yield f"| {title}{f' [{unit}]' if unit else ''} | {' | '.join(cells)} |"
    ours = report["site_packages_mb"][SOOTPRINT.name]
    yield f"| site-packages [MB] | {' | '.join(_cost(report['site_packages_mb'][tool], ours) for tool in NAMES)} |"


def _cost(value: float, ours: float) -> str:
    times = ratio(value, ours)
    shown = f"{value:.0f}" if value >= 100 else f"{value:.2g}"
    return shown if times is None or value is ours else f"{shown} ({times:.2g})"


def _faults(report: Report) -> Iterator[str]:
    yield ""
    yield "## What is left after a fault"
    yield ""
    yield (
        "Joules kept / lost / doubled, in percent of the true joules while the training ran; the worst of "
        f"{report['fault_runs']} runs. A program that ended otherwise than without the tool stands in bold."
    )
    yield "What counts is what a file holds after the end, or what was printed or returned to a program that still ran."
    yield "≈: the tool reads no counters, and is compared with what it tells of an undisturbed run."
    yield ""
    yield HEAD
    yield RULE
    for title, cells in report["faults"].items():
        yield f"| {title} | {' | '.join(_fault(cells[tool]) for tool in NAMES)} |"


def _fault(cell: Mapping[str, Any]) -> str:
    if "skipped" in cell:
        return f"- ({cell['skipped']})"
    ended = "" if cell["ended_well"] else f", **{cell['ending']}**"
    ended += f", {cell['left_behind']} processes left behind" if cell["left_behind"] else ""
    if cell["off_percent"] is None:
        return f"unknown{ended}"
    shares = " / ".join(_percent(cell[f"{name}_percent"]) for name in ("kept", "lost", "doubled"))
    return f"{_near(cell)}{shares}{ended}"


def _near(cell: Mapping[str, Any]) -> str:
    return "" if cell["reference"] == "true joules" else "≈"


def _percent(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


def _sharing(report: Report) -> Iterator[str]:
    yield ""
    yield "## Several at once"
    yield ""
    yield HEAD
    yield RULE
    for title, found in report["several"].items():
        yield f"| {title}: sum over the node's joules | {' | '.join(_sum(found[tool]) for tool in NAMES)} |"
        yield f"| {title}: rows left, damaged | {' | '.join(_rows(found[tool]) for tool in NAMES)} |"
    cells = [_nested(report["nested"][tool]) for tool in NAMES]
    yield f"| run within a run: sum of the rows over the true joules | {' | '.join(cells)} |"


def _sum(cell: Mapping[str, Any]) -> str:
    if cell.get("sum_over_one") is None:
        return "unknown"
    ended = "" if cell["ended_well"] else f", **{cell['ending']}**"
    return f"{_near(cell)}{cell['sum_over_one']:.2f}{ended}"


def _rows(cell: Mapping[str, Any]) -> str:
    if "skipped" in cell:
        return "unknown"
    if not cell["writes_rows"]:
        return "writes none"
    return f"{cell['fewest_rows']} of {cell['of']}, {cell['most_damaged_rows']}"


def _nested(cell: Mapping[str, Any]) -> str:
    if cell.get("sum_over_true") is None:
        return "unknown"
    marked = "the inner is marked as part" if cell["inner_is_marked"] else "no mark"
    return f"{_near(cell)}{cell['sum_over_true']:.2f}, {marked}"


def _truth(report: Report) -> Iterator[str]:
    yield ""
    yield "## How near to the truth"
    yield ""
    yield (
        "Error against the true joules of a fake device with a known wave, all tools at the same time on the same "
        f"device; the median of {report['truth_runs']} runs of {report['truth_seconds']:g} s, the largest in brackets."
    )
    yield ""
    yield HEAD
    yield RULE
    for title, cells in report["truth"].items():
        yield f"| {title} | {' | '.join(_error(cells[tool]) for tool in NAMES)} |"


def _error(cell: Mapping[str, Any]) -> str:
    if "skipped" in cell:
        return f"- ({cell['skipped']})"
    if "failed" in cell:
        return f"**{cell['failed']}**"
    return f"{cell['median_percent']:+.1f} % ({cell['largest_percent']:+.1f} %)"


def _closing(report: Report) -> Iterator[str]:
    yield ""
    yield "## Where Sootprint is not ahead"
    yield ""
    yield from list(reasoned(report)) or ["Nowhere in these tables."]
