"""The commands plan and backtest: what they print, what they refuse, and figures that anyone can count again."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.fixtures import grid_server
from tests.fixtures.steps import within_step

import sootprint
from sootprint import InputError

START = datetime(2026, 1, 1, tzinfo=UTC)


def write_trace(path, values, *, start=START, step=timedelta(hours=1)):
    """A trace file with a figure for each step; a hole where the figure is None."""
    rows = [
        f"{(start + number * step).isoformat()},{'' if value is None else round(float(value), 3)}"
        for number, value in enumerate(values)
    ]
    path.write_text("\n".join(["timestamp_utc,ci_gco2e_kwh", *rows, ""]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def year():
    """Ninety-five days with a course of the day and noise that lasts."""
    rng = np.random.default_rng(1)
    noise = np.convolve(rng.normal(0.0, 30.0, 95 * 24 + 11), np.ones(12) / 3.5, mode="valid")
    return 300.0 + 70.0 * np.sin(2 * np.pi * np.arange(95 * 24) / 24) + noise


@pytest.fixture
def day(tmp_path):
    """A day with its cleanest hours from 5 to 7, and a clean one at 10."""
    values = [300, 310, 320, 310, 300, 120, 110, 330, 320, 310, 100, 320] + [340] * 12
    return write_trace(tmp_path / "DE.csv", values)


def test_the_cleanest_hours_of_a_trace_are_chosen(call, day):
    """Two hours start at 5; three with pauses take 5, 6 and 10, and emissions are power times intensity."""
    asked = ("plan", "--expect", "2h", "--deadline", "12h", "--trace", day, "--at", "2026-01-01T00:00Z")
    made = json.loads(call(*asked, "--power-w", 2000, "--json").stdout)
    assert made["run_now_kg"] == pytest.approx(2.0 * (0.300 + 0.310))
    [option] = made["options"]
    assert (option["kind"], option["zone"], option["delay_s"]) == ("start", "DE", 5 * 3600.0)
    assert option["hours"] == ["2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z"]
    assert (option["start"], option["end"]) == ("2026-01-01T05:00:00Z", "2026-01-01T07:00:00Z")
    assert option["emissions_kg"]["value"] == pytest.approx(2.0 * (0.120 + 0.110))
    assert option["saving_share"]["value"] == pytest.approx(1.0 - 230.0 / 610.0)
    assert made["chosen"] == option
    asked = ("plan", "--expect", "3h", "--deadline", "12h", "--trace", day, "--at", "2026-01-01T00:00Z")
    made = json.loads(call(*asked, "--pausable", "--power-w", 2000, "--json").stdout)
    assert made["chosen"]["kind"] == "pause"
    assert [hour[11:13] for hour in made["chosen"]["hours"]] == ["05", "06", "10"]


def test_resume_cost_and_idle_power_can_make_a_pause_not_worth_it(call, day):
    """With two hours of work a resume and a held node, the third hour follows at once."""
    asked = ("plan", "--expect", "3h", "--deadline", "12h", "--trace", day, "--at", "2026-01-01T00:00Z")
    costly = ("--pausable", "--power-w", 1000, "--resume-cost", "2h", "--idle-w", 300, "--json")
    made = json.loads(call(*asked, *costly).stdout)
    assert [hour[11:13] for hour in made["chosen"]["hours"]] == ["04", "05", "06"]


def test_place_is_weighed_with_the_transfer(call, tmp_path):
    """A clean zone wins, and does not where moving the data takes more than the job."""
    dirty, clean = write_trace(tmp_path / "a.csv", [400] * 24), write_trace(tmp_path / "b.csv", [50] * 24)
    traces = ("--trace", f"DE={dirty}", "--trace", f"FR={clean}")
    asked = ("plan", "--expect", "2h", "--deadline", "4h", *traces, "--at", START.isoformat(), "--json")
    made = json.loads(call(*asked).stdout)
    assert (made["chosen"]["kind"], made["chosen"]["zone"]) == ("place", "FR")
    assert made["power_stated"] is False
    assert made["run_now_kg"] == pytest.approx(0.8)  # two hours of one kilowatt
    moved = json.loads(call(*asked, "--transfer-kwh", 4).stdout)
    assert moved["chosen"]["zone"] == "DE"
    place = next(option for option in moved["options"] if option["kind"] == "place")
    assert place["emissions_kg"]["value"] == pytest.approx(0.1 + 4 * 0.225)


def test_workers_do_the_work_in_the_cleanest_hours(call, day):
    """Two workers do two hours of work in the hours 5, 6 and 10, the second adding 95 %."""
    asked = ("plan", "--expect", "2h", "--deadline", "12h", "--trace", day, "--at", START.isoformat())
    made = json.loads(call(*asked, "--max-workers", 2, "--json").stdout)
    elastic = next(option for option in made["options"] if option["kind"] == "elastic")
    assert sum(elastic["workers"]) == pytest.approx(1.0 + 1.0 + 0.0, abs=0.06)
    assert elastic["emissions_kg"]["value"] < 0.23


def test_a_forecast_gives_a_range_and_uses_the_past_only(call, tmp_path, year):
    """With a forecaster, what the file has of the window changes nothing, and each saving has an interval."""
    other = year.copy()
    other[90 * 24 :] = 5.0
    plans = []
    for name, values in (("a", year), ("b", other)):
        trace = write_trace(tmp_path / f"{name}.csv", values)
        at = (START + timedelta(days=90)).isoformat()
        asked = ("plan", "--expect", "6h", "--deadline", "24h", "--trace", f"DE={trace}", "--at", at)
        made = json.loads(call(*asked, "--pausable", "--forecaster", "blend", "--json").stdout)
        plans.append(
            [(option["kind"], option["hours"], option["emissions_kg"]) for option in made["options"]]
        )
        for option in made["options"]:
            saving = option["saving_share"]
            assert saving["low"] <= saving["value"] <= saving["high"]
    assert plans[0] == plans[1]


def test_where_nothing_is_to_be_gained_the_job_runs_now(call, tmp_path):
    """On noise that no past foretells, no plan clears its error bar: the text says so, and names the method."""
    noise = 500.0 + np.random.default_rng(8).normal(0.0, 10.0, 80 * 24)
    trace = write_trace(tmp_path / "XX.csv", noise)
    at = (START + timedelta(days=79)).isoformat()
    found = call(
        "plan", "--expect", "22h", "--deadline", "24h", "--trace", trace, "--at", at, "--forecaster", "blend"
    )
    assert "no measurable saving" in found.stdout
    assert "average, life-cycle, location-based" in found.stdout
    assert "not avoided on the grid" in " ".join(found.stdout.split())


def test_another_zone_is_chosen_only_where_it_is_better_by_more_than_a_little(call, tmp_path):
    """1 % cleaner is no reason to move, 10 % is; figures of other methods cannot be ranked at all."""
    for share, zone in ((0.99, "DE"), (0.9, "FR")):
        files = (
            write_trace(tmp_path / "DE.csv", [300] * 24),
            write_trace(tmp_path / "FR.csv", [300 * share] * 24),
        )
        asked = ("plan", "--expect", "2h", "--deadline", "8h", "--at", START.isoformat(), "--json")
        made = json.loads(call(*asked, *(word for file in files for word in ("--trace", file))).stdout)
        assert made["chosen"]["zone"] == zone


def test_a_price_trace_gives_the_cost(call, day, tmp_path):
    """Two kilowatts for two hours at 10 and 20 cents cost 60 cents."""
    price = tmp_path / "price.csv"
    rows = [f"2026-01-01T{hour:02}:00Z,{0.1 if hour < 6 else 0.2}" for hour in range(24)]
    price.write_text("\n".join(["timestamp_utc,price_per_kwh", *rows]), encoding="utf-8")
    asked = ("plan", "--expect", "2h", "--deadline", "12h", "--trace", day, "--at", START.isoformat())
    euro = ("--price", price, "--currency", "EUR")
    made = json.loads(call(*asked, "--power-w", 2000, *euro, "--json").stdout)
    assert made["chosen"]["cost"] == pytest.approx(0.6)
    assert made["currency"] == "EUR"
    assert "EUR" in call(*asked, *euro).stdout
    unnamed = json.loads(call(*asked, "--price", price, "--json").stdout)
    assert unnamed["chosen"]["cost"] is None
    assert "nothing names the currency of" in unnamed["notes"][-1]
    wrong = call(*asked, "--price", price, "--currency", "euro")
    assert (wrong.exit_code, "e.g. EUR" in wrong.stderr) == (2, True)
    price.write_text("\n".join(["timestamp_utc,price_per_kwh", *rows[:5]]), encoding="utf-8")
    found = call(*asked, *euro)
    assert found.exit_code == 2
    assert "no price at 2026-01-01T05:00:00+00:00" in found.stderr


def test_a_picture_is_drawn(call, day, tmp_path):
    """The chart names the zone, its unit and the chosen hours."""
    pytest.importorskip("altair")
    chart = tmp_path / "plan.svg"
    asked = ("plan", "--expect", "2h", "--deadline", "12h", "--trace", day, "--at", START.isoformat())
    assert call(*asked, "--chart", chart).exit_code == 0
    assert "DE [gCO₂e/kWh]" in chart.read_text(encoding="utf-8")
    assert "Chosen: 2 steps in DE from 2026-01-01 05:00" in chart.read_text(encoding="utf-8")


def test_a_configured_source_is_asked_for_the_hours_ahead(call, own_home):
    """Without a trace the plan is made on what the configured provider says of the next day."""
    with grid_server.serving() as (known, address):
        within_step()
        known.now = datetime.now(UTC)
        stated = (
            f'[grid]\nsources = ["energy_charts"]\nlimit = "2s"\n[grid.energy_charts]\nurl = "{address}"\n'
        )
        own_home.joinpath("sootprint.toml").write_text(stated, encoding="utf-8")
        made = json.loads(
            call("plan", "--expect", "2h", "--deadline", "8h", "--zones", "DE", "--json").stdout
        )
        assert len(known.asked) > 0
    assert made["intensity"]["DE"]["kind"] != "annual mean"
    assert made["chosen"]["zone"] == "DE"


def test_a_source_that_does_not_answer_is_named_and_the_plan_is_made(call, own_home, monkeypatch):
    """With a key that the provider refuses, one line says so, and the annual tables stand in."""
    with grid_server.serving() as (known, address):
        within_step()
        known.now = datetime.now(UTC)
        monkeypatch.setenv("ELECTRICITYMAPS_API_KEY", "old-secret")
        stated = f'[grid]\nsources = ["electricitymaps"]\n[grid.electricitymaps]\nurl = "{address}"\n'
        own_home.joinpath("sootprint.toml").write_text(stated, encoding="utf-8")
        found = call("plan", "--expect", "2h", "--deadline", "8h", "--zones", "DE", "--json")
    made = json.loads(found.stdout)
    assert found.exit_code == 0
    assert made["intensity"]["DE"]["kind"] == "annual mean"
    assert any("key" in note and "DE: " in note for note in made["notes"])
    assert "old-secret" not in found.stdout


def test_without_hours_only_place_can_save(call):
    """The annual tables know no hours: the plan says so and compares places."""
    made = json.loads(
        call("plan", "--expect", "6h", "--deadline", "24h", "--zones", "DE,FR", "--json").stdout
    )
    assert (made["chosen"]["kind"], made["chosen"]["zone"]) == ("place", "FR")
    assert any("only an annual mean is known" in note for note in made["notes"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--expect", "6h", "--deadline", "5h", "--zones", "DE"),
            "deadline is in 5 h, before a job of 6 h can end",
        ),
        (("--expect", "6h", "--deadline", "9h", "--zones", "XQ"), "zone 'XQ' is in no table"),
        (("--expect", "6h", "--deadline", "9h", "--trace", "none.csv"), "none.csv is no file"),
        (("--expect", "soon", "--deadline", "9h", "--zones", "DE"), "--expect"),
        (
            ("--expect", "6h", "--deadline", "9h", "--zones", "DE", "--idle-w", "50"),
            "idle power is stated without",
        ),
        (("--expect", "6h", "--deadline", "9h", "--zones", "DE", "--max-workers", "99"), "not from 1 to 16"),
        (
            ("--expect", "6h", "--deadline", "9h", "--zones", "DE", "--pue", "0"),
            "the PUE of DE is 0: it is facility energy over IT energy, between 1 and 10",
        ),
        (("--expect", "6h", "--deadline", "9h", "--zones", "DE", "--currency", "EUR"), "that of prices"),
        (
            ("--expect", "200d", "--deadline", "400d", "--zones", "DE", "--pausable"),
            "9,600 steps of 1 h: pauses and workers are planned in up to 3,000",
        ),
    ],
)
def test_a_plan_that_cannot_be_made_is_refused_in_one_line(call, arguments, words):
    """The line names the value and the rule, and the exit code is 2."""
    found = call("plan", *arguments)
    assert found.exit_code == 2
    assert words in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([300] * 5 + [None] + [300] * 20, "hole at 2026-01-01 05:00 UTC (1 of 12 steps"),
        ([0.3] * 24, "which no grid has in gCO2e/kWh"),
        ([5000] * 24, "is not from 0 to 3000"),
        ([300] * 5, "too few for a forecast"),
    ],
    ids=["hole", "kilograms", "too high", "too short"],
)
def test_a_trace_that_does_not_fit_is_refused_in_one_line(call, tmp_path, values, words):
    """A hole in the window, a wrong unit and too short a file are named."""
    trace = write_trace(tmp_path / "DE.csv", values)
    found = call("plan", "--expect", "2h", "--deadline", "12h", "--trace", trace, "--at", START.isoformat())
    assert found.exit_code == 2
    assert words in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


def test_steps_that_are_no_part_of_an_hour_are_refused(call, tmp_path):
    """Days and three-hour steps tell nothing about hours; quarters of an hour are averaged to hours."""
    for step in (timedelta(days=1), timedelta(hours=3)):
        found = call("backtest", "--trace", write_trace(tmp_path / "s.csv", [300] * 99, step=step))
        assert (found.exit_code, "do not divide an hour" in found.stderr) == (2, True)
    quarters = write_trace(tmp_path / "DE.csv", [100, 200, 300, 400] * 6, step=timedelta(minutes=15))
    asked = ("plan", "--expect", "1h", "--deadline", "3h", "--trace", quarters, "--at", START.isoformat())
    made = json.loads(call(*asked, "--json").stdout)
    assert made["intensity"]["DE"]["expected_g_per_kwh"] == [250.0, 250.0, 250.0]


def test_anyone_can_count_a_backtest_again(call, tmp_path, year):
    """From the trace and the CSV of plans alone the savings are those of the JSON; each job is whole and in time."""
    trace, plans = write_trace(tmp_path / "YY.csv", year), tmp_path / "plans.csv"
    asked = (
        "backtest",
        "--trace",
        trace,
        "--expect",
        "6h",
        "--slack",
        "12h",
        "--every",
        "7h",
        "--plans",
        plans,
    )
    found = json.loads(call(*asked, "--json").stdout)
    truth = dict(zip((START + timedelta(hours=n) for n in range(year.size)), np.round(year, 3), strict=True))
    steps = defaultdict(list)
    for row in csv.DictReader(plans.read_text(encoding="utf-8").splitlines()):
        key = row["zone"], row["policy"], datetime.fromisoformat(row["arrival_utc"])
        steps[key].append(datetime.fromisoformat(row["step_utc"]))
    now = then = best = 0.0
    for (zone, policy, arrival), listed in steps.items():
        assert zone == "YY"
        assert arrival >= START + timedelta(days=60)
        assert len(set(listed)) == 6
        assert arrival <= min(listed) <= max(listed) < arrival + timedelta(hours=18)
        if policy == "pause":
            now += sum(truth[arrival + timedelta(hours=n)] for n in range(6))
            then += sum(truth[step] for step in listed)
            best += sum(sorted(truth[arrival + timedelta(hours=n)] for n in range(18))[:6])
    [grid] = found["grids"]
    assert grid["jobs"] == len(steps) / 2
    assert grid["pause"]["saving_vs_now"] == pytest.approx(1.0 - then / now)
    assert grid["pause"]["share_of_oracle"] == pytest.approx((now - then) / (now - best))
    assert set(grid["start"]) >= {"saving_vs_now", "share_of_oracle", "worse_than_now"}
    assert found["mean"]["start"]["saving_vs_now"] == grid["start"]["saving_vs_now"]


SACCT = """JobID|Start|Elapsed|State|ConsumedEnergyRaw
7|2026-03-05T10:20:00|06:00:00|COMPLETED|36000000
7.batch|2026-03-05T10:20:00|06:00:00|COMPLETED|36000000
8|2026-03-06T00:00:00|1-00:30:00|TIMEOUT|
8.0|2026-03-06T00:00:00|1-00:30:00|COMPLETED|90000000
9|Unknown|00:00:00|PENDING|
10|2026-01-03T00:00:00|02:00:00|COMPLETED|1000
"""


@pytest.mark.parametrize("form", ["pipe", "columns", "csv"])
def test_a_job_log_is_read_as_slurm_prints_it(call, tmp_path, year, form):
    """Two of four jobs count, weighted by their energy; the others are named, and kg are those of the log's energy."""
    trace, log = write_trace(tmp_path / "YY.csv", year), tmp_path / "jobs.txt"
    text = SACCT
    if form == "csv":
        text = "\n".join(
            line for line in SACCT.replace("|", ",").splitlines() if "." not in line.split(",")[0]
        )
        text = text.replace("TIMEOUT,", "TIMEOUT,90000000")
    if form == "columns":
        rows = [line.split("|") for line in SACCT.splitlines()]
        rows.insert(1, ["-" * 19] * 5)
        text = "\n".join(" ".join(f"{cell:>19}" for cell in row) for row in rows)
    log.write_text(text, encoding="utf-8")
    found = json.loads(call("backtest", "--trace", trace, "--jobs", log, "--slack", "12h", "--json").stdout)
    [grid] = found["grids"]
    assert grid["jobs"] == 2
    assert grid["left_out"] == {"not finished": 1, "before day 60 of the trace": 1}
    values = np.round(year, 3)
    first = (datetime(2026, 3, 5, 10, tzinfo=UTC) - START) // timedelta(hours=1)
    second = (datetime(2026, 3, 6, tzinfo=UTC) - START) // timedelta(hours=1)
    expected = 10.0 / 6 * values[first : first + 6].sum() + 25.0 / 25 * values[second : second + 25].sum()
    assert grid["emissions_kg"]["now"] == pytest.approx(expected / 1000.0)
    assert "kg run at once" in call("backtest", "--trace", trace, "--jobs", log, "--slack", "12h").stdout


def test_a_job_log_of_local_times_is_read_in_its_zone(call, tmp_path, year):
    """Without one they are taken for UTC, which one line says; with one each job moves, and nothing is said."""
    trace, log = write_trace(tmp_path / "YY.csv", year), tmp_path / "jobs.txt"
    log.write_text(SACCT, encoding="utf-8")
    words = ("backtest", "--trace", trace, "--jobs", log, "--slack", "12h", "--json")
    plain, stated = call(*words), call(*words, "--timezone", "Asia/Tokyo")
    assert plain.stderr.count("3 jobs have times without a zone, taken for UTC") == 1
    assert stated.stderr == ""
    values = np.round(year, 3)
    first = (datetime(2026, 3, 5, 1, tzinfo=UTC) - START) // timedelta(hours=1)
    second = (datetime(2026, 3, 5, 15, tzinfo=UTC) - START) // timedelta(hours=1)
    expected = 10.0 / 6 * values[first : first + 6].sum() + values[second : second + 25].sum()
    [grid] = json.loads(stated.stdout)["grids"]
    assert grid["emissions_kg"]["now"] == pytest.approx(expected / 1000.0)
    assert call(*words, "--timezone", "Tokyo").exit_code == 2


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("start,hours\n2026-03-05,nan\n", "line 2: 'nan' is no time that a job ran"),
        ("start,hours\n2026-03-05,1e300\n", "line 2: '1e300' is no time that a job ran"),
        ("start,hours\n0001-01-01T00:00+05:00,3\n", "line 2: '0001-01-01T00:00+05:00' is no time"),
        ("start,hours,note\n2026-03-05,3," + "x" * 200_000 + "\n", "is no CSV"),
        ("JobID,State\n1,COMPLETED\n", "needs the columns start"),
        ("start,hours\nyesterday,3\n", "line 2: 'yesterday' is no time"),
        ("start,hours\n2026-03-05,long\n", "'long' is not a number"),
        ("start,hours\n2020-03-05,3\n", "no job can be tried on YY (1 before day 60"),
        ("", "is empty"),
    ],
)
def test_a_job_log_that_cannot_be_read_is_refused(call, tmp_path, year, log, words):
    """The line names the file, the row and what is wrong."""
    trace, path = write_trace(tmp_path / "YY.csv", year), tmp_path / "jobs.csv"
    path.write_text(log, encoding="utf-8")
    found = call("backtest", "--trace", trace, "--jobs", path)
    assert found.exit_code == 2
    assert words in found.stderr


def test_tables_of_hours_stand_whole_on_a_narrow_terminal(call, tmp_path, monkeypatch):
    """At 80 columns nothing is cut off: a plan names both ends and its interval, a backtest has a row for each way."""
    monkeypatch.setenv("COLUMNS", "80")
    hours = [300 + 100 * np.cos(2 * np.pi * hour / 24) + hour % 7 for hour in range(62 * 24)]
    trace = write_trace(tmp_path / "US-CAL-CISO.csv", hours)
    asked = ("--expect", "6h", "--trace", trace)
    at = (START + timedelta(days=61)).isoformat()
    plan = call(
        "plan", *asked, "--deadline", "24h", "--at", at, "--forecaster", "hour-of-week", "--pausable"
    ).stdout
    tried = call("backtest", *asked, "--slack", "12h", "--every", "5h").stdout
    assert "…" not in plan + tried
    assert "90 %" in plan
    assert [line.split()[0] for line in tried.splitlines()[3:5]] == ["pause", "random"]


def test_trace_of_a_run_is_named_as_that_of_a_plan(program, tmp_path):
    """`--trace ZONE=FILE` is read, and one of another zone is not taken for the job's own."""
    trace = write_trace(tmp_path / "DE.csv", [300] * 100)
    asked = ("run", "--quiet", "--deadline", "3h", "--expect", "1h", "--trace", f"DE={trace}")
    words = " ".join(program(*asked, "--zone", "FR", "--", "true").stderr.split())
    assert f"--trace DE={trace} is of DE, and the job runs in FR; the job starts now" in words


def test_a_backtest_says_what_it_needs(call, tmp_path):
    """Without a trace, with a short one, and with a forecaster that does not exist, one line tells."""
    assert "--trace is not given" in call("backtest").stderr
    short = write_trace(tmp_path / "s.csv", [300] * 100)
    assert "give a longer trace" in call("backtest", "--trace", short).stderr
    assert (
        "not one of blend"
        in call(
            "backtest", "--trace", write_trace(tmp_path / "l.csv", [300] * 1600), "--forecaster", "x"
        ).stderr
    )


def test_instant_without_a_time_zone_is_refused(day):
    """Whose midnight it is would be a guess."""
    with pytest.raises(InputError, match="2026-01-01T00:00:00, without a time zone"):
        sootprint.plan("2h", "12h", ["DE"], at=datetime(2026, 1, 1), traces={"DE": day})


def test_trace_without_a_name_is_of_the_zone_that_no_other_names(call, day, tmp_path):
    """The second of two files is not of the second zone where the first one says that it is; none counts twice."""
    other = write_trace(tmp_path / "other.csv", [50.0] * 24)
    asked = ("plan", "--expect", "2h", "--deadline", "12h", "--at", "2026-01-01T00:00Z", "--json")
    made = json.loads(call(*asked, "--zones", "DE,FR", "--trace", f"FR={other}", "--trace", day).stdout)
    assert made["intensity"]["DE"]["expected_g_per_kwh"][0] == 300.0
    assert made["intensity"]["FR"]["expected_g_per_kwh"][0] == 50.0
    for files, zones, said in (
        ((f"FR={other}", f"FR={day}"), "FR", "given twice for FR"),
        ((day, day), "", "given twice for DE"),
        ((f"SE={other}", day), "DE,FR", "'SE': it is not in --zones DE,FR"),
        ((day, other), "DE", "2 traces are given for 1 zones"),
        ((day,), "DE,FR", "there are 2: name it as ZONE=FILE"),
    ):
        traces = [part for file in files for part in ("--trace", file)]
        refused = call(*asked, "--zones", zones, *traces)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert said in refused.stderr


def test_best_start_that_is_now_stands_once(call, tmp_path):
    """Where every hour is alike there is one line of running now, and one arrow."""
    flat = write_trace(tmp_path / "DE.csv", [300] * 24)
    text = call(
        "plan", "--expect", "2h", "--deadline", "12h", "--trace", flat, "--at", "2026-01-01T00:00Z"
    ).stdout
    assert text.count("→") == 1
    assert "run now" in text and " start  " not in text.split("start (UTC)")[1]


def test_picture_of_a_long_window_has_few_lines(call):
    """900 days of hours are bars of means, which a line says; short ones have a bar for each hour."""
    asked = ("--zones", "DE", "--expect", "300d", "--deadline", "900d")
    lines = call("plan", *asked).stdout.splitlines()
    assert len(lines) < 40
    assert any(line.strip() == "each bar is the mean of 60 steps" for line in lines)
    short = call("plan", "--zones", "DE", "--expect", "3h", "--deadline", "9h").stdout
    assert "each bar" not in short and f"{'▁' * 9}\n" in short.replace(" \n", "\n")


def test_grid_of_one_figure_is_told_once(call) -> None:
    """An annual mean has no span: 330 g/kWh, and not 330 to 330."""
    shown = call("plan", "--expect", "6h", "--deadline", "24h", "--zones", "DE,FR").stdout
    assert re.search(r"^DE \d+ g/kWh ", shown, re.MULTILINE)
    assert not re.search(r"\b(\d+) to \1 g/kWh", shown)
