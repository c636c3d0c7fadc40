"""Forecasts of a live run: when they are made, what they say in the journal, and how the record scores them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

import sootprint
from sootprint.core.expectation import Expectation
from sootprint.core.protocols import FakeClock, Reading
from sootprint.core.records import Footprint
from sootprint.tracker.components import ComponentState
from sootprint.tracker.fold import Fold
from sootprint.tracker.foresight import Foresight
from sootprint.tracker.recover import footprint_of

UNITS_S = 10.0


class _Script:
    """A run of 100 W, one epoch after the other, with what its forecasts say."""

    def __init__(self, **head: Any) -> None:
        clock = FakeClock()
        self.fold, self.lines, self.warned = Fold(), [], []
        first = {"k": "head", "v": 1, "period_s": 1.0, "wall_s": clock.wall_s(), "id": ID, "zone": "FR"}
        self.emit({**first, **head})
        reading = Reading(meter="rapl", component="cpu", at_s=0.0, energy_j=0.0)
        self.emit({"k": "comp", "c": ComponentState.of(reading, integrated=False).dump()})
        self.tick(0.0)
        self.foresight = Foresight(
            self.fold, emit=self.emit, so_far=lambda: footprint_of(self.fold), warn=self.warned.append
        )

    def emit(self, line: dict[str, Any]) -> None:
        line = json.loads(json.dumps(line))
        self.lines.append(line)
        self.fold.apply(line)

    def tick(self, at_s: float) -> None:
        self.emit({"k": "tick", "s": at_s, "r": [[0, at_s, 100.0 * at_s, None, None, 0.0]]})

    def epochs(self, count: int, **first: Any) -> None:
        """Epochs of 10 s, with a look at the meters and at the progress every second."""
        for epoch in range(count):
            begin_s = UNITS_S * epoch
            self.emit({"k": "span", "s": begin_s, "n": epoch, "open": True, "name": "epoch", **first})
            for second in range(1, 11):
                if second == 10:
                    self.emit({"k": "span", "s": begin_s + 10.0, "n": epoch, "open": False})
                self.tick(begin_s + second)
                self.foresight.look()

    def end(self) -> Footprint:
        self.emit({"k": "end", "s": self.fold.last_s, "why": "finished"})
        return footprint_of(self.fold)


ID = "01932c07-19a3-7d28-9c4e-4f6f4f9d2a11"


def test_forecasts_are_made_once_at_each_share_of_progress() -> None:
    """Of 100 epochs: after 1, 2, 5, 10, 20 and 50, not in between."""
    run = _Script(expect=["epochs", 100.0])
    run.epochs(60)
    assert [line["units"] for line in run.fold.forecasts] == [1, 2, 5, 10, 20, 50]


def test_a_steady_run_is_forecast_as_it_ends() -> None:
    """100 epochs of 10 s at 100 W: 1000 s and 100 kJ, 0.0278 kWh; from half of it on within 1 %."""
    run = _Script(expect=["epochs", 100.0])
    run.epochs(100)
    last = run.end().forecasts[-1]
    assert last["progress"] == 0.5
    assert last["energy_kwh"]["value"] == pytest.approx(100_000.0 / 3.6e6, rel=0.01)
    assert abs(last["energy_error"]) < 0.01
    assert abs(last["duration_error"]) < 0.01
    assert last["energy_inside"] is True
    assert last["expected"] == "100 epochs"


def test_emissions_of_a_forecast_are_its_energy_times_the_intensity() -> None:
    """The forecast's emissions have the run's own intensity and PUE."""
    run = _Script(expect=["epochs", 10.0])
    run.epochs(10)
    made = run.end()
    assert made.intensity_g_per_kwh is not None
    first = made.forecasts[0]
    expected_kg = first["energy_kwh"]["value"] * made.intensity_g_per_kwh.value / 1000.0
    assert first["emissions_kg"]["value"] == pytest.approx(expected_kg, rel=1e-4)


def test_a_total_on_the_span_is_enough() -> None:
    """`run.span("epoch", total=100)` needs no setting."""
    run = _Script()
    run.epochs(2, total=100.0)
    assert [line["units"] for line in run.fold.forecasts] == [1, 2]


def test_evaluations_with_a_total_are_awaited() -> None:
    """Five evaluations of 60 s among 20 epochs of 10 s: after the first, 500 s in all, although one in four came."""
    run, at_s = _Script(), 0.0
    for epoch in range(20):
        for name, length, total in (("epoch", 10, 20.0), ("evaluation", 60, 5.0)):
            if name == "evaluation" and epoch % 4 != 2:
                continue
            number = 2 * epoch + (name == "evaluation")
            run.emit({"k": "span", "s": at_s, "n": number, "open": True, "name": name, "total": total})
            for _ in range(length):
                at_s += 1.0
                run.tick(at_s)
            run.emit({"k": "span", "s": at_s, "n": number, "open": False})
            run.tick(at_s + 0.5)
            at_s += 0.5
            run.foresight.look()
    assert run.fold.progress is not None
    (told,) = run.fold.progress.told
    assert (told.total, len(told.spans)) == (5.0, 5)
    after_four = next(line for line in run.fold.forecasts if line["units"] == 4)
    assert after_four["duration_s"]["value"] == pytest.approx(512.5, rel=0.05)
    assert {name for name, _, _, _, _ in run.fold.spans} == {"epoch", "evaluation"}


def test_what_comes_once_is_not_the_unit() -> None:
    """`run.span("load", total=1)` before the epochs does not take their place."""
    run = _Script()
    run.emit({"k": "span", "s": 0.0, "n": 1000, "open": True, "name": "load", "total": 1.0})
    run.emit({"k": "span", "s": 0.0, "n": 1000, "open": False})
    run.epochs(2, total=100.0)
    assert run.fold.progress is not None
    assert str(run.fold.progress.expected) == "100 epochs"


def test_without_an_expectation_nothing_is_forecast() -> None:
    """Spans alone do not tell how many there will be."""
    run = _Script()
    run.epochs(5)
    assert run.end().forecasts == ()


def test_a_run_that_stops_early_is_not_scored() -> None:
    """Sixty of a hundred epochs: the forecast was of another run."""
    run = _Script(expect=["epochs", 100.0])
    run.epochs(60)
    assert {one["energy_error"] for one in run.end().forecasts} == {None}


def test_more_units_than_expected_are_warned_of_once() -> None:
    """Twelve epochs of ten: one line, and the run goes on."""
    run = _Script(expect=["epochs", 10.0])
    run.epochs(12)
    assert len(run.warned) == 1
    assert run.warned[0].startswith("expected 10 epochs, and more was done")
    assert run.warned[0] in run.end().warnings


def test_a_time_is_forecast_by_the_clock() -> None:
    """Of 1000 s, 100 W: at 1 % the whole is 100 kJ give or take, and the time is not scored, as it was given."""
    run = _Script(expect=["", 1000.0])
    run.epochs(100)
    first = run.end().forecasts[0]
    assert first["progress"] == pytest.approx(0.01)
    assert first["energy_kwh"]["value"] == pytest.approx(100_000.0 / 3.6e6, rel=0.02)
    assert (first["duration_error"], first["duration_inside"]) == (None, None)


def test_a_compacted_journal_goes_on_where_it_was() -> None:
    """The snapshot holds progress and forecasts."""
    run = _Script(expect=["epochs", 100.0])
    run.epochs(7)
    again = Fold()
    for line in json.loads(json.dumps(run.fold.dump())):
        again.apply(line)
    assert again.progress is not None and run.fold.progress is not None
    assert again.progress.points == run.fold.progress.points
    assert again.forecasts == run.fold.forecasts


def test_a_total_that_is_no_number_is_said_once_and_costs_nothing(
    own_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The spans are measured, there is no forecast, and one line names the value."""
    with sootprint.track("odd", zone="FR", period="50ms") as run:
        for _ in range(3):
            with run.span("epoch", total=-1):
                time.sleep(0.02)
            with run.span("epoch", total="ninety"):  # type: ignore[arg-type]
                time.sleep(0.02)
    assert run.footprint is not None
    assert len(run.footprint.spans) == 6
    assert run.footprint.forecasts == ()
    assert [record.message for record in caplog.records if "total=-1" in record.message] == [
        "span epoch: total=-1 is no number above 0; no forecast is made from it"
    ]


def test_units_that_never_come_are_missed_at_the_end(
    own_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A span of another name is no epoch, and one line says why there is no forecast."""
    with sootprint.track("other", zone="FR", period="50ms", expect_total="epochs=3") as run, run.span("step"):
        time.sleep(0.1)
    assert run.footprint is not None
    said = Expectation("epochs", 3.0).unheard
    assert said in run.footprint.warnings
    assert said in [record.message for record in caplog.records]


def test_units_of_the_last_moment_are_counted(own_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the run ends before the next look, its last units are seen with the last reading."""
    with sootprint.track("long", zone="FR", period="10s") as run:
        for _ in range(4):
            with run.span("epoch", total=2):
                time.sleep(0.02)
    assert run.footprint is not None
    assert any(said.startswith("expected 2 epochs, and more was done") for said in run.footprint.warnings)
