"""Constants of the meters: where each comes from, and how it was made."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from sootprint import meters
from sootprint.core.quantity import Factor
from sootprint.meters import rapl
from sootprint.meters.wall import accuracy_facts


def test_every_constant_of_a_meter_has_its_source_and_method():
    """A venue may require both of every factor, and no setting of a user could add them."""
    made = [
        *rapl._accuracy("AMD"),
        *accuracy_facts("plug", (0.97, 1.03), source="a standard", nodes=1).factors,
    ]
    names = [f"sootprint.meters.{one.name}" for one in pkgutil.iter_modules(meters.__path__)]
    found = [*made, *(factor for name in names for factor in _factors(vars(importlib.import_module(name))))]
    assert len({(one.kind, one.key) for one in found}) > 12
    assert [(one.kind, one.key) for one in found if not (one.source and one.method)] == []


def _factors(value: Any) -> Iterator[Factor]:
    if isinstance(value, Factor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _factors(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from _factors(one)
