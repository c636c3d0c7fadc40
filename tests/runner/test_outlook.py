"""What a plan knows of the hours ahead: what a source gives, and our forecast from the past where it gives nothing."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sootprint import settings
from sootprint.core.protocols import Intensity
from sootprint.core.quantity import Factor
from sootprint.engines.book import Plan
from sootprint.intensity import chain
from sootprint.runner.driver import decided
from sootprint.runner.outlook import GIVEN, MOST_STEPS, OWN, Ahead, Outlook, joined, series

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=45, hours=9, minutes=20)


def year(days=65, *, swing=150.0, noise=4.0, seed=5):
    """A solar grid: clean at noon, by the hour."""
    hours = np.arange(24 * days)
    level = 20.0 * np.sin(hours / 190.0)
    noise_g = np.random.default_rng(seed).normal(0.0, noise, hours.size)
    return 300.0 + level - swing * np.cos(2 * np.pi * (hours - 13) / 24) + noise_g


def written(path: Path, values) -> Path:
    """Trace file of hours from START on."""
    rows = [f"{(START + timedelta(hours=at)).isoformat()},{value:.3f}\n" for at, value in enumerate(values)]
    path.write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
    return path


def plan(trace: Path | None = None, *, hours=24.0, **more) -> Plan:
    """A plan that is made NOW."""
    made = {
        "id": "p",
        "command": ("true",),
        "cwd": "/",
        "arguments": (),
        "expect_s": 4 * 3600.0,
        "zone": "FR",
    }
    deadline_s = NOW.timestamp() + hours * 3600.0
    return Plan(**made | more, deadline_s=deadline_s, trace=str(trace) if trace else None)


class Grid:
    """A source that answers for the past, and ahead only as far as it says."""

    def __init__(self, values, *, ahead_h=0):
        self.values, self.ahead_h, self.asked = values, ahead_h, []

    def between(self, zone, start, end):
        """Hours of the time asked for that are not after what it knows."""
        self.asked.append((start, end))
        last = NOW.replace(minute=0) + timedelta(hours=self.ahead_h)
        first = max(0, int((start - START) / timedelta(hours=1)))
        found = []
        for at in range(first, int((min(end, last) - START) / timedelta(hours=1) + 0.999)):
            begin = START + timedelta(hours=at)
            factor = Factor(
                kind="intensity", key=zone, value=float(self.values[at]), method="average", source="grid"
            )
            found.append(
                Intensity(
                    zone=zone, start=max(begin, start), end=min(begin + timedelta(hours=1), end), factor=factor,
                    step_s=3600.0,
                )
            )  # fmt: skip
        if not found:
            raise chain.IntensityError("grid has no forecast")
        return found


@pytest.fixture
def known(own_home, monkeypatch):
    """Settings with one source, which is replaced by what a test gives."""
    own_home.joinpath("sootprint.toml").write_text("")
    made = settings.load()
    grid = dataclasses.replace(settings.grid.Grid(), sources=("energy_charts",))

    def by(source):
        monkeypatch.setattr(chain, "source", lambda name, _: source)
        return dataclasses.replace(made, grid=grid)

    return by


def outlook(plan_, known_settings, said=None):
    """Outlook whose words are kept."""
    return Outlook(plan_, known_settings, (said if said is not None else []).append)


def test_without_a_forecast_of_the_source_ours_is_made_from_its_past(known):
    """A source that only knows the past: the hours ahead are forecast, with quantiles, near the truth."""
    values = year()
    found = outlook(plan(), known(Grid(values)), said := []).ahead(NOW.timestamp())
    first = int((NOW - START) / timedelta(hours=1))
    assert not said, said
    assert found.kind == OWN
    assert found.values.size >= 24
    truth = values[first : first + 24]
    assert np.abs(found.values[:24] - truth).mean() < 12.0
    low, high = found.quantile(0.05)[:24], found.quantile(0.95)[:24]
    assert ((truth >= low) & (truth <= high)).mean() > 0.7
    assert (high > low).all()


def test_nothing_of_the_hours_ahead_is_seen(known):
    """Strict availability: another future, which a source has not told yet, changes no figure."""
    values = year()
    first = int((NOW - START) / timedelta(hours=1))
    other = values.copy()
    other[first:] = 999.0
    one, two = (outlook(plan(), known(Grid(told))).ahead(NOW.timestamp()) for told in (values, other))
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.misses, two.misses)


def test_forecast_of_another_method_is_not_mixed_with_what_a_source_gives(known, monkeypatch):
    """Twelve hours of one kind and a past of another: what is given counts, and the rest is not made up from it."""
    from sootprint.planner import views

    values = year()
    made = outlook(plan(hours=30.0), known(Grid(values, ahead_h=12)))
    whole = views.of_past("FR", NOW, timedelta(hours=30), made._settings)
    other = whole._replace(method="average, direct", source="another")
    monkeypatch.setattr(views, "of_past", lambda *_, first, **__: other)
    found = made.ahead(NOW.timestamp())
    assert (found.kind, found.method, found.values.size) == (GIVEN, "average", 12)


def test_what_a_source_gives_counts_before_our_forecast(known):
    """Twelve hours are given for a window of thirty: these stand as they are, the rest is forecast."""
    values = year()
    found = outlook(plan(hours=30.0), known(Grid(values, ahead_h=12))).ahead(NOW.timestamp())
    first = int((NOW - START) / timedelta(hours=1))
    assert np.allclose(found.values[:12], values[first : first + 12])
    assert (found.misses[:, :12] == 0.0).all()
    assert np.abs(found.misses[:, 12:]).max() > 0.0
    assert found.values.size >= 29


def test_a_trace_that_ends_now_is_forecast_and_one_that_goes_on_is_taken(known, tmp_path):
    """The file of a grid until this hour is enough to plan with."""
    values = year()
    first = int((NOW - START) / timedelta(hours=1))
    whole = outlook(plan(written(tmp_path / "whole.csv", values)), known(Grid(values))).ahead(NOW.timestamp())
    ended = outlook(plan(written(tmp_path / "ended.csv", values[:first])), known(Grid(values)))
    assert whole.kind == GIVEN
    assert np.allclose(whole.values[:24], np.round(values[first : first + 24], 3))
    assert ended.ahead(NOW.timestamp()).kind == OWN


def test_forecasts_are_kept_in_the_plans_folder_and_asked_once_an_hour(known, own_home):
    """Looks within the hour ask nobody; the next hour asks again, and each answer is a line."""
    folder = own_home / "plans" / "p"
    folder.mkdir(parents=True)
    grid = Grid(year())
    made = outlook(plan(), dataclasses.replace(known(grid), home=own_home))
    for second in range(0, 3600, 60):
        assert made.ahead(NOW.timestamp() + second) is not None
    asked = len(grid.asked)
    assert asked <= 4
    made.ahead(NOW.timestamp() + 3601.0)
    assert asked < len(grid.asked) <= 2 * asked
    lines = [json.loads(line) for line in (folder / "outlook.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0]["kind"] == OWN
    assert len(lines[0]["low_g_per_kwh"]) == len(lines[0]["g_per_kwh"])


def test_steps_go_by_between_two_questions(known):
    """At the next hour the first step is the next one, forecast as before."""
    made = outlook(plan(), known(Grid(year())))
    now, later = made.ahead(NOW.timestamp()), made.ahead(NOW.timestamp() + 3000.0)
    assert later.index == now.index + 1
    assert np.array_equal(later.values, now.values[1:])
    assert joined(made._own, (), NOW.timestamp() + 90 * 3600.0) is None


@pytest.mark.parametrize("value", [None, 20.0])
def test_hour_without_a_figure_is_no_clean_one(value):
    """What a source names and cannot tell counts as the worst of what it tells, and replaces no forecast of ours."""
    start_s = START.timestamp()
    steps = [
        Intensity(
            zone="FR",
            start=START + timedelta(hours=at),
            end=START + timedelta(hours=at + 1),
            factor=Factor(kind="intensity", key="FR", value=grams, unit="gCO2e/kWh"),
        )
        for at, grams in enumerate((300.0, value, 100.0))
    ]
    seen = series(steps, start_s, start_s + 3 * 3600.0)
    assert list(seen.values) == [300.0, 300.0 if value is None else value, 100.0]
    ours = Ahead(values=np.full(3, 250.0), step_s=3600.0, index=seen.index, source="ours", method="lifecycle")
    told = joined(ours, steps, start_s)
    assert list(told.values) == [300.0, 250.0 if value is None else value, 100.0]
    assert series(steps[1:2], start_s + 3600.0, start_s + 7200.0) is None or value is not None


def test_nobody_knows_anything(known):
    """No past, no hours ahead: one line, once."""
    said: list[str] = []
    made = outlook(plan(), known(Grid(year(), ahead_h=-24 * 60)), said)
    assert made.ahead(NOW.timestamp()) is None
    assert made.ahead(NOW.timestamp() + 4000.0) is None
    assert len(said) == 1


def test_a_job_waits_only_where_the_saving_clears_its_error_bar():
    """The same best guess: sure, it waits; as likely to be worse, it runs at once."""
    values = np.array([300.0] * 6 + [280.0] * 30)
    errors = np.random.default_rng(1).normal(0.0, 1.0, (60, 36))
    for spread, goes in ((0.0, False), (2.0, False), (400.0, True)):
        ahead = Ahead(
            values=values, step_s=3600.0, index=0, source="", misses=spread * (errors - errors.mean(axis=0))
        )
        if spread == 400.0:  # days in which the later hours were dirtier
            ahead = dataclasses.replace(ahead, misses=ahead.misses + 50.0 * (np.arange(36) >= 6))
        given = plan(hours=36.0)
        assert decided(given, ahead, 4 * 3600.0, 36 * 3600.0, running=None) is goes


def test_fine_steps_of_a_long_window_are_taken_together(known, tmp_path):
    """A plan takes the square of its steps: a week of minutes is planned in steps of some minutes, with their means."""
    first = NOW.replace(minute=0)
    rows = [f"{(first + timedelta(minutes=at)).isoformat()},{100 + at % 7}\n" for at in range(8 * 1440)]
    (tmp_path / "fine.csv").write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
    made = outlook(plan(tmp_path / "fine.csv", hours=7 * 24.0), known(Grid(year())))
    found = made.ahead(NOW.timestamp())
    assert found.values.size <= MOST_STEPS
    assert found.step_s == 240.0
    assert found.index == NOW.timestamp() // 240.0
    assert found.values[0] == pytest.approx(np.mean([100 + at % 7 for at in range(20, 24)]))


def test_an_expired_key_is_one_line_and_the_job_does_not_wait(known):
    """The provider refuses each question: it is asked again after minutes, not at each look, and said once."""
    asked: list[datetime] = []

    class Refused:
        def between(self, zone, start, end):
            asked.append(start)
            raise chain.IntensityError("energy_charts refused the key (401): it has expired; state a new one")

    said: list[str] = []
    made = outlook(plan(), known(Refused()), said)
    assert all(made.ahead(NOW.timestamp() + second) is None for second in range(0, 600, 10))
    assert len(said) == 1
    assert "401" in said[0]
    assert len(asked) <= 6


def test_a_fault_of_a_source_ends_no_plan(known):
    """What nobody has foreseen in an answer is one line, and what was told before still counts."""
    source, said = Grid(year(), ahead_h=30), []
    made = outlook(plan(), known(source), said)
    first = made.ahead(NOW.timestamp())
    source.between = lambda *_: {}["co2eq"]
    later = made.ahead(NOW.timestamp() + 3700.0)
    assert np.array_equal(later.values, first.values[1:])
    assert said == ["no forecast of the grid: KeyError: 'co2eq'"]


def test_a_trace_with_holes_is_planned_around_them(known, tmp_path):
    """A step without a figure counts as the dirtiest: nothing speaks for running in it."""
    values = [f"{value:.3f}" for value in year()]
    first = int((NOW - START) / timedelta(hours=1))
    values[first + 3] = ""
    rows = [f"{(START + timedelta(hours=at)).isoformat()},{value}\n" for at, value in enumerate(values)]
    (tmp_path / "holes.csv").write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
    found = outlook(plan(tmp_path / "holes.csv"), known(Grid(year()))).ahead(NOW.timestamp())
    assert found.kind == GIVEN
    assert found.values[3] == found.values.max()
