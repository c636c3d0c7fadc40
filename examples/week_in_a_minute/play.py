"""A week of two grids in a minute: a training waits, pauses, moves and finishes, and what that saved is counted.

Run as `python examples/week_in_a_minute/play.py [FOLDER]`. One hour of the week from 21 October 2022 takes 0.35 s. The
job is a real process that is measured, saves, and goes on; it would run in Texas now, and may go to California. Each
hour it is decided again, by forecasts from the hours before alone.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from sootprint import Footprint, charts
from sootprint.core.ids import uuid7
from sootprint.engines.book import Book, Plan
from sootprint.engines.local import LocalEngine
from sootprint.ledger import Ledger
from sootprint.planner import Moves, plan_moves
from sootprint.planner.forecast import filled, forecasts
from sootprint.planner.replan import must_run
from sootprint.runner.followed import KEY
from sootprint.settings.targets import Target

HERE = Path(__file__).resolve().parent
PLACES = {"texas": "US-TX", "california": "US-CA"}
PAST_H, WEEK_H, WORK_H, HOUR_S = 42 * 24, 168, 30, 0.35
STEPS_AN_HOUR = 7
RESUME_H, MOVE = 1.0, 100.0  # what a start takes on this clock, and what a move costs: intensity times hours
MARGIN = 0.3
KWH_PER_GB = 0.03  # of carrying the checkpoint: assumed


class Week:
    """The week: its grids, what was foreseen of them at each hour, and the fast clock."""

    def __init__(self) -> None:
        rows = {name: list(csv.DictReader((HERE / f"{name}.csv").open())) for name in PLACES}
        self.first = datetime.fromisoformat(rows["texas"][PAST_H]["timestamp_utc"])
        known = [
            filled(np.array([float(row["ci_gco2e_kwh"] or "nan") for row in one]), per_day=24)
            for one in rows.values()
        ]
        self.hours = [one[PAST_H:] for one in known]
        self._foreseen = [forecasts(one, WEEK_H, per_day=24, since=PAST_H) for one in known]
        self.start_s = time.time() + 0.5

    def hour(self) -> float:
        """Hours since the week began."""
        return (time.time() - self.start_s) / HOUR_S

    def ahead(self, hour: int) -> Any:
        """Forecast of the rest of the week, made with the hours before this one, by place."""
        return np.stack([one[PAST_H + hour][: WEEK_H - hour] for one in self._foreseen])

    def at(self, instant: str) -> str:
        """Time of the week at a time of the fast clock."""
        passed_s = datetime.fromisoformat(instant).timestamp() - self.start_s
        found = self.first + timedelta(hours=passed_s / HOUR_S)
        return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def tell(self, hour: float, text: str) -> None:
        """Print one line of the story."""
        now = self.first + timedelta(hours=max(0.0, hour))
        print(f"  {now:%a %d %b %H:%M}  {text}", flush=True)

    def write_traces(self, folder: Path) -> dict[str, Path]:
        """Files of the week on the fast clock, by place."""
        made = {}
        for name, values in zip(PLACES, self.hours, strict=True):
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
    traces = week.write_traces(folder)
    targets = [
        Target(name=name, zone=zone, workdir=str(folder / "places" / name), trace=str(traces[name]))
        for name, zone in PLACES.items()
    ]
    for one in targets:
        Path(str(one.workdir)).mkdir(parents=True, exist_ok=True)
    book = Book.begin(home, _plan(week, targets))
    (folder / "clock.json").write_text(
        json.dumps({"start_s": week.start_s, "hour_s": HOUR_S, "past_h": PAST_H})
    )
    drive(week, book, targets)
    return finish(week, book, folder)


def _plan(week: Week, targets: list[Target]) -> Plan:
    made = uuid7(week.start_s)
    return Plan(
        id=made,
        command=(sys.executable, str(HERE / "train.py")),
        cwd=str(HERE),
        arguments=("--name", "week", "--pue", "1.2", "--period", "100ms", "--quiet", "--tag", f"plan={made}"),
        deadline_s=week.start_s + WEEK_H * HOUR_S,
        expect_s=WORK_H * HOUR_S,
        zone=targets[0].zone,
        idle_w=0.0,
        pausable=True,
        made_s=week.start_s,
        targets=tuple(one.as_table() for one in targets),
    )


def drive(week: Week, book: Book, targets: list[Target]) -> None:
    """Start, pause and move the job until it has finished."""
    where, handle, waits = 0, None, False
    while True:
        state, hour = book.state(), week.hour()
        segment = state.open_segment
        if segment is None and state.segments and state.segments[-1].code != 75:
            book.write("done", code=state.segments[-1].code)
            return
        wanted = decided(week, hour, where, targets, running=segment is not None)
        if segment is not None:
            asked = segment.asked or segment.job is None or handle is None
            if wanted != where and not asked and handle.pause() is None:
                why = (
                    "a dirtier time begins"
                    if wanted is None
                    else f"{targets[wanted].name} is cleaner from now on"
                )
                week.tell(hour, f"{why}: save, and leave {targets[where].name}")
        elif wanted is not None and hour >= 0.0:
            if state.segments and wanted != where:
                move(week, book, targets[where], targets[wanted])
            where, waits = wanted, False
            grams = week.hours[where][min(int(hour), week.hours[where].size - 1)]
            verb = "resume" if state.segments else "start"
            week.tell(hour, f"{verb} in {targets[where].name}, where the grid has {grams:.0f} g/kWh")
            handle = LocalEngine(targets[where]).start(book, resume=bool(state.segments))
        elif not waits:
            waits = True
            week.tell(hour, "wait: a cleaner time is expected")
        time.sleep(HOUR_S / 8.0)


def decided(week: Week, hour: float, where: int, targets: list[Target], *, running: bool) -> int | None:
    """Place in which the job should run in this hour; None where it should wait."""
    done = max((_steps(one) for one in targets), default=0)
    left_h = max(0.5, WORK_H - done / STEPS_AN_HOUR)
    now = max(0, min(int(hour), WEEK_H - 2))
    length = max(1, round(left_h))
    spare_h = 30.0 if running else 12.0  # on this clock a start takes hours where the machine is busy
    if must_run(left_h + spare_h, WEEK_H - hour, margin=MARGIN) or WEEK_H - now <= length:
        return where
    ahead = week.ahead(now)
    best = planned(ahead, length, where)
    first, wanted = int(best.steps[0]), int(best.zones[0])
    if first == 0 and wanted == where:
        return where
    if running:  # to stop costs a resume later: is it worth that?
        free = ahead.copy()
        free[where, 0] = 0.0
        stay = planned(free, length, where).cost + float(ahead[where, 0])
        if stay <= best.cost + RESUME_H * float(ahead[wanted, first]):
            return where
    return wanted if first == 0 else None


def planned(ahead: Any, length: int, where: int) -> Moves:
    """The best hours and places for what is left."""
    prices = [[0.0, MOVE], [MOVE, 0.0]]
    return plan_moves(ahead, length, ahead.shape[1] - length, moves=prices, resume_cost=RESUME_H, home=where)


def _steps(target: Target) -> int:
    """Steps that the training has done."""
    log = Path(str(target.workdir)) / "progress.txt"
    return len(log.read_text().splitlines()) if log.exists() else 0


def move(week: Week, book: Book, source: Target, target: Target) -> None:
    """Carry the checkpoint to another place, and charge that."""
    began_s, size = time.time(), 0
    for name in ("checkpoint.json", "progress.txt"):
        file = Path(str(source.workdir)) / name
        size += file.stat().st_size
        shutil.copy2(file, Path(str(target.workdir)) / name)
    energy = size / 1e9 * KWH_PER_GB
    book.write(
        "carried", source=source.name, target=target.name, took_s=time.time() - began_s, size_bytes=size,
        energy_kwh=[energy] * 3, emissions_kg=None, record=None,
    )  # fmt: skip
    week.tell(week.hour(), f"move from {source.name} to {target.name}: {size / 1e3:.0f} kB")


def finish(week: Week, book: Book, folder: Path) -> int:
    """Print what was saved, write the records and the picture, and have it proved from the raw figures."""
    plan = book.state().plan
    with Ledger(Path(os.environ["SOOTPRINT_HOME"])) as ledger:
        until_s = time.monotonic() + 30.0  # the last record is written after the job has ended
        last = _last(ledger, plan)
        while last is None and time.monotonic() < until_s:
            time.sleep(0.2)
            with Ledger(Path(os.environ["SOOTPRINT_HOME"])):  # takes in what waits
                last = _last(ledger, plan)
        records = [ledger.get(row.id) for row in ledger.runs() if row.tags.get("plan") == plan.id]
    for number, one in enumerate(sorted(records, key=lambda one: one.started or ""), start=1):
        (folder / f"record{number}.json").write_text(one.to_json(indent=1))
    if last is None:
        print("the last record has no savings: something went wrong")
        return 1
    week.tell(week.hour(), "finished")
    shutil.copy(book.folder / "book.jsonl", folder / "book.jsonl")
    subprocess.run([str(Path(sys.executable).with_name("sootprint")), "show", last.id], check=False)
    charts.save(charts.waited(in_the_week(week, last)), folder / "week.png", theme="web")
    print(f"\nPicture: {folder / 'week.png'}\n\nProved again from the raw figures, without this program:")
    return subprocess.run([sys.executable, "-I", str(HERE / "prove.py"), str(folder)], check=False).returncode


def _last(ledger: Ledger, plan: Plan) -> Footprint | None:
    rows = [row for row in ledger.runs() if row.tags.get("plan") == plan.id]
    found = [ledger.get(row.id) for row in rows]
    return next((one for one in found if KEY in (one.savings or {})), None)


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
