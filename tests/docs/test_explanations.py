"""The worked examples of the explanations: what the code gives is what the page says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "explanation"
PAGES = [page for page in sorted(FOLDER.glob("*.md")) if ">>> " in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.stem)
def test_example_gives_what_the_page_shows(document: Path) -> None:
    """Each `>>>` line prints the line below it."""
    found = doctest.testfile(str(document), module_relative=False, encoding="utf-8")
    assert found.attempted > 0
    assert found.failed == 0


def test_the_rule_of_attribution_has_an_example() -> None:
    """Who is charged is shown, not only said."""
    assert "who-is-charged" in [page.stem for page in PAGES]
