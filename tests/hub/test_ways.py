"""Ways to a page of words with filters on SQLite: each of them gives the same records."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from sootprint.hub import ingest, reading, ways
from sootprint.hub.reading import Question
from tests.hub import records

SEARCHES = tuple(
    itertools.product(
        ("even", "odd", "run 1", "run", "nothere", "run even"),
        ({"project": "archive"}, {"project": "present"}, {"zone": "FR", "project": "archive"}),
        ("newest", "emissions", "energy"),
    )
)


@pytest.fixture
def filled(sqlite_engine: Engine) -> Engine:
    """A hub in which even runs are of one project, most odd ones of another."""
    sent = [
        records.record(
            hours=1.0 + n * 7 % 13, name=f"run {n} {'even' if n % 2 == 0 else 'odd'}", project=_project(n)
        )
        for n in range(40)
    ]
    ingest.take_in(sqlite_engine, json.dumps(sent).encode(), ingest.Submission(actor="local"))
    return sqlite_engine


def _project(n: int) -> str:
    return "archive" if n % 2 == 0 or n == 21 else "present"


@pytest.mark.parametrize(("matches", "single"), [(0, 0), (0, 1_000), (1_000, 0), (11, 0)])
def test_each_way_gives_the_same_records(
    filled: Engine, monkeypatch: pytest.MonkeyPatch, matches: int, single: int
) -> None:
    """Words that few or many have, filters that few or many pass, page by page, as one by one tells."""
    monkeypatch.setattr(ways, "MATCHES", matches)
    monkeypatch.setattr(ways, "SINGLE", single)
    whole = reading.page(filled, Question(limit=100))[0]
    assert len(whole) == 40
    for said, filters, order in SEARCHES:
        fits = [row for row in whole if _fits(row, said, filters)]
        if order != "newest":
            name = "emissions_kg" if order == "emissions" else "energy_kwh"
            fits.sort(key=lambda row: (row[name], row["seq"]), reverse=True)
        question = Question(words=said, filters=filters, order=order, limit=7)
        pages = reading.pages(filled, question, reading.page(filled, question))
        found = [row["seq"] for rows in pages for row in rows]
        assert found == [row["seq"] for row in fits], (said, filters, order)


def _fits(row: dict[str, Any], said: str, filters: dict[str, str]) -> bool:
    words = f"{row['name']} {row['project']} {row['hardware']} {row['country']}".lower().split()
    return all(any(one.startswith(word) for one in words) for word in said.split()) and all(
        row[name] == value for name, value in filters.items()
    )
