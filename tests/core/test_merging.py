"""Records of a job's nodes added into one: which count, what they sum to, and what a lost node leaves."""

from __future__ import annotations

import dataclasses
import math

import pytest

from sootprint.core.errors import InputError
from sootprint.core.merging import merge, series
from sootprint.core.merging.choose import node_keys
from sootprint.core.merging.times import span
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import CurvePoint, Footprint, Gap, Hardware, Place, Span
from tests.fixtures.job_records import at, component, intensity_factor, node_record, run_id


def four() -> list[Footprint]:
    """Four nodes that drew 2, 4, 6 and 8 kWh, half of it on the accelerator."""
    return [node_record(rank, rank=rank, kwh=(rank + 1.0, rank + 1.0)) for rank in range(4)]


def energy(record: Footprint) -> float:
    """IT energy of a record [kWh]."""
    assert record.energy_kwh is not None
    return record.energy_kwh.value


def test_nodes_add_up() -> None:
    """2 + 4 + 6 + 8 kWh at PUE 1.25 and 40 g/kWh are 1 kg; hours and devices add, the time does not."""
    merged = merge(four())
    assert energy(merged) == 20.0
    assert merged.emissions_kg is not None and merged.emissions_kg.value == pytest.approx(1.0)
    assert merged.device_hours == Quantity(value=8.0, low=8.0, high=8.0)
    assert (merged.started, merged.ended, merged.duration_s) == (at(0), at(120), 120.0)
    assert [(one.name, one.count) for one in merged.hardware] == [("A100", 4)]
    assert (merged.grade, merged.warnings, merged.gaps) == ("C", (), ())


def test_components_keep_their_meter_and_count_through_the_nodes() -> None:
    """Accelerators are numbered in the order of the nodes, whatever each node called its own."""
    merged = merge(reversed(four()))
    assert [(one.component, one.meter, one.energy_kwh.value) for one in merged.components] == [
        *((f"accelerator:{rank}", "nvml", rank + 1.0) for rank in range(4)),
        *((f"cpu:{rank}", "cpu", rank + 1.0) for rank in range(4)),
    ]


def test_more_than_64_components_are_summed_by_kind_and_meter() -> None:
    """40 nodes with two components each become one accelerator and one processor of 40 kWh."""
    merged = merge(node_record(number, rank=None) for number in range(40))
    assert [(one.component, one.energy_kwh.value) for one in merged.components] == [
        ("accelerator:0", 40.0),
        ("cpu", 40.0),
    ]
    assert {one.component for one in merged.intervals} == {"accelerator:0", "cpu"}
    assert merged.components[0].utilisation == pytest.approx(0.5)


def test_models_err_together_and_sensors_apart() -> None:
    """Four processors of one model are off by the same factor; four sensors by a half of it, as 1/sqrt(4)."""
    cpu = [_only(number, component("cpu", "cpu", 1.0, (0.5, 2.0), "modelled")) for number in range(4)]
    assert merge(cpu).energy_kwh == Quantity(value=4.0, low=2.0, high=8.0)
    gpu = [
        _only(number, component("accelerator:0", "nvml", 1.0, (0.96, 1.04), "sensor")) for number in range(4)
    ]
    summed = merge(gpu).energy_kwh
    assert summed is not None and summed.high is not None and summed.low is not None
    assert summed.high - 4.0 == pytest.approx(0.08, rel=0.1)
    assert 4.0 - summed.low == pytest.approx(0.08, rel=0.1)


def _only(number: int, part: object) -> Footprint:
    record = node_record(number, rank=None)
    return dataclasses.replace(record, components=(part,), energy_kwh=part.energy_kwh, intervals=())  # type: ignore[attr-defined]


def test_each_node_counts_with_its_own_grid_and_pue() -> None:
    """2 kWh x 1.0 x 50 g + 2 kWh x 1.5 x 700 g = 2.2 kg, so 4 kWh at PUE 1.25 and 440 g/kWh."""
    plans = [("FR", 1.0, 50.0), ("PL", 1.5, 700.0)]
    records = [
        node_record(
            number,
            rank=None,
            place=Place(zone=zone, country=zone),
            pue=Quantity(value=pue, low=pue, high=pue),
            intensity_g_per_kwh=Quantity(value=grams, low=0.8 * grams, high=1.2 * grams),
            emissions_kg=Quantity(value=2.0 * pue * grams / 1000.0),
        )
        for number, (zone, pue, grams) in enumerate(plans)
    ]
    merged = merge(records)
    assert merged.emissions_kg is not None and merged.emissions_kg.low is not None
    assert merged.emissions_kg.value == pytest.approx(2.2)
    assert 1.2 < merged.emissions_kg.low < 1.8
    assert merged.pue is not None and merged.pue.value == pytest.approx(1.25)
    assert merged.intensity_g_per_kwh is not None and merged.intensity_g_per_kwh.value == pytest.approx(440.0)
    assert merged.place.zone is None
    assert "several zones (FR, PL)" in merged.warnings[0]


def test_intensities_of_different_methods_are_not_summed() -> None:
    """A direct and a life-cycle figure have no sum; the energy has."""
    records = [
        node_record(0, rank=None),
        node_record(1, rank=None, factors=(intensity_factor("average, direct"),)),
    ]
    merged = merge(records)
    assert (energy(merged), merged.emissions_kg, merged.intensity_g_per_kwh) == (4.0, None, None)
    assert {"emissions_kg", "intensity_g_per_kwh"} <= set(merged.unknown)
    assert "different methods" in merged.warnings[0]


def test_a_lost_node_is_filled_at_the_mean_of_the_others() -> None:
    """Nodes of 2, 4 and 8 kWh: the fourth is 14/3 kWh, from half of the least to the most of the kinds."""
    merged = merge([one for one in four() if one.given["run_group_node"] != 2])
    assert energy(merged) == pytest.approx(14.0 + 14.0 / 3.0)
    filled = [one for one in merged.components if one.meter == "lost_node"]
    assert [one.component for one in filled] == ["accelerator:3", "cpu:3"]
    assert filled[0].energy_kwh.value == pytest.approx(7.0 / 3.0)
    assert filled[0].energy_kwh.low == 1.0 and filled[0].energy_kwh.high == 4.0
    assert filled[0].energy_kwh.basis == "assumed"
    assert merged.warnings[0].startswith("lost nodes: 1 of 4 nodes left no record or no reading (index 2)")
    assert [(one.component, one.start, one.end) for one in merged.gaps] == [
        ("accelerator:3", at(0), at(120)),
        ("cpu:3", at(0), at(120)),
    ]
    assert merged.grade == "D"  # a quarter of the energy is a guess
    assert merged.emissions_kg is not None
    assert merged.emissions_kg.value == pytest.approx(0.05 * (14.0 + 14.0 / 3.0))
    assert merged.device_hours == Quantity(value=8.0, low=7.0, high=9.0)
    assert [(one.name, one.count) for one in merged.hardware] == [("A100", 3)]


def test_a_lost_node_that_comes_back_takes_the_place_of_its_fill() -> None:
    """Merging the sum of three with the fourth is merging the four, in every value."""
    records = four()
    late = merge([merge([records[0], records[1], records[3]]), records[2]])
    once = merge(records)
    assert (late.id, late.given, late.warnings) == (once.id, once.given, ())
    assert energy(late) == pytest.approx(20.0)
    assert late.emissions_kg is not None and late.emissions_kg.value == pytest.approx(1.0)
    assert late.device_hours is not None and late.device_hours.high == pytest.approx(8.0)
    assert math.fsum(one.energy_j for one in late.intervals) == pytest.approx(20.0 * 3.6e6)


def test_a_fill_is_taken_out_of_both_bounds() -> None:
    """Hours that are known by a quarter are so again, once the lost node has come."""
    hours = Quantity(value=2.0, low=1.5, high=2.5)
    records = [dataclasses.replace(record, device_hours=hours) for record in four()]
    late = merge([merge(records[:3]), records[3]])
    assert late.device_hours is not None
    assert (late.device_hours.low, late.device_hours.high) == pytest.approx((6.0, 10.0))


def test_a_record_without_any_reading_is_a_lost_node() -> None:
    """A node whose meters gave nothing is filled in, not counted as 0."""
    blind = node_record(
        1, rank=None, components=(), energy_kwh=None, emissions_kg=None, intervals=(), grade=None
    )
    merged = merge([node_record(0, rank=None), blind])
    assert energy(merged) == 4.0
    assert merged.warnings[0].startswith("lost nodes: 1 of 2")


def test_stated_number_of_nodes_wins() -> None:
    """The user knows of nodes that no launcher told of, and cannot state fewer than there are."""
    records = [node_record(number, rank=None) for number in range(2)]
    assert energy(merge(records)) == 4.0
    assert energy(merge(records, expected_nodes=3)) == 6.0
    with pytest.raises(InputError, match="1 nodes were stated, but 2"):
        merge(records, expected_nodes=1)


def test_numbers_of_nodes_that_disagree_fill_nothing() -> None:
    """Where the launcher told 4 here and 8 there, and 2 are there, nobody knows how many are lost."""
    other = node_record(1, given={"run_group_nodes": 8, "run_group_node": 1})
    merged = merge([node_record(0), other])
    assert energy(merged) == 4.0
    assert "4 and 8 nodes" in merged.warnings[0] and "--nodes" in merged.warnings[0]


def test_numbers_of_nodes_that_are_all_there_need_not_agree() -> None:
    """An elastic job told of 1 node before its second came: both are there, and none is lost."""
    told = [
        node_record(rank, given={"run_group_nodes": rank + 1, "run_group_node": rank}) for rank in range(2)
    ]
    merged = merge(told)
    assert (energy(merged), merged.warnings) == (4.0, ())


def test_what_one_node_does_not_know_is_not_known_of_the_sum() -> None:
    """A sum over those that do would be too small, and nobody would see it."""
    known = {"embodied_kg": Quantity(value=3.0), "cost": Quantity(value=1.0)}
    records = [node_record(0, rank=None, **known), node_record(1, rank=None, cost=Quantity(value=2.0))]
    merged = merge(records)
    assert merged.embodied_kg is None
    assert merged.cost is not None and merged.cost.value == 3.0


def test_costs_in_two_currencies_are_no_sum() -> None:
    """1 EUR and 2 USD are not 3 of anything; two prices in EUR, or none told at all, add up as they did."""

    def cost(*currencies: str | None) -> Quantity | None:
        factors = [
            (Factor(kind="price", key="tariff", value=0.1, unit=f"{name}/kWh"),) if name else ()
            for name in currencies
        ]
        merged = merge(
            [
                node_record(index, rank=None, cost=Quantity(value=1.0 + index), factors=found)
                for index, found in enumerate(factors)
            ]
        )
        assert ("cost" in merged.unknown) is (merged.cost is None)
        return merged.cost

    assert cost("EUR", "USD") is None
    assert cost("EUR", None) is None
    for same in ("EUR", None):
        total = cost(same, same)
        assert total is not None and total.value == 3.0


@pytest.mark.parametrize(("components", "width_s"), [(20_000, 60.0), (30_000, 120.0)])
def test_nodes_at_one_time_need_no_wider_grid_than_one(components: int, width_s: float) -> None:
    """Two minutes of 20,000 components are 40,000 rows, however many records tell them; 50,000 are the most."""
    assert series.width_s(four(), components) == width_s


@pytest.mark.parametrize(
    ("started", "ended"), [("2023", "2023-05-01"), ("2023-05", "2023-05-01"), ("2023-05-01", "2023")]
)
def test_record_that_tells_no_day_has_no_time(started: str, ended: str) -> None:
    """A paper that names a year gives no span, and is no part of anything by its time."""
    assert span(Footprint(id=run_id(1), started=started, ended=ended)) is None


def test_a_record_counts_once_however_often_it_is_given() -> None:
    """Twice the same, or once with a tag that was corrected later."""
    record = node_record(0, rank=None)
    other = node_record(1, rank=None)
    tagged = dataclasses.replace(record, tags={"seed": "1"})
    assert energy(merge([record, tagged, other, record])) == 4.0
    with pytest.raises(InputError, match="given twice, with"):
        merge([record, node_record(0, rank=None, kwh=(9.0, 9.0))])


def test_a_run_inside_of_another_is_not_added() -> None:
    """Its parent was charged its energy; a run that only started from another was not."""
    outer = node_record(0, rank=None)
    inner = node_record(1, rank=None, node="machine0", parent=outer.id, start_s=30.0, duration_s=60.0)
    innermost = node_record(2, rank=None, node="machine0", parent=inner.id, start_s=40.0, duration_s=10.0)
    after = node_record(3, rank=None, node="machine0", parent=outer.id, start_s=500.0)
    assert merge([innermost, inner, outer, after]).given["merged"] == [outer.id, after.id]


def test_parts_of_a_merged_record_are_not_added_beside_it() -> None:
    """Its parts are in it; two sums that share a part can no longer be taken apart."""
    records = [node_record(number, rank=None) for number in range(3)]
    pair = merge(records[:2])
    assert energy(merge([pair, *records])) == 6.0
    assert energy(merge([pair, records[0], records[2]])) == 6.0
    assert energy(merge([merge(records[1:]), merge(records)])) == 6.0
    with pytest.raises(InputError, match="two merged records hold run"):
        merge([pair, merge(records[1:])])


def test_whole_nodes_that_overlap_are_refused() -> None:
    """Two tools side by side read the same joules; shares of one node, and restarts, do not."""
    one = node_record(0, rank=None)
    other = node_record(1, rank=None, node="machine0", start_s=60.0)
    with pytest.raises(InputError, match="both charged the whole of one node for 60 s"):
        merge([one, other])
    allowed = merge([one, other], allow_overlap=True)
    assert energy(allowed) == 4.0 and "may count twice" in allowed.warnings[0]
    shares = [dataclasses.replace(record, given={"node_shared": True}) for record in (one, other)]
    assert merge(shares).warnings == ()
    assert merge([one, node_record(1, rank=None, node="machine0", start_s=118.0)]).warnings == ()


def test_machines_of_one_image_are_told_apart_by_their_rank() -> None:
    """Nodes that boot from one image may have one pseudonym."""
    merged = merge(node_record(rank, rank=rank, node="image") for rank in range(4))
    assert energy(merged) == 8.0
    assert len([one for one in merged.components if one.component.startswith("accelerator")]) == 4


def test_one_machine_whose_rank_changed_is_one() -> None:
    """Two of its processes tell the same rank at one time, which makes no two machines of it."""
    shared = {"run_group_nodes": 2, "node_shared": True}
    records = [
        node_record(0, node="a", given={**shared, "run_group_node": 0}),
        node_record(1, node="a", given={**shared, "run_group_node": 0}),
        node_record(2, node="a", start_s=150.0, given={**shared, "run_group_node": 1}),
    ]
    assert set(node_keys(records).values()) == {("node", "a")}


def test_values_of_a_restart_lie_behind_those_before_it() -> None:
    """The restart logs its value after 1 kWh of its own, which is 3 kWh of the job."""
    curve = (CurvePoint(energy_kwh=1.0, metric="accuracy", value=0.5),)
    merged = merge(
        [
            node_record(0, rank=None, curve=curve),
            node_record(1, rank=None, node="machine0", start_s=150.0, curve=curve),
        ]
    )
    assert [point.energy_kwh for point in merged.curve] == [1.0, 3.0]


def test_a_restart_goes_on_with_the_same_devices() -> None:
    """An elastic restart leaves two records of a node, one after the other: one accelerator, twice the energy."""
    first, second = node_record(0, rank=None), node_record(1, rank=None, node="machine0", start_s=150.0)
    merged = merge([first, second])
    assert [(one.component, one.energy_kwh.value) for one in merged.components] == [
        ("accelerator:0", 2.0),
        ("cpu", 2.0),
    ]
    assert [one.count for one in merged.hardware] == [1]
    assert (merged.duration_s, merged.node) == (270.0, "machine0")


def test_records_of_two_days_are_said_to_be_far_apart() -> None:
    """A launcher that is given the same rendezvous id twice makes one group of two jobs."""
    merged = merge([node_record(0, rank=None), node_record(1, rank=None, start_s=86_400.0)])
    assert "for 86280 s none of the records ran" in merged.warnings[0]


@pytest.mark.parametrize(
    "records",
    [
        four()[:3],
        [node_record(0, rank=None), node_record(1, rank=None, start_s=86_400.0)],
        [node_record(0, rank=None), node_record(1, rank=None, place=Place(zone="PL"))],
    ],
)
def test_strict_refuses_what_is_otherwise_a_warning(records: list[Footprint]) -> None:
    """A lost node, a hole and a second grid zone are each one line that ends the merge."""
    assert merge(records).warnings
    with pytest.raises(InputError, match="without --strict this is a warning"):
        merge(records, strict=True)


def test_intervals_lie_on_one_grid_and_keep_each_joule() -> None:
    """A node that started 15 s later spends a quarter of its first minute's half in the second minute."""
    merged = merge([node_record(0, rank=None), node_record(1, rank=None, start_s=15.0)])
    rows = [
        (one.start, one.end, one.energy_j) for one in merged.intervals if one.component == "accelerator:1"
    ]
    assert rows == [
        (at(0), at(60), 1_350_000.0),
        (at(60), at(120), 1_800_000.0),
        (at(120), at(135), 450_000.0),
    ]


def test_spans_and_curve_are_the_first_nodes_at_the_energy_of_all() -> None:
    """Half of the first node's 2 kWh in an epoch stands for half of the 20 kWh of all."""
    first = dataclasses.replace(
        four()[0],
        spans=(Span(name="epoch", start=at(0), end=at(60), energy_kwh=Quantity(value=1.0)),),
        curve=(CurvePoint(energy_kwh=0.5, metric="loss", value=0.1),),
    )
    noisy = dataclasses.replace(four()[1], spans=first.spans, curve=first.curve)
    merged = merge([first, noisy, *four()[2:]])
    assert [(one.name, one.energy_kwh.value) for one in merged.spans] == [("epoch", 10.0)]
    assert [(one.energy_kwh, one.metric) for one in merged.curve] == [(5.0, "loss")]


def test_gaps_factors_and_warnings_are_united() -> None:
    """A warning of all stands once, one of some says of which nodes; gaps have the names of the sum."""
    gap = Gap(component="accelerator:0", start=at(10), end=at(20), reason="lost")
    records = [
        dataclasses.replace(record, warnings=("of all", *(["of one"] if rank == 1 else [])))
        for rank, record in enumerate(four())
    ]
    records[1] = dataclasses.replace(records[1], gaps=(gap,))
    merged = merge(records)
    assert merged.warnings == ("of all", "node 1: of one")
    assert [one.component for one in merged.gaps] == ["accelerator:1"]
    assert merged.factors == (intensity_factor(),)


def test_what_differs_is_left_out_and_the_worst_grade_holds() -> None:
    """Name, project and tags are those that all have."""
    one = node_record(0, rank=None, name="train", project="thesis", tags={"seed": "1", "lr": "2"}, grade="B")
    other = node_record(1, rank=None, name="train", project="other", tags={"seed": "1", "lr": "3"}, grade="D")
    merged = merge([one, other])
    assert (merged.name, merged.project, merged.tags, merged.grade) == ("train", None, {"seed": "1"}, "D")
    assert merge([one, other], name="sum").name == "sum"


def test_what_one_record_does_not_know_the_sum_does_not() -> None:
    """A missing emission is no zero, and neither is the embodied share of a lost node."""
    records = [node_record(0, rank=None), node_record(1, rank=None, emissions_kg=None)]
    merged = merge(records)
    assert merged.emissions_kg is None and "emissions_kg" in merged.unknown
    embodied = [dataclasses.replace(one, embodied_kg=Quantity(value=1.0)) for one in four()]
    assert merge(embodied).embodied_kg == Quantity(value=4.0)
    assert merge(embodied[:3]).embodied_kg is None


def test_energy_without_components_is_added_as_a_whole() -> None:
    """Claims and estimates of others may tell a total only."""
    bare = [node_record(rank, rank=rank, components=(), intervals=()) for rank in range(3)]
    merged = merge(bare)
    assert energy(merged) == pytest.approx(8.0)
    assert [(one.component, one.meter, one.energy_kwh.value) for one in merged.components] == [
        ("node", "lost_node", 2.0)
    ]


def test_devices_of_two_kinds_are_counted_apart() -> None:
    """Three nodes with an A100 and one with two H100."""
    other = node_record(3, rank=3, hardware=(Hardware(kind="accelerator", name="H100", count=2),))
    merged = merge([*four()[:3], other])
    assert {one.name: one.count for one in merged.hardware} == {"A100": 3, "H100": 2}


def test_no_record_and_a_lone_merged_one() -> None:
    """Nothing has no sum, and a sum is its own."""
    with pytest.raises(InputError, match="no record to merge"):
        merge([])
    merged = merge(four()[:3])
    assert merge([merged]) is merged
    assert merge([node_record(0, rank=None)]).given["merged"] == [run_id(0)]


def test_time_in_which_nothing_ran_has_no_intervals() -> None:
    """Two runs of two minutes a year apart have two intervals a component each, not half a million."""
    merged = merge([node_record(0, rank=None), node_record(1, rank=None, start_s=365 * 86_400.0)])
    assert len(merged.intervals) == 8
    assert math.fsum(one.energy_j for one in merged.intervals) == pytest.approx(4.0 * 3.6e6)


@pytest.mark.parametrize(
    "fields",
    [
        {"energy_kwh": Quantity(value=1e308, low=1e308, high=1e308), "components": ()},
        {"started": "9999-12-31T23:59:00Z", "duration_s": 1e6, "intervals": ()},
    ],
)
def test_numbers_beyond_all_reason_end_in_one_line(fields: dict[str, object]) -> None:
    """Records of others may hold any number and any year."""
    records = [node_record(number, rank=None, **fields) for number in range(2)]
    with pytest.raises(InputError, match="beyond what can be added"):
        merge(records)
