"""Weights & Biases' system metrics: the table of the API and the export of a chart."""

from __future__ import annotations

import pytest

from sootprint import importers
from sootprint.core.errors import InputError

START_S = 1_700_000_000


def events(rows: int = 241, *, node: str = "") -> str:
    """What run.history(stream="events").to_csv() writes: two GPUs at 250 W, one row each 15 s."""
    head = (
        f",_runtime,_timestamp,_wandb,system.cpu,system.gpu.0.powerWatts{node},system.gpu.1.powerWatts{node},"
        f"system.gpu.0.gpu{node},system.gpu.process.0.powerWatts,system.powerWatts"
    )
    lines = [f"{n},{15 * n},{START_S + 15 * n}.5,True,5.0,250.0,250.0,90.0,250.0,900.0" for n in range(rows)]
    return "\n".join([head, *lines]) + "\n"


def chart(rows: int = 241, clock: str = "Relative Time (Process)") -> str:
    """What the page exports: two runs with the least and most of each point beside it."""
    head = [clock]
    for run in ("fox-1", "fox-2"):
        key = f"{run} - system/gpu.0.powerWatts"
        head += [key, f"{key}__MIN", f"{key}__MAX"]
    lines = [",".join(f'"{name}"' for name in head)]
    lines += [f'"{15 * n}","100","90","110","400","390","410"' for n in range(rows)]
    return "\n".join(lines) + "\n"


def test_events_of_the_api() -> None:
    """Two GPUs at 250 W for an hour are 0.5 kWh; those of the process are the same cards, and the node is not read."""
    (made,) = importers.read(events(), name="events.csv").records
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(0.5)
    assert [(part.component, part.utilisation) for part in made.components] == [
        ("accelerator:0", 0.9),
        ("accelerator:1", None),
    ]
    assert (made.boundary, made.started, made.name) == ("accelerator", "2023-11-14T22:13:20.500Z", "events")
    assert importers.read(events(), name="events.csv").records[0].id == made.id
    (of_nodes,) = importers.read(events(node="/l:worker"), name="e.csv").records
    assert of_nodes.energy_kwh == made.energy_kwh


def test_chart_has_a_record_for_each_run_and_no_date() -> None:
    """Its times count from the start; the least and most are no devices of their own."""
    made = importers.read(chart(), name="wandb_export.csv").records
    assert [(one.name, one.energy_kwh.value) for one in made if one.energy_kwh] == [
        ("fox-1", pytest.approx(0.1)),
        ("fox-2", pytest.approx(0.4)),
    ]
    for one in made:
        assert (one.started, one.intervals, one.gaps, one.duration_s) == (None, (), (), 3600.0)
        assert "started" in one.unknown


def test_thinned_history_is_told() -> None:
    """500 rows are what Run.history gives unless it is asked for more."""
    (made,) = importers.read(events(500), name="events.csv").records
    assert any("thins a run out" in warning for warning in made.warnings)


def test_missing_cells_are_no_zeros() -> None:
    """Ten minutes of empty and NaN cells are a gap."""
    lines = events().splitlines()
    for n in range(81, 120):
        lines[n] = lines[n].replace("250.0,250.0", "nan," if n % 2 else ",NaN")
    (made,) = importers.read("\n".join(lines), name="events.csv").records
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(0.5 * 50 / 60, rel=1e-3)
    assert len(made.gaps) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (chart(clock="Step"), "choose one of them as the x axis"),
        ("_timestamp,system.gpu.0.powerWatts\n", "no rows under its head"),
        ("_timestamp,system.gpu.0.powerWatts\nx,5\n", "no rows|no record|no device"),
        ("_timestamp,system.gpu.0.powerWatts\n1700000000,-5\n1700000010,-5\n", "no device has a power"),
        ("_timestamp,system.gpu.0.powerWatts\n1700000000,5\n", "no device has a power"),
        ("_timestamp,system.gpu.0.powerWatts\n1700000000;5\n1700000000,5,5\n", "no rows|no record"),
        ('_timestamp,system.gpu.0.powerWatts\n"1700000000,5', "no rows|no record|CSV"),
    ],
)
def test_bad_table_gets_one_line(text: str, why: str) -> None:
    """No times, no rows, negative, one look, cut off."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(text, name="x.csv", form="wandb")
    assert "\n" not in str(caught.value)


def test_decimal_commas_are_told() -> None:
    """A table of a spreadsheet with another locale: its powers are no numbers, and none of them is 0."""
    lines = ["_timestamp;system.gpu.0.powerWatts", *(f"{START_S + 15 * n};250,5" for n in range(10))]
    with pytest.raises(InputError, match="no device has a power above 0"):
        importers.read("\n".join(lines), name="x.csv", form="wandb")
