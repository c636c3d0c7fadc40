"""What waiting saved, in the record of a plan's last segment: from its book, its records and the actual intensity."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest

from sootprint import Footprint, Quantity, charts, report, settings
from sootprint.catalogue import zones
from sootprint.charts.waiting import waiting
from sootprint.core.ids import uuid7
from sootprint.core.records import Component, Interval, Place
from sootprint.engines.book import Book
from sootprint.ledger import Ledger, keep
from sootprint.runner.roaming import Roaming
from sootprint.runner.saved import KEY, book_of, completed, is_last, with_savings

START = datetime(2024, 5, 6, tzinfo=UTC)  # all of it is past
HOURS = [500.0] * 12 + [100.0] * 6 + [500.0] * 6 + [120.0] * 12 + [400.0] * 24
PLAN = uuid7(START.timestamp())


def at(hour: float) -> str:
    """Time of an hour of the plan."""
    return (START + timedelta(hours=hour)).isoformat().replace("+00:00", "Z")


def trace(folder, hours):
    """File of the grid."""
    rows = [f"{at(hour)},{value}\n" for hour, value in enumerate(hours)]
    (folder / "grid.csv").write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
    return folder / "grid.csv"


def book(home, trace_file, **more) -> Book:
    """Book of a job that ran from hour 12 to 18 (saving for 6 min), and from hour 24 to 30.2 (loading for 6 min)."""
    made = Book(home / "plans" / PLAN)
    made.folder.mkdir(parents=True)
    plan = {
        "k": "plan", "version": 1, "id": PLAN, "command": ["true"], "cwd": "/", "arguments": [], "zone": "XX-1",
        "made_s": START.timestamp(), "deadline_s": (START + timedelta(hours=48)).timestamp(),
        "expect_s": 12 * 3600.0, "pausable": True, "trace": str(trace_file) if trace_file else None,
    }  # fmt: skip
    lines = [plan | more]
    for number, (first, last, code) in enumerate([(12, 18, 75), (24, 30.2, 0)], start=1):
        times = {
            name: (START + timedelta(hours=hour)).timestamp() for name, hour in (("s", first), ("e", last))
        }
        lines.append(
            {"k": "starting", "segment": number, "resume": number > 1, "boot": "b", "at_s": times["s"]}
        )
        lines.append({"k": "started", "segment": number, "job": [1, 1], "runner": [1, 1], "at_s": times["s"]})
        if code == 75:
            lines.append({"k": "asked", "segment": number, "at_s": times["e"] - 360.0})
        ready_s = 360.0 if number > 1 else 0.0
        ended = {"code": code, "ran_s": times["e"] - times["s"], "ready_s": ready_s, "at_s": times["e"]}
        lines.append({"k": "ended", "segment": number, **ended})
    (made.folder / "book.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    forecast = {
        "at_s": 0,
        "start_s": START.timestamp(),
        "step_s": 3600.0,
        "g_per_kwh": HOURS[:48],
        "kind": "as given",
    }
    (made.folder / "outlook.jsonl").write_text(json.dumps(forecast) + "\n")
    return made


def segment(first: float, last: float, *, kw: float = 2.0) -> Footprint:
    """Record of a segment of even power."""
    steps = [first + 0.1 * part for part in range(round((last - first) * 10) + 1)]
    energy_j = kw * 0.1 * 3.6e6
    intervals = tuple(
        Interval(start=at(low), end=at(high), component="cpu", energy_j=energy_j)
        for low, high in itertools.pairwise(steps)
    )
    kwh = kw * (last - first)
    energy = Quantity(value=kwh, low=0.9 * kwh, high=1.1 * kwh, basis="sensor")
    return Footprint(
        id=uuid7((START + timedelta(hours=first)).timestamp()),
        started=at(first), ended=at(last), duration_s=(last - first) * 3600.0, tags={"plan": PLAN},
        place=Place(zone="XX-1"), components=(Component(component="cpu", meter="rapl", energy_kwh=energy),),
        energy_kwh=energy, intervals=intervals, pue=Quantity(value=1.2),
    )  # fmt: skip


@pytest.fixture
def job(tmp_path, own_home):
    """Home, book and last record of the job, its segments in the ledger."""

    def made(hours=HOURS, **more):
        own_book = book(own_home, trace(tmp_path, hours) if hours else None, **more)
        records = [segment(12, 18), segment(24, 30.2)]
        for one in records:
            keep(own_home, one, state="finished", timeout_s=5.0)
        known = settings.load()
        for number, one in enumerate(records, start=1):
            last = completed(one, own_book, number, known)
        return own_book, last, known

    return made


def test_the_saving_is_that_of_hand_over_all_segments(job):
    """24.4 kWh ran, 24 of them work: at once it would have met 500 g; loading and saving are subtracted."""
    own_book, last, _ = job()
    assert is_last(last, own_book)
    found = last.savings[KEY]
    pue, work_kwh = 1.2, 2.0 * (5.9 + 6.1)
    assert found["run_now_kg"]["value"] == pytest.approx(pue * work_kwh * 0.5, rel=1e-6)
    actual = pue * 2.0 * (6.0 * 0.1 + 6.2 * 0.12)
    assert found["actual_kg"]["value"] == pytest.approx(actual, rel=1e-6)
    assert found["saving_kg"]["value"] == pytest.approx(pue * work_kwh * 0.5 - actual, rel=1e-6)
    assert found["overhead_kg"]["value"] == pytest.approx(actual * 0.4 / 24.4, rel=1e-6)
    assert found["verdict"] == "saved"
    assert found["delay_s"] == pytest.approx((30.2 - 12.0) * 3600.0)
    # perfect foresight: 6 h at 100 g and 6 h at 120 g, and one resume of 0.2 h, as measured
    assert found["oracle_kg"]["value"] == pytest.approx(pue * 2.0 * (0.6 + 6.0 * 0.12 + 0.2 * 0.12), rel=0.02)
    assert 0.9 < found["share_of_oracle"] <= 1.0
    assert [one["start"][:16] for one in found["segments"]] == ["2024-05-06T12:00", "2024-05-07T00:00"]
    assert found["month"]["runs"] == 2
    assert found["intensity"]["method"] == "average, life-cycle, location-based"
    low, value, high = (found["saving_share"][name] for name in ("low", "value", "high"))
    assert low < value < high


def test_hours_of_a_trace_take_away_what_was_said_of_the_year(job, monkeypatch):
    """Which year's figure stood in does not matter once the hours count; other warnings stay."""
    monkeypatch.setattr(sys.modules[__name__], "START", datetime(2031, 5, 6, tzinfo=UTC))
    of_year = zones.intensity("FR", 2031).warnings
    assert of_year
    plain = segment

    def warned(first, last):
        return dataclasses.replace(
            plain(first, last), place=Place(zone="FR"), warnings=(*of_year, "a meter was silent")
        )

    monkeypatch.setattr(sys.modules[__name__], "segment", warned)
    _, last, _ = job(zone="FR")
    assert "grid.csv" in next(one.source for one in last.factors if one.kind == "intensity")
    assert "a meter was silent" in last.warnings
    assert not set(of_year) & set(last.warnings)


def test_the_first_segment_names_its_plan_and_claims_no_saving(job, own_home):
    """A pause is no end."""
    job()
    with Ledger(own_home) as ledger:
        first, last = (ledger.get(row.id) for row in reversed(ledger.runs()))
    assert first.plan[KEY]["segment"] == 1
    assert first.savings is None
    assert last.plan[KEY]["first_forecast"]["hours"][:2] == [
        "2024-05-06T12:00:00.000Z",
        "2024-05-06T13:00:00.000Z",
    ]


def test_hours_that_come_late_are_counted_again(job, tmp_path):
    """At the end of the run the grid is known until hour 31: no oracle yet. Later it is, and the rest stays."""
    own_book, last, known = job(hours=HOURS[:31])
    early = last.savings[KEY]
    assert early["oracle_kg"] is None
    assert any("perfect foresight" in note for note in early["notes"])
    trace(tmp_path, HOURS)
    assert book_of(last, known).folder == own_book.folder
    with Ledger(known.home) as ledger:
        later = with_savings(last, own_book, ledger, known).savings[KEY]
    assert later["oracle_kg"]["value"] > 0.0
    assert later["saving_kg"]["value"] == pytest.approx(early["saving_kg"]["value"])


def test_idle_draw_is_subtracted(job):
    """300 W that stay on for 18.2 h: as much as the grid had in these hours."""
    _, last, _ = job(idle_w=300.0)
    found = last.savings[KEY]
    assert found["idle_kg"]["value"] == pytest.approx(1.2 * 0.3 * (12 * 0.5 + 6 * 0.5), rel=1e-6)
    assert not any("idle draw" in note for note in found["notes"])


def test_a_segment_that_was_cut_off_is_charged_and_has_done_nothing(job, own_home):
    """Energy of a record whose end is in no book is in what ran, and not in running at once."""
    keep(own_home, segment(10, 11), state="recovered", timeout_s=5.0)
    _, last, _ = job()
    found = last.savings[KEY]
    assert found["run_now_kg"]["value"] == pytest.approx(1.2 * 24.0 * 0.5, rel=1e-6)
    assert found["actual_kg"]["value"] == pytest.approx(1.2 * 2.0 * (0.5 + 0.6 + 6.2 * 0.12), rel=1e-6)


def test_without_the_hours_nothing_is_claimed(job):
    """Only an annual figure: one line says what to do."""
    _, last, _ = job(hours=None)
    found = last.savings[KEY]
    assert found["verdict"] == "not known yet"
    assert "sootprint refresh" in found["reason"]
    assert "saving_kg" not in found
    assert "Not known yet" in report.render(last, "text")


def test_every_form_tells_it_and_the_picture_is_drawn(job, tmp_path):
    """Text, Markdown, HTML and JSON; the chart has the hours it ran and those of the first plan."""
    _, last, _ = job()
    for form in ("text", "md", "html"):
        page = report.render(last, form)
        for words in ("What waiting saved", "Run at once", "Perfect foresight", "not avoided on the grid"):
            assert words in page, (form, words)
    assert "▔" in report.render(last, "text")
    assert '"oracle_kg"' in report.render(last, "json")
    spec = json.dumps(charts.waited(last).to_dict())
    assert '"ran"' in spec
    assert '"first plan"' in spec
    charts.save(charts.waited(last), tmp_path / "waited.png", theme="web")
    assert (tmp_path / "waited.png").stat().st_size > 5000


def test_a_small_saving_prints_as_none(job):
    """Two percent are under the error bar."""
    _, last, _ = job(hours=[300.0] * 12 + [294.0] * 48)
    assert last.savings[KEY]["verdict"] == "no measurable saving"
    assert "No measurable saving" in report.render(last, "text")


@pytest.mark.parametrize(
    "told",
    [[], {"verdict": 5}, {"saving_kg": {"value": "x"}}, {"intensity": {"edges": [1, 2], "zones": 3}},
     {"intensity": {"edges": ["2024-01-01", "2024-01-02"], "zones": [{"zone": "\x1b[31m", "g_per_kwh": [None]}]}},
     {"month": {"month": None, "runs": 2, "emissions_kg": {"value": 1}}, "notes": [7, "<script>"]},
     {"delay_s": 10**400, "saving_kg": {"value": 10**400}}],
)  # fmt: skip
def test_a_record_of_anyone_is_shown_without_harm(told):
    """Fields of another kind are left out."""
    record = dataclasses.replace(segment(0, 1), savings={KEY: told}, plan={KEY: {"first_forecast": [1]}})
    waiting(record)
    for form in ("text", "md", "html"):
        page = report.render(record, form)
        assert "\x1b[31m" not in page
        assert form == "text" or "<script>" not in page


@pytest.mark.parametrize("lost", [False, True])
def test_saving_of_a_job_that_ran_elsewhere_is_that_of_the_records_that_came_back(tmp_path, own_home, lost):
    """Each of them knows its part alone, as a plan of one; a move is charged when it was made, at both of its ends."""
    other = tmp_path / "other"
    other.mkdir()
    traces = trace(tmp_path, HOURS), trace(other, [50.0] * 60)
    targets = [
        {"name": name, "zone": f"XX-{row}", "trace": str(traces[row - 1])}
        for row, name in ((1, "a"), (2, "b"))
    ]
    own_book = book(own_home, None, targets=targets)
    moved = {
        "took_s": 1.0,
        "size_bytes": 1,
        "energy_kwh": [2.0, 2.0, 2.0],
        "emissions_kg": None,
        "record": None,
    }
    at_s = (START + timedelta(hours=23.5)).timestamp()
    own_book.write("carried", source="a", target="b", at_s=at_s, **moved)
    for row, record in enumerate((segment(12, 18), segment(24, 30.2)), start=1):
        if not (lost and row == 1):
            told = {KEY: {"id": f"{PLAN}.{row}", "segment": 1}}
            keep(
                own_home,
                dataclasses.replace(record, plan=told, place=Place(zone=f"XX-{row}")),
                state="finished",
                timeout_s=5.0,
            )
    Roaming(own_book, settings.load(), print).finish(own_book.state())
    with Ledger(own_home) as ledger:
        records = [ledger.get(row.id) for row in ledger.runs()]
    (found,) = [one.savings[KEY] for one in records if one.savings]
    if lost:
        assert found["verdict"] == "not known yet"
        assert "1 earlier parts of the job have no record here" in found["reason"]
        return
    transfer = 1.2 * 2.0 * (0.5 + 0.05) / 2
    assert found["transfer_kg"]["value"] == pytest.approx(transfer)
    assert found["run_now_kg"]["value"] == pytest.approx(1.2 * 2.0 * (5.9 + 6.1) * 0.5, rel=1e-6)
    assert found["actual_kg"]["value"] == pytest.approx(
        1.2 * 2.0 * (6.0 * 0.1 + 6.2 * 0.05) + transfer, rel=1e-6
    )
    assert [one["zone"] for one in found["segments"]] == ["XX-1", "XX-2"]
    assert {one.plan[KEY]["id"] for one in records} == {PLAN}


def moved(tmp_path, own_home, pues, targets=({}, {}), ran=(1, 2)):
    """What a job of two places saved, its parts with a PUE or (None) with none that is known, and where they ran."""
    other = tmp_path / "other"
    other.mkdir()
    traces = trace(tmp_path, HOURS), trace(other, [50.0] * 60)
    listed = [
        {"name": name, "zone": f"XX-{row}", "trace": str(traces[row - 1]), **targets[row - 1]}
        for row, name in ((1, "a"), (2, "b"))
    ]
    own_book = book(own_home, None, targets=listed)
    for row, record in enumerate((segment(12, 18), segment(24, 30.2)), start=1):
        told = {KEY: {"id": f"{PLAN}.{row}", "segment": 1}}
        pue = pues[row - 1]
        made = dataclasses.replace(
            record,
            plan=told,
            place=Place(zone=f"XX-{ran[row - 1]}"),
            pue=Quantity(value=pue or 1.0, basis="assumed"),
            unknown=() if pue else ("pue",),
        )
        keep(own_home, made, state="finished", timeout_s=5.0)
    Roaming(own_book, settings.load(), print).finish(own_book.state())
    with Ledger(own_home) as ledger:
        (found,) = [record.savings[KEY] for row in ledger.runs() if (record := ledger.get(row.id)).savings]
    return found


def test_each_part_counts_with_the_pue_of_its_place(tmp_path, own_home):
    """12 kWh at 1.2 and 12.4 kWh at 1.1; at once all of the work would have run in the first place."""
    found = moved(tmp_path, own_home, (1.2, 1.1))
    assert found["run_now_kg"]["value"] == pytest.approx(1.2 * 24.0 * 0.5, rel=1e-6)
    actual = 1.2 * 12.0 * 0.1 + 1.1 * 12.4 * 0.05
    assert found["actual_kg"]["value"] == pytest.approx(actual, rel=1e-6)


def test_a_pue_that_is_not_known_makes_no_saving(tmp_path, own_home):
    """A place whose record knows no PUE does not count as one without overhead: both count as the last part did."""
    found = moved(tmp_path, own_home, (1.5, None))
    assert found["run_now_kg"]["value"] == pytest.approx(24.0 * 0.5, rel=1e-6)
    assert found["actual_kg"]["value"] == pytest.approx(12.0 * 0.1 + 12.4 * 0.05, rel=1e-6)


def test_a_pue_that_a_target_states_stands_for_a_record_without(tmp_path, own_home):
    """The second place states 1.1 in the settings, which its own record did not know."""
    found = moved(tmp_path, own_home, (1.5, None), ({}, {"pue": 1.1}))
    assert found["run_now_kg"]["value"] == pytest.approx(1.5 * 24.0 * 0.5, rel=1e-6)
    actual = 1.5 * 12.0 * 0.1 + 1.1 * 12.4 * 0.05
    assert found["actual_kg"]["value"] == pytest.approx(actual, rel=1e-6)


def test_a_general_pue_is_not_that_of_a_machine_elsewhere(tmp_path, own_home):
    """It would have run at once on another machine, whose PUE nobody tells: the last part's counts in both."""
    own_home.joinpath("sootprint.toml").write_text("pue = 2.0\n", encoding="utf-8")
    away = {"engine": "ssh", "host": "a.example.org", "workdir": "/w"}
    found = moved(tmp_path, own_home, (1.1, 1.1), (away, {}), ran=(2, 2))
    assert found["run_now_kg"]["value"] == pytest.approx(1.1 * 24.0 * 0.5, rel=1e-6)


def test_what_cost_more_is_told_with_bounds_of_its_own_sign(job):
    """It waited for hours that were dirtier than those at once: the interval encloses the figure before it."""
    _, last, _ = job(hours=[100.0] * 12 + [500.0] * 48)
    assert last.savings[KEY]["verdict"] == "cost more than running at once"
    text = " ".join(report.render(last, "text").split())
    told = re.search(r"more than running at once: ([\d.]+) % \(90 % interval ([\d.]+) to ([\d.]+) %\)", text)
    assert told is not None, text
    value, low, high = map(float, told.groups())
    assert 0.0 < low < value < high


@pytest.mark.parametrize("most", [6.0, 28.0, 700.0])
def test_axis_of_the_intensity_has_its_ticks_whatever_the_grid(job, most):
    """A grid of water power has a few grams: its lines are no multiples of ten."""
    _, last, _ = job(hours=[most] * 12 + [0.5 * most] * 48)
    drawn = charts.svg(charts.waited(last))
    labels = [float(text) for text in re.findall(r">([\d.,]+)</text>", drawn) if ":" not in text]
    assert len(labels) == len(set(labels)) >= 3
    assert max(labels) <= most
