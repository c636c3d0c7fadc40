"""Slices of a tuning as processes: `sootprint run` around the user's command, ended in time, killed with us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sootprint.core.errors import InputError, SootprintError
from sootprint.core.records import Footprint
from sootprint.estimator.tuning import choose
from sootprint.estimator.tuning.plan import Probe, Setting, filled, in_rounds, variables
from sootprint.estimator.tuning.slices import Slice, read
from sootprint.estimator.tuning.state import State

GRACE_S = 10.0  # for a training to end after it was asked to
PERIODS = 20.0  # looks at the meters in a slice, at least
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's sys/prctl.h
Told = Callable[[str], object]


def measure(probe: Probe, folder: Path, tell: Told) -> tuple[list[Slice], list[Slice]]:
    """Slices of every setting, and those of the winners together; what is on disk is not measured again.

    Args:
        probe: What was asked.
        folder: Folder for the state and the output of the slices.
        tell: Called with one line before each slice.

    Raises:
        SootprintError: The present setting failed.
        InputError: The command tells no samples.
    """
    state = State(folder / "slices.jsonl")
    settings = probe.settings()
    first = _rounds(probe, settings, state, tell)
    together = _together(probe, first)
    if together is None:
        return first, []
    return first, _rounds(probe, [settings[0], together], state, tell, offset=probe.rounds)


def _rounds(
    probe: Probe, settings: list[dict[str, str]], state: State, tell: Told, *, offset: int = 0
) -> list[Slice]:
    found: dict[tuple[int, int], Slice] = {}
    order = in_rounds(settings, probe.rounds)
    for count, (number, setting) in enumerate(order, start=1):
        failed = state.failed(setting)
        one = failed or state.get(offset + number, setting)
        if one is None:
            tell(
                f"slice {count} of {len(order)}: {', '.join(f'{name} {value}' for name, value in setting.items())}"
            )
            one = _slice(probe, setting, offset + number, state.path.parent)
            state.add(one)
        if one.failed and setting == settings[0]:
            raise SootprintError(f"the present setting failed: {one.failed}")
        found[settings.index(dict(setting)), number] = one
    return [found[key] for key in sorted(found)]


def _together(probe: Probe, slices: list[Slice]) -> dict[str, str] | None:
    """Sure winners of two or more knobs as one setting; None where there are not as many."""
    listed = choose.outcomes(slices, choose.way(slices, probe.by))
    now = dict(listed[0].setting)
    made = dict(now)
    for name in probe.knobs:
        own = [one for one in listed if one.setting.get(name) != now[name]]
        winner = choose.best(own)
        if winner is not None:
            made[name] = winner.setting[name]
    return made if sum(made[name] != now[name] for name in now) >= 2 else None


def _slice(probe: Probe, setting: Setting, number: int, folder: Path) -> Slice:
    name = "-".join([f"{number}", *setting.values()])
    record, log = folder / f"{name}.json", folder / f"{name}.log"
    record.unlink(missing_ok=True)
    with log.open("wb") as file:
        code, ended_by_us = _run(probe, setting, record, file)
    if not record.exists() or (code != 0 and not ended_by_us):
        return Slice(setting=dict(setting), round=number, failed=f"exit code {code}, {_last_line(log)}")
    whole = Footprint.from_json(record.read_text(encoding="utf-8"))
    record.unlink()
    return read(probe, setting, number, whole, _inside(whole.id))


def _run(probe: Probe, setting: Setting, record: Path, output: object) -> tuple[int, bool]:
    """Exit code of a slice, and whether it was ended because its time was over."""
    period_s = min(1.0, max(0.1, probe.slice_s / PERIODS))
    tags = ["--tag", "tune=" + probe.key]
    for name, value in setting.items():
        tags += ["--tag", f"{name}={value}"]
    own = [sys.executable, "-m", "sootprint", "run", "--quiet", "--record", str(record), *tags]
    child = subprocess.Popen(
        [*own, "--period", f"{round(1000 * period_s)}ms", "--", *filled(probe.command, setting)],
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[call-overload]
        stderr=subprocess.STDOUT,
        env={
            **os.environ,
            **variables(setting),
            "SOOTPRINT_PERIOD": f"{round(1000 * period_s)}ms",
            "SOOTPRINT_EXPORTERS": "none",  # a slice is no training
        },
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no thread runs here
    )
    try:
        return child.wait(timeout=probe.slice_s), False
    except subprocess.TimeoutExpired:
        return _end(child), True
    finally:
        if child.poll() is None:  # we are interrupted
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> int:
    """Exit code of a slice that is asked to end: as by Ctrl-C, then by SIGTERM, then killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        child.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(timeout=GRACE_S)
    child.kill()
    return child.wait()


def _die_with_parent() -> None:
    """Ask Linux to end this process when the tuning is killed: `sootprint run` passes it on to the command."""
    import ctypes

    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGTERM)


def _inside(run_id: str) -> list[Footprint]:
    """Records of the runs that the command tracked itself, those that were cut off included."""
    from sootprint.cli import lookup
    from sootprint.tracker.recover import recover, unfinished

    with lookup.ledger() as ledger:
        home = ledger.home
    for path in unfinished(home):
        with contextlib.suppress(SootprintError):
            recover(path)
    with lookup.ledger() as ledger:
        return [ledger.get(row.id) for row in ledger.runs(limit=50) if row.parent == run_id]


def _last_line(log: Path) -> str:
    """Last line that the command itself printed, for a message."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("sootprint:")]
    return f"{lines[-1][:120]!r} in {log}" if lines else f"and it printed nothing ({log})"


def folder_of(probe: Probe, home: Path, *, fresh: bool) -> Path:
    """Folder of a tuning in a home, emptied where it is to start anew.

    Raises:
        InputError: It cannot be written.
    """
    import shutil

    folder = home / "tune" / probe.key
    try:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise InputError(
            f"{folder} cannot be written: {err.strerror}; set SOOTPRINT_HOME to a folder that can"
        ) from None
    return folder
