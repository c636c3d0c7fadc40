"""Answers on the disk: whole or not at all, for one user, not longer than allowed, with many processes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.fixtures.steps import within_step

from sootprint.intensity.energy_charts import TERMS as OPEN
from sootprint.intensity.points import Point
from sootprint.intensity.store import Kept, Store
from sootprint.intensity.watttime import TERMS as CLOSED

DAY = datetime(2023, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
POINTS = (
    Point(DAY, DAY + HOUR, 312.5),
    Point(DAY + HOUR, DAY + 2 * HOUR, None),
    Point(DAY + 2 * HOUR, DAY + 3 * HOUR, 9.0, True),
)
KEPT = Kept(fetched_s=1_672_600_000.0, start=DAY, end=DAY + 3 * HOUR, points=POINTS)
NOW_S = KEPT.fetched_s + 60.0


def test_answer_comes_back_as_it_was(tmp_path):
    """Figures, gaps and forecasts survive the disk."""
    store = Store(tmp_path, OPEN)
    assert store.keep("DE", DAY.date(), KEPT) is None
    assert store.find("DE", DAY.date(), now_s=NOW_S) == KEPT
    assert store.find("FR", DAY.date(), now_s=NOW_S) is None
    assert store.find("DE", date(2023, 1, 2), now_s=NOW_S) is None


def test_answer_of_another_method_is_asked_again(tmp_path):
    """Life-cycle figures that were kept are not shown as direct ones once the settings ask for these."""
    direct = dataclasses.replace(OPEN, method="average, direct, location-based")
    Store(tmp_path, OPEN).keep("DE", DAY.date(), KEPT)
    assert Store(tmp_path, direct).find("DE", DAY.date(), now_s=NOW_S) is None
    Store(tmp_path, direct).keep("DE", DAY.date(), KEPT)
    assert Store(tmp_path, direct).find("DE", DAY.date(), now_s=NOW_S) == KEPT
    assert Store(tmp_path, OPEN).find("DE", DAY.date(), now_s=NOW_S) is None


def test_names_of_zones_are_no_paths(tmp_path):
    """A zone cannot write outside the cache, and two zones never share a file."""
    store = Store(tmp_path, OPEN)
    for zone in ("../../escape", "a/b", "a_b", "A" * 200, "A" * 201):
        store.keep(zone, DAY.date(), KEPT)
    assert len(list((tmp_path / "grid" / "energy_charts").iterdir())) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grid"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\xff\xfe", b"null"])
def test_damaged_answer_is_asked_again(tmp_path, content):
    """What a power cut left is no answer, and no error."""
    store = Store(tmp_path, OPEN)
    store.keep("DE", DAY.date(), KEPT)
    next(tmp_path.rglob("*.json")).write_bytes(content)
    assert store.find("DE", DAY.date(), now_s=NOW_S) is None


@pytest.mark.parametrize(("terms", "days"), [(OPEN, 400), (CLOSED, 30)])
def test_answer_is_gone_after_its_time(tmp_path, terms, days):
    """Open data stay for 400 days, a paid provider's for 30; then the file is removed."""
    store = Store(tmp_path, terms)
    store.keep("DE", DAY.date(), KEPT)
    assert store.find("DE", DAY.date(), now_s=KEPT.fetched_s + (days - 1) * 86400.0)
    assert store.find("DE", DAY.date(), now_s=KEPT.fetched_s + (days + 1) * 86400.0) is None
    assert list(tmp_path.rglob("*.json")) == []


def test_file_states_source_licence_and_that_it_stays(tmp_path):
    """Whoever finds the file learns whose it is."""
    Store(tmp_path, CLOSED).keep("DE", DAY.date(), KEPT)
    told = json.loads(next(tmp_path.rglob("*.json")).read_text())
    assert told["source"] == "WattTime"
    assert "not to be passed on" in told["licence"]
    assert "do not pass it on" in told["note"]


def test_old_drafts_and_answers_are_cleaned(tmp_path):
    """What a killed process left goes with the next answer, a draft of now stays."""
    store = Store(tmp_path, OPEN)
    store.keep("DE", DAY.date(), KEPT)
    folder = next(tmp_path.rglob("*.json")).parent
    for name, age_s in ((".2022-01-01.json.99", 7200.0), (".2022-01-02.json.98", 60.0)):
        (folder / name).write_text("{")
        os.utime(folder / name, (NOW_S - age_s,) * 2)
    store.keep("DE", date(2023, 1, 2), Kept(fetched_s=NOW_S, start=DAY, end=DAY + HOUR, points=()))
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == [
        ".2022-01-02.json.98"
    ]


def test_full_disk_is_a_note_and_not_an_error(grid, source, tmp_path):
    """Where nothing can be written the answer counts all the same, and is asked again the next time."""
    (tmp_path / "home").write_text("a file where the folder would be")
    one = source("energy_charts")
    for _ in range(2):
        assert len(one.between("DE", DAY, DAY + HOUR)) == 4
    assert len(grid.asked) == 2
    assert len(one.notes) == 1
    assert "cannot be kept" in one.notes[0]


def test_write_that_runs_out_of_room_leaves_no_part(tmp_path, monkeypatch):
    """A disk that fills while an answer is written keeps the answer before it."""
    store = Store(tmp_path, OPEN)
    store.keep("DE", DAY.date(), KEPT)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    assert "No space left" in store.keep(
        "DE", DAY.date(), Kept(fetched_s=NOW_S, start=DAY, end=DAY, points=())
    )
    assert store.find("DE", DAY.date(), now_s=NOW_S) == KEPT
    assert [path for path in tmp_path.rglob(".*") if path.is_file()] == []


ASK = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sootprint.intensity import energy_charts
from sootprint.intensity.live import Asked
from sootprint.settings.grid import Provider
asked = Asked(provider=Provider(name="energy_charts", url=sys.argv[2]), home=Path(sys.argv[1]), limit_s=10.0)
day = datetime(2023, 1, 1, tzinfo=UTC)
print(len(energy_charts.configured(asked).between("DE", day, day + timedelta(days=1))))
"""


def test_many_processes_ask_once(grid, tmp_path):
    """Four processes that want the same day wait for each other: the provider is asked one question."""
    within_step()
    grid.now = datetime.now(UTC)
    command = [sys.executable, "-c", ASK, str(tmp_path), grid.address]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [one.communicate(timeout=120)[0].strip() for one in running] == ["96"] * 4
    assert len(grid.asked) == 1


def test_killed_process_lets_the_next_one_in(grid, tmp_path):
    """A process that dies while it asks holds no lock and leaves no broken answer."""
    within_step()
    grid.now = datetime.now(UTC)
    grid.faults = [lambda handler: time.sleep(3.0)]
    command = [sys.executable, "-c", ASK, str(tmp_path), grid.address]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until_s = time.monotonic() + 120.0
    while not grid.asked and time.monotonic() < until_s:
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait(60.0)
    second = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert second.stdout.strip() == "96"
