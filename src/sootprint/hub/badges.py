"""Badges: a record's emissions and grade, or its award, in a small drawing, for a README or a paper's page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from sootprint.charts.scale import MASS
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.hub import columns
from sootprint.report import figures

LETTER = 6.6  # mean width of a letter of the font [pixel]
LONGEST = 48  # letters of a leaderboard
REWARD = "#00663d"
_STYLE = "font-family='Verdana,DejaVu Sans,sans-serif' font-size='11'"


def badge(row: Mapping[str, Any]) -> str:
    """SVG of a badge; a retracted record's says so."""
    colour = "#855d00" if row["marked"] or row["state"] != columns.PUBLISHED else "#00599c"
    return _drawn("CO₂e", _said(row), colour=colour)


def reward(least: str, year: int, board: str) -> str:
    """SVG of a badge for a yearly award, e.g. "Least carbon 2025" beside its leaderboard."""
    told = board if len(board) <= LONGEST else f"{board[: LONGEST - 1]}…"
    return _drawn(f"{least} {year}", told, colour=REWARD)


def _drawn(left: str, right: str, *, colour: str) -> str:
    """SVG of two texts side by side, the right one on a colour."""
    left, right = clean(left), clean(right)
    widths = [round(len(text) * LETTER + 12) for text in (left, right)]
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{sum(widths)}' height='20' role='img' "
        f"aria-label='{escape(f'{left}: {right}', quote=True)}'>",
        f"<rect width='{sum(widths)}' height='20' rx='3' fill='{colour}'/>",
        f"<path d='M0 3a3 3 0 0 1 3-3h{widths[0] - 3}v20H3a3 3 0 0 1-3-3z' fill='#3a424a'/>",
        f"<text x='6' y='14' fill='#ffffff' {_STYLE} textLength='{widths[0] - 12}'>{escape(left)}</text>",
        f"<text x='{widths[0] + 6}' y='14' fill='#ffffff' {_STYLE} "
        f"textLength='{widths[1] - 12}'>{escape(right)}</text>",
        "</svg>",
    ]
    return "".join(parts)


def _said(row: Mapping[str, Any]) -> str:
    if row["state"] != columns.PUBLISHED:
        return "retracted"
    kg = row["emissions_kg"]
    amount = figures.NOT_KNOWN if kg is None else figures.amount(_emitted(row), MASS)
    return f"{amount}, to be reviewed" if row["marked"] else f"{amount}, evidence {row['evidence']}"


def _emitted(row: Mapping[str, Any]) -> Quantity:
    return Quantity(value=row["emissions_kg"], low=row["emissions_low_kg"], high=row["emissions_high_kg"])
