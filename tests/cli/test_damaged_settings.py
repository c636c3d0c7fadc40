"""A sootprint.toml that is no TOML stops every command but a training, for it may say where the records lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
ESTIMATE = ("estimate", "--power-w", "100", "--count", "1", "--hours", "1", "--zone", "FR")


@pytest.mark.parametrize(
    "damage", [b'zone = "FR"\n[sites.lab\n', b"zone = '\xff'\n"], ids=["bracket", "bytes"]
)
@pytest.mark.parametrize(
    "words", [("config",), ("runs",), ESTIMATE, ("recover",)], ids=lambda words: words[0]
)
def test_a_damaged_file_is_named_and_nothing_is_written(
    call: Call, own_home: Path, words: tuple[str, ...], damage: bytes
) -> None:
    """One line with the file, exit code 2, and no folder has a new file."""
    path = own_home / "sootprint.toml"
    path.write_bytes(damage)
    before = sorted(own_home.rglob("*"))
    found = call(*words)
    assert found.exit_code == 2
    assert found.stderr.startswith(f"sootprint: {path}: ") and found.stderr.count("\n") == 1
    assert not found.stdout and sorted(own_home.rglob("*")) == before
