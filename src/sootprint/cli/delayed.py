"""`sootprint run --deadline`: a plan is made and driven to its end; what cannot be planned runs at once."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.cli import options, shell
from sootprint.core.errors import IntensityError, RecordError

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.engines.book import Plan
    from sootprint.settings import Settings
    from sootprint.settings.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for on the command line.

    Args:
        command: Program and its arguments.
        deadline: Time from now by which it must end [s].
        expect: Time that it runs [s].
        pausable: Whether it may be paused.
        resume_cost: Running time that a resume costs [s].
        trace: File of the intensity ahead, with its zone before it or not.
        targets: Names of the places where it may run, with commas between them.
        carry: Files and folders that go with it.
        name: Name of the run.
        tag: Tags as they were written.
        model: Name of the model.
        result: Results as they were written.
        record: File of the record.
        json: Whether the record is printed.
        stated: Settings that were given as options.
        idle_w: Draw of what stays on while it does not run [W].
        power_w: Mean power of the job [W].
        engine: local, ssh or slurm; None leaves it to the targets.
    """

    command: Sequence[str]
    deadline: float
    expect: float | None
    pausable: bool
    resume_cost: float | None
    trace: str | None
    targets: str | None = None
    carry: Sequence[str] | None = None
    name: str | None
    tag: Sequence[str] | None
    record: Path | None
    json: bool
    stated: dict[str, Any]
    idle_w: float | None = None
    model: str | None = None
    result: Sequence[str] | None = None
    power_w: float | None = None
    engine: str | None = None


def driven(
    known: Settings,
    asked: Asked,
    *,
    say: Callable[[str], object],
    on_finish: Callable[[Footprint], object] | None = None,
) -> int | None:
    """Exit code of the job once its plan has ended; None where it cannot be planned and should run at once.

    Args:
        known: Settings.
        asked: What was asked for.
        say: Called with one line for a person.
        on_finish: Called with the last record of a job that ended on another machine.

    Raises:
        InputError: `--expect` is missing.
    """
    if asked.expect is None:
        shell.wrong("--deadline needs --expect, the time that the command runs, e.g. --expect 6h")
    _check(asked)
    targets = _targets(known, asked)
    if targets and known.exporters:
        say("with --targets nothing is exported by itself: `sootprint export RUN` after the job's end")
    if not targets and shutil.which(asked.command[0]) is None:
        return None  # which says so, with a shell's exit code
    refusal = _refusal(known, asked)
    if refusal is not None:
        say(f"{refusal}; the job starts now")
        if not targets:
            return None  # else its places are tried, the first one first
    from sootprint.engines.book import Book
    from sootprint.runner import driving

    plan = planned(known, asked, targets)
    try:
        book = Book.begin(known.home, plan)
    except RecordError as err:
        say(f"{err}; the job starts now")
        return None
    return driving.driven(book, known, say, on_finish=on_finish)


def _check(asked: Asked) -> None:
    """Nothing where the powers can be.

    Raises:
        InputError: One cannot.
    """
    if asked.power_w is not None and not 0.0 < asked.power_w < math.inf:
        shell.wrong(f"--power-w {asked.power_w:g} is no power of a job: give watts above 0")
    if asked.idle_w is not None and not 0.0 <= asked.idle_w < math.inf:
        shell.wrong(f"--idle-w {asked.idle_w:g} is no draw: give watts of at least 0")


def _refusal(known: Settings, asked: Asked) -> str | None:
    """Why a job cannot wait; None where it can."""
    if (asked.expect or 0.0) > asked.deadline:
        return (
            f"it cannot end by its deadline: it runs {_hours(asked.expect)} and has {_hours(asked.deadline)}"
        )
    if asked.trace is not None:
        return unfit(asked.trace, own_zone(known))
    if asked.targets and all(
        known.targets[name.strip()].trace for name in asked.targets.split(",") if name.strip()
    ):
        return None
    if known.grid is None or not known.grid.sources:
        return "nothing tells the hours ahead: state sources in [grid] of your sootprint.toml, or give --trace FILE"
    return (
        None
        if asked.targets or own_zone(known)
        else "the place is unknown, and so its hours ahead: state --zone"
    )


def unfit(trace: str, zone: str | None) -> str | None:
    """Why a trace does not tell the hours ahead; None where it does."""
    from sootprint.intensity.trace import TraceSource

    path, stated = options.zone_file(trace)
    if stated is not None and stated != zone:
        return f"--trace {trace} is of {stated}, and the job runs in {zone or 'a place that is not known'}"
    try:
        TraceSource(path)
    except IntensityError as err:
        return str(err)
    return None


def own_zone(known: Settings) -> str | None:
    """Zone of this machine, or None where it is not known."""
    from sootprint import place

    return place.resolve(known.stated_places(), clusters=known.cluster_places(), sysfs=known.sysfs).zone


def _targets(known: Settings, asked: Asked) -> list[Target]:
    """Places where the job may run.

    Raises:
        InputError: One is not in the settings, or nothing may be carried.
        CatalogueError: The zone of one is in no table.
    """
    from sootprint.catalogue import zones

    names = [name.strip() for name in (asked.targets or "").split(",") if name.strip()]
    for name in names:
        if name not in known.targets:
            listed = ", ".join(known.targets) or "none"
            shell.wrong(f"--targets {name} has no [targets.{name}] in your sootprint.toml; there: {listed}")
        zones.locate(known.targets[name].zone)
    if asked.carry and not names:
        shell.wrong("--carry needs --targets, the places that it is carried to")
    found = [known.targets[name] for name in dict.fromkeys(names)]
    return found if asked.engine is None else _started_by(asked.engine, found, known)


def _started_by(engine: str, found: Sequence[Target], known: Settings) -> list[Target]:
    """Places with an engine: those of the list, or the Slurm of this machine.

    Raises:
        InputError: There is none.
    """
    if found:
        kept = [one for one in found if one.engine == engine]
        if not kept:
            told = ", ".join(f"{one.name} has {one.engine}" for one in found)
            shell.wrong(f"--engine {engine} is that of none of the targets: {told}")
        return kept
    if engine == "ssh":
        shell.wrong("--engine ssh needs --targets, whose settings name the machine to reach")
    if engine == "local":
        return []
    from sootprint.settings.targets import Target

    zone, here = own_zone(known) or "WORLD", str(Path.cwd())
    return [Target(name="slurm", zone=zone, engine="slurm", workdir=here, python=sys.executable)]


def planned(known: Settings, asked: Asked, targets: Sequence[Target] = ()) -> Plan:
    """Plan of what was asked for.

    Raises:
        InputError: What is to be carried lies elsewhere.
    """
    from sootprint.core.ids import uuid7
    from sootprint.engines.book import Plan, learned_s
    from sootprint.engines.carry import checked

    now_s, cwd = time.time(), str(Path.cwd())
    made = uuid7(now_s)
    stated_s = asked.resume_cost
    return Plan(
        id=made,
        command=tuple(asked.command),
        cwd=cwd,
        arguments=(*_arguments(asked), "--tag", f"plan={made}"),
        deadline_s=now_s + asked.deadline,
        expect_s=asked.expect or 0.0,
        zone=targets[0].zone if targets else own_zone(known) or "WORLD",
        idle_w=asked.idle_w,
        power_w=asked.power_w,
        trace=str(options.zone_file(asked.trace)[0].resolve()) if asked.trace else None,
        pausable=asked.pausable,
        resume_s=(learned_s(known.home, asked.command, cwd) or 0.0) if stated_s is None else stated_s,
        resume_stated=stated_s is not None,
        made_s=now_s,
        targets=tuple(one.as_table() for one in targets),
        carry=checked(asked.carry or ()),
    )


def _arguments(asked: Asked) -> list[str]:
    """Options of `sootprint run` for each segment, as they were given."""
    made: list[str] = []
    for name, value in asked.stated.items():
        option = f"--{name.replace('_', '-')}"
        if name == "exporters":
            places = value if asked.targets is None else ()  # another machine has other files
            made += [part for place in places or ("none",) for part in ("--export", place)]
        else:
            made += [option] if value is True else [option, str(value)]
    for option, text in (("--name", asked.name), ("--record", asked.record and asked.record.resolve())):
        made += [option, str(text)] if text is not None else []
    for text in asked.tag or ():
        made += ["--tag", text]
    made += ["--model", asked.model] if asked.model is not None else []
    for text in asked.result or ():
        made += ["--result", text]
    return [*made, *(["--json"] if asked.json else [])]


def _hours(span_s: float | None) -> str:
    from sootprint.cli import figures

    return figures.duration(span_s)
