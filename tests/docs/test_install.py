"""The lines of the documents that install Sootprint: they work in a copy of the repository, and from an index."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
BY_NAME = re.compile(r"pip install (?:--?[\w-]+ )*'?sootprint\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_command_installs_sootprint_by_its_name_alone(page: Path) -> None:
    """Whether an index has it depends on the day; a path or address of a copy works before that day and after."""
    for block in FENCED.findall(page.read_text(encoding="utf-8")):
        assert not BY_NAME.findall(block), block


def test_an_extra_is_added_to_an_installed_copy_by_name_without_an_index() -> None:
    """What messages and pages say, pip install 'sootprint[survey]', needs no index for Sootprint once that is there."""
    found = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-index", "--dry-run", "--no-deps", "sootprint[survey]"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "Requirement already satisfied: sootprint[survey]" in found.stdout
