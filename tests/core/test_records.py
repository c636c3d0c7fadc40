"""The record and its rules."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sootprint.core import records
from sootprint.core.errors import RecordError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint

ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
PARTS = [
    part
    for part in vars(records).values()
    if isinstance(part, type) and dataclasses.is_dataclass(part) and part.__module__ == records.__name__
]


def test_record_has_the_fields_of_the_design() -> None:
    """The names that other programs rely on, in their order."""
    names = " ".join(spec.name for spec in dataclasses.fields(Footprint))
    assert names == (
        "id schema tool tool_version name project tags run_group parent node process_share stage scope boundary "
        "model work results curve paper started ended duration_s device_hours place hardware software components "
        "energy_kwh unallocated_kwh intervals spans gaps pue intensity_g_per_kwh emissions_kg market_based_kg "
        "embodied_kg water_l cost stages factors grade unknown warnings forecasts plan savings given extra"
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_says_what_it_is(part: type) -> None:
    """A sentence that ends in a full stop, for the schema and the reference page."""
    assert PARTS
    for spec in dataclasses.fields(part):
        assert spec.metadata["doc"].endswith("."), spec.name


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_record_is_frozen_slotted_and_by_keyword(part: type) -> None:
    """Records never change; a correction is a new record."""
    rules = part.__dataclass_params__  # type: ignore[attr-defined]
    assert (rules.frozen, part.__slots__ != ()) == (True, True)
    with pytest.raises(TypeError):
        part("positional")


def test_unknown_is_none_not_zero() -> None:
    """A record of which nothing is known holds no number at all."""
    empty = Footprint(id=ID)
    numbers = [
        spec.name for spec in dataclasses.fields(empty) if isinstance(getattr(empty, spec.name), (int, float))
    ]
    assert numbers == []
    assert (empty.energy_kwh, empty.emissions_kg, empty.pue, empty.grade) == (None, None, None, None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pue": Quantity(value=0.8)}, r"pue is 0\.8: it is at least 1"),
        ({"pue": Quantity(value=1.1, low=0.9, high=1.3)}, r"pue\.low is 0\.9: it is at least 1"),
        ({"energy_kwh": Quantity(value=-1.0)}, r"energy_kwh is -1\.0: it is at least 0"),
        ({"energy_kwh": Quantity(value=1.0, low=-1.0)}, r"energy_kwh\.low is -1\.0: it is at least 0"),
        ({"process_share": 1.5}, r"process_share is 1\.5: it is at most 1"),
        ({"duration_s": float("nan")}, "duration_s is nan: give a finite number, or null"),
        ({"duration_s": float("inf")}, "duration_s is inf: give a finite number, or null"),
        ({"stage": "training"}, "stage is 'training': it is one of pretrain, finetune"),
        ({"scope": "all"}, "scope is 'all': it is one of final_run, project_total"),
        ({"boundary": "gpu"}, "boundary is 'gpu': it is one of accelerator, node, facility"),
        ({"grade": "F"}, "grade is 'F': it is one of A, B, C, D, E"),
        ({"id": "42"}, "id '42' is not a UUID of version 7"),
    ],
)
def test_impossible_value_is_refused_with_the_rule(fields: dict[str, Any], message: str) -> None:
    """One line that names the field, the value and the rule."""
    with pytest.raises(RecordError, match=message) as caught:
        Footprint(**{"id": ID} | fields)
    assert "\n" not in str(caught.value)


def test_impossible_value_in_a_part_is_refused() -> None:
    """The parts check themselves."""
    with pytest.raises(RecordError, match="count is 0: it is at least 1"):
        records.Hardware(kind="cpu", name="x", count=0)
    with pytest.raises(RecordError, match="kind is 'best': it is one of quality, robustness, fairness"):
        records.Result(metric="accuracy", value=0.9, kind="best")
    with pytest.raises(RecordError, match=r"utilisation is 75\.0: it is at most 1"):
        records.Component(component="cpu", meter="rapl", energy_kwh=Quantity(value=1.0), utilisation=75.0)


def test_main_device_is_the_most_numerous_accelerator_else_processor() -> None:
    """One rule for the survey, the hub, the reports and the estimator, whatever the order of the list."""
    cpu = records.Hardware(kind="cpu", name="Xeon", count=16)
    few = records.Hardware(kind="accelerator", name="T4", count=1)
    many = records.Hardware(kind="accelerator", name="A100", count=8)
    dram = records.Hardware(kind="dram", name="DDR4")
    assert records.main_device((dram, cpu, few, many)) is many
    assert records.main_device((few, many, cpu)) is many
    assert records.main_device((dram, cpu)) is cpu
    assert records.main_device((dram,)) is None
