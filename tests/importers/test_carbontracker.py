"""Carbontracker's logs: its PUE is taken out in sight, and what it is known to count wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from tests.importers.examples import OUTPUT, STANDARD
from tests.importers.paths import of_paths

STEM = "25570.318626_2026-11-23T094920Z_carbontracker"
POWERS_KWH = 347.5 * 9.0 / 3.6e6  # 270 W and 77.5 W for three epochs of 3 s
TOLD_KWH = 0.001372689288  # by the output log, PUE included


def one(text: str, name: str = f"{STEM}.log") -> Footprint:
    """The only record of a text."""
    (record,) = importers.read(text, name=name).records
    return record


def test_both_logs_give_the_sum_without_pue() -> None:
    """0.001372689288 kWh over 1.58; the emissions are the tool's, and all numbers stay as given."""
    made = one(STANDARD + OUTPUT)
    assert made.energy_kwh is not None
    assert made.emissions_kg is not None
    assert made.pue is not None
    assert made.intensity_g_per_kwh is not None
    assert made.energy_kwh.value == pytest.approx(TOLD_KWH / 1.58)
    assert made.energy_kwh.value == pytest.approx(POWERS_KWH, rel=1e-3)
    assert made.emissions_kg.value == pytest.approx(0.610846733281e-3)
    assert (made.pue.value, made.intensity_g_per_kwh.value, made.boundary) == (1.58, 445.0, "facility")
    assert made.given["actual_energy_kwh_with_pue"] == TOLD_KWH
    assert made.given["predicted_co2eq_g"] == 0.610848173404
    assert (made.tool_version, made.duration_s, made.started) == ("2.4.7", 9.0, "2026-11-23T09:49:20Z")
    assert {part.component: part.energy_kwh.basis for part in made.components} == {
        "accelerator": "sensor",
        "cpu": "modelled",
    }
    assert [(device.kind, device.name) for device in made.hardware] == [
        ("accelerator", "NVIDIA A100"),
        ("cpu", "AMD EPYC 7302"),
    ]
    assert any("fixed in the tool and not the site's" in warning for warning in made.warnings)
    assert any("its 445 g/kWh are its average of the world" in warning for warning in made.warnings)
    assert made.place.zone is None


def test_standard_log_alone_tells_the_same() -> None:
    """Power x time of its epochs is before PUE; the emissions are its energy x its PUE x its intensity."""
    made = one(STANDARD)
    assert made.energy_kwh is not None
    assert made.emissions_kg is not None
    assert made.energy_kwh.value == pytest.approx(POWERS_KWH)
    assert made.emissions_kg.value == pytest.approx(POWERS_KWH * 1.58 * 0.445)
    assert made.id == one(STANDARD + OUTPUT).id


def test_output_log_alone_has_the_bounds_of_the_pue() -> None:
    """Which PUE is in it, only the other log tells."""
    made = one(OUTPUT, f"{STEM}_output.log")
    assert made.energy_kwh is not None
    assert (made.energy_kwh.low, made.energy_kwh.high) == (
        pytest.approx(TOLD_KWH / 1.59),
        pytest.approx(TOLD_KWH / 1.55),
    )
    assert made.pue is not None
    assert made.pue.basis == "assumed"
    assert any("import both logs" in warning for warning in made.warnings)


def test_run_that_was_killed_has_its_epochs() -> None:
    """No sum was written, and no intensity."""
    made = one(STANDARD.partition("2026-11-23 09:49:29 - Epoch 3")[0])
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(POWERS_KWH * 2 / 3)
    assert (made.emissions_kg, made.duration_s) == (None, 6.0)


def test_mean_of_several_devices_is_told() -> None:
    """Release 2.4.7 counts two GPUs at 100 and 300 W as one of 200 W; lists of powers are added."""
    text = STANDARD.replace("NVIDIA A100.", "NVIDIA A100, NVIDIA A100.")
    made = one(text)
    assert any("may be 2 times as much" in warning for warning in made.warnings)
    assert [device.count for device in made.hardware] == [2, 1]
    older = one(text.replace("gpu: 270.0", "gpu: [135.5\n 134.5]"))
    assert not any("times as much" in warning for warning in older.warnings)
    assert older.energy_kwh == one(STANDARD).energy_kwh


def test_device_that_may_not_be_read_is_not_zero() -> None:
    """0 W in every epoch is what the tool writes then."""
    made = one(STANDARD.replace("cpu: 77.5", "cpu: 0.0"))
    assert [part.component for part in made.components] == ["accelerator"]
    assert any("it tells 0 W of its CPU" in warning for warning in made.warnings)


@pytest.mark.parametrize("said", ["None", "[nan]"])
def test_epoch_without_a_reading_is_told(said: str) -> None:
    """It was too short; what it used is not known."""
    made = one(STANDARD.replace("gpu: 270.0", f"gpu: {said}", 1))
    assert made.components[0].energy_kwh.value == pytest.approx(270.0 * 6.0 / 3.6e6)
    assert any("1 of 3 epochs were too short" in warning for warning in made.warnings)


def test_clock_set_back_is_not_counted() -> None:
    """A negative time of an epoch, or of all."""
    made = one(STANDARD.replace("Duration: 0:00:03.00", "Duration: -0:59:57.00", 1))
    assert made.duration_s == 6.0
    assert any("the clock was set back" in warning for warning in made.warnings)
    with pytest.raises(InputError, match="the clock was set back"):
        one(OUTPUT.replace("Time:\t0:00:09", "Time:\t-0:59:51"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (OUTPUT.partition("2026-11-23 09:49:29")[0], "only a prediction"),
        (STANDARD.partition("2026-11-23 09:49:23")[0], "no epoch with a power"),
        (STANDARD * 2, "logs of 2 runs"),
        (STANDARD + OUTPUT.replace("0.001372689288", "nan"), "Energy is 'nan'"),
        (STANDARD + OUTPUT.replace("0.001372689288", "-1.0"), "Energy is -1.0: it is at least 0"),
        (STANDARD + OUTPUT.replace("0.001372689288", "0,0013"), "with a decimal point"),
        (STANDARD.replace("gpu: 270.0", "gpu: [1e999]"), "power is 1e999"),
    ],
)
def test_bad_log_gets_one_line(text: str, why: str) -> None:
    """A prediction, no epoch, two runs, numbers that are none."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(text, name="x.log", form="carbontracker")
    assert "\n" not in str(caught.value)


def test_place_that_it_looked_up_is_kept() -> None:
    """The last part of the name that a table knows."""
    said = "at detected location: Copenhagen, Capital Region, DK."
    made = one(STANDARD.replace("gCO2eq/kWh.\x20", f"gCO2/kWh {said}"))
    assert (made.place.zone, made.given["location"]) == ("DK", "Copenhagen, Capital Region, DK")
    assert any("guessed from the network address" in warning for warning in made.warnings)


def test_logs_of_a_folder_are_paired_and_what_runs_beside_is_told(tmp_path: Path) -> None:
    """Two processes of one machine: two records, each with a warning; the log of errors is left."""
    for process in ("1.1", "2.2"):
        stem = tmp_path / f"{process}_2026-11-23T094920Z_carbontracker"
        stem.with_name(f"{stem.name}.log").write_text(STANDARD)
        stem.with_name(f"{stem.name}_output.log").write_text(OUTPUT)
        stem.with_name(f"{stem.name}_err.log").write_text(
            "2026-11-23 09:49:20,058 - MainThread - WARNING - x\n"
        )
    (tmp_path / "notes.txt").write_text("no log")
    of_folder, of_files = of_paths(tmp_path), of_paths(*sorted(tmp_path.glob("*.log")))
    for ((_, found),) in (of_folder, of_files):
        assert len({record.id for record in found.records}) == len(found.records) == 2
        assert all("actual_energy_kwh_with_pue" in record.given for record in found.records)
        assert all("1 other logs ran" in record.warnings[-1] for record in found.records)
    assert [left.where.partition("_carbontracker")[2] for left in of_files[0][1].left_out] == ["_err.log"] * 2
