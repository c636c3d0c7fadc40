"""experiment-impact-tracker's samples: its shares are integrated, without its PUE."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sootprint import importers
from sootprint.core.errors import InputError
from tests.importers.paths import of_paths

START_S = 1_600_000_000.0


def sample(at_s: float, **changes: Any) -> str:
    """A line of data.json; the names are those of DATA_HEADERS."""
    one = {
        "timestamp": START_S + at_s,
        "rapl_power_draw_absolute": 60.0,
        "rapl_estimated_attributable_power_draw": 36.0,
        "nvidia_draw_absolute": 400.0,
        "nvidia_estimated_attributable_power_draw": 360.0,
        "cpu_time_seconds": {"12": {"user": 1.0, "system": 0.5}},
        "average_gpu_estimated_utilization_absolute": 0.9,
        "absolute_cpu_utilization": 3.5,
        "per_gpu_performance_state": {"0": "P0"},
        "realtime_carbon_intensity": 250.0,
        "process_ids": [12],
    }
    return json.dumps({**one, **changes})


def samples(count: int = 361, **changes: Any) -> str:
    """An hour of samples, one each 10 s."""
    return "\n".join(sample(10.0 * n, **changes) for n in range(count)) + "\n"


def test_shares_are_integrated_without_pue() -> None:
    """360 W and 36 W for an hour are 0.396 kWh; the machine's own are given, and so is the grid that it saw."""
    (made,) = importers.read(samples(), name="data.json").records
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(0.396)
    assert {part.component: part.energy_kwh.value for part in made.components} == {
        "accelerator": pytest.approx(0.36),
        "cpu": pytest.approx(0.036),
    }
    assert made.given["whole_gpus_kwh"] == pytest.approx(0.4)
    assert made.given["whole_processors_kwh"] == pytest.approx(0.06)
    assert made.given["mean_realtime_carbon_intensity"] == 250.0
    assert (made.pue, made.emissions_kg, made.boundary, made.grade) == (None, None, "node", "C")
    assert made.components[0].utilisation == pytest.approx(0.9)
    assert made.id == importers.read(samples(), name="other.json").records[0].id


def test_run_without_a_card_is_its_processor() -> None:
    """The names of a card are missing then."""
    text = "\n".join(
        json.dumps({key: value for key, value in json.loads(line).items() if "nvidia" not in key})
        for line in samples().splitlines()
    )
    (made,) = importers.read(text, name="data.json").records
    assert [part.component for part in made.components] == ["cpu"]
    assert made.grade == "D"


def test_cut_off_and_strange_lines_are_counted() -> None:
    """The monitor was killed while it wrote; a sample without its time is none."""
    text = samples() + sample(3610.0)[:50] + "\n[]\n7\n" + sample(3620.0, timestamp="soon") + "\n"
    (made,) = importers.read(text, name="data.json").records
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(0.396)
    assert any(warning.startswith("4 lines were cut off") for warning in made.warnings)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"nvidia_estimated_attributable_power_draw": -5, "rapl_estimated_attributable_power_draw": None},
            "no device",
        ),
        ({"timestamp": 5.0}, "no device"),
        ({"timestamp": 1e300}, "no device"),
    ],
)
def test_bad_samples_get_one_line(changes: dict[str, Any], why: str) -> None:
    """Negative powers, instants that are none."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(samples(5, **changes), name="data.json")
    assert "\n" not in str(caught.value)


def test_pickle_beside_it_is_not_opened(tmp_path: Path) -> None:
    """A folder is read by its data.json alone: what a pickle would run is not run."""
    at = tmp_path / "experiment" / "impacttracker"
    at.mkdir(parents=True)
    (at / "data.json").write_text(samples())
    (at / "info.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "run").encode() + b"'\ntR.")
    ((name, found),) = of_paths(tmp_path)
    assert (name, len(found.records)) == ("experiment", 1)
    assert not (tmp_path / "run").exists()
