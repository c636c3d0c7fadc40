"""One run under the formulas of other tools, each worked by hand."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from sootprint import Footprint, InputError, Quantity, estimate
from sootprint.core.records import Component, Model, Work
from sootprint.estimator.compare import by_tools
from sootprint.estimator.compare.tools import llm_rate

# 8 A100 for 48 h: 384 device hours x 400 W = 153.6 kWh.
RUN = estimate(hardware="A100", count=8, hours=48, intensity=100.0, work="llm-pretrain")
LARGE = estimate(hardware="A100", count=800, hours=480, intensity=100.0, work="llm-pretrain")


def _figures(run: Footprint) -> dict:
    return {one.tool: one for one in by_tools(run)}


def test_each_formula_gives_what_its_paper_says() -> None:
    """All at 100 g/kWh: kilograms are a tenth of the kilowatt-hours."""
    found = _figures(RUN)
    device = found["Sootprint"].device_kwh
    assert found["Sootprint"].emissions_kg == RUN.emissions_kg.value
    assert found["ML CO2 Impact"].emissions_kg == pytest.approx(15.36)
    assert found["Green Algorithms"].emissions_kg == pytest.approx(15.36 * 1.56)
    assert found["carbontracker"].emissions_kg == pytest.approx(device * 1.58 / 10)
    # (46 + 0.5 x 361) W x 384 h = 86.976 kWh x 1.135
    assert found["Cloud Carbon Footprint"].emissions_kg == pytest.approx(8.6976 * 1.135)
    # half of 85 W and 20 W of memory for 48 h
    assert found["CodeCarbon"].host_kwh == pytest.approx(62.5 * 48 / 1000)


def test_the_factor_that_makes_the_difference_is_named() -> None:
    """Carbontracker's PUE, the rated power of ML CO2 Impact or the host that it leaves out."""
    found = _figures(LARGE)
    assert found["carbontracker"].makes_it == "PUE (x 1.58)"
    assert found["Cloud Carbon Footprint"].makes_it.startswith("energy of the devices")
    assert found["Sootprint"].over_ours == 1.0


def test_llmcarbon_needs_parameters_and_tokens() -> None:
    """7e9 x 6 x 1e12 FLOPs at the polynomial's 141 TFLOP/s of an A100 are 82,487 device hours."""
    assert "no parameters" in _figures(RUN)["LLMCarbon"].why_not
    told = dataclasses.replace(RUN, model=Model(params=7e9), work=Work(tokens=1e12))
    figure = _figures(told)["LLMCarbon"]
    assert figure.device_kwh == pytest.approx(6 * 7e9 * 1e12 / (141.43e12 * 3600) * 0.4, rel=1e-3)
    assert llm_rate(70e9) > 134.0


def test_device_that_a_table_lacks_is_said() -> None:
    """Cloud Carbon Footprint has no H100."""
    figure = _figures(estimate(hardware="H100", hours=1, zone="FR"))["Cloud Carbon Footprint"]
    assert figure.emissions_kg is None
    assert "H100" in figure.why_not


def test_record_without_hardware_is_refused() -> None:
    """The line says what the record lacks."""
    with pytest.raises(InputError, match="hardware with a rated power"):
        by_tools(estimate(power_w=300, hours=1, intensity=100))


def test_page_has_the_numbers_of_its_example() -> None:
    """Eight A100 for 48 hours at France's 41.44 g/kWh: 125.95 kWh in the devices, 37.79 in their hosts."""
    page = Path(__file__).resolve().parents[3].joinpath("docs/explanation/why-tools-disagree.md").read_text()
    record = dataclasses.replace(
        RUN,
        components=(
            Component(component="accelerator", meter="estimate", energy_kwh=Quantity(value=125.952)),
            Component(component="node", meter="estimate", energy_kwh=Quantity(value=37.7856)),
        ),
        energy_kwh=Quantity(value=163.7376),
        intensity_g_per_kwh=Quantity(value=41.44),
        emissions_kg=Quantity(value=6.78529),
    )
    for one in by_tools(record):
        if one.emissions_kg is not None:
            wanted = rf"\| {one.tool} \|.*\| {one.emissions_kg:.1f} \| {one.over_ours:.2f} \|"
            assert re.search(wanted, page), one.tool
