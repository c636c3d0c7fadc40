"""What is filled in to imported records: one rule of place and PUE for energy and for hours, and nothing in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.importers.examples import EXAMPLES

from sootprint import importers
from sootprint.catalogue import regions, zones
from sootprint.core.carbon import NO_PUE
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Place
from sootprint.estimator.filled import AS_STATED, PLACELESS, Beside, Filling
from sootprint.estimator.surroundings import UNKNOWN_PLACE
from sootprint.settings import Settings

NOBODY = Settings(home=Path("/nonexistent"), runtime_dir=Path("/nonexistent"))
ENERGY, HOURS = "name,energy_kwh\nx,10\n", "hours,hardware\n10,A100\n"


def filled(text: str, beside: Beside | None = None) -> Footprint:
    """The only record of a table of the template, filled in."""
    (record,) = importers.read(text, name="x.csv").records
    return Filling(NOBODY, beside or Beside()).of(record)


def known(quantity: Quantity | None) -> Quantity:
    """A quantity that is there."""
    assert quantity is not None
    return quantity


def at(zone: str) -> Beside:
    """A place that is stated beside a file."""
    return Beside(place=zones.locate(zone).place)


@pytest.mark.parametrize("text", [ENERGY, HOURS], ids=["energy", "hours"])
def test_without_a_place_the_world_counts_and_is_said(text: str) -> None:
    """Energy as hours: the world's average with its interval, a warning with the way out, a place that is unknown."""
    made, world = filled(text), zones.intensity("WORLD").factor
    grid = known(made.intensity_g_per_kwh)
    assert (grid.value, grid.low, grid.high) == (world.value, world.low, world.high)
    assert PLACELESS in made.warnings
    assert (made.place, "place" in made.unknown) == (Place(), True)
    assert [one.key for one in made.factors if one.kind == "intensity"] == [world.key]
    emitted = known(made.emissions_kg)
    assert emitted.value == pytest.approx(known(made.energy_kwh).value * world.known / 1000.0)
    assert emitted.low is not None
    assert emitted.high is not None
    assert emitted.high / emitted.value >= 0.999 * (world.high or 0.0) / world.known
    assert emitted.low / emitted.value <= 1.001 * (world.low or 0.0) / world.known


@pytest.mark.parametrize("text", [ENERGY, HOURS], ids=["energy", "hours"])
def test_without_a_pue_it_is_1_and_is_said(text: str) -> None:
    """Assumed, still listed as unknown, with the warning that the facility is not in; one that is stated is taken."""
    made = filled(text, at("FR"))
    assert known(made.pue) == Quantity(value=1.0, low=1.0, high=1.0, basis="assumed")
    assert ("pue" in made.unknown, made.boundary, NO_PUE in made.warnings) == (True, "node", True)
    stated = filled(text, Beside(place=zones.locate("FR").place, pue=1.5))
    assert ("pue" in stated.unknown, stated.boundary, NO_PUE in stated.warnings) == (False, "facility", False)
    assert known(stated.emissions_kg).value == pytest.approx(1.5 * known(made.emissions_kg).value)


@pytest.mark.parametrize("text", [ENERGY, HOURS], ids=["energy", "hours"])
def test_cloud_region_has_its_own_pue(text: str) -> None:
    """Of energy as of hours, with its factor; none is called unknown then."""
    made, own = filled(text, at("gcp/europe-west1")), regions.region("gcp/europe-west1").pue
    assert own is not None
    assert known(made.pue).value == own.value
    assert ("pue" in made.unknown, made.boundary, NO_PUE in made.warnings) == (False, "facility", False)
    assert "pue" in [one.kind for one in made.factors]


def test_grid_of_another_year_is_said() -> None:
    """What the look-up has to say of the year reaches the record of an energy, too."""
    text = "energy_kwh,zone,year\n10,FR,1995\n"
    wanted = zones.intensity("FR", 1995).warnings
    assert wanted
    assert set(wanted) <= set(filled(text).warnings)


def test_energy_without_bounds_counts_as_stated_and_is_said() -> None:
    """The interval of its emissions is that of the grid, and a remark says so; with bounds there is none."""
    made, grid = filled(ENERGY, at("FR")), zones.intensity("FR").factor
    assert known(made.energy_kwh) == Quantity(value=10.0, basis="claimed")
    assert known(made.emissions_kg).high == pytest.approx((grid.high or 0.0) / 100.0)
    assert AS_STATED in made.warnings
    bounded = Footprint(id=made.id, energy_kwh=Quantity(value=10.0, low=9.0, high=11.0, basis="sensor"))
    wider = Filling(NOBODY, at("FR")).of(bounded)
    assert AS_STATED not in wider.warnings
    assert (known(wider.emissions_kg).high or 0.0) > (known(made.emissions_kg).high or 0.0)


def test_energy_of_accelerators_stays_theirs_with_a_pue() -> None:
    """A PUE brings in the facility's overhead, and not the node that nobody measured."""
    energy_kwh = Quantity(value=10.0, basis="sensor")
    made = Footprint(
        id="00000000-0000-7000-8000-000000000000",
        boundary="accelerator",
        components=(Component(component="accelerator:0", meter="x", energy_kwh=energy_kwh),),
        energy_kwh=energy_kwh,
    )
    for beside in (Beside(pue=1.2), at("gcp/europe-west1")):
        assert Filling(NOBODY, beside).of(made).boundary == "accelerator"


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.form for example in EXAMPLES])
def test_energy_of_every_tool_gets_emissions(example: object) -> None:
    """Those of its place, else of the world, said in so many words; emissions that it states stay as they are."""
    assert isinstance(example, tuple)
    (record,) = importers.read(example[2], name=example[1]).records
    made = Filling(NOBODY).of(record)
    assert made.emissions_kg is not None
    if record.emissions_kg is not None:
        assert made.emissions_kg == record.emissions_kg
    elif record.place.zone is None and record.intensity_g_per_kwh is None:
        assert PLACELESS in made.warnings


@pytest.mark.parametrize("text", [ENERGY, HOURS], ids=["energy", "hours"])
def test_place_that_is_stated_later_replaces_the_world(text: str) -> None:
    """Records that an import wrote to a file, imported again with their place: as if it had been stated at once."""
    made = Filling(NOBODY, at("FR")).of(filled(text))
    wanted = filled(text, at("FR"))
    assert (made.place, made.boundary, made.energy_kwh) == (wanted.place, wanted.boundary, wanted.energy_kwh)
    for name in ("emissions_kg", "intensity_g_per_kwh", "pue"):
        found, told = known(getattr(made, name)), known(getattr(wanted, name))
        assert (found.value, found.low, found.high) == pytest.approx((told.value, told.low, told.high)), name
    assert set(made.warnings) == set(wanted.warnings)
    assert set(made.unknown) == set(wanted.unknown)
    assert {(one.kind, one.key) for one in made.factors} == {(one.kind, one.key) for one in wanted.factors}


def test_run_of_ours_at_the_worlds_average_is_not_moved() -> None:
    """Its plan and savings are of that grid, too: it keeps its emissions, and gets no place that contradicts them."""
    own = Footprint(
        id="00000000-0000-7000-8000-000000000000",
        energy_kwh=Quantity(value=1.0, low=0.9, high=1.1, basis="sensor"),
        emissions_kg=Quantity(value=0.48, low=0.02, high=0.9, basis="derived"),
        warnings=(f"{UNKNOWN_PLACE}; state the place: --zone FR",),
    )
    assert Filling(NOBODY, at("FR")).of(own) == own
