"""What a plan costs: each zone at its own prices, and nowhere at those of another one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_plan_pue import place_of, planned, traced

import sootprint

START = datetime(2026, 1, 1, tzinfo=UTC)
Call = Callable[..., Any]


def priced(folder: Path, name: str, values: list[float]) -> Path:
    """A file with a price for each hour."""
    rows = [f"{(START + timedelta(hours=hour)).isoformat()},{one}" for hour, one in enumerate(values)]
    path = folder / f"{name}.price.csv"
    path.write_text("\n".join(["timestamp_utc,price_per_kwh", *rows, ""]), encoding="utf-8")
    return path


def test_each_zone_costs_its_own_prices(call: Call, tmp_path: Path) -> None:
    """2 kWh at 0.30 and PUE 1.5 cost 0.90 in DE, and at 0.10 and 1.2 they cost 0.24 in FR."""
    german, french = (priced(tmp_path, zone, [one] * 24) for zone, one in (("DE", 0.30), ("FR", 0.10)))
    files = ("--price", f"FR={french}", "--price", f"DE={german}", "--currency", "EUR")
    made = planned(call, *traced(tmp_path, DE=300, FR=100), *files, "--pue", "DE=1.5", "--pue", "FR=1.2")
    assert made["run_now"]["cost"] == pytest.approx(0.90)
    assert place_of(made)["cost"] == pytest.approx(0.24)
    assert not any("cost" in note for note in made["notes"])


def test_a_zone_without_prices_has_no_cost(call: Call, tmp_path: Path) -> None:
    """The first zone's prices are not those of the other: its cost is null, a dash in the table, and a note says so."""
    traces = traced(tmp_path, DE=300, FR=100)
    asked = (*traces, "--price", f"DE={priced(tmp_path, 'DE', [0.3] * 24)}", "--currency", "EUR")
    made = planned(call, *asked)
    assert (made["run_now"]["cost"], place_of(made)["cost"]) == (pytest.approx(0.6), None)
    assert "no cost is known in FR: give its prices, too" in made["notes"]
    text = call("plan", "--expect", "2h", "--deadline", "4h", "--at", START.isoformat(), *asked).stdout
    [row] = [line for line in text.splitlines() if " FR " in line and "place" in line]
    assert row.rstrip().endswith("–")
    other = planned(call, *traces, "--price", f"FR={priced(tmp_path, 'FR', [0.1] * 24)}", "--currency", "EUR")
    assert (other["run_now"]["cost"], place_of(other)["cost"]) == (None, pytest.approx(0.2))


def test_a_transfer_costs_half_in_each_zone(call: Call, tmp_path: Path) -> None:
    """4 kWh are 2 kWh at 0.30 and 2 kWh at 0.10; where one of the prices is missing the cost is not known."""
    german, french = (
        f"{zone}={priced(tmp_path, zone, [one] * 24)}" for zone, one in (("DE", 0.30), ("FR", 0.10))
    )
    asked = (*traced(tmp_path, DE=300, FR=100), "--transfer-kwh", "4", "--currency", "EUR", "--price", french)
    assert place_of(planned(call, *asked, "--price", german))["cost"] == pytest.approx(0.2 + 0.6 + 0.2)
    assert place_of(planned(call, *asked))["cost"] is None


def test_negative_prices_count(call: Call, tmp_path: Path) -> None:
    """An hour with too much wind pays for what it takes."""
    file = priced(tmp_path, "DE", [-0.05] * 24)
    assert planned(call, *traced(tmp_path, DE=300), "--price", str(file), "--currency", "EUR")["run_now"][
        "cost"
    ] == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--price", "{file}"), "is of one zone, but there are 2: name it as ZONE=FILE"),
        (("--price", "SE={file}"), "--price of 'SE': it is not in --zones DE,FR"),
        (("--price", "DE={file}", "--price", "DE={file}"), "--price is given twice for DE"),
        (("--price", "DE=no.csv"), "no.csv cannot be read: No such file"),
    ],
)
def test_a_price_of_no_zone_is_refused(call: Call, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """One line with the value, the rule and the way out; nothing is planned."""
    file = priced(tmp_path, "DE", [0.3] * 24)
    asked = ("plan", "--expect", "2h", "--deadline", "4h", "--at", START.isoformat(), "--zones", "DE,FR")
    given = [word.format(file=file) for word in words]
    found = call(*asked, *traced(tmp_path, DE=300, FR=100), *given, "--currency", "EUR")
    assert (found.exit_code, found.stdout, said in found.stderr) == (2, "", True), found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


def test_python_takes_prices_by_zone(tmp_path: Path) -> None:
    """The same figures as on the command line; a zone that is not in the plan is named."""
    words = traced(tmp_path, DE=300, FR=280)[1::2]
    files = {name: path for name, _, path in (word.partition("=") for word in words)}
    asked: dict[str, Any] = {"at": START, "traces": files, "power_w": 1000.0, "currency": "EUR"}
    price = priced(tmp_path, "DE", [0.3] * 24)
    made = sootprint.plan("2h", "4h", ["DE", "FR"], price_files={"DE": price}, **asked)
    assert made.run_now.cost == pytest.approx(0.6)
    with pytest.raises(sootprint.InputError, match="stated for 'SE', which is not among the zones DE, FR"):
        sootprint.plan("2h", "4h", ["DE", "FR"], price_files={"SE": price}, **asked)
