"""Sources in the order of the settings: the first that knows a time counts for all of it, and says so.

One source answers for a whole time, so that figures of different methods never meet in one sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sootprint.core import registry
from sootprint.core.errors import IntensityError
from sootprint.core.protocols import Intensity, IntensitySource, MarginalSource
from sootprint.intensity.live import Asked, Live
from sootprint.settings.grid import MARGINAL, Grid, Provider

if TYPE_CHECKING:
    from sootprint.settings import Settings

GROUP = "sootprint.intensity"
LEAST_KNOWN = 0.5  # of a time that a source must know to count for it
ANNUAL = "annual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the first source that knows a time says of it.

    Args:
        source: Name of the source.
        intensities: Intensities in order, gaps left out.
        passed: Why each earlier source does not count, one line each.
    """

    source: str
    intensities: tuple[Intensity, ...]
    passed: tuple[str, ...] = ()

    def known(self, start: datetime, end: datetime) -> float:
        """Share of `[start, end)` that has a figure [0-1]."""
        return known(self.intensities, start, end)


class ChainSource:
    """Sources one after the other, by their names in the settings."""

    name = "chain"

    def __init__(self, names: Sequence[str], settings: Settings) -> None:
        self._names, self._settings = tuple(names), settings

    def ask(self, zone: str, start: datetime, end: datetime) -> Answer:
        """Answer of the first source that knows at least half of `[start, end)`.

        Raises:
            IntensityError: None does; the line says why each does not.
        """
        passed: list[str] = []
        for name in self._names:
            try:
                listed = source(name, self._settings).between(zone, start, end)
            except IntensityError as err:
                passed.append(str(err))
                continue
            share = known(listed, start, end)
            if share >= LEAST_KNOWN:
                return Answer(source=name, intensities=tuple(listed), passed=tuple(passed))
            passed.append(f"{name} knows {share:.0%} of the time only")
        raise IntensityError(
            "; ".join(passed) or "no source of carbon intensity is configured: state [grid] sources"
        )

    def between(self, zone: str, start: datetime, end: datetime) -> Sequence[Intensity]:
        """Intensities of the first source that knows the time, in order; a gap is left out.

        Raises:
            IntensityError: None does.
        """
        return self.ask(zone, start, end).intensities


def known(listed: Sequence[Intensity], start: datetime, end: datetime) -> float:
    """Share of `[start, end)` that intensities cover [0-1]."""
    covered = sum((min(one.end, end) - max(one.start, start) for one in listed), start=timedelta(0))
    return covered / (end - start)


def source(name: str, settings: Settings) -> IntensitySource:
    """Source of average intensities of a name, as the settings state it.

    Raises:
        IntensityError: It gives a marginal signal, or cannot be set up.
        SettingsError: There is no such source.
    """
    if name in MARGINAL:
        raise IntensityError(
            f"{name} gives a marginal signal, which is for decisions: it is no source of footprints"
        )
    made: IntensitySource = registry.load(GROUP, name)(asked(name, settings))
    return made


def marginal(name: str, settings: Settings) -> MarginalSource:
    """Source of marginal intensities of a name, as the settings state it.

    Raises:
        IntensityError: It gives averages, or cannot be set up.
    """
    if name not in MARGINAL:
        raise IntensityError(
            f"{name} gives averages, no marginal signal; those with one: {', '.join(MARGINAL)}"
        )
    made: MarginalSource = registry.load(GROUP, name)(asked(name, settings))
    return made


def chain(settings: Settings) -> ChainSource | None:
    """Configured sources with the annual tables as the last, or None where no source is configured."""
    stated = (settings.grid or Grid()).sources
    return ChainSource([*stated, *(() if ANNUAL in stated else (ANNUAL,))], settings) if stated else None


def asked(name: str, settings: Settings) -> Asked:
    """How a source is asked."""
    grid = settings.grid or Grid()
    return Asked(
        provider=grid.providers.get(name) or Provider(name=name), home=settings.home, limit_s=grid.limit_s
    )


def notes(one: object) -> tuple[str, ...]:
    """What a person should know of a source that was asked, such as a full disk."""
    return tuple(one.notes) if isinstance(one, Live) else ()
