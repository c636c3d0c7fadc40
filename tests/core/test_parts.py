"""Runs inside of runs: whatever the nesting, each joule of the machine is in the sum once."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core.merging import merge
from sootprint.core.merging.parts import APART, Part, part, place, rest, share_after, told
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Interval
from sootprint.ledger.rows import RunRow, summaries, with_wholes
from tests.fixtures.job_records import J_PER_KWH, at, node_record, run_id

LAST_S = 40


class Nest(NamedTuple):
    """Runs by number: the one around each, its start and its end [s]."""

    around: list[int | None]
    starts: list[int]
    ends: list[int]

    def tops(self, at_s: int) -> int:
        """Runs that have no run around them in a second, which share what the machine spends [1]."""
        return sum(self.is_top(one, at_s) for one in range(len(self.around)))

    def is_top(self, one: int, at_s: int) -> bool:
        """Whether a run is there in a second and none of those around it is."""
        above = self.around[one]
        while above is not None:
            if self.starts[above] <= at_s < self.ends[above]:
                return False
            above = self.around[above]
        return self.starts[one] <= at_s < self.ends[one]


@st.composite
def nests(draw: st.DrawFn) -> Nest:
    """One to six runs; one that has a run around it begins in that one's life, and may outlive it."""
    nest = Nest([], [], [])
    for number in range(draw(st.integers(1, 6))):
        around = draw(st.none() | st.integers(0, number - 1)) if number else None
        first, last = (0, LAST_S - 1) if around is None else (nest.starts[around], nest.ends[around] - 1)
        nest.around.append(around)
        nest.starts.append(draw(st.integers(first, last)))
        nest.ends.append(draw(st.integers(nest.starts[-1] + 1, LAST_S)))
    return nest


def records(nest: Nest, *, tells: bool) -> list[Footprint]:
    """Records as the meter writes them: of a machine that spends a joule a second, equally split."""
    return [_record(nest, number, tells=tells) for number in range(len(nest.around))]


def _record(nest: Nest, number: int, *, tells: bool) -> Footprint:
    start_s, end_s, around = nest.starts[number], nest.ends[number], nest.around[number]
    spent_j = [1.0 / nest.tops(at_s) if nest.is_top(number, at_s) else 0.5 for at_s in range(start_s, end_s)]
    apart_j = math.fsum(j for at_s, j in enumerate(spent_j, start_s) if nest.is_top(number, at_s))
    energy = Quantity(value=math.fsum(spent_j) / J_PER_KWH)
    return node_record(
        number,
        rank=None,
        parent=None if around is None else run_id(around),
        given={"node_shared": True} | ({APART: apart_j / J_PER_KWH} if tells and around is not None else {}),
        started=at(start_s),
        duration_s=float(end_s - start_s),
        node="machine",
        energy_kwh=energy,
        emissions_kg=energy,
        components=(Component(component="cpu", meter="rapl", energy_kwh=energy),),
        intervals=tuple(
            Interval(start=at(second), end=at(second + 1), component="cpu", energy_j=j)
            for second, j in enumerate(spent_j, start_s)
        ),
    )


def spent_j(nest: Nest) -> int:
    """What the machine spent while anybody was there [J]."""
    return sum(nest.tops(at_s) > 0 for at_s in range(LAST_S))


def row(record: Footprint) -> RunRow:
    """A record as the ledger lists it."""
    told_kwh = record.given.get(APART)
    names = ("id", "name", "project", "started", "duration_s", "energy_kwh", "emissions_kg", "parent")
    fields = {name: getattr(record, name) for name in names}
    return RunRow(**fields, state="finished", tags={}, zone=None, grade=None, apart_kwh=told_kwh)


@given(nest=nests(), tells=st.booleans())
@settings(deadline=None, max_examples=100)
def test_each_joule_is_in_the_sum_once(nest: Nest, tells: bool) -> None:
    """Of the ledger as of `merge`: parts that outlive any of the runs around them count with what came after."""
    made = records(nest, tells=tells)
    known = {one.id: one for one in made}
    (total,) = summaries(with_wholes([row(one) for one in made], record_of=known.get), "project")
    assert total.energy_kwh is not None and total.emissions_kg is not None
    assert total.energy_kwh.value * J_PER_KWH == pytest.approx(spent_j(nest), rel=1e-9)
    assert total.emissions_kg.value == pytest.approx(total.energy_kwh.value, rel=1e-9)
    merged = merge(made, allow_overlap=True)
    assert merged.energy_kwh is not None
    assert merged.energy_kwh.value * J_PER_KWH == pytest.approx(spent_j(nest), rel=1e-9)
    assert math.fsum(one.energy_j for one in merged.intervals) == pytest.approx(spent_j(nest), rel=1e-5)


def _pair(**fields: object) -> tuple[Footprint, Footprint]:
    """A run of two minutes, and a part of it from 0.5 to 2.5 min."""
    outer = node_record(0, rank=None)
    return outer, node_record(1, rank=None, **({"parent": outer.id, "start_s": 30.0} | fields))


def _part(outer: Footprint, inner: Footprint) -> Part | None:
    return part(place(inner), {one.id: place(one) for one in (outer, inner)})


def test_a_part_of_a_part_counts_after_the_last_of_them() -> None:
    """The run between went on until 150 s, after the outer one's 100 s: what came later counts beside both."""
    outer, between, inner = (
        node_record(n, rank=None, node="m", parent=parent, start_s=start_s, duration_s=end_s - start_s)
        for n, parent, start_s, end_s in (
            (0, None, 0.0, 100.0),
            (1, run_id(0), 10.0, 150.0),
            (2, run_id(1), 20.0, 200.0),
        )
    )
    known = {one.id: place(one) for one in (outer, between, inner)}
    found, when = part(known[inner.id], known), place(outer).span
    assert found is not None and when is not None
    assert (found.whole, found.until_s) == (between.id, when.start_s + 150.0)


def test_what_came_after_is_a_record_of_its_own() -> None:
    """A quarter of its 2 kWh and of its 2 minutes, from the end of the run around it on."""
    outer, inner = _pair()
    found = _part(outer, inner)
    assert found == Part(outer.id, None, found and found.until_s)
    late = rest(inner, found)
    assert late is not None and late.energy_kwh is not None
    assert (late.started, late.duration_s, late.energy_kwh.value) == (at(120), 30.0, 0.5)
    assert math.fsum(one.energy_j for one in late.intervals) == pytest.approx(0.5 * J_PER_KWH)
    merged = merge([outer, inner])
    assert merged.energy_kwh is not None and merged.energy_kwh.value == 2.5
    assert merge([merged, outer, inner]).to_json() == merged.to_json()


@pytest.mark.parametrize("moved_s", [-3600.0, 3600.0])
def test_what_was_told_holds_though_a_clock_was_set(moved_s: float) -> None:
    """The part began in the life of the other, whatever the times of the records say."""
    outer, inner = _pair(start_s=30.0 + moved_s, given={APART: 0.5})
    assert _part(outer, inner) is not None
    merged = merge([outer, inner], allow_overlap=True)
    assert merged.energy_kwh is not None and merged.energy_kwh.value == 2.5


def test_a_record_without_a_course_is_cut_by_its_time() -> None:
    """30 s of its 120 s came after; where it tells no time either, all of it is in the other."""
    outer, inner = _pair(intervals=())
    found = _part(outer, inner)
    assert found is not None and found.until_s is not None
    assert share_after(inner, found.until_s) == 0.25
    blind = dataclasses.replace(inner, started=None)
    assert _part(outer, blind) == Part(outer.id, 0.0, None)


@pytest.mark.parametrize("nonsense", [True, "1", -1.0, math.nan, [1]])
def test_nonsense_tells_nothing(nonsense: object) -> None:
    """Records of others may hold anything."""
    assert told(nonsense, 2.0) is None


def test_runs_that_are_each_others_parent_are_runs_of_their_own() -> None:
    """Nobody can say which of them has the energy of the other, and none is lost."""
    ring = [node_record(n, rank=None, parent=run_id((n + 1) % 3)) for n in range(3)]
    known = {one.id: place(one) for one in ring}
    assert [part(place(one), known) for one in ring] == [None] * 3
