"""The examples of the tutorials and how-to guides, run as a reader would run them."""

from __future__ import annotations

from pathlib import Path

import pytest

import doc_examples

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted([*(DOCS / "tutorials").glob("*.md"), *(DOCS / "how-to").glob("*.md")])
WITH_EXAMPLES = [page for page in PAGES if doc_examples.examples(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("document", WITH_EXAMPLES, ids=lambda document: document.stem)
def test_examples_of_a_page_run_in_order(document: Path, tmp_path: Path) -> None:
    """Each block of the page does what the page says, in a folder and a home of its own."""
    for example in doc_examples.examples(document.read_text(encoding="utf-8")):
        doc_examples.run(example, folder=tmp_path)


def test_tutorial_has_examples() -> None:
    """The first footprint is a page to follow along, not to read."""
    assert "first-footprint" in [page.stem for page in WITH_EXAMPLES]
