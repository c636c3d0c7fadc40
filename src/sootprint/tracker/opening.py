"""What a run needs before its first reading: settings, meters, its job, a journal, and the first line of that."""

from __future__ import annotations

import functools
import os

from sootprint import __version__
from sootprint.core import registry
from sootprint.core.errors import SettingsError
from sootprint.core.protocols import Machine, Meter
from sootprint.tracker.journal import SUFFIX, Journal
from sootprint.tracker.sampler import guarded
from sootprint.tracker.worker import STRANGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from sootprint.settings import Settings
    from sootprint.tracker.group import Group
    from sootprint.tracker.source import Source
    from sootprint.tracker.worker import Worker

    Warn = Callable[[str], object]  # called with one line for a person

# variables that a rank's launcher sets: PyTorch, Open MPI, PMI, PMIx and Slurm
RANKS = ("RANK", "LOCAL_RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID")


def settings_of(arguments: Mapping[str, Any], warn: Warn) -> Settings:
    """Settings with every argument that can be used; each other one is warned of."""
    from sootprint import settings

    try:
        known = settings.load()
    except (SettingsError, OSError) as err:
        warn(f"{err}; measuring without the configuration")
        env = os.environ
        return settings.Settings(
            home=settings.home_directory(env), runtime_dir=settings.runtime_directory(env)
        )
    good: dict[str, Any] = {}
    for name, value in arguments.items():
        try:
            known = settings.load(**good, **{name: value})
            good[name] = value
        except (SettingsError, *STRANGE) as err:
            warn(f"{err}; measuring without it")
    return known


def meters_of(machine: Machine, warn: Warn) -> list[Meter]:
    """Meters that can be read here; one whose search fails in a way of its own costs no other."""
    found: list[Meter] = []
    for name in registry.names("sootprint.meters"):
        guarded(functools.partial(_find, machine, name, found), warn)
    return found


def _find(machine: Machine, name: str, found: list[Meter]) -> None:
    from sootprint.meters import probe

    found += probe.discover_all(machine, [name])[0]


def job_of(environ: Mapping[str, str], stated: str | None) -> Group | None:
    """Job that this process is a rank of; what tells is loaded only where a launcher has left its mark."""
    if stated is None and not any(name in environ for name in RANKS):
        return None
    from sootprint.tracker.group import detect

    return detect(environ, stated)


def journal_of(home: Path, run: str, warn: Warn) -> Journal | None:
    """Journal of a run, or None where it cannot be written, which is warned of."""
    from sootprint.settings.folders import make_home

    try:
        make_home(home)
        return Journal(home / "journal" / f"{run}{SUFFIX}")
    except OSError as err:
        warn(f"the journal cannot be written ({err.strerror}): a crash would lose this run")
        return None


def head_of(run: Worker, settings: Settings, source: Source) -> dict[str, Any]:
    """First line of a journal: what is known of a run as it begins."""
    from sootprint import place

    here = place.resolve(settings.stated_places(), clusters=settings.cluster_places(), sysfs=settings.sysfs)
    return {
        "k": "head",
        "v": 1,
        "id": run.id,
        "tool_version": __version__,
        "name": run.name,
        "project": settings.project,
        "tags": run.tags,
        "model": run.about.get("model"),
        "given": run.given | (source.group.given() if source.group else {}),
        "run_group": source.group.id if source.group else None,
        "parent": source.parent,
        "wall_s": run.wall_s,
        "period_s": settings.period_s,
        "share": settings.share,
        "zone": here.zone,
        "place_source": here.source,
        "place_fix": here.fix,
        "year": settings.year,
        "pue": settings.pue_at(run.wall_s, site=here.site),
        "cpu_threads": os.cpu_count(),
        "expect": _expected(settings.expect_total),
    }


def _expected(total: str | None) -> tuple[str, float] | None:
    if total is None:
        return None
    from sootprint.core.expectation import parsed

    return parsed(total)
