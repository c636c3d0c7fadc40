"""What a report says of a total that was read at the wall, or comes from the node's calibration."""

from __future__ import annotations

from sootprint import Factor, Footprint, Quantity
from sootprint.charts.families import parts
from sootprint.core.records import Component
from sootprint.report import energy, evidence, render

GPU = Component(component="accelerator:0", meter="nvml", energy_kwh=Quantity(value=0.3, basis="sensor"))
REST = Component(component="node", meter="plug", energy_kwh=Quantity(value=0.2, basis="derived"))
WALL = Component(component="wall", meter="plug", energy_kwh=Quantity(value=0.5, basis="metered"))
CALIBRATION = Factor(
    kind="calibration",
    key="slope",
    value=1.1,
    method="wall = 30 W + 1.1 x components, 5 readings of 2026-01-01, meters nvml, rapl",
)


def made(*components: Component, factors: tuple[Factor, ...] = ()) -> Footprint:
    """Record of 0.5 kWh."""
    return Footprint(
        id="019c0000-0000-7000-8000-000000000000",
        components=components,
        energy_kwh=Quantity(value=0.5),
        factors=factors,
    )


def rows_of(footprint: Footprint) -> list[tuple[str, ...]]:
    """Rows of the table of energies."""
    return list(energy.sections(footprint)[0].table.rows)


def test_wall_meter_is_the_total_and_no_part():
    """The parts' shares add up to 100 %; the total names the meter."""
    footprint = made(GPU, REST, WALL)
    rows = rows_of(footprint)
    assert [row[0] for row in rows] == ["Accelerator", "Rest of the node", "Total"]
    assert [row[3] for row in rows] == ["60 %", "40 %", ""]
    assert rows[1][4] == "what the components leave of it"
    assert rows[2][4] == "wall meter: plug or power distribution unit (plug)"
    assert "The total is that of the wall meter (plug)" in render(footprint, "text")


def test_wall_meter_alone_is_a_part():
    """Where nothing else was read it is shown as what there is."""
    assert [part.family for part in parts(made(WALL))] == ["wall"]


def test_nothing_is_missing_under_a_wall_meter():
    """It is around the CPU and memory, though no component tells them."""
    assert not any(text.startswith("Energy of") for text in evidence.not_included(made(GPU, REST, WALL)))
    assert any("the CPU" in text for text in evidence.not_included(made(GPU, REST)))


def test_calibrated_node_says_so_in_words():
    """When, from how many readings, and what the line is."""
    footprint = made(GPU, REST, factors=(CALIBRATION,))
    assert rows_of(footprint)[1][4] == "modelled: calibrated at the wall"
    text = " ".join(render(footprint, "md").split())
    assert "This node was calibrated: wall = 30 W + 1.1 x components, 5 readings of 2026-01-01" in text
    assert "components, by the node's calibration" in text
