"""What the tests of the command line share: the application in this process, and as a real program."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sootprint import Footprint, estimate
from sootprint.cli import app
from sootprint.core.ids import uuid7
from sootprint.ledger import keep

PROGRAM = [sys.executable, "-c", "from sootprint.cli import main; main()"]


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Any]:
    """The command in a home of its own, 160 columns wide."""
    env = {"SOOTPRINT_HOME": str(tmp_path / "home"), "COLUMNS": "160"}
    return lambda *words, stdin=None: CliRunner().invoke(
        app, [str(one) for one in words], env=env, input=stdin
    )


@pytest.fixture
def call() -> Callable[..., Any]:
    """The result of the command line with some arguments, in this process."""
    return lambda *arguments, **given: CliRunner().invoke(app, [str(one) for one in arguments], **given)


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The finished process of the command line with some arguments."""

    def run(*arguments: Any, **given: Any) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *(str(one) for one in arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, **given)

    return run


@pytest.fixture
def stored(own_home: Path) -> list[Footprint]:
    """Three runs in the ledger, the oldest first: two of the project thesis, the last one without a place."""
    plans = [
        {"name": "small", "project": "thesis", "tags": {"seed": "1"}, "started": "2026-10-30T10:00:00.000Z"},
        {"name": "large", "project": "thesis", "tags": {"seed": "2"}, "started": "2026-11-02T10:00:00.000Z"},
        {"name": "lost", "project": None, "tags": {}, "started": "2026-11-03T10:00:00.000Z"},
    ]
    made = []
    for number, plan in enumerate(plans):
        work = {"hardware": "V100", "hours": 10.0 * (number + 1), "zone": None if number == 2 else "FR"}
        made.append(_dated(estimate(**work), **plan, id=uuid7(time.time() + number)))
        keep(own_home, made[-1])
    return made


def _dated(footprint: Footprint, **changes: Any) -> Footprint:
    import dataclasses

    return dataclasses.replace(footprint, **changes)
