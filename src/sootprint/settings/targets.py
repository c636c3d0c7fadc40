"""The table `[targets]`: places where a job may run, how it is started there, and what moving it there costs."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import Any

from sootprint.core.classes import asdict, dataclass
from sootprint.settings.rules import label, number, overhead, span, zone
from sootprint.settings.tables import Rule, checked, table

ENGINES = ("local", "ssh", "slurm")
MOST_JOBS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place where a job may run.

    Args:
        name: Name in the settings.
        zone: Grid zone or cloud region whose intensity decides, and is charged.
        engine: local, ssh or slurm.
        host: Name of the machine for `ssh`; a Slurm without one is that of this machine.
        ssh_config: File of settings for `ssh`, in place of the user's own.
        workdir: Folder in which the command runs there; this machine's working directory where None.
        python: Python there that has Sootprint installed.
        setup: Line of shell that runs there before anything, e.g. "module load slurm".
        options: Options of `sbatch`, e.g. "--gres=gpu:1 --time=24:00:00".
        trace: File of the zone's intensity, in place of the sources of `[grid]`.
        pue: Facility energy over IT energy there, at least 1 [1].
        max_jobs: Most plans of this machine that run there at once.
        data_gb: Size of what a job carries there, for the plan; what was carried is charged as it was counted [GB].
        transfer_s: Time that a move there takes, for the plan [s].
        kwh_per_gb: Energy of carrying a gigabyte there, in place of the usual factor [kWh/GB].
    """

    name: str
    zone: str
    engine: str = "local"
    host: str | None = None
    ssh_config: str | None = None
    workdir: str | None = None
    python: str = "python3"
    setup: str | None = None
    options: str = ""
    trace: str | None = None
    pue: float | None = None
    max_jobs: int | None = None
    data_gb: float = 0.0
    transfer_s: float = 0.0
    kwh_per_gb: float | None = None

    @property
    def is_remote(self) -> bool:
        """Whether it is reached by ssh."""
        return self.host is not None

    def as_table(self) -> dict[str, Any]:
        """Fields by name, from which it can be made again."""
        return asdict(self)

    def __str__(self) -> str:
        """What it is, for a person."""
        return f"{self.engine}{f' on {self.host}' if self.host else ''}, {self.zone}"


def targets(value: Any) -> dict[str, Target]:
    """Targets by name, from the table `[targets]`."""
    found = {}
    for name, entry in table(value, "must be a table").items():
        given = checked(entry, _RULES, path=name)
        renamed = {"transfer_time": "transfer_s"}
        found[name] = _whole(name, {renamed.get(key, key): one for key, one in given.items()})
    return found


def _whole(name: str, given: dict[str, Any]) -> Target:
    """Target whose settings fit together."""
    # It is in a list, and names a file
    if not name.strip() or not name.isprintable() or set(name) & set("/,"):
        raise ValueError(f"{name!r} must be a name without commas and slashes")
    if "zone" not in given:
        raise ValueError(f'{name} must have a zone, e.g. zone = "FR"')
    made = Target(name=name, **given)
    if made.engine == "ssh" and made.host is None:
        raise ValueError(f'{name} must have a host, as its engine is ssh, e.g. host = "gpu1.example.org"')
    if made.engine == "local" and made.host is not None:
        raise ValueError(f'{name}.host = {made.host!r} needs engine = "ssh" or "slurm"')
    if made.is_remote and made.workdir is None:
        raise ValueError(f"{name} must have a workdir, the folder on {made.host} in which the command runs")
    return made


def _engine(value: Any) -> str:
    if value not in ENGINES:
        raise ValueError(f"must be one of {', '.join(ENGINES)}")
    return str(value)


def _host(value: Any) -> str:
    text = label(value)
    if text.startswith("-") or any(letter.isspace() for letter in text):
        raise ValueError('must be a host as ssh takes it, e.g. "me@gpu1.example.org"')
    return text


def _workdir(value: Any) -> str:
    text = label(value)
    if not PurePosixPath(text).is_absolute():
        raise ValueError("must be an absolute path, e.g. /home/me/train")
    return text


def _options(value: Any) -> str:
    text = label(value)
    try:
        words = shlex.split(text)
    except ValueError as err:
        raise ValueError(f"cannot be read as options of sbatch: {err}") from None
    if any(not word.startswith("-") for word in words[:1]):
        raise ValueError('must be options of sbatch, e.g. "--gres=gpu:1 --time=24:00:00"')
    return text


def _jobs(value: Any) -> int:
    rule = "must be a whole number of jobs, at least 1"
    count = number(value, low=1, high=MOST_JOBS, rule=rule)
    if count != int(count):
        raise ValueError(rule)
    return int(count)


_RULES: dict[str, Rule] = {
    "zone": zone,
    "engine": _engine,
    "host": _host,
    "ssh_config": label,
    "workdir": _workdir,
    "python": label,
    "setup": label,
    "options": _options,
    "trace": label,
    "pue": overhead,
    "max_jobs": _jobs,
    "data_gb": lambda given: number(given, low=0.0, high=1e9, rule="must be GB, at least 0"),
    "transfer_time": span,
    "kwh_per_gb": lambda given: number(given, low=0.0, high=10.0, rule="must be kWh/GB from 0 to 10"),
}
