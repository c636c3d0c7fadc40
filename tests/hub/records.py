"""Records for the hub's tests, each with an id of its own."""

from __future__ import annotations

import dataclasses
import itertools
import json
from functools import cache
from typing import Any

from sootprint.core.ids import uuid7
from sootprint.core.records import Footprint, Model, Result
from sootprint.estimator import estimate

_instants = itertools.count(1_700_000_000)


@cache
def _estimated(hours: float) -> Footprint:
    return estimate(hours=hours, hardware="A100", count=8, zone="FR", year=2024)


def footprint(hours: float = 48.0, **changes: Any) -> Footprint:
    """An estimate of eight A100 in France, with changes."""
    return dataclasses.replace(_estimated(hours), **{"id": uuid7(float(next(_instants))), **changes})


def plain(one: Footprint) -> dict[str, Any]:
    """A record as JSON has it."""
    data: dict[str, Any] = json.loads(one.to_json())
    return data


def record(hours: float = 48.0, **changes: Any) -> dict[str, Any]:
    """As `footprint`, as JSON has it."""
    return plain(footprint(hours, **changes))


def batch(n: int, **changes: Any) -> bytes:
    """JSON of n records."""
    return json.dumps([record(1.0 + index % 7, **changes) for index in range(n)]).encode()


def trained(value: float, *, kg: float, name: str = "model", metric: str = "Top-1") -> dict[str, Any]:
    """A record of a model with one result and given emissions, graded C by its parts."""
    made = record(
        model=Model(name=name),
        results=(Result(task="Image classification", dataset="ImageNet", metric=metric, value=value),),
    )
    made["emissions_kg"] = {"value": kg, "basis": "derived"}
    return made
