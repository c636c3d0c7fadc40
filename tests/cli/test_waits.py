"""Jobs that wait for a cleaner time, in `runs` and `top`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.steps import within_step

from sootprint import Footprint
from sootprint.core.instants import stamp
from sootprint.engines.book import PAUSED, Book, Plan
from sootprint.runner import foreseen
from sootprint.runner.outlook import Ahead

STEP_S = 3600.0
VALUES = np.array([400.0, 400.0, 400.0, 100.0, 400.0, 400.0, 400.0, 400.0])


@pytest.fixture
def book(own_home: Path) -> Book:
    """Book of a job of an hour and 200 W that waits for the fourth hour of eight; its driver is this process."""
    within_step()
    now_s = time.time()
    ahead = Ahead(
        values=VALUES,
        step_s=STEP_S,
        index=int(now_s // STEP_S),
        source="test",
        misses=np.array([[0.0] * 3 + [miss] + [0.0] * 4 for miss in np.linspace(-60.0, 60.0, 25)]),
    )
    plan = Plan(
        id="0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b",
        command=("python", "train.py"),
        cwd="/",
        arguments=("--zone", "DE", "--name", "nightly"),
        deadline_s=(ahead.index + 8) * STEP_S,
        expect_s=STEP_S,
        zone="DE",
        power_w=200.0,
        made_s=now_s,
    )
    made = Book.begin(own_home, plan)
    foreseen.keep(made, made.state(), ahead)
    return made


def test_a_job_that_waits_is_listed_with_its_begin_and_saving(
    call, book: Book, stored: list[Footprint]
) -> None:
    """It comes after the runs: 0.2 kWh at 100 in place of 400 g/kWh are 60 g, three quarters."""
    begin = stamp((int(time.time() // STEP_S) + 3) * STEP_S)
    *runs, waiting = json.loads(call("runs", "--json").stdout)
    assert {one["waits"] for one in runs} == {None} and len(runs) == len(stored)
    assert (waiting["state"], waiting["name"], waiting["id"]) == ("waiting", "nightly", book.state().plan.id)
    told = waiting["waits"]
    assert (told["command"], told["zone"], told["is_driven"]) == ("python train.py", "DE", True)
    assert told["begin"] in (begin, stamp((int(time.time() // STEP_S) + 3) * STEP_S))
    share, kg = told["saving_share"], told["saving_kg"]
    assert (share["value"], kg["value"]) == (pytest.approx(0.75), pytest.approx(0.06))
    assert (share["low"], share["high"]) == (pytest.approx(0.615), pytest.approx(0.885))
    assert (kg["low"], kg["high"]) == (pytest.approx(0.0492), pytest.approx(0.0708))
    text = " ".join(call("runs").stdout.split())
    assert "small" in text and "nightly waits until" in text
    assert "saves about 60 g CO2e (75 %, 90 % interval 62 to 88 %)" in text


def test_top_shows_a_job_that_waits_where_nothing_runs(call, book: Book) -> None:
    """It looks as in `runs`; a power that nobody knows gives a share and no kilograms."""
    (row,) = json.loads(call("top", "--json").stdout)
    assert (row["state"], row["energy_kwh"], row["waits"]["plan"]) == ("waiting", None, row["id"])
    assert "nightly waits until" in " ".join(call("top", "--once").stdout.split())
    file = book.folder / "waits.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()) | {"saving_kg": None}))
    text = " ".join(call("top", "--once").stdout.split())
    assert "saves about 75 % (" not in text and "saves about 75 %, 90 % interval 62 to 88 %" in text


def test_a_job_that_nobody_starts_says_so_and_one_that_ended_is_gone(call, book: Book) -> None:
    """Its driver is gone: `recover` is named; without its file the latest start is still told."""
    book.release()
    (book.folder / "waits.json").write_text("[")
    text = " ".join(call("runs").stdout.split())
    assert "nightly waits for a cleaner time, until" in text and "`sootprint recover`" in text
    assert json.loads(call("runs", "--json").stdout)[0]["waits"]["is_driven"] is False
    book.write("done", code=130)
    assert json.loads(call("runs", "--json").stdout) == json.loads(call("top", "--json").stdout) == []


def test_a_paused_job_and_one_in_the_queue_wait_too(call, book: Book) -> None:
    """After a pause its starts are counted; in the queue the begin is that which Slurm was given."""
    book.write("starting", segment=1, resume=False, boot="", target="")
    book.write("queued", segment=1, slurm="42", begin_s=4e9)
    waits = json.loads(call("runs", "--json").stdout)[0]["waits"]
    assert (waits["slurm"], waits["begin"], waits["starts"]) == ("42", "2096-10-02T07:06:40.000Z", 0)
    assert "(job 42, plan" in " ".join(call("runs").stdout.split())
    book.write("asked", segment=1)
    book.write("ended", segment=1, code=PAUSED, ran_s=60.0)
    assert json.loads(call("runs", "--json").stdout) == []  # a job that may not pause has ended so
