"""The worked examples of the explanations: what the code gives is what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from sootprint import estimate
from sootprint.estimator.advice import advise

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


def test_commands_of_what_was_asked_are_there() -> None:
    """The page that answers two documents names commands that exist, with options that they have."""
    text = (FOLDER / "what-was-asked.md").read_text(encoding="utf-8")
    reference = (FOLDER.parent / "reference/commands.md").read_text(encoding="utf-8")
    known: dict[str, str] = {}
    for name, section in re.findall(r"^## sootprint (\w+).*?\n(.*?)(?=^## |\Z)", reference, re.M | re.S):
        known[name] = known.get(name, "") + section
    named = re.findall(r"`sootprint ([a-z]+)([^`]*)`", text)
    assert len(named) > 15
    for command, rest in named:
        missing = [option for option in re.findall(r"--[\w-]+", rest) if option not in known[command]]
        assert missing == [], command


def test_measures_of_what_was_asked_are_those_of_the_advice() -> None:
    """Each measure that the page names is one that `sootprint advise` weighs."""
    text = (FOLDER / "what-was-asked.md").read_text(encoding="utf-8")
    known = {one.name for one in advise(estimate(hardware="V100", hours=1.0, zone="DE")).measures}
    told = re.findall(r"[Mm]easures? (`\w+`(?:(?:,| and) `\w+`)*)", text)
    named = [name for part in told for name in re.findall(r"`(\w+)`", part)]
    assert len(named) > 8 and set(named) <= known
