"""A PUE of each zone of a plan: stated, of this place, published by a cloud region, or known of some zones alone."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import sootprint
from sootprint.catalogue import regions

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 24
Call = Callable[..., Any]


def traced(folder: Path, **values: float | list[float]) -> list[str]:
    """Options of `plan` for a trace of each zone: the same figure in each hour, or one after the other."""
    words = []
    for zone, given in values.items():
        listed = given if isinstance(given, list) else [given] * HOURS
        rows = [f"{(START + timedelta(hours=hour)).isoformat()},{one}" for hour, one in enumerate(listed)]
        path = folder / f"{zone}.csv"
        path.write_text("\n".join(["timestamp_utc,ci_gco2e_kwh", *rows, ""]), encoding="utf-8")
        words += ["--trace", f"{zone.replace('_', '/', 1).replace('_', '-')}={path}"]
    return words


def planned(call: Call, *words: str) -> dict[str, Any]:
    """Plan of two hours at a kilowatt that must end within four."""
    asked = ("--expect", "2h", "--deadline", "4h", "--power-w", "1000", "--at", START.isoformat(), "--json")
    found = call("plan", *asked, *words)
    assert found.exit_code == 0, found.stderr
    made: dict[str, Any] = json.loads(found.stdout)
    return made


def place_of(made: dict[str, Any]) -> dict[str, Any]:
    """The option of going elsewhere at once."""
    return next(option for option in made["options"] if option["kind"] == "place")


def test_a_cleaner_grid_with_a_wasteful_facility_is_not_chosen(call: Call, tmp_path: Path) -> None:
    """2 kWh at 300 g and 1.1 are 0.66 kg; at 280 g and 1.5 they are 0.84, so that going there costs 27 %."""
    traces = traced(tmp_path, DE=300, FR=280)
    made = planned(call, *traces, "--pue", "DE=1.1", "--pue", "FR=1.5")
    assert made["run_now_kg"] == pytest.approx(0.66)
    assert place_of(made)["emissions_kg"]["value"] == pytest.approx(0.84)
    assert place_of(made)["saving_share"]["value"] == pytest.approx(1.0 - 0.84 / 0.66)
    assert (made["chosen"]["zone"], made["pue"]) == ("DE", {"DE": 1.1, "FR": 1.5})
    alike = planned(call, *traces, "--pue", "1.5")
    assert (alike["chosen"]["zone"], alike["run_now_kg"]) == ("FR", pytest.approx(0.9))
    mixed = planned(call, *traces, "--pue", "1.5", "--pue", "DE=1.1")
    assert mixed["pue"] == {"DE": 1.1, "FR": 1.5}


def test_a_transfer_counts_half_in_each_place(call: Call, tmp_path: Path) -> None:
    """1 kWh between 300 g at 1.2 and 100 g at 1.5: half of 360 and half of 150 g."""
    traces = traced(tmp_path, DE=300, FR=100)
    stated = ("--pue", "DE=1.2", "--pue", "FR=1.5")
    without, moved = (planned(call, *traces, *stated, "--transfer-kwh", kwh) for kwh in ("0", "1"))
    more = place_of(moved)["emissions_kg"]["value"] - place_of(without)["emissions_kg"]["value"]
    assert more == pytest.approx(0.5 * (0.36 + 0.15))
    assert moved["run_now_kg"] == without["run_now_kg"]


def test_a_cloud_region_brings_the_pue_that_it_publishes(call: Call, tmp_path: Path) -> None:
    """Both regions' own figures of the plan's year count, unless one is stated."""
    known = {zone: regions.region(zone, 2026).pue for zone in ("aws/us-east-1", "aws/eu-north-1")}
    values = {zone: found.known for zone, found in known.items() if found is not None}
    assert len(values) == 2
    traces = traced(tmp_path, aws_us_east_1=400, aws_eu_north_1=50)
    made = planned(call, *traces)
    assert made["pue"] == values
    assert made["run_now_kg"] == pytest.approx(0.8 * values["aws/us-east-1"])
    assert place_of(made)["emissions_kg"]["value"] == pytest.approx(0.1 * values["aws/eu-north-1"])
    stated = planned(call, *traces, "--pue", "aws/us-east-1=1.5")
    assert stated["run_now_kg"] == pytest.approx(1.2)
    text = call("plan", "--expect", "2h", "--deadline", "4h", "--at", START.isoformat(), *traces).stdout
    own = known["aws/us-east-1"]
    assert own is not None
    assert f"PUE {own.value:g} ({own.low:.3g} to {own.high:.3g}), " in " ".join(text.split())


def test_no_guess_stands_for_a_pue_that_is_not_known(call: Call, tmp_path: Path) -> None:
    """With the PUE of one zone alone none counts, and a line names the zone whose PUE is missing."""
    made = planned(call, *traced(tmp_path, DE=300, FR=290), "--pue", "DE=1.5")
    assert (made["run_now_kg"], place_of(made)["emissions_kg"]["value"]) == (
        pytest.approx(0.6),
        pytest.approx(0.58),
    )
    assert made["pue"] == {"DE": 1.5, "FR": None}
    assert any("as that of FR is not known" in note for note in made["notes"])
    bare = planned(call, *traced(tmp_path, DE=300))
    assert bare["pue"] == {"DE": None}
    assert any("PUE is 1: the facility's overhead" in note for note in bare["notes"])
    one = planned(call, *traced(tmp_path, DE=300), "--pue", "1")
    assert not any("PUE" in note for note in one["notes"])


def test_the_settings_of_this_place_hold_for_its_own_zone(call: Call, tmp_path: Path, own_home: Path) -> None:
    """The site's PUE is that of DE, where this machine stands, and of no other zone."""
    stated = 'site = "lab"\n[sites.lab]\nzone = "DE"\npue = 1.25\n'
    own_home.joinpath("sootprint.toml").write_text(stated, encoding="utf-8")
    made = planned(call, *traced(tmp_path, DE=300, FR=100), "--pue", "FR=1.1")
    assert made["pue"] == {"DE": 1.25, "FR": 1.1}
    assert made["run_now_kg"] == pytest.approx(0.6 * 1.25)
    assert planned(call, *traced(tmp_path, FR=100))["pue"] == {"FR": None}


def test_figures_that_are_given_have_an_interval_beside_a_forecast(call: Call, tmp_path: Path) -> None:
    """Where one zone's hours are forecast and the other's given, the saving of going there has bounds."""
    noise = [
        300.0 + 40.0 * math.sin(0.7 * hour) + 25.0 * math.sin(1.9 * hour**1.1) for hour in range(70 * 24)
    ]
    past, at = traced(tmp_path, DE=noise[: 69 * 24], FR=[200.0] * 70 * 24), START + timedelta(days=69)
    asked = ("--expect", "2h", "--deadline", "4h", "--at", at.isoformat(), "--json", *past)
    made = json.loads(call("plan", *asked).stdout)
    saving = place_of(made)["saving_share"]
    assert (made["intensity"]["DE"]["kind"], made["intensity"]["FR"]["kind"]) == (
        "forecast from its past",
        "as given",
    )
    assert saving["low"] < saving["value"] < saving["high"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pue", "SE=1.2"), "'SE' is not among the zones DE,FR"),
        (("--pue", "DE=1.2", "--pue", "DE=1.3"), "--pue is given twice for DE"),
        (("--pue", "1.2", "--pue", "1.3"), "--pue is given twice for all zones"),
        (("--pue", "DE=low"), "'low' is not a number"),
        (("--pue", "FR=12"), "the PUE of FR is 12: it is facility energy over IT energy, between 1 and 10"),
        (("--pue", "DE="), "'' is not a number"),
        (("--pue", "=1.2"), "--pue =1.2 names no zone before the ="),
    ],
)
def test_a_pue_of_no_zone_or_no_facility_is_refused(
    call: Call, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """One line with the value, the rule and the way out; nothing is planned."""
    asked = ("plan", "--expect", "2h", "--deadline", "4h", "--at", START.isoformat(), "--zones", "DE,FR")
    found = call(*asked, *traced(tmp_path, DE=300, FR=100), *words)
    assert (found.exit_code, found.stdout, said in found.stderr) == (2, "", True), found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


def test_python_takes_a_pue_by_zone(tmp_path: Path) -> None:
    """The same figures as on the command line; a zone that is not in the plan is named."""
    traces = traced(tmp_path, DE=300, FR=280)
    files = {name: path for name, _, path in (word.partition("=") for word in traces[1::2])}
    asked: dict[str, Any] = {"at": START, "traces": files, "power_w": 1000.0}
    made = sootprint.plan("2h", "4h", ["DE", "FR"], pue={"DE": 1.1, "FR": 1.5}, **asked)
    assert made.run_now.emissions_kg.value == pytest.approx(0.66)
    with pytest.raises(sootprint.InputError, match="stated for 'SE', which is not among the zones DE, FR"):
        sootprint.plan("2h", "4h", ["DE", "FR"], pue={"SE": 1.1}, **asked)
