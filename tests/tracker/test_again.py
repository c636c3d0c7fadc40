"""Earlier runs of the same name: found in the ledger, believed as far as they fit, and no lie where they do not."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import random
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

import sootprint
from sootprint import ledger
from sootprint.core.expectation import Expectation
from sootprint.core.intervals import from_draws
from sootprint.core.protocols import FakeClock, Reading
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.core.units import energy_kwh
from sootprint.tracker import history
from sootprint.tracker.again import Earlier, Hint, Then, hints, weighed
from sootprint.tracker.components import ComponentState
from sootprint.tracker.fold import Fold
from sootprint.tracker.foresight import Foresight
from sootprint.tracker.recover import footprint_of

EPOCHS = Expectation("epochs", 100.0)


def _id(number: int) -> str:
    return f"01932c07-19a3-7d28-9c4e-{number:012x}"


def _run(home: Path, number: int, *, slow: float = 1.0, until: int = 100, **head: Any) -> Footprint:
    """A run of 100 epochs of 10 s, which take thrice as long after the 40th, with its forecasts."""
    clock, fold = FakeClock(), Fold()
    known = {"id": _id(number), "zone": "FR", "name": "net", "expect": ["epochs", 100.0], **head}
    fold.apply({"k": "head", "v": 1, "period_s": 1.0, "wall_s": clock.wall_s() + number, **known})
    reading = Reading(meter="rapl", component="cpu", at_s=0.0, energy_j=0.0)
    fold.apply({"k": "comp", "c": ComponentState.of(reading, integrated=False).dump()})
    fold.apply({"k": "tick", "s": 0.0, "r": [[0, 0.0, 0.0, None, None, 0.0]]})
    foresight = Foresight(
        fold,
        emit=lambda line: fold.apply(json.loads(json.dumps(line))),
        so_far=lambda: footprint_of(fold),
        warn=pytest.fail,
        home=home,
    )
    at_s = 0.0
    for epoch in range(until):
        fold.apply({"k": "span", "s": at_s, "n": epoch, "open": True, "name": "epoch"})
        at_s += slow * (10.0 if epoch < 40 else 30.0)
        fold.apply({"k": "span", "s": at_s, "n": epoch, "open": False})
        fold.apply({"k": "tick", "s": at_s, "r": [[0, at_s, 100.0 * at_s, None, None, 0.0]]})
        foresight.look()
    fold.apply({"k": "end", "s": at_s, "why": "finished"})
    return footprint_of(fold)


def _at(record: Footprint, progress: float) -> dict[str, Any]:
    return next(one for one in record.forecasts if one["progress"] == progress)


def _holds(made: Quantity, actual: float) -> bool:
    return (made.low or 0.0) <= actual <= (made.high or math.inf)


def test_a_stage_that_an_earlier_run_had_is_foreseen(own_home: Path) -> None:
    """At 5 % nothing tells of the 60 long epochs; with one earlier run, 10 % faster, the end is hit and is inside."""
    first = _run(own_home, 1)
    assert abs(_at(first, 0.05)["energy_error"]) > 0.4
    ledger.leave(own_home, first)
    second = _run(own_home, 2, slow=1.1)
    made = _at(second, 0.05)
    assert (made["earlier_runs"], made["energy_inside"], made["duration_inside"]) == (1, True, True)
    assert made["earlier_weight"] > 0.6
    assert abs(made["energy_error"]) < 0.1
    assert made["so_far_kwh"] == pytest.approx(energy_kwh(5 * 11.0 * 100.0), rel=1e-4)
    assert (made["unit_s"], made["unit_kwh"]) == pytest.approx((11.0, energy_kwh(1100.0)), rel=1e-4)


def test_more_earlier_runs_narrow_the_interval(own_home: Path) -> None:
    """Three that ended alike, in the database and in the spool, tell more than one."""
    widths = []
    for number in range(1, 5):
        made = _at(record := _run(own_home, number), 0.05)
        assert made["earlier_runs"] == number - 1
        widths.append(math.log(made["energy_kwh"]["high"] / made["energy_kwh"]["low"]))
        ledger.leave(own_home, record)
        if number == 2:
            ledger.Ledger(own_home).close()
    assert widths[0] > 2.0 * widths[1] > 2.0 * widths[3]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "other"},
        {"project": "another"},
        {"expect": ["steps", 100.0]},
        {"until": 60},
    ],
)
def test_other_runs_are_left_out(own_home: Path, other: dict[str, Any]) -> None:
    """Of another name, project or unit, or stopped early."""
    ledger.leave(own_home, _run(own_home, 1, **other))
    assert _found(own_home) == []


def _found(home: Path, name: str | None = "net") -> list[dict[str, Any]]:
    return history.lines(home, name=name, project=None, expected=EPOCHS)


def test_a_locked_or_broken_ledger_has_none(own_home: Path) -> None:
    """Nothing is waited for, made or raised."""
    assert _found(own_home) == []
    assert not own_home.exists() or list(own_home.iterdir()) == []
    ledger.leave(own_home, _run(own_home, 1))
    ledger.Ledger(own_home).close()
    assert len(_found(own_home)) == 1 and _found(own_home, None) == []
    database = own_home / "ledger.sqlite"
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert _found(own_home) == []
    ledger.leave(own_home, _run(own_home, 2))
    database.write_bytes(b"no database" * 100)
    (own_home / "spool" / f"{_id(3)}.json").write_text('{"energy_error" "name": "net"')
    assert len(_found(own_home)) == 1


def test_what_a_record_of_someone_else_holds_costs_nothing(own_home: Path) -> None:
    """Numbers that are none, or below 0, are no earlier run."""
    good = _run(own_home, 1)
    wrong: tuple[Any, ...] = (None, "1", -1.0, 0.0, 10**400, True, {})
    for number, value in enumerate(wrong):
        for field in ("unit_s", "energy_error", "expected"):
            odd = tuple({**one, field: value} for one in good.forecasts)
            if value != 0.0 or field != "energy_error":
                ledger.leave(own_home, dataclasses.replace(good, id=_id(10 + number), forecasts=odd))
                assert _found(own_home) == []


def test_the_rest_is_that_of_the_earlier_run_from_the_same_progress_on() -> None:
    """Half-way between 10 and 20 %: 15 s of 200 s are over, and 185 s for half of the units are 92.5 s."""
    moments = (Then(0.1, 10.0, 1.0, 1.0, 0.1), Then(0.2, 20.0, 2.0, 3.0, 0.3))
    one = Earlier(total=100.0, duration_s=200.0, energy=20.0, moments=moments)
    (time_s,) = hints([one], progress=0.15, total=50.0, of_time=True)
    assert (math.exp(time_s.log_rest), math.exp(time_s.log_unit)) == pytest.approx((92.5, 2.0))
    (energy,) = hints([one], progress=0.05, total=100.0, of_time=False)
    assert (math.exp(energy.log_rest), math.exp(energy.log_unit)) == pytest.approx((19.5, 0.1))
    assert hints([one], progress=0.1, total=1e6, of_time=True) == []


def _alone(chance: random.Random, spread: float) -> tuple[Quantity, dict[str, Any]]:
    """Forecast of a run by itself: 100 units of 1, some of them after a change."""
    rest = [100.0 * math.exp(spread * chance.gauss(0.0, 1.0)) for _ in range(128)]
    changed = [one * (1.5 if chance.random() < 0.2 else 1.0) for one in rest]
    told = {"so_far": 5.0, "rest": rest, "changed": changed, "unit": 1.0, "noise": 0.02}
    return from_draws(5.0 + sorted(rest)[64], [5.0 + one for one in changed]), told


@pytest.mark.parametrize(("heavier", "least"), [(0.1, 87), (1.0, 82), (10.0, 87)])
def test_a_history_of_something_else_does_not_make_the_interval_lie(heavier: float, least: int) -> None:
    """Runs of another model or machine, about as large, a tenth or ten times as large, of any course.

    About nine of ten intervals hold without them; with those that are as large by chance, some less.
    """
    chance, inside, alone = random.Random(f"strange {heavier}"), 0, 0
    for _ in range(200):
        quantity, told = _alone(chance, 0.2)
        actual = 5.0 + chance.choice(told["changed"])
        unit = heavier * math.exp(chance.gauss(0.0, 1.0))
        said = [Hint(math.log(100.0 * unit) + chance.gauss(0.15, 0.4), math.log(unit), 0.0)]
        made, weight = weighed(quantity, said=said, **told)
        assert 0.0 <= weight <= 1.0
        inside += _holds(made, actual)
        alone += _holds(quantity, actual)
    assert inside >= 2 * least and inside >= alone - 16


def test_what_cannot_be_by_what_is_seen_has_no_weight() -> None:
    """At half of a steady run an earlier one, of another pace and with a rest five times as long, is another one."""
    chance = random.Random(1)
    quantity, told = _alone(chance, 0.02)
    told["changed"] = told["rest"]
    made, weight = weighed(quantity, said=[Hint(math.log(500.0), math.log(0.7), 0.0)], **told)
    assert weight < 0.05
    assert made.value == pytest.approx(quantity.value, rel=0.01)
    assert weighed(quantity, said=[], **told) == (quantity, 0.0)


def test_a_run_tracked_twice_knows_the_first(own_home: Path) -> None:
    """The whole way: the second run of a name and unit finds the first one by itself."""
    for _ in range(2):
        with sootprint.track("twice", zone="FR", period="50ms", expect_total="epochs=6") as run:
            for epoch in range(6):
                with run.span("epoch"):
                    time.sleep(0.02)
                    if epoch in (0, 5):
                        _wait_for(own_home, '"k":"tick"' if epoch == 0 else '"k":"forecast"')
    assert run.footprint is not None
    assert {one["earlier_runs"] for one in run.footprint.forecasts} == {1}


def _wait_for(home: Path, text: str) -> None:
    """Wait until the journal has it, as a loaded machine may look at its meters late."""
    until_s = time.monotonic() + 120.0
    while not any(text in path.read_text() for path in (home / "journal").glob("*.jsonl")):
        assert time.monotonic() < until_s
        time.sleep(0.02)
