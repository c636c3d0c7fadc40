"""The lock files and the weight of the base install."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted(ROOT.glob("*.lock"))


def test_both_locks_are_here() -> None:
    """One lock is for the environment, one for the installer."""
    assert {lock.name for lock in LOCKS} >= {"requirements.lock", "requirements-uv.lock"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_names_no_address(lock: Path) -> None:
    """A lock works with whatever index its reader uses."""
    assert "://" not in lock.read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_requirement_has_an_exact_version_and_a_hash(lock: Path) -> None:
    """The installer refuses a file that is not the one that was locked."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8").strip())
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_base_install_has_at_most_25_packages() -> None:
    """The packages that `pip install sootprint` brings on this platform, itself left out."""
    assert len(_closure("sootprint") - {"sootprint"}) <= 25


def _closure(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    found = {name}
    waiting = [(name, extras)]
    while waiting:
        name, extras = waiting.pop()
        for requirement in map(Requirement, requires(name) or []):
            needed = _is_needed(requirement, extras)
            if needed and requirement.name not in found:
                found.add(requirement.name)
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return found


def _is_needed(requirement: Requirement, extras: frozenset[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in (*extras, ""))
