"""The links of the documents: every file and heading they point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SOURCE = re.compile(r"`((?:src|tests|tools|docs|examples|packaging|bench)/[\w./-]+)`")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=_name)
def test_relative_links_lead_somewhere(document: Path) -> None:
    """Each relative link names a file that is there and, after `#`, a heading in it."""
    broken = []
    for target in LINK.findall(_prose(document)):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", PAGES, ids=_name)
def test_named_files_of_the_repository_exist(document: Path) -> None:
    """A path in code quotes is the path of a file or folder here."""
    assert [path for path in SOURCE.findall(_prose(document)) if not (ROOT / path).exists()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    """Following links from docs/index.md leads to every page below docs."""
    waiting, reached = [ROOT / "docs/index.md"], set()
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(_prose(page))]
        waiting += [
            file for file in targets if file.suffix == ".md" and file not in reached and file.exists()
        ]
    assert [_name(page) for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in reached] == []
