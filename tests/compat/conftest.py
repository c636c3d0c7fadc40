"""What the tests of the interfaces share: a program that was told nothing yet."""

from __future__ import annotations

import pytest

from sootprint.compat import shared


@pytest.fixture(autouse=True)
def untold() -> None:
    """What is said once in a program is said once in a test."""
    shared._remarks.clear()
