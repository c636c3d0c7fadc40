"""A log of jobs: a CSV of any tool, or what `sacct` prints, whose rows and cells the importer of sacct reads."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.core.units import SECONDS_PER_HOUR, energy_kwh
from sootprint.importers.slurm_sacct import fields, rows

# Names of columns in lower case without blanks and underscores, the wanted one first.
_START = ("start", "arrival", "started", "starttime", "submit", "submitted", "arrivalutc", "startutc")
_END = ("end", "ended", "endtime", "endutc")
_LENGTH_S = ("durations", "elapseds", "runtimes", "seconds")
_LENGTH_H = ("hours", "durationh", "lengthh", "runtimeh")
_ELAPSED = ("elapsed", "duration", "runtime")
_OF_SLURM_S, _OF_SLURM_J = "elapsedraw", ("consumedenergyraw", "consumedenergy")
_KWH, _JOULE, _WATT = (
    ("energykwh", "kwh"),
    ("energyj",),
    ("powerw", "meanpowerw", "watts"),
)
_NAME = ("jobid", "id", "job", "name")
_STEPS = ("batch", "extern", "interactive")  # of Slurm, besides those that it counts
_UNFINISHED = ("PENDING", "RUNNING", "SUSPENDED", "REQUEUED", "RESIZING")
LONGEST_S = 10 * 8784 * SECONDS_PER_HOUR
COLUMNS = "start (or arrival), and end, elapsed, hours or seconds; energy_kwh or power_w if known"
CUT_OFF = "cut off or written over"
SACCT = "SLURM_TIME_FORMAT=%s sacct -P -X -o JobID,Start,Elapsed,State,ConsumedEnergyRaw"


class LoggedJob(NamedTuple):
    """A job that ran: its name, start, length [s], and energy [kWh] where known."""

    name: str
    start: datetime
    length_s: float
    energy_kwh: float | None


class JobLog(NamedTuple):
    """Jobs of a log in the order of their start, and what is to know of them.

    Args:
        jobs: The jobs.
        left_out: Why rows were left out, each reason with its count.
        local: Number of jobs whose times tell no zone.
    """

    jobs: list[LoggedJob]
    left_out: dict[str, int]
    local: int = 0


def read(lines: Iterable[str], *, name: str, clock: tzinfo = UTC) -> JobLog:
    """Jobs of a log: CSV, `sacct -P` (columns parted by |), or `sacct` as it is printed for people.

    Rows of a job's steps are not jobs; the energy of the largest of them counts where the job's own is missing.

    Args:
        lines: Lines of the log, header first.
        name: Name of the file, for messages.
        clock: Time zone of times that tell none.

    Raises:
        InputError: A column is missing, or a row has a time that is none or an energy below 0.
    """
    try:
        text = [line.rstrip("\r\n") for line in lines if line.strip()]
    except UnicodeDecodeError:
        text = ["\0"]
    if any("\0" in line for line in text):
        raise InputError(f"{name} is no text: give a log as CSV, or what sacct prints")
    if not text:
        raise InputError(f"{name} is empty: give a log with the columns {COLUMNS}")
    jobs: dict[str, LoggedJob] = {}
    rows_of: dict[
        str, str | None
    ] = {}  # the latest row of a job, by which its steps are known; None where left out
    steps_kwh: dict[str, float] = {}
    left_out: dict[str, int] = {}
    local = 0
    for number, row in _rows(text, name):
        where = f"{name} line {number}"
        if isinstance(row, str):
            left_out[CUT_OFF] = left_out.get(CUT_OFF, 0) + 1
            continue
        label = _first(row, _NAME) or f"line {number}"
        whole, _, step = label.partition(".")
        if whole[:1].isdecimal() and (step in _STEPS or (step.isdecimal() and whole in rows_of)):
            owner, kwh = rows_of.get(whole), _energy(row, 0.0, where)
            if owner is not None and kwh is not None:
                steps_kwh[owner] = max(steps_kwh.get(owner, 0.0), kwh)
            continue
        in_utc = _is_in_utc(row)
        reason, job = _job(label, row, where=where, clock=UTC if in_utc else clock)
        key = label if label not in jobs else f"{label} line {number}"
        rows_of[label] = None if job is None else key
        if job is None:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            jobs[key] = job
            local += not in_utc and utc.is_local(_first(row, _START))
    made = [job._replace(energy_kwh=job.energy_kwh or steps_kwh.get(label)) for label, job in jobs.items()]
    return JobLog(sorted(made, key=lambda job: job.start), left_out, local)


def _rows(text: list[str], name: str) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Rows by plain column names with their line numbers; of one that was cut off what is wrong with it."""
    header, first = text[0], 1
    delimiter = next((mark for mark in ("|", "\t", ";") if mark in header), ",")
    split: Iterable[list[str]] = ()
    if len(text) > 1 and re.fullmatch(r"[-\s]+", text[1]):  # sacct for people: dashes tell the widths
        spans = [found.span() for found in re.finditer(r"-+", text[1])]
        split = [[line[low:high].strip() for low, high in spans] for line in text]
        first = 2
    elif delimiter == "|":  # sacct quotes nothing
        split = [header.split(delimiter)]
    else:
        try:
            split = list(csv.reader(text, delimiter=delimiter))
        except csv.Error as err:
            raise InputError(f"{name} is no CSV ({err}): give a log as CSV, or what sacct prints") from None
    columns = [re.sub(r"[^a-z0-9]", "", column.lower()) for column in split[0]]
    has_length = any(known in columns for known in (*_END, *_LENGTH_S, *_LENGTH_H, *_ELAPSED, _OF_SLURM_S))
    if not (any(known in columns for known in _START) and has_length):
        raise InputError(f"{name} needs the columns {COLUMNS}; from Slurm: {SACCT}")
    if delimiter == "|" and first == 1:
        yield from ((number, rows.cells(line, columns, "|")) for number, line in enumerate(text[1:], start=2))
        return
    for number, cells in enumerate(split[first:], start=first + 1):
        yield number, dict(zip(columns, cells, strict=False))


def _job(label: str, row: dict[str, str], *, where: str, clock: tzinfo) -> tuple[str, LoggedJob | None]:
    """Job of a row, or why it is none."""
    start_text = _first(row, _START)
    if fields.state(row.get("state", "")) in _UNFINISHED:
        return "not finished", None
    if fields.is_nothing(start_text):
        return "never started", None
    start = _instant(start_text, where, clock)
    length_s = _length_s(row, start, where, clock)
    if length_s is None or length_s <= 0.0:
        return "no time spent", None
    return "", LoggedJob(label, start, length_s, _energy(row, length_s, where))


def _is_in_utc(row: dict[str, str]) -> bool:
    """Whether the name of the column that tells the start says that it is in UTC."""
    return next((name for name in _START if row.get(name, "").strip()), "").endswith("utc")


def _first(row: dict[str, str], names: Iterable[str]) -> str:
    return next((row[name].strip() for name in names if row.get(name, "").strip()), "")


def _instant(text: str, where: str, clock: tzinfo) -> datetime:
    try:
        return utc.logged(text, clock)
    except ValueError:
        raise InputError(f"{where}: {text[:40]!r} is no time, e.g. 2026-01-31T12:00:00Z") from None


def _length_s(row: dict[str, str], start: datetime, where: str, clock: tzinfo) -> float | None:
    """Time that a job ran [s]."""
    for names, size in ((_LENGTH_S, 1.0), (_LENGTH_H, SECONDS_PER_HOUR)):
        if text := _first(row, names):
            return None if _is_nothing(text) else _number(text, where) * size
    try:
        if text := _first(row, (_OF_SLURM_S,)):
            return fields.elapsed_s(text, raw=True)
        if text := _first(row, _ELAPSED):
            plain = ":" not in text and not _is_nothing(text)
            return _number(text, where) if plain else fields.elapsed_s(text)
    except InputError as err:
        raise InputError(str(err) if where in str(err) else f"{where}: {err}") from None
    text = _first(row, _END)
    return None if _is_nothing(text) else (_instant(text, where, clock) - start).total_seconds()


def _is_nothing(text: str) -> bool:
    """Whether a cell says that nothing is known; nan in the log of another tool is no figure, and refused as one."""
    return text.lower() != "nan" and fields.is_nothing(text)


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}: {text[:40]!r} is not a number") from None
    if not abs(value) <= LONGEST_S:
        raise InputError(
            f"{where}: {text[:40]!r} is no time that a job ran: give hours, or seconds, of up to 10 years"
        )
    return value


def _energy(row: dict[str, str], length_s: float, where: str) -> float | None:
    """Energy of a row [kWh], or None where it states none; Slurm writes 0 for what it did not measure."""
    of_slurm_j = fields.energy(_first(row, _OF_SLURM_J)).energy_j
    if of_slurm_j is not None:
        return energy_kwh(of_slurm_j)
    for names, to_kwh in ((_KWH, 1.0), (_JOULE, energy_kwh(1.0)), (_WATT, energy_kwh(length_s))):
        try:
            value = float(_first(row, names) or 0.0)
        except ValueError:
            value = 0.0
        if value < 0.0:
            raise InputError(f"{where}: {names[0]} is {value:g}: give at least 0, or leave it empty")
        if 0.0 < value < 1e18:
            return value * to_kwh
    return None
