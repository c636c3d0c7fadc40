"""The README's comparison has the figures of the page that it names, rounded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEAR = 0.2
TOOLS = 4  # columns that both tables begin with
ROWS = {  # of the README, and of the page
    "energy kept of a run of 6 s that kill -9 ends": "kill -9",
    "four processes on one node: sum over its energy, best 1": "4 processes on one node: sum over the node's joules",
    "import and start [ms]": "import and start, wall [ms]",
    "CPU time at a sample a second [ms/s]": "CPU time at one sample a second, after that [ms/s]",
}


def test_figures_of_the_readme_are_those_of_the_comparison() -> None:
    """Each is that of the page, as near as a reader of rounded figures expects; a new winner changes both."""
    told, page = _rows("README.md"), _rows("docs/explanation/compared-with-other-tools.md")
    assert told.keys() >= ROWS.keys()
    for ours, theirs in ROWS.items():
        assert _numbers(told[ours]) == pytest.approx(_numbers(page[theirs]), rel=NEAR, abs=0.05), ours
    packages = [
        _number(page[tool.lower()][1]) for tool in ("Sootprint", "CodeCarbon", "carbontracker", "Zeus")
    ]
    assert _numbers(told["packages that it brings"]) == packages


def _rows(file: str) -> dict[str, list[str]]:
    """Cells of the tables' rows by the first one."""
    lines = [line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    parted = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in reversed(parted)}


def _numbers(cells: list[str]) -> list[float]:
    return [_number(cell) for cell in cells[:TOOLS]]


def _number(cell: str) -> float:
    found = re.match(r"[\d.]+", cell)
    assert found, cell
    return float(found[0])
