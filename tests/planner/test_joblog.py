"""Times of a job log: of a clock that is stated, else taken for UTC and counted, or of no clock at all."""

from datetime import UTC, datetime

import pytest

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.planner import joblog

NOON = datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "start", "local"),
    [
        ("JobID|Start|Elapsed", "2026-07-01T12:00:00", 1),
        ("JobID|Start|Elapsed", str(int(NOON.timestamp())), 0),  # SLURM_TIME_FORMAT=%s
        ("id|arrival|elapsed", "2026-07-01T12:00:00+02:00", 0),
        ("id|arrival_utc|elapsed", "2026-07-01T10:00:00", 0),
    ],
)
def test_times_without_a_zone_are_read_in_the_one_that_is_stated(head, start, local):
    """Noon in Berlin is ten o'clock; what tells its zone, in the cell or the head, stays; the rest is counted."""
    lines = [head, f"1|{start}|01:00:00"]
    stated = joblog.read(lines, name="log", clock=utc.zone("Europe/Berlin"))
    assert (stated.jobs[0].start, stated.local) == (NOON, local)
    unstated = joblog.read(lines, name="log")
    assert (unstated.jobs[0].start.hour, unstated.local) == (12 if local else 10, local)


def test_change_of_the_clocks_is_no_hour_of_work():
    """From one o'clock to four in the night in which Berlin's clocks go forward are two hours."""
    lines = ["start,end", "2026-03-29T01:00:00,2026-03-29T04:00:00"]
    (job,) = joblog.read(lines, name="log", clock=utc.zone("Europe/Berlin")).jobs
    assert job.length_s == 7200.0


def test_cells_of_sacct_are_read_as_its_importer_reads_them():
    """A suffix is one, a mark of Slurm is no energy and no time, short states are states, and a quote is a letter."""
    head = "JobID|JobName|Start|ElapsedRaw|State|ConsumedEnergyRaw"
    lines = [
        head,
        '1|a "b|1770000000|3600|CD|3.60M',
        "2|a|b|1770003600|3600|COMPLETED|7200000",
        "3|c|1770007200|3600|COMPLETED|4294967294",
        "4|d|1770007200|4294967294|COMPLETED|",
        "5|e|1770007200|60|R|",
        "6|f|17700",
    ]
    log = joblog.read(lines, name="log")
    assert [(job.name, job.length_s, job.energy_kwh) for job in log.jobs] == [
        ("1", 3600.0, pytest.approx(1.0)),
        ("2", 3600.0, pytest.approx(2.0)),
        ("3", 3600.0, None),
    ]
    assert log.left_out == {"no time spent": 1, "not finished": 1, joblog.CUT_OFF: 1}


def test_a_time_that_is_none_is_named_with_its_line():
    """What sacct never writes is refused in one line."""
    with pytest.raises(InputError, match=r"log line 2: its elapsed time is '1:2:3:4'"):
        joblog.read(["JobID|Start|Elapsed", "1|1770000000|1:2:3:4"], name="log")
