"""Laws of adding records, over generated jobs: order, repetition and grouping change no value."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core.merging import merge
from sootprint.core.records import Footprint
from tests.fixtures.job_records import node_record

QUARTERS = st.integers(0, 4000).map(lambda number: number / 4.0)  # sums of them are exact [kWh]


@st.composite
def jobs(draw: st.DrawFn) -> list[Footprint]:
    """Two to six nodes of a job of up to six, each with its energy and start."""
    ranks = draw(st.sets(st.integers(0, 5), min_size=2, max_size=6))
    return [
        node_record(
            draw(st.integers(0, 3)) * 10 + rank,
            rank=None,
            kwh=(draw(QUARTERS), draw(QUARTERS)),
            start_s=draw(st.integers(0, 100)),
            given={"run_group_nodes": 6, "run_group_node": rank},
        )
        for rank in sorted(ranks)
    ]


def value(record: Footprint, name: str) -> float:
    """Value of a quantity of a record, which has one."""
    found = getattr(record, name)
    assert found is not None
    return float(found.value)


@given(energies=st.lists(st.tuples(QUARTERS, QUARTERS), min_size=1, max_size=12))
@settings(deadline=None, max_examples=50)
def test_a_whole_that_was_split_is_the_whole_again(energies: list[tuple[float, float]]) -> None:
    """The parts of an energy add up to it exactly, by component as in sum."""
    merged = merge(node_record(number, rank=None, kwh=kwh) for number, kwh in enumerate(energies))
    assert value(merged, "energy_kwh") == sum(gpu + cpu for gpu, cpu in energies)
    of_gpu = [one.energy_kwh.value for one in merged.components if one.component.startswith("accelerator")]
    assert sum(of_gpu) == sum(gpu for gpu, _ in energies)


@given(records=jobs(), data=st.data())
@settings(deadline=None, max_examples=50)
def test_order_and_repetition_change_nothing(records: list[Footprint], data: st.DataObject) -> None:
    """The record is the same to the last letter, its identity included."""
    shuffled = data.draw(st.permutations([*records, *records[:2]]))
    assert merge(shuffled).to_json() == merge(records).to_json()


@given(records=jobs(), cut=st.integers(1, 5))
@settings(deadline=None, max_examples=50)
def test_grouping_changes_no_value(records: list[Footprint], cut: int) -> None:
    """A sum of sums is the sum, what was filled in for lost nodes included."""
    cut = min(cut, len(records) - 1)
    once = merge(records)
    twice = merge([merge(records[:cut]), *records[cut:]])
    for name in ("energy_kwh", "emissions_kg", "device_hours"):
        assert math.isclose(value(twice, name), value(once, name), rel_tol=1e-9, abs_tol=1e-12), name
    assert twice.given == once.given
    spent_j = [math.fsum(row.energy_j for row in record.intervals) for record in (once, twice)]
    assert math.isclose(*spent_j, rel_tol=1e-6, abs_tol=1e-3)


@given(records=jobs())
@settings(deadline=None, max_examples=50)
def test_bounds_enclose_and_intervals_hold_the_energy(records: list[Footprint]) -> None:
    """Low to high encloses the value, and the intervals hold what the record sums to."""
    merged = merge(records)
    energy = merged.energy_kwh
    assert energy is not None and energy.low is not None and energy.high is not None
    assert 0.0 <= energy.low <= energy.value <= energy.high
    assert Footprint.from_json(merged.to_json()) == merged
    spent_j = math.fsum(row.energy_j for row in merged.intervals)
    assert math.isclose(spent_j, energy.value * 3.6e6, rel_tol=1e-6, abs_tol=1e-3)
