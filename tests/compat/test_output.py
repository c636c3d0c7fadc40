"""A footprint in CodeCarbon's fields: what is not there is 0, what is not known is no number."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sootprint.compat.codecarbon.arguments import Options
from sootprint.compat.codecarbon.output import EmissionsData, emissions_data
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware

CPU = Component(
    component="cpu:0", meter="rapl", energy_kwh=Quantity(value=0.5, basis="sensor"), utilisation=0.25
)
CARD = Component(component="accelerator:0", meter="nvml", energy_kwh=Quantity(value=1.0, basis="sensor"))
ID = "01931c3e-0000-7000-8000-000000000000"
DISPLAY, COMPUTE = "0x030000", "0x030200"


def told(sysfs: Path, *components: Component, hardware: tuple[Hardware, ...] = ()) -> EmissionsData:
    """Data of an hour with these components."""
    made = Footprint(
        id=ID,
        duration_s=3600.0,
        components=components,
        hardware=hardware,
        energy_kwh=Quantity(value=2.0, basis="derived"),
        pue=Quantity(value=1.0, basis="assumed"),
        unknown=("pue", "emissions_kg"),
    )
    return emissions_data(made, Options(settings={}), sysfs=str(sysfs))


def tree(folder: Path, *devices: tuple[str, str]) -> Path:
    """A device tree with PCI devices of a class and a maker."""
    (folder / "bus/pci/devices").mkdir(parents=True)
    for number, (kind, maker) in enumerate(devices):
        device = folder / f"bus/pci/devices/0000:00:{number:02}.0"
        device.mkdir()
        (device / "class").write_text(f"{kind}\n")
        (device / "vendor").write_text(f"{maker}\n")
    return folder


def test_energy_of_an_hour_is_its_power(tmp_path: Path) -> None:
    """Two cards of 1 kWh in an hour draw 2 kW together; busy shares are percent."""
    second = Component(
        component="accelerator:1", meter="nvml", energy_kwh=Quantity(value=1.0, basis="sensor")
    )
    cards = (Hardware(kind="accelerator", name="NVIDIA A100", count=2),)
    data = told(tree(tmp_path), CPU, CARD, second, hardware=cards)
    assert (data.gpu_energy, data.gpu_power, data.gpu_count, data.gpu_model) == (
        2.0,
        2000.0,
        2,
        "2 x NVIDIA A100",
    )
    assert (data.cpu_energy, data.cpu_power, data.cpu_utilization_percent) == (0.5, 500.0, 25.0)
    assert math.isnan(data.gpu_utilization_percent)


def test_emissions_and_pue_that_are_not_known_are_no_numbers(tmp_path: Path) -> None:
    """The energy is known all the same."""
    data = told(tree(tmp_path), CPU)
    assert math.isnan(data.emissions) and math.isnan(data.emissions_rate) and math.isnan(data.pue)
    assert data.energy_consumed == 2.0


@pytest.mark.parametrize(
    ("devices", "hardware", "known"),
    [
        ((), (), True),
        (((DISPLAY, "0x8086"), ("0x020000", "0x10de")), (), True),
        (((COMPUTE, "0x10de"),), (), False),
        (((DISPLAY, "0x1002"),), (), False),
        ((("0x120000", "0x1ae0"),), (), False),
        ((), (Hardware(kind="accelerator", name="NVIDIA A100"),), False),
    ],
    ids=["none", "graphics of the processor, and a network card", "card", "display", "processing", "listed"],
)
def test_energy_of_cards_is_0_only_where_there_is_none(
    tmp_path: Path, devices: tuple[tuple[str, str], ...], hardware: tuple[Hardware, ...], known: bool
) -> None:
    """A card that the kernel knows and no meter reads has an unknown energy, not none."""
    data = told(tree(tmp_path, *devices), CPU, hardware=hardware)
    numbers = [data.gpu_energy, data.gpu_power]
    assert numbers == [0.0, 0.0] if known else all(map(math.isnan, numbers))
    assert data.gpu_count == 0 if known else data.gpu_count in (1,) or math.isnan(data.gpu_count)


def drawing(folder: Path, bus: str, driver: str | None) -> None:
    """A device that draws, on a bus and with a driver."""
    device = folder / "devices/soc/card"
    device.mkdir(parents=True)
    links = {"subsystem": f"bus/{bus}"} | ({"driver": f"bus/{bus}/drivers/{driver}"} if driver else {})
    for name, target in links.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        (device / name).symlink_to(folder / target)
    node = folder / "class/drm/renderD128"
    node.mkdir(parents=True)
    (node / "device").symlink_to(device)


@pytest.mark.parametrize(
    "path",
    [
        "bus/platform/devices/17000000.gpu",
        "bus/platform/drivers/gk20a/17000000.ga10b",
        "class/accel/accel0",
    ],
)
def test_accelerator_that_is_part_of_a_chip_is_unknown(tmp_path: Path, path: str) -> None:
    """As of a Jetson, which has a PCI bus for its network card alone: nobody reads its processor, so it is not 0."""
    (tree(tmp_path, ("0x020000", "0x10ec")) / path).mkdir(parents=True)
    assert math.isnan(told(tmp_path, CPU).gpu_energy)
    assert math.isnan(told(tmp_path, CPU).gpu_count)


@pytest.mark.parametrize(
    ("bus", "driver", "known"),
    [
        ("platform", "panfrost", False),
        ("platform", "asahi", False),
        ("host1x", "drm", False),
        ("pci", "i915", True),
        ("virtio", "virtio_gpu", True),
        ("usb", "udl", True),
        ("platform", None, True),
        ("faux", "vgem", True),
    ],
)
def test_graphics_processor_of_a_chip_is_told_by_its_bus(
    tmp_path: Path, bus: str, driver: str | None, known: bool
) -> None:
    """Mali, Apple, Tegra; not what PCI tells already, a virtual card, a screen at a cable, or software."""
    drawing(tree(tmp_path), bus, driver)
    energy = told(tmp_path, CPU).gpu_energy
    assert energy == 0.0 if known else math.isnan(energy)


def test_system_that_tells_nothing_of_its_devices_has_unknown_ones(tmp_path: Path) -> None:
    """As one that is not Linux."""
    assert math.isnan(told(tmp_path, CPU).gpu_energy)
