"""Jobs that wait for a cleaner time, as `runs` and `top` show them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sootprint.cli import figures, shell
from sootprint.core.instants import stamp

if TYPE_CHECKING:
    from rich.text import Text

    from sootprint.runner.waits import Wait

LONGEST = 40  # letters of a command that stands for a name


def row(wait: Wait, names: Iterable[str]) -> dict[str, Any]:
    """Row of JSON with the fields of a run, of which a job that waits has few; `waits` has all that is known."""
    known = {"id": wait.plan, "name": wait.name, "zone": wait.zone, "state": "waiting", "waits": wait}
    return dict.fromkeys(names) | known


def line(wait: Wait) -> Text:
    """Line for a person: what waits until when, and what that is expected to save."""
    from rich.text import Text

    made = Text.assemble((_name(wait), "bold"), " ", ("waits", "yellow"), f" {_until(wait)}{_saving(wait)} ")
    job = f"job {wait.slurm}, " if wait.slurm else ""
    made.append(f"({job}plan {wait.plan[-8:]})", "dim")
    if not wait.is_driven:
        made.append("; nobody starts it: `sootprint recover` does", "yellow")
    return made


def _name(wait: Wait) -> str:
    return shell.printable(wait.name or wait.command[:LONGEST])


def _until(wait: Wait) -> str:
    latest = _clock(wait.latest)
    if wait.begin is None or wait.begin <= _now():
        return f"for a cleaner time, until {latest} at the latest"
    return f"until {_clock(wait.begin)} as it looks now, {latest} at the latest"


def _saving(wait: Wait) -> str:
    """What waiting is expected to save, in kilograms where the power of the job is known, else in percent alone."""
    share = wait.saving_share
    if share is None:
        return ""
    told = figures.percent(share.value)
    if share.low is not None and share.high is not None:
        told += f", 90 % interval {100.0 * share.low:.0f} to {100.0 * share.high:.0f} %"
    if wait.saving_kg is None or wait.saving_kg.value <= 0.0:
        return f"; saves about {told}"
    return f"; saves about {figures.emissions(wait.saving_kg).value} CO2e ({told})"


def _clock(at: str) -> str:
    """Instant in UTC, to the minute, with its day where that is not today's."""
    day, clock = figures.instant(at).split(" ")
    return f"{clock} UTC" if day == _now()[:10] else f"{day} {clock} UTC"


def _now() -> str:
    return stamp(time.time())
