"""The records that the charts' tests share with those of the reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sootprint import Footprint

RECORDS = Path(__file__).parents[1] / "report" / "records"


@pytest.fixture
def read() -> Callable[[str], Footprint]:
    """Footprint of a record by its name."""
    return lambda name: Footprint.from_json((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
