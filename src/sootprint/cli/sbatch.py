"""`sootprint sbatch`: a job of Slurm that begins, pauses and resumes when the grid is clean."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import options, output, shell
from sootprint.cli.run import Deadline, Expect, Pausable, ResumeCost, Trace

if TYPE_CHECKING:
    from sootprint.cli.delayed import Asked
    from sootprint.engines.book import Book, Plan
    from sootprint.settings import Settings

SAVE_BEFORE_S = 300  # before its time limit Slurm asks the job to save
REFUSED = {
    "--wrap": "write the command into a script",
    "--array": "an array is many jobs: submit each by itself",
    "--wait": "the job may begin in days",
}
SHORT = {"-a": "--array", "-W": "--wait"}
Rest = Annotated[
    list[str],
    typer.Argument(
        metavar="[SBATCH OPTION...] SCRIPT [ARGUMENT...]",
        help="As for sbatch; the script's own #SBATCH lines count, too.",
    ),
]


def sbatch(
    rest: Rest,
    deadline: Deadline = None,
    expect: Expect = None,
    pausable: Pausable = False,
    resume_cost: ResumeCost = None,
    trace: Trace = None,
    zone: options.Zone = None,
    json: options.Json = False,
) -> None:
    """Submit a job to Slurm that begins when the grid is cleanest and ends by its deadline.

    It is measured as by `sootprint run`. Its begin is planned again while it waits; with --pausable it is asked to
    save, and waits in the queue again. What plans it stays in the background; `sootprint recover` starts that anew.

        sootprint sbatch --deadline 3d --expect 20h train.sh
        sootprint sbatch --deadline 3d --pausable --time=24:00:00 train.sh
    """
    from sootprint import settings
    from sootprint.cli.delayed import own_zone, unfit

    known = settings.load(zone=zone)
    if deadline is None:
        shell.wrong(
            "sbatch needs a --deadline, the time from now by which the job must end, e.g. --deadline 3d"
        )
    script, asked, arguments = parted(rest)
    stated = [*directives(script), *asked]
    _require_one(stated)
    expect_s = expect if expect is not None else limit_s(stated)
    if expect_s is None:
        shell.wrong(
            "sbatch needs --expect, the time that the job runs, or a time limit, e.g. --time=24:00:00"
        )
    if trace is not None and (refusal := unfit(trace, own_zone(known))) is not None:
        shell.wrong(refusal)
    wanted = _wanted([str(script), *arguments], deadline, expect_s)
    wanted = replace(wanted, pausable=pausable, resume_cost=resume_cost, trace=trace)
    number, book = _submitted(known, replace(wanted, stated={"zone": zone} if zone else {}), stated)
    if json:
        begin_s = book.state().segments[-1].begin_s
        output.print_json({"job": number, "plan": book.folder.name, "begin": _stamp(begin_s)})
    else:
        print(f"Submitted batch job {number}")


def _wanted(command: list[str], deadline_s: float, expect_s: float) -> Asked:
    """What is asked for, as of `sootprint run`."""
    from sootprint.cli.delayed import Asked

    unused = dict.fromkeys(("resume_cost", "trace", "targets", "carry", "name", "tag", "record"))
    return Asked(
        command=command, deadline=deadline_s, expect=expect_s, pausable=False, json=False, stated={}, **unused
    )


def _submitted(known: Settings, asked: Asked, stated: Sequence[str]) -> tuple[str, Book]:
    """Number of the job and the book of its plan, which a process in the background drives on."""
    from sootprint.cli.delayed import planned
    from sootprint.engines.book import Book
    from sootprint.runner import resume
    from sootprint.runner.outlook import Outlook
    from sootprint.runner.queued import Queued

    plan = _queued(planned(known, asked, ()), stated)
    if (asked.expect or 0.0) > asked.deadline:
        shell.say("it cannot end by its deadline: it begins as soon as Slurm starts it")
    book = Book.begin(known.home, plan)
    kept = book.folder / "script"
    driver = Queued(book, Outlook(plan, known, shell.say), say=shell.say)
    try:
        kept.write_bytes(Path(asked.command[0]).read_bytes())
        kept.chmod(0o700)
        driver.step(book.state())
        driver.step(book.state())
    except OSError as err:
        with contextlib.suppress(OSError):
            book.write("done", code=shell.FAILED)
        shell.wrong(str(err.strerror or err), cause=err)
    resume.started(book)
    return book.state().segments[-1].slurm or "", book


def _queued(plan: Plan, stated: Sequence[str]) -> Plan:
    """Plan whose job waits in the queue: the script is kept, so that it may change meanwhile."""
    from sootprint import settings
    from sootprint.engines.book import FOLDER

    saving = [f"--signal=B:USR1@{SAVE_BEFORE_S}"] if plan.pausable else []
    here = [f"--chdir={plan.cwd}"] if not any(one.startswith(("--chdir", "-D")) for one in stated) else []
    kept = settings.load().home / FOLDER / plan.id / "script"
    return replace(
        plan,
        command=(str(kept), *plan.command[1:]),
        arguments=(sys.executable, "-m", "sootprint", "run", *plan.arguments),
        queue=(*here, *saving, *stated, "--requeue", "--open-mode=append"),
    )


def parted(rest: Sequence[str]) -> tuple[Path, list[str], list[str]]:
    """Script, the options of sbatch before it, and its arguments after it.

    The script is the first word that is a file. One after an option, as in `-o log.txt`, is that option's value, unless
    it begins as a script does (#!).

    Raises:
        InputError: No word is one.
    """
    files = [at for at, word in enumerate(rest) if not word.startswith("-") and Path(word).is_file()]
    free = [at for at in files if at == 0 or not rest[at - 1].startswith("-") or _is_script(Path(rest[at]))]
    for at in (*free, *files):
        return Path(rest[at]).resolve(), list(rest[:at]), list(rest[at + 1 :])
    listed = " ".join(rest) or "nothing"
    shell.wrong(f"sbatch is given {listed}, in which no word is a file: name the script, e.g. train.sh")


def _is_script(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(2) == b"#!"
    return False


def directives(script: Path) -> list[str]:
    """Options of the script's own #SBATCH lines, which end at its first command.

    Raises:
        InputError: The script cannot be read.
    """
    import shlex

    found: list[str] = []
    try:
        text = script.read_text(encoding="utf-8", errors="replace")
    except OSError as err:
        shell.wrong(f"{script} cannot be read: {err.strerror}", cause=err)
    if not text.startswith("#!"):
        shell.wrong(f"{script} must begin with the program that runs it, e.g. #!/bin/bash")
    for line in text.splitlines():
        if line.startswith("#SBATCH"):
            found += shlex.split(line.removeprefix("#SBATCH"), comments=True)
        elif line.strip() and not line.startswith("#"):
            break
    return found


def limit_s(stated: Sequence[str]) -> float | None:
    """Time limit among options of sbatch [s], or None; one of 0 is none, as Slurm takes it.

    >>> limit_s(["--time=1-12"]), limit_s(["-t", "90"]), limit_s(["--time=0:30:00", "-N1"])
    (129600.0, 5400.0, 1800.0)
    >>> limit_s(["--time=0"]) is None
    True
    """
    found = None
    for at, word in enumerate(stated):
        if word.startswith("--time="):
            found = word.partition("=")[2]
        elif word in ("--time", "-t") and at + 1 < len(stated):
            found = stated[at + 1]
    if found is None:
        return None
    days, dash, clock = found.rpartition("-")
    try:
        parts = [int(part) for part in clock.split(":")]
        before = int(days) if dash else 0
    except ValueError:
        shell.wrong(f"--time={found} is no time limit of Slurm, e.g. 24:00:00 or 1-12")
    from_hours = bool(dash) or len(parts) == 3  # days-hours:minutes, hours:minutes:seconds, minutes:seconds
    units = (3600.0, 60.0, 1.0) if from_hours else (60.0, 1.0, 0.0)
    total_s = before * 86400.0 + sum(part * unit for part, unit in zip(parts, units, strict=False))
    return total_s or None


def _require_one(stated: Sequence[str]) -> None:
    for word in stated:
        name = SHORT.get(word[:2], word.partition("=")[0])
        if name in REFUSED:
            shell.wrong(f"{word} cannot be planned: {REFUSED[name]}")


def _stamp(at_s: float | None) -> str | None:
    return None if at_s is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))
