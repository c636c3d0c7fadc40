"""`sootprint compare`."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
from pathlib import Path

import pytest

from sootprint import Footprint
from sootprint.cli.compare import _interval
from sootprint.core.ids import uuid7
from sootprint.core.quantity import Factor, Quantity
from sootprint.ledger import keep


def test_runs_of_the_ledger_are_compared(call, stored: list[Footprint]) -> None:
    """Twice the hours on the same device are twice the energy."""
    result = call("compare", "small", "large", "--json")
    assert result.exit_code == 0
    (one,) = json.loads(result.stdout)["comparisons"]
    assert (one["a"], one["b"]) == ("small", "large")
    energy = next(row for row in one["differences"] if row["of"] == "energy_kwh")
    assert energy["ratio"]["value"] == pytest.approx(2.0)
    assert energy["verdict"] == "more"
    assert one["quality"]["equal"] is False


def test_text_says_verdict_and_what_is_not_known(call, stored: list[Footprint]) -> None:
    """A person reads the difference, its interval, and that no result was recorded."""
    words = " ".join(call("compare", "small", "large").stdout.split())
    for part in ("A small B large", "+100 %", "more", "Quality: quality is not known", "One run on a side"):
        assert part in words


def test_published_case_is_compared_with_a_run(call, stored: list[Footprint], tmp_path: Path) -> None:
    """A claim is a side; its intensity has no stated method, so emissions are not ranked."""
    claim = tmp_path / "paper.yaml"
    claim.write_text("name: theirs\nenergy_kwh: 100\nemissions_kg: 40\nhardware: A100\nhours: 10\n")
    (one,) = json.loads(call("compare", "small", claim, "--json").stdout)["comparisons"]
    verdicts = {row["of"]: row["verdict"] for row in one["differences"]}
    assert verdicts["emissions_kg"] == "refused"
    assert verdicts["energy_kwh"] == "not known"


def test_tools_are_shown_with_their_sources_and_drawn(call, stored: list[Footprint], tmp_path: Path) -> None:
    """Each tool has its figure, its factor and its source."""
    pytest.importorskip("altair")
    chart = tmp_path / "tools.svg"
    result = call("compare", "small", "--tools", "--chart", chart)
    assert result.exit_code == 0
    for part in (
        "CodeCarbon",
        "carbontracker",
        "Green Algorithms",
        "ML CO2 Impact",
        "LLMCarbon",
        "arXiv 1910.09700",
    ):
        assert part in result.stdout
    assert "Emissions of one run by tool: Sootprint" in chart.read_text()
    data = json.loads(call("compare", "small", "--tools", "--json").stdout)["tools"]
    assert len(data) == 7


@pytest.mark.parametrize("width", [80, 100, 120])
def test_views_stand_whole_at_80_columns(
    call, stored: list[Footprint], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """No line is longer and no cell is cut; what a narrow table has no room for stands in the notes."""
    monkeypatch.setenv("COLUMNS", str(width))
    huge = dataclasses.replace(
        stored[1],
        id=uuid7(2e9),
        name="huge",
        energy_kwh=Quantity(value=7e11, low=2e11, high=2e12),
        emissions_kg=Quantity(value=7e12, low=2e12, high=2e13),
    )
    keep(Path(os.environ["SOOTPRINT_HOME"]), huge)
    for asked in (("small", "huge"), ("huge", "small"), ("small", "large")):
        lines = call("compare", *asked).stdout.splitlines()
        assert max(map(len, lines)) <= width and "…" not in "".join(lines)
        energy = next(line for line in lines if line.startswith("energy"))
        assert energy.split()[-1] in ("more", "less")
    lines = call("compare", "small", "--tools").stdout.splitlines()
    assert max(map(len, lines)) <= width and "…" not in "".join(lines)
    row = next(line for line in lines if line.startswith("carbontracker"))
    assert ("PUE" in row) == (width >= 100)
    assert ("carbontracker, made by PUE" in "".join(lines)) == (width == 80)


def test_numbers_have_the_digits_of_their_intervals(call, stored: list[Footprint]) -> None:
    """What `show` says with two digits is not said with three; both ends of an interval are of one kind."""
    huge = dataclasses.replace(
        stored[1],
        id=uuid7(2e9),
        name="huge",
        energy_kwh=Quantity(value=1100.0, low=400.0, high=3000.0),
        cost=Quantity(value=12.0),
    )
    keep(Path(os.environ["SOOTPRINT_HOME"]), huge)
    lines = call("compare", "small", "huge").stdout.splitlines()
    energy = next(line for line in lines if line.startswith("energy"))
    shown = " ".join(call("show", "huge").stdout.split())
    assert "1.1 MWh" in energy and "Energy 1.1 MWh" in shown
    assert re.search(r"x \d+ +x [\d.]+ to [\d.]+ +more", energy), energy
    assert "! Cost: not known of small." in lines


def test_cost_is_shown_in_its_currency(call, stored: list[Footprint]) -> None:
    """Each side says what its cost is counted in, and two currencies are not made a ratio."""
    for name, value, currency in (("cheap", 1234.5, "EUR"), ("dear", 2469.0, "EUR"), ("other", 9.0, "JPY")):
        price = Factor(kind="price", key="tariff", value=0.1, unit=f"{currency}/kWh")
        cost = Quantity(value=value, low=value, high=value)
        paid = dataclasses.replace(stored[1], id=uuid7(2e9), name=name, factors=(price,), cost=cost)
        keep(Path(os.environ["SOOTPRINT_HOME"]), paid)
    lines = call("compare", "cheap", "dear").stdout.splitlines()
    assert next(line for line in lines if line.startswith("cost")).split()[:6] == [
        "cost", "1,230", "EUR", "2,470", "EUR", "+100",
    ]  # fmt: skip
    result = call("compare", "cheap", "other")
    (cost,) = (line for line in result.stdout.splitlines() if line.startswith("cost"))
    assert "9.00 JPY" in cost and cost.split()[-1] == "refused"
    assert "Cost: in EUR and JPY: compare energy." in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["small"], "one side only"),
        (["small", "small"], "given twice"),
        (["small", "large", "--target", "accuracy"], "METRIC=VALUE"),
        (["small", "large", "--target", "accuracy=1"], "logged by no run"),
        (["small", "large", "--by", "tag:none"], "no tag"),
        (["small", "large", "--tools"], "one run"),
        (["small", "large", "--chart", "x.svg"], "--tools"),
        (["small", "missing.json"], "missing.json"),
    ],
)
def test_wrong_use_is_one_line(call, stored: list[Footprint], arguments: list[str], words: str) -> None:
    """Exit code 2 and what to do."""
    result = call("compare", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_all_runs_of_a_name_are_one_side(call, stored: list[Footprint]) -> None:
    """--all takes the seeds; without it the newest is taken, and a line says so; the part of a run is no other run."""
    home = Path(os.environ["SOOTPRINT_HOME"])
    seed = dataclasses.replace(stored[0], id=uuid7(time.time() + 10.0), started="2026-11-01T10:00:00.000Z")
    inside = dataclasses.replace(
        seed, id=uuid7(time.time() + 11.0), started="2026-11-01T10:00:01.000Z", parent=seed.id
    )
    for one in (seed, inside):
        keep(home, one)
    done = call("compare", "small", "large", "--all", "--json")
    sides = {one["label"]: one["runs"] for one in json.loads(done.stdout)["sides"]}
    assert sides == {"small": [stored[0].id, seed.id], "large": [stored[1].id]}
    assert "--all" not in done.stderr
    done = call("compare", "small", "large", "--json")
    assert "of 2 runs named small the newest is compared; --all" in done.stderr
    assert [len(one["runs"]) for one in json.loads(done.stdout)["sides"]] == [1, 1]


def test_all_goes_with_runs_and_not_with_tools(call, stored: list[Footprint]) -> None:
    """One line and exit code 2 for --tools; an id means one run with --all, too."""
    assert call("compare", "small", "--tools", "--all").exit_code == 2
    done = call("compare", stored[0].id, "large", "--all", "--json")
    assert [len(one["runs"]) for one in json.loads(done.stdout)["sides"]] == [1, 1]


def test_both_ends_of_an_interval_are_told_alike() -> None:
    """A far end makes both a number of times; else both are percent."""
    far, near = Quantity(value=0.54, low=0.0656, high=4.49), Quantity(value=0.9, low=0.5, high=1.1)
    assert (_interval(far), _interval(near)) == ("x 0.0656 to 4.49", "-50 to +10 %")
