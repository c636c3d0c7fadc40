"""The table of the faults, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.stage import Outcome

HEADS = (
    "fault",
    "true J",
    "charged J",
    "lost J",
    "at most",
    "doubled J",
    "at most",
    "left",
    "ends as without us",
    "later by",
)
LEFT = {
    "record": "record",
    "recovered": "journal: `sootprint recover` made the record",
    "shown": "record on stderr",
    "nothing": "no record",
}


def row(outcome: Outcome) -> tuple[str, ...]:
    """Cells of one fault."""
    left = LEFT[outcome.kept] + (" and one line why" if outcome.fault.says else "")
    return (
        outcome.fault.name + (f" (play {outcome.plays})" if outcome.plays > 1 else ""),
        f"{outcome.truth_j:.0f}",
        f"{outcome.charged_j:.0f}",
        f"{outcome.lost_j:.1f}",
        f"{outcome.most_lost_j:.0f}",
        f"{outcome.doubled_j:.1f}",
        f"{outcome.most_doubled_j:.0f}",
        left,
        "yes" if outcome.ended_as_alone else "NO",
        f"{outcome.late_s:.2f} s",
    )


def plain(outcomes: Sequence[Outcome]) -> str:
    """Table in columns."""
    rows = [HEADS, *(row(outcome) for outcome in outcomes)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in rows
    )


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Table of Markdown, with how each fault came about."""
    heads = (HEADS[0], "how", *HEADS[1:])
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    for outcome in outcomes:
        cells = row(outcome)
        lines.append("| " + " | ".join((cells[0], outcome.fault.how, *cells[1:])) + " |")
    return "\n".join(lines)
