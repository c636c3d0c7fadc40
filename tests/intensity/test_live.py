"""Sources over the network, against a real server on loopback: faults, patience, cache, gaps and late figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.fixtures import grid_server
from tests.fixtures.grid_server import AnswerError, truth

from sootprint.core.errors import IntensityError

DAY = datetime(2023, 1, 1, tzinfo=UTC)
NOON = DAY.replace(hour=12)


def asked_for(source, start=DAY, end=NOON):
    """Error line of a source that must refuse."""
    with pytest.raises(IntensityError) as caught:
        source.between("DE", start, end)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert "http" not in line
    return line


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "refuses the key"),
        (403, "refuses this zone"),
        (404, "does not know the zone"),
        (418, "does not accept the question (418)"),
        (302, "does not accept the question (302)"),
    ],
)
def test_refusal_is_one_line_and_is_not_repeated(grid, source, status, words):
    """A refusal will not pass by itself, so it is asked once."""
    grid.faults = [AnswerError(status, Location="http://127.0.0.1:9/elsewhere")]
    assert words in asked_for(source("energy_charts"))
    assert len(grid.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [AnswerError(500), AnswerError(503), grid_server.half_closed, grid_server.no_answer],
    ids=["500", "503", "half-closed", "closed"],
)
def test_passing_fault_is_asked_again(grid, source, fault):
    """A server that stumbles twice still answers."""
    grid.faults = [fault, fault]
    assert len(source("energy_charts", limit_s=5.0).between("DE", DAY, NOON)) == 48
    assert len(grid.asked) == 3
    assert grid.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (AnswerError(500), "has a fault of its own (500)"),
        (grid_server.half_closed, "breaks off in the middle"),
        (grid_server.no_answer, "cannot be"),
    ],
)
def test_lasting_fault_is_given_up(grid, source, fault, words):
    """After three attempts the fault is told in one line."""
    grid.faults = [fault] * 5
    assert words in asked_for(source("energy_charts", limit_s=5.0))
    assert len(grid.asked) == 3


@pytest.mark.parametrize("fault", [grid_server.silent, grid_server.dripping])
def test_slow_server_is_left_after_the_limit(grid, source, fault):
    """A server that says nothing, or a byte now and then, holds nobody for ever."""
    grid.faults = [fault] * 5
    assert "does not answer in time" in asked_for(source("energy_charts", limit_s=1.0))


def test_nobody_at_the_address_is_one_line(grid, source):
    """A connection that is refused names the reason and no address."""
    grid.address = "http://127.0.0.1:1"
    assert "cannot be reached" in asked_for(source("energy_charts"))


def test_short_retry_after_is_waited_for(grid, source):
    """A provider that asks for a moment gets it."""
    grid.faults = [AnswerError(429, Retry_After="1")]
    assert source("energy_charts", limit_s=5.0).between("DE", DAY, NOON)
    assert grid.slept == [1.0]


@pytest.mark.parametrize("after", ["600", "Mon, 02 Jan 2023 06:20:00 GMT"])
def test_long_retry_after_is_kept_by_every_process(grid, source, after):
    """A provider that asks for ten minutes is not asked by anybody of this user until then."""
    grid.faults = [AnswerError(429, Retry_After=after)]
    assert "asked too often (429): it asks to wait 600 s" in asked_for(source("energy_charts"))
    assert "asked not to be asked for another 600 s" in asked_for(source("energy_charts"))
    assert len(grid.asked) == 1
    grid.now += timedelta(minutes=11)
    assert source("energy_charts").between("DE", DAY, NOON)


@pytest.mark.parametrize(
    ("bent", "words"),
    [
        (lambda answer: {**answer, "co2eq": answer["co2eq"][:-1]}, "48 times, 47 figures"),
        (lambda answer: {**answer, "co2eq": [401_000.0] * len(answer["co2eq"])}, "its unit is another one"),
        (lambda answer: {**answer, "co2eq": [-1.0] * len(answer["co2eq"])}, "-1 is not from 0 to 3000"),
        (lambda answer: {**answer, "co2eq": [10**400] * len(answer["co2eq"])}, "inf is not from 0 to 3000"),
        (lambda answer: {**answer, "co2eq": ["many"] * len(answer["co2eq"])}, "is no number"),
        (lambda answer: {**answer, "co2eq": [True] * len(answer["co2eq"])}, "is no number"),
        (lambda answer: {**answer, "unix_seconds": ["soon"] * 48}, "is no time in seconds"),
        (lambda answer: {"error": "no"}, "without unix_seconds"),
        (lambda answer: [], "without unix_seconds"),
        (lambda answer: {**answer, "co2eq": [None] * 48}, "has no figure for DE"),
    ],
)
def test_answer_that_cannot_be_right_is_refused(grid, source, bent, words):
    """Wrong units, lengths and kinds end in one line, and nothing of them is kept."""
    grid.bend = bent
    assert words in asked_for(source("energy_charts"))
    grid.bend = lambda answer: answer
    if "no figure" not in words:
        assert len(source("energy_charts").between("DE", DAY, NOON)) == 48


def test_answer_that_is_no_json_is_refused(grid, source):
    """A proxy's page with status 200 is no answer."""
    grid.faults = [AnswerError(200, b"<html>login</html>")]
    assert "no JSON (18 bytes)" in asked_for(source("energy_charts"))


def test_answer_without_end_is_cut_off(grid, source, monkeypatch):
    """More than the largest sensible answer is not read."""
    monkeypatch.setattr("sootprint.intensity.fetch.MOST_BYTES", 1 << 20)
    grid.faults = [AnswerError(200, b" " * (3 << 20))]
    assert "answers more than 1 MiB" in asked_for(source("energy_charts"))


def test_null_is_a_gap_and_never_zero(grid, source):
    """Quarters without a figure are left out; the others stay."""

    def with_hole(answer):
        values = [None if 8 <= place < 12 else value for place, value in enumerate(answer["co2eq"])]
        return {**answer, "co2eq": values, "co2eq_forecast": [None] * len(values)}

    grid.bend = with_hole
    found = source("energy_charts").between("DE", DAY, NOON)
    assert len(found) == 44
    assert {one.start.hour for one in found} == set(range(12)) - {2}
    assert all(one.factor.value > 0.0 for one in found)


def test_duplicates_count_once_and_the_measured_before_the_forecast(grid, source):
    """Each instant counts once, whatever the order of an answer is."""

    def doubled(answer):
        turned = {name: values[::-1] for name, values in answer.items() if isinstance(values, list)}
        again = {
            "unix_seconds": answer["unix_seconds"],
            "co2eq": [None] * 48,
            "co2eq_forecast": [999.0] * 48,
        }
        return {name: turned[name] + again[name] for name in turned}

    grid.bend = doubled
    found = source("energy_charts").between("DE", DAY, NOON)
    assert [one.start for one in found] == sorted({one.start for one in found})
    assert [one.factor.value for one in found] == [truth(one.start) for one in found]


def test_late_figures_replace_forecasts_and_settled_ones_stay(grid, source):
    """Recent hours are asked again and become measured; settled ones never are asked again."""
    start, end = grid_server.NOW.replace(hour=0, minute=0), grid_server.NOW.replace(hour=8, minute=0)
    first = source("energy_charts").between("DE", start, end)
    assert {one.start.hour for one in first if one.forecast} >= {6, 7}
    assert source("energy_charts").between("DE", start, end) == first
    assert len(grid.asked) == 1  # fresh
    grid.now += timedelta(hours=6)
    later = source("energy_charts").between("DE", start, end)
    assert not any(one.forecast for one in later)
    assert len(grid.asked) == 2
    grid.now += timedelta(days=4)
    source("energy_charts").between("DE", start, end)
    assert len(grid.asked) == 3
    grid.now += timedelta(days=30)
    source("energy_charts").between("DE", start, end)
    assert len(grid.asked) == 3


def test_gap_that_opens_later_keeps_what_was_measured(grid, source):
    """A provider that withdraws a figure for a while does not make it unknown."""
    end = DAY.replace(hour=2)
    source("energy_charts").between("DE", DAY, end)
    grid.bend = lambda answer: {**answer, "co2eq": [None, *answer["co2eq"][1:]]}
    grid.now += timedelta(hours=1)
    assert source("energy_charts").between("DE", DAY, end)[0].factor.value == truth(DAY)


def test_provider_that_fails_is_answered_from_before_with_a_warning(grid, source):
    """What was said an hour ago counts while the provider is down, and each piece says so."""
    start, end = grid_server.NOW.replace(hour=0, minute=0), grid_server.NOW.replace(hour=4, minute=0)
    before = source("energy_charts").between("DE", start, end)
    grid.now += timedelta(hours=1)
    grid.faults = [AnswerError(500)] * 3
    found = source("energy_charts", limit_s=5.0).between("DE", start, end)
    assert [one.factor for one in found] == [one.factor for one in before]
    assert "what it said before counts" in found[0].warnings[0]


@pytest.mark.parametrize("day", [datetime(2022, 3, 27, tzinfo=UTC), datetime(2022, 10, 30, tzinfo=UTC)])
def test_days_of_daylight_saving_have_24_hours(grid, source, day):
    """Days are of UTC, so that no hour is missing in spring and none doubled in autumn."""
    found = source("energy_charts").between("DE", day, day + timedelta(days=1))
    assert len(found) == 96
    assert found[-1].end - found[0].start == timedelta(days=1)


def test_long_time_is_asked_in_windows_and_days_are_kept(grid, source):
    """Forty days are two questions, and a part of them none."""
    start = DAY - timedelta(days=40)
    found = source("energy_charts").between("DE", start, DAY)
    assert len(grid.asked) == 2
    assert len(found) == 40 * 96
    source("energy_charts").between("DE", start + timedelta(days=3), start + timedelta(days=5))
    assert len(grid.asked) == 2


def test_bounds_widen_for_a_forecast(grid, source):
    """A forecast is less certain than a measured figure, which is never closer than a tenth."""
    start, end = grid_server.NOW.replace(hour=4, minute=0), grid_server.NOW.replace(hour=8, minute=0)
    found = source("energy_charts").between("DE", start, end)
    ratios = {one.forecast: one.factor.high / one.factor.value for one in found}
    assert 1.1 <= ratios[False] < ratios[True]
