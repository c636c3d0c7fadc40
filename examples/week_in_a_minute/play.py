"""A week of two grids in a minute: a training waits, pauses, moves and finishes, and what that saved is counted.

Run as `python examples/week_in_a_minute/play.py [FOLDER]`. One hour of the week from 21 October 2022 takes 0.35 s. The
job would run in Texas now, and may go to California; the runner of `sootprint run --targets` drives it, with a clock
and a forecast of this script: at each hour, what the hours before alone let expect.
"""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from sootprint import Footprint, charts, settings
from sootprint.core.ids import uuid7
from sootprint.engines.book import Book, Plan
from sootprint.ledger import Ledger
from sootprint.planner.forecast import filled, forecasts
from sootprint.runner.driving import driven
from sootprint.runner.followed import KEY
from sootprint.runner.outlook import Ahead, Outlook
from sootprint.settings.targets import Target

HERE = Path(__file__).resolve().parent
PLACES = {"texas": "US-TX", "california": "US-CA"}
PAST_H, WEEK_H, WORK_H, HOUR_S = 42 * 24, 168, 30, 0.35
STEPS_AN_HOUR = 7
RESUME_H = (
    1.0  # what a pause costs, as the plan is told: the time of a start on this clock is that of the machine
)
KWH_PER_GB = 0.03  # of carrying the checkpoint: assumed


class Week:
    """The week: its grids, what was foreseen of them at each hour, and the fast clock."""

    def __init__(self) -> None:
        rows = {name: list(csv.DictReader((HERE / f"{name}.csv").open())) for name in PLACES}
        self.first = datetime.fromisoformat(rows["texas"][PAST_H]["timestamp_utc"])
        known = {
            name: filled(np.array([float(row["ci_gco2e_kwh"] or "nan") for row in one]), per_day=24)
            for name, one in rows.items()
        }
        self.hours = {name: one[PAST_H:] for name, one in known.items()}
        self._foreseen = {
            name: forecasts(one, WEEK_H, per_day=24, since=PAST_H) for name, one in known.items()
        }
        self.start_s = math.ceil(time.time() / HOUR_S + 2.0) * HOUR_S

    def hour(self, at_s: float) -> float:
        """Hours since the week began, at a time of the fast clock."""
        return (at_s - self.start_s) / HOUR_S

    def ahead(self, name: str, now_s: float) -> Ahead | None:
        """Forecast of the rest of the week for a place, made with the hours before this one."""
        hour = max(0, math.floor(self.hour(now_s)))
        if hour >= WEEK_H:
            return None
        values = self._foreseen[name][PAST_H + hour][: WEEK_H - hour]
        index = round(self.start_s / HOUR_S) + hour
        return Ahead(values=values, step_s=HOUR_S, index=index, source="forecast from its past")

    def at(self, instant: str) -> str:
        """Time of the week at a time of the fast clock."""
        found = self.first + timedelta(hours=self.hour(datetime.fromisoformat(instant).timestamp()))
        return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def tell(self, text: str, at_s: float | None = None) -> None:
        """Print one line of the story."""
        hour = self.hour(time.time() if at_s is None else at_s)
        now = self.first + timedelta(hours=max(0.0, hour))
        print(f"  {now:%a %d %b %H:%M}  {text.partition(', until ')[0]}", flush=True)

    def write_traces(self, folder: Path) -> dict[str, Path]:
        """Files of the week on the fast clock, by place; what waiting saved is counted with them when it is over."""
        made = {}
        for name, values in self.hours.items():
            stamps = [datetime.fromtimestamp(self.start_s + at * HOUR_S, UTC) for at in range(values.size)]
            lines = [f"{at.isoformat()},{value}\n" for at, value in zip(stamps, values, strict=True)]
            made[name] = folder / f"{name}.csv"
            made[name].write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(lines))
        return made


def main(folder: Path) -> int:
    """Exit code of the demonstration."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {"SOOTPRINT_HOME": str(home), "SOOTPRINT_RUNTIME_DIR": str(folder / "runtime")}
    os.environ |= {"WEEK_STEPS": str(WORK_H * STEPS_AN_HOUR), "WEEK_STEP_S": str(HOUR_S / STEPS_AN_HOUR)}
    print("A week of two grids in a minute: 30 hours of training, to end within seven days.")
    week = Week()
    book = Book.begin(home, _plan(week, folder))
    clock = {"start_s": week.start_s, "hour_s": HOUR_S, "past_h": PAST_H}
    (folder / "clock.json").write_text(json.dumps(clock))

    class Foreseen(Outlook):
        """What this script foresees, in place of the sources of the settings."""

        def ahead(self, now_s: float) -> Ahead | None:
            """Hours ahead of one of the two places."""
            return week.ahead(self._plan.id.rpartition("/")[2], now_s)

    time.sleep(max(0.0, week.start_s - time.time()))
    with _told(week, book):
        code = driven(book, settings.load(), week.tell, outlook_of=Foreseen)
    return code or finish(week, book, folder)


def _plan(week: Week, folder: Path) -> Plan:
    """Plan of the training, as `sootprint run --deadline --expect --pausable --targets --carry` makes it."""
    traces = week.write_traces(folder)
    targets = []
    for name, zone in PLACES.items():
        (folder / "places" / name).mkdir(parents=True, exist_ok=True)
        given = {"workdir": str(folder / "places" / name), "trace": str(traces[name])}
        targets.append(Target(name=name, zone=zone, kwh_per_gb=KWH_PER_GB, **given))
    (folder / "places" / "home").mkdir(exist_ok=True)
    made = uuid7(week.start_s)
    return Plan(
        id=made,
        command=(sys.executable, str(HERE / "train.py")),
        cwd=str(folder / "places" / "home"),
        arguments=("--name", "week", "--pue", "1.2", "--period", "100ms", "--quiet", "--tag", f"plan={made}"),
        deadline_s=week.start_s + WEEK_H * HOUR_S,
        expect_s=WORK_H * HOUR_S,
        zone=targets[0].zone,
        idle_w=0.0,
        pausable=True,
        resume_s=RESUME_H * HOUR_S,
        resume_stated=True,
        made_s=week.start_s,
        targets=tuple(one.as_table() for one in targets),
        carry=("checkpoint.json", "progress.txt"),
    )


@contextmanager
def _told(week: Week, book: Book) -> Iterator[None]:
    """Time in which each start of the job is told, and its end."""
    over, told = threading.Event(), set[tuple[str, int]]()

    def tell() -> None:
        for one in book.state().segments:
            if one.code == 0 and ("end", one.number) not in told:
                told.add(("end", one.number))
                week.tell("finished", one.ended_s)
            if one.started_s is None or ("start", one.number) in told:
                continue
            told.add(("start", one.number))
            values = week.hours[one.target]
            grams = values[min(int(max(0.0, week.hour(one.started_s))), values.size - 1)]
            verb = "resume" if one.resume else "start"
            week.tell(f"{verb} in {one.target}, where the grid has {grams:.0f} g/kWh", one.started_s)

    def watch() -> None:
        while not over.wait(HOUR_S / 4.0):
            tell()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def finish(week: Week, book: Book, folder: Path) -> int:
    """Print what was saved, write the records and the picture, and have it proved from the raw figures."""
    plan = book.state().plan
    with Ledger(Path(os.environ["SOOTPRINT_HOME"])) as ledger:
        listed = [ledger.get(row.id) for row in ledger.runs() if row.tags.get("plan") == plan.id]
    records = sorted((one for one in listed if one.intervals), key=lambda one: one.started or "")
    for number, one in enumerate(records, start=1):
        (folder / f"record{number}.json").write_text(one.to_json(indent=1))
    last = records[-1] if records else None
    if last is None or KEY not in (last.savings or {}):
        print("the last record has no savings: something went wrong")
        return 1
    shutil.copy(book.folder / "book.jsonl", folder / "book.jsonl")
    subprocess.run([str(Path(sys.executable).with_name("sootprint")), "show", last.id], check=False)
    charts.save(charts.waited(in_the_week(week, last)), folder / "week.png", theme="web")
    print(f"\nPicture: {folder / 'week.png'}\n\nProved again from the raw figures, without this program:")
    return subprocess.run([sys.executable, "-I", str(HERE / "prove.py"), str(folder)], check=False).returncode


def in_the_week(week: Week, record: Footprint) -> Footprint:
    """The record with its times of the fast clock as those of the week, for the picture."""
    told = json.loads(json.dumps(record.savings))
    waited = told[KEY]
    waited["intensity"]["edges"] = [week.at(one) for one in waited["intensity"]["edges"]]
    for one in waited["segments"]:
        one["start"], one["end"] = week.at(one["start"]), week.at(one["end"])
    return replace(record, savings=told)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="week-"))))
