"""A wall meter or a calibration gives the total, and the components are its breakdown; worked by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from sootprint.core.calibration import Calibration
from sootprint.tracker.assemble import footprint
from tests.tracker.test_assemble import around, component, folded, year

MINUTES = 600.0
GRID = year(2026, 500.0)


def run(*parts: tuple, facts: tuple[dict, ...] = (), duration_s: float = MINUTES, **more: object):
    """Footprint of components (meter, name, basis, power [W])."""
    lines = [
        line
        for index, (meter, name, basis, power_w) in enumerate(parts)
        for line in component(index, meter, name, power_w=power_w, duration_s=duration_s, basis=basis)
    ]
    return footprint(folded(*facts, *lines, **more), around(GRID))


def joules(made, name: str) -> float:
    """Energy of a component [J]."""
    return next(part for part in made.components if part.component == name).energy_kwh.value * 3.6e6


def rows_j(made, name: str | None = None) -> float:
    """Energy of the rows of a component, or of all [J]."""
    return math.fsum(row.energy_j for row in made.intervals if name in (None, row.component))


GPU = ("nvml", "accelerator:0", "sensor", 300.0)
CPU = ("rapl", "cpu:0", "sensor", 60.0)
RAM = ("memory", "dram", "modelled", 20.0)
NODE = ("node", "node", "modelled", 38.0)
NODE_FACTS = {
    "k": "facts",
    "meter": "node",
    "factors": [
        {
            "kind": "base_power",
            "key": "x",
            "value": 38.0,
            "low": 15.0,
            "high": 100.0,
            "unit": "W",
            "source": "t",
        },
        {"kind": "loss_share", "key": "x", "value": 0.18, "low": 0.06, "high": 0.3, "source": "t"},
    ],
}


def test_total_is_what_the_wall_meter_read():
    """500 W at the wall for ten minutes are 300 kJ; 300 + 60 + 20 W are parts of it, and 120 W are the rest."""
    made = run(GPU, CPU, RAM, NODE, ("plug", "wall", "metered", 500.0), facts=(NODE_FACTS,))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(300_000.0)
    assert joules(made, "wall") == pytest.approx(300_000.0)
    assert joules(made, "node") == pytest.approx(72_000.0)
    parts = [part for part in made.components if part.component != "wall"]
    assert math.fsum(part.energy_kwh.value for part in parts) == pytest.approx(made.energy_kwh.value)
    assert [part.component for part in made.components][-2:] == ["node", "wall"]
    assert made.grade == "A"
    assert made.emissions_kg.value == pytest.approx(300_000.0 / 3.6e6 * 0.5)


def test_rows_add_up_to_the_total():
    """Each part's rows add up to the part, and no row is the wall's."""
    made = run(GPU, CPU, NODE, ("ipmi", "wall", "metered", 500.0), facts=(NODE_FACTS,))
    assert rows_j(made) == pytest.approx(300_000.0)
    assert rows_j(made, "accelerator:0") == pytest.approx(180_000.0)
    assert rows_j(made, "node") == pytest.approx(84_000.0)
    assert rows_j(made, "wall") == 0.0


def test_total_has_the_bounds_of_the_wall_meter():
    """3 % of the plug, whatever the models of the parts allow."""
    lines = [
        *component(
            0,
            "cpu",
            "cpu",
            power_w=100.0,
            duration_s=MINUTES,
            basis="modelled",
            low_ratio=0.3,
            high_ratio=2.5,
        ),
        *component(
            1,
            "plug",
            "wall",
            power_w=200.0,
            duration_s=MINUTES,
            basis="metered",
            low_ratio=0.97,
            high_ratio=1.03,
        ),
    ]
    made = footprint(folded(*lines), around(GRID))
    assert made.energy_kwh.low / made.energy_kwh.value == pytest.approx(0.97)
    assert made.energy_kwh.high / made.energy_kwh.value == pytest.approx(1.03)
    node = next(part for part in made.components if part.component == "node")
    assert node.energy_kwh.basis == "derived"
    assert node.energy_kwh.low == 0.0  # 100 W less up to 150 W of the model


def test_prior_of_the_node_is_not_among_the_factors():
    """What did not enter the total is no factor of it."""
    made = run(GPU, CPU, NODE, ("plug", "wall", "metered", 500.0), facts=(NODE_FACTS,))
    assert not {factor.kind for factor in made.factors} & {"base_power", "loss_share"}


def test_models_that_exceed_the_wall_give_way():
    """300 W of a sensor and 200 W of a model in 400 W: the model is scaled to 100 W, and a warning says so."""
    made = run(GPU, ("cpu", "cpu", "modelled", 200.0), NODE, ("plug", "wall", "metered", 400.0))
    assert joules(made, "accelerator:0") == pytest.approx(180_000.0)
    assert joules(made, "cpu") == pytest.approx(60_000.0)
    assert joules(made, "node") == 0.0
    assert rows_j(made) == pytest.approx(240_000.0)
    assert any("scaled down to it, the modelled ones first" in text for text in made.warnings)


def test_meter_that_reads_less_than_the_devices_is_not_the_nodes():
    """100 W at a plug beside a GPU of 300 W: another machine's plug; the parts are the total, and it is no A."""
    made = run(GPU, CPU, NODE, ("plug", "wall", "metered", 100.0), facts=(NODE_FACTS,))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx((360.0 * 1.18 + 38.0) * MINUTES)
    assert "wall" not in [part.component for part in made.components]
    assert any("does not measure this node" in text for text in made.warnings)
    assert made.grade == "B"


def ticks(table: list[tuple[float, dict[int, float]]]) -> list[dict]:
    """Ticks of counters: instant and joules by component."""
    return [
        {"k": "tick", "s": at_s, "r": [[index, at_s, j, None, None, 0.0] for index, j in looks.items()]}
        for at_s, looks in table
    ]


def with_gap(*, wall_j: list[float | None], gpu_j: list[float]) -> list[dict]:
    """A GPU and a wall meter looked at each minute; None is a look that failed, after which the counter is new."""
    lines = [
        {"k": "comp", "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}},
        {"k": "comp", "c": {"meter": "ipmi", "component": "wall", "basis": "metered"}},
    ]
    for minute, (wall, gpu) in enumerate(zip(wall_j, gpu_j, strict=True)):
        (line,) = ticks([(60.0 * minute, {0: gpu} if wall is None else {0: gpu, 1: wall})])
        if wall is None:
            line["miss"] = [[1, "ipmi: busy"]]
        lines.append(line)
    return [*lines, {"k": "end", "s": 60.0 * (len(gpu_j) - 1), "why": "finished"}]


def test_gap_of_the_wall_is_filled_from_the_parts():
    """Six minutes at 100 W and 200 W at the wall, two unread ones at 300 W: they are filled with 2 x 300 W, not 200."""
    gpu_j = [0.0, 6e3, 12e3, 18e3, 24e3, 42e3, 60e3, 66e3, 72e3]
    wall_j = [1000.0, 13000.0, 25000.0, 37000.0, 49000.0, None, 900.0, 12900.0, 24900.0]
    made = footprint(folded(*with_gap(wall_j=wall_j, gpu_j=gpu_j)), around(GRID))
    filled_j = 2 * 36_000.0
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(6 * 12_000.0 + filled_j)
    assert rows_j(made) == pytest.approx(6 * 12_000.0 + filled_j)
    (gap,) = made.gaps
    assert (gap.component, gap.reason) == ("wall", "ipmi: busy; filled from the other components")
    assert any(text.startswith("wall: 120 s without readings, 0.02 kWh") for text in made.warnings)
    assert made.energy_kwh.high * 3.6e6 == pytest.approx(6 * 12_000.0 + 1.25 * filled_j)
    assert made.grade == "C"  # a quarter of the run was not metered


def test_more_gaps_of_the_wall_than_are_listed_are_filled_where_they_lie():
    """1,500 gaps of 2 s: 300 W at the wall for 7,500 s, then 600 W for 1,500 s; two thirds are the GPU's."""
    lines = with_gap(wall_j=[0.0], gpu_j=[0.0])[:2]
    wall_j = gpu_j = 0.0
    for second in range(9001):
        factor = 2.0 if second > 7500 else 1.0
        wall_j, gpu_j = wall_j + factor * 300.0, gpu_j + factor * 200.0
        if second % 6 == 2:
            wall_j = 0.0  # it begins anew, so that its counter does not bridge the gap
        (line,) = ticks([(float(second), {0: gpu_j} if second % 6 == 1 else {0: gpu_j, 1: wall_j})])
        lines.append(line | {"miss": [[1, "ipmi: busy"]] if second % 6 == 1 else []})
    fold = folded(*lines, {"k": "end", "s": 9000.0, "why": "finished"}, duration_s=9000.0)
    assert (len(fold.gaps), fold.not_kept["gaps"]) == (1000, 500)
    made = footprint(fold, around(GRID))
    truth_j = 7500 * 300.0 + 1500 * 600.0
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(truth_j, rel=1e-3)
    assert rows_j(made) == pytest.approx(made.energy_kwh.value * 3.6e6)
    parts_j = math.fsum(part.energy_kwh.value for part in made.components if part.component != "wall") * 3.6e6
    assert rows_j(made) == pytest.approx(parts_j)
    assert [rows_j(made, name) for name in ("accelerator:0", "node")] == [
        pytest.approx(truth_j * part, rel=1e-3) for part in (2 / 3, 1 / 3)
    ]


def test_meter_that_measured_less_than_half_gives_no_total():
    """Two of six minutes: the total is the sum of the parts, and a warning says why."""
    wall_j = [1000.0, 13000.0, 25000.0, None, None, None, None]
    made = footprint(folded(*with_gap(wall_j=wall_j, gpu_j=[6e3 * n for n in range(7)])), around(GRID))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(36_000.0)
    assert any("measured 120 s of 360 s" in text for text in made.warnings)
    assert made.grade == "C"


def test_meter_that_was_found_and_gave_nothing_is_said():
    """A plug that is off the network is no silent loss of the better number."""
    made = run(GPU, CPU, NODE, facts=(NODE_FACTS, {"k": "facts", "meter": "plug"}))
    assert any(text.startswith("plug: the wall meter gave no energy in this run") for text in made.warnings)


def test_preferred_of_two_wall_meters_counts():
    """A plug before the controller; neither is added to the other."""
    made = run(GPU, CPU, ("ipmi", "wall", "metered", 480.0), ("plug", "wall:1", "metered", 500.0))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(300_000.0)
    assert [part.meter for part in made.components if part.component == "wall"] == ["plug"]


def test_own_counters_of_a_node_stand_in_only_for_what_nobody_reads():
    """Cray counts GPUs too; where NVML reads them, they are not counted twice, and its processors are."""
    made = run(
        GPU,
        ("cpu", "cpu", "modelled", 90.0),
        ("pm_counters", "wall", "metered", 600.0),
        ("pm_counters", "cpu:1", "sensor", 80.0),
        ("pm_counters", "accelerator:1", "sensor", 300.0),
    )
    names = [(part.meter, part.component) for part in made.components]
    assert names == [
        ("nvml", "accelerator:0"),
        ("pm_counters", "cpu:1"),
        ("pm_counters", "node"),
        ("pm_counters", "wall"),
    ]
    assert joules(made, "node") == pytest.approx(220.0 * MINUTES)


def test_wall_meter_alone_is_the_whole_record():
    """No other meter: one component, its rows, grade A."""
    made = run(("plug", "wall", "metered", 200.0))
    assert [part.component for part in made.components] == ["wall"]
    assert rows_j(made, "wall") == pytest.approx(120_000.0)
    assert made.grade == "A"


def test_share_of_a_meter_of_several_nodes_is_no_grade_a():
    """What was divided was not measured."""
    made = run(GPU, CPU, ("plug", "wall", "modelled", 500.0))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(300_000.0)
    assert made.grade == "B"


def test_spans_follow_the_parts_and_add_up_to_the_wall():
    """A wall meter looked at twice in ten minutes cannot tell when; the GPU can: 90 % in the first half."""
    lines = [
        {"k": "comp", "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}},
        {"k": "comp", "c": {"meter": "ipmi", "component": "wall", "basis": "metered"}},
        {"k": "span", "open": True, "n": 0, "s": 0.0, "name": "first"},
        *ticks([(0.0, {0: 0.0, 1: 0.0}), (300.0, {0: 90_000.0})]),
        {"k": "span", "open": False, "n": 0, "s": 300.0},
        *ticks([(600.0, {0: 100_000.0, 1: 200_000.0})]),
    ]
    made = footprint(folded(*lines), around(GRID))
    (span,) = made.spans
    assert span.energy_kwh.value * 3.6e6 == pytest.approx(180_000.0)


CALIBRATION = Calibration(
    idle_w=30.0,
    slope=1.10,
    idle_var_w2=4.0,
    slope_var=0.0001,
    covariance_w=-0.01,
    misfit=0.06,
    accuracy=0.02,
    least_w=50.0,
    most_w=400.0,
    readings=5,
    meters=("nvml", "rapl"),
    hardware=("1 x A100", "1 x Xeon"),
    made="2026-01-01",
    source="typed in",
)
DEVICES = (
    {"k": "facts", "meter": "nvml", "hardware": [{"kind": "accelerator", "name": "A100", "count": 1}]},
    {"k": "facts", "meter": "rapl", "hardware": [{"kind": "cpu", "name": "Xeon", "count": 1}]},
)


def calibrated(*parts: tuple, known: Calibration = CALIBRATION, devices=DEVICES, **more: object):
    """Footprint on a calibrated node."""
    facts = {**NODE_FACTS, "calibrations": [dataclasses.asdict(known)]}
    return run(*parts, facts=(*devices, facts), **more)


def test_calibrated_node_takes_its_own_line():
    """30 W + 1.1 x 360 W = 426 W for ten minutes; 66 W of it are the node's."""
    made = calibrated(GPU, CPU, NODE)
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(426.0 * MINUTES)
    assert joules(made, "node") == pytest.approx(66.0 * MINUTES)
    assert rows_j(made) == pytest.approx(426.0 * MINUTES)
    assert rows_j(made, "node") == pytest.approx(66.0 * MINUTES)
    assert made.grade == "B"


def test_calibration_carries_its_uncertainty():
    """sd^2 = 4 - 2 x 0.01 x 360 + 0.0001 x 360^2 = 9.76 W^2; 6 % misfit and 2 % / 1.645 of 426 W are 26.08 W."""
    made = calibrated(GPU, CPU, NODE)
    half = 1.6448536 * math.hypot(math.sqrt(9.76), 426.0 * math.hypot(0.06, 0.02 / 1.6448536))
    assert made.energy_kwh.high / made.energy_kwh.value == pytest.approx(1.0 + half / 426.0)
    assert made.energy_kwh.low / made.energy_kwh.value == pytest.approx(1.0 - half / 426.0)


def test_record_says_that_it_was_calibrated():
    """Two factors of the kind, with when and from what; the prior's are gone."""
    made = calibrated(GPU, CPU, NODE)
    idle, slope = [factor for factor in made.factors if factor.kind == "calibration"]
    assert (idle.key, idle.value, idle.unit) == ("idle power", 30.0, "W")
    assert (slope.key, slope.value) == ("slope", 1.10)
    assert "5 readings of 2026-01-01, meters nvml, rapl" in slope.method
    assert "base_power" not in {factor.kind for factor in made.factors}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"meters": ("cpu", "nvml")}, "it was made with the meters cpu, nvml, and the run had nvml, rapl"),
        ({"hardware": ("1 x Xeon",)}, "it was made with 1 x Xeon, and the run had 1 x A100, 1 x Xeon"),
    ],
)
def test_calibration_of_other_meters_or_hardware_is_not_applied(change, words):
    """The prior stands, and the warning says why and what to do."""
    made = calibrated(GPU, CPU, NODE, known=dataclasses.replace(CALIBRATION, **change))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx((360.0 * 1.18 + 38.0) * MINUTES)
    (warning,) = [text for text in made.warnings if text.startswith("the calibration of this node")]
    assert words in warning
    assert "`sootprint calibrate`" in warning
    assert "calibration" not in {factor.kind for factor in made.factors}


def test_load_beyond_the_calibrated_ones_is_said():
    """Made at 50 to 100 W, used at 360 W."""
    made = calibrated(GPU, CPU, NODE, known=dataclasses.replace(CALIBRATION, most_w=100.0))
    assert any("drew 360 W, and it was made at 50 to 100 W" in text for text in made.warnings)


def test_slope_below_one_scales_the_models():
    """Sensors that read too much: 10 W + 0.8 x 360 W = 298 W; the parts are scaled to it."""
    made = calibrated(GPU, CPU, NODE, known=dataclasses.replace(CALIBRATION, idle_w=10.0, slope=0.8))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(298.0 * MINUTES)
    assert rows_j(made) == pytest.approx(298.0 * MINUTES)
    assert joules(made, "node") == 0.0


def test_half_of_a_node_takes_half_of_the_constant():
    """A run that was charged 19 of the node's 38 W held half of it: 15 W + 1.1 x 180 W."""
    half = [(*part[:3], 0.5 * part[3]) for part in (GPU, CPU, NODE)]
    made = calibrated(*half)
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(213.0 * MINUTES)


def test_wall_meter_comes_before_a_calibration():
    """What is measured now is better than what was fitted then."""
    made = calibrated(GPU, CPU, NODE, ("plug", "wall", "metered", 500.0))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(300_000.0)
    assert "calibration" not in {factor.kind for factor in made.factors}
