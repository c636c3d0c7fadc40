"""Times of a job log: of a clock that is stated, else taken for UTC and counted, or of no clock at all."""

from datetime import UTC, datetime

import pytest

from sootprint.core import utc
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
