"""The page of the rules against the rules."""

from __future__ import annotations

import re
from pathlib import Path

from sootprint.estimator.audit import RULES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "audit.md"


def test_every_rule_is_in_the_page_and_none_else() -> None:
    """Each rule has a row with its number."""
    named = set(re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert named == set(RULES)
