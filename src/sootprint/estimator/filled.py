"""What an imported record leaves out and its inputs give: energy from hardware and hours, emissions from energy.

Nothing that a record states is changed, and what was filled in carries its factors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sootprint.catalogue import regions, zones
from sootprint.catalogue.hardware import Cpu
from sootprint.core import carbon, instants, intervals
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, Hardware, Place
from sootprint.core.units import hours
from sootprint.estimator import hours as estimator
from sootprint.estimator.inputs import Job
from sootprint.importers.base import CORE, UNNAMED
from sootprint.importers.slurm_sacct import plugins
from sootprint.ledger.rows import STATEMENT

if TYPE_CHECKING:
    from sootprint.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a person states beside a file, for records that do not state it.

    Args:
        place: Where the hardware stands.
        pue: Facility energy over IT energy, at least 1 [1].
        devices: Accelerators by the name that the file has for them in small letters; that of "" for those without.
        processor: Processor of jobs that were given cores.
        cpus: Cores as a file counts them in one such processor, at least 1; those of the catalogue where None [1].
        plugin: Energy plug-in of the Slurm, one of `plugins.PLUGINS`.
    """

    place: Place | None = None
    pue: float | None = None
    devices: Mapping[str, str] = field(default_factory=dict)
    processor: str | None = None
    cpus: int | None = None
    plugin: str | None = None


NOTHING = Beside()
NOT_NAMED = "nobody says which device it was: its energy is not estimated"


class Filling:
    """Fills in records, and looks up each device and grid once.

    Args:
        settings: Settings; the hub's are nobody's.
        beside: What is known beside the file.

    Raises:
        CatalogueError: A device that is named beside the file is in no table.
        InputError: The processor is none, or nobody publishes its cores.
    """

    def __init__(self, settings: Settings, beside: Beside = NOTHING) -> None:
        self._beside = beside
        self._known = estimator.Lookups(settings)
        self._grids: dict[tuple[str, int | None], Factor | None] = {}
        for name in beside.devices.values():
            self._known.device(name)
        self._cores = None if beside.processor is None else self._cores_of(beside.processor)

    def of(self, footprint: Footprint) -> Footprint:
        """A record with an estimate of what it left out, or with a warning why there is none."""
        if STATEMENT in footprint.tags:
            return footprint
        plugin = self._beside.plugin
        stated = self._with_place(plugins.as_read_by(plugin, footprint) if plugin else footprint)
        if stated.energy_kwh is None and stated.hardware and stated.duration_s:
            return self._estimated(stated)
        if stated.energy_kwh is not None and stated.emissions_kg is None:
            return self._emitted(stated)
        return stated

    def _with_place(self, stated: Footprint) -> Footprint:
        """A record with the place and PUE that were stated beside the file, where it has none."""
        changes: dict[str, Any] = {}
        if stated.place.zone is None and self._beside.place is not None:
            changes["place"] = self._beside.place
        if stated.pue is None and self._beside.pue is not None and stated.emissions_kg is None:
            changes["pue"] = Quantity(value=self._beside.pue, basis="claimed")
            changes["boundary"] = "facility"
        return _known(stated, **changes) if changes else stated

    def _estimated(self, stated: Footprint) -> Footprint:
        try:
            job = self._job(stated)
            if job is None:
                return _known(stated, warnings=(*stated.warnings, NOT_NAMED))
            made = estimator.footprint(job, self._known.settings, known=self._known)
        except (InputError, CatalogueError) as err:
            return _known(stated, warnings=(*stated.warnings, f"no estimate could be made: {err}"))
        of_cores = stated.hardware[0].name == CORE
        given = {**stated.given, "processor": self._beside.processor} if of_cores else stated.given
        return _known(
            stated,
            components=made.components,
            energy_kwh=made.energy_kwh,
            intensity_g_per_kwh=made.intensity_g_per_kwh,
            emissions_kg=stated.emissions_kg or made.emissions_kg,
            pue=stated.pue or made.pue,
            boundary=made.boundary,
            hardware=stated.hardware if of_cores else made.hardware,
            factors=(*stated.factors, *made.factors),
            warnings=(*stated.warnings, *made.warnings),
            given=given,
        )

    def _job(self, stated: Footprint) -> Job | None:
        """What is estimated; None where nobody says which device it was."""
        main, spent_h = stated.hardware[0], hours(stated.duration_s or 0.0)
        name, count = self._device(main), main.count
        if main.name == CORE:
            if self._cores is None:
                return None
            name, count, spent_h = self._beside.processor, 1, spent_h * main.count / self._cores
        if name is None:
            return None
        return Job(
            hours=spent_h,
            hardware=name,
            count=count,
            zone=stated.place.zone or zones.WORLD,
            year=year_of(stated),
            pue=stated.pue.value if stated.pue else None,
        )

    def _device(self, main: Hardware) -> str | None:
        """Name of a device as it was stated beside the file, else as the file has it."""
        unnamed = main.name == UNNAMED
        return self._beside.devices.get("" if unnamed else main.name.lower(), None if unnamed else main.name)

    def _cores_of(self, processor: str) -> int:
        found = self._known.device(processor)
        if not isinstance(found, Cpu):
            raise InputError(f"{processor!r:.60} is no processor: name that of the nodes, e.g. EPYC 7763")
        cores = self._beside.cpus or found.cores
        if not cores:
            raise InputError(
                f"nobody publishes the cores of {found.name}: state them, as in {processor!r:.60}=64"
            )
        return cores

    def _emitted(self, stated: Footprint) -> Footprint:
        """A record with energy, with its emissions at the intensity that it states, else at that of its zone."""
        grid, found = stated.intensity_g_per_kwh, None
        if grid is None and stated.place.zone:
            found = self._intensity(stated.place.zone, year_of(stated))
            grid = found.quantity() if found else None
        if grid is None or stated.energy_kwh is None:
            return stated
        pue = stated.pue or intervals.exact(1.0, "assumed")
        return _known(
            stated,
            intensity_g_per_kwh=grid,
            emissions_kg=carbon.emissions(stated.energy_kwh, grid, pue),
            factors=(*stated.factors, *([found] if found else [])),
        )

    def _intensity(self, zone: str, year: int | None) -> Factor | None:
        if (zone, year) not in self._grids:
            self._grids[zone, year] = _intensity(zone, year)
        return self._grids[zone, year]


def _intensity(zone: str, year: int | None) -> Factor | None:
    try:
        return zones.intensity(regions.region(zone, year).zone if "/" in zone else zone, year).factor
    except (CatalogueError, InputError):
        return None


def year_of(footprint: Footprint) -> int | None:
    """Year that a record states: of its start, else as given."""
    started = instants.written_year(footprint.started)
    if started is not None:
        return started
    given = footprint.given.get("year")
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _known(stated: Footprint, **changes: Any) -> Footprint:
    """A record with changes, in which what is known now is not called unknown."""
    made = dataclasses.replace(stated, **changes)
    left = tuple(name for name in made.unknown if changes.get(name) is None)
    return dataclasses.replace(made, unknown=left)
