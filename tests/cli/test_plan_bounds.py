"""How sure a plan is: the interval of a PUE that is known by its bounds is in it, once for each facility."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_plan_pue import place_of, planned, traced

from sootprint.catalogue import regions

START = datetime(2026, 1, 1, tzinfo=UTC)
LAB = 'site = "lab"\n[sites.lab]\nzone = "DE"\n[[sites.lab.pue]]\nvalue = 1.4\nlow = 1.2\nhigh = 1.7\n'
VARYING = [300.0 + 40.0 * math.sin(0.7 * hour) + 25.0 * math.sin(1.9 * hour**1.1) for hour in range(70 * 24)]
Call = Callable[..., Any]


def ratios(quantity: dict[str, float]) -> tuple[float, float]:
    """Bounds of a quantity over its value."""
    return quantity["low"] / quantity["value"], quantity["high"] / quantity["value"]


def test_emissions_have_the_interval_of_a_sites_pue(call: Call, tmp_path: Path, own_home: Path) -> None:
    """1.2 to 1.7 around 1.4 is on each absolute figure; a later window of the same place saves a share for certain."""
    own_home.joinpath("sootprint.toml").write_text(LAB, encoding="utf-8")
    made = planned(call, *traced(tmp_path, DE=[300.0, 300.0, 150.0, 150.0] + [300.0] * 20))
    for option in (made["run_now"], made["chosen"]):
        assert ratios(option["emissions_kg"]) == pytest.approx((1.2 / 1.4, 1.7 / 1.4), rel=0.01)
    saving = made["chosen"]["saving_share"]
    assert (saving["value"], saving["low"], saving["high"]) == (pytest.approx(0.5), None, None)
    assert made["pue_bounds"] == {"DE": [1.2, 1.7]}


def test_a_saving_within_a_place_is_no_wider_for_its_pue(call: Call, tmp_path: Path, own_home: Path) -> None:
    """With a forecast the share saved has the same interval whatever is known of the PUE, and emissions a wider one."""
    past, at = traced(tmp_path, DE=VARYING[: 69 * 24]), START + timedelta(days=69)
    asked = ("plan", "--expect", "2h", "--deadline", "9h", "--at", at.isoformat(), "--json", *past)
    bare = json.loads(call(*asked, "--pue", "1.4").stdout)
    own_home.joinpath("sootprint.toml").write_text(LAB, encoding="utf-8")
    unsure = json.loads(call(*asked).stdout)
    assert unsure["pue"] == bare["pue"] == {"DE": 1.4}
    assert bare["options"]
    for one, other in zip(bare["options"], unsure["options"], strict=True):
        assert one["saving_share"] == pytest.approx(other["saving_share"])
        widths = [plan["emissions_kg"]["high"] - plan["emissions_kg"]["low"] for plan in (one, other)]
        assert widths[0] < widths[1]


def test_moving_between_two_facilities_has_the_interval_of_both(call: Call, tmp_path: Path) -> None:
    """On equal grids the saving is 1 less the ratio of two PUEs; the widths of their logarithms add in quadrature."""
    zones = "aws/us-east-1", "aws/eu-north-1"
    here, there = (regions.region(zone, 2026).pue for zone in zones)
    assert here is not None and there is not None
    made = planned(call, *traced(tmp_path, aws_us_east_1=300, aws_eu_north_1=300))
    saving = place_of(made)["saving_share"]
    ratio = there.known / here.known
    assert saving["value"] == pytest.approx(1.0 - ratio)
    wide = math.hypot(math.log(there.high / there.known), math.log(here.known / here.low))
    assert saving["low"] == pytest.approx(1.0 - ratio * math.exp(wide), abs=0.01)
    assert saving["low"] < saving["value"] < saving["high"]


def test_a_place_whose_gain_is_below_the_error_of_its_pue_is_not_chosen(
    call: Call, tmp_path: Path, own_home: Path
) -> None:
    """5 % less by the grid is no measurable gain against a PUE of 1.2 to 1.7, and is against one that is certain."""
    traces = traced(tmp_path, DE=300, FR=285)
    assert planned(call, *traces, "--pue", "1.4")["chosen"]["zone"] == "FR"
    own_home.joinpath("sootprint.toml").write_text(LAB, encoding="utf-8")
    unsure = planned(call, *traces, "--pue", "FR=1.4")
    assert (unsure["chosen"]["zone"], unsure["measurable"]) == ("DE", False)


def test_the_words_say_what_the_interval_is_of(call: Call, tmp_path: Path, own_home: Path) -> None:
    """Given hours and a PUE with bounds: the interval is that of the PUE alone, and the text says it."""
    own_home.joinpath("sootprint.toml").write_text(LAB, encoding="utf-8")
    asked = ("plan", "--expect", "2h", "--deadline", "4h", "--at", START.isoformat())
    text = " ".join(call(*asked, *traced(tmp_path, DE=300)).stdout.split())
    assert "PUE 1.4 (1.2 to 1.7), site lab" in text
    assert "intervals are those of the PUE alone: the intensity is taken as given" in text


def test_half_hours_are_averaged_where_another_zone_has_hours(call: Call, tmp_path: Path) -> None:
    """100 and 300 g in the halves of an hour are 200 g; the order of the zones and five minutes change nothing."""
    hours = traced(tmp_path, DE=[250.0] * 24)
    for name, step_min in (("GB", 30), ("FR", 5)):
        count = 24 * 60 // step_min
        rows = [
            f"{(START + timedelta(minutes=step_min * at)).isoformat()},{100.0 if at * step_min % 60 < 30 else 300.0}"
            for at in range(count)
        ]
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["timestamp_utc,ci_gco2e_kwh", *rows, ""]), encoding="utf-8")
        finer = ["--trace", f"{name}={path}"]
        away = place_of(planned(call, *hours, *finer))
        assert away["emissions_kg"]["value"] == pytest.approx(0.4)
        turned = planned(call, *finer, *hours)
        assert turned["run_now_kg"] == pytest.approx(0.4)
        assert turned["intensity"][name]["step_s"] == 3600.0
    assert planned(call, *finer, "--expect", "1h")["run_now_kg"] == pytest.approx(0.2)


def test_half_hours_that_begin_within_the_other_zones_hour_are_not_shifted(
    call: Call, tmp_path: Path
) -> None:
    """From half past no whole hours can be made: one line says so, and nothing is planned."""
    rows = [f"{(START + timedelta(minutes=30 * at)).isoformat()},200" for at in range(48)]
    path = tmp_path / "GB.csv"
    path.write_text("\n".join(["timestamp_utc,ci_gco2e_kwh", *rows, ""]), encoding="utf-8")
    words = (*traced(tmp_path, DE=250), "--trace", f"GB={path}")
    at = (START + timedelta(minutes=30)).isoformat()
    found = call("plan", "--expect", "2h", "--deadline", "4h", "--at", at, *words)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "steps of different length or start" in found.stderr


def test_bars_of_all_zones_begin_in_one_column(call: Call, tmp_path: Path) -> None:
    """A long name of one zone moves the bars of the others with its own, so that an hour is below itself."""
    asked = ("plan", "--expect", "2h", "--deadline", "9h", "--at", START.isoformat())
    text = call(
        *asked, *traced(tmp_path, DE=list(range(220, 244)), aws_eu_north_1=[220.0, 380.0] * 12)
    ).stdout
    rows = [line for line in text.splitlines() if "g/kWh" in line and "▁" in line]
    begins = {
        line.index("g/kWh") + len("g/kWh") + len(part) - len(part.lstrip())
        for line in rows
        for part in [line.partition("g/kWh")[2]]
    }
    assert (len(rows), len(begins)) == (2, 1), text
