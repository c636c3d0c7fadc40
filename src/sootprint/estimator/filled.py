"""What an imported record leaves out and its inputs give: energy from hardware and hours, emissions from energy.

Nothing that a record states is changed, and what was filled in carries its factors. Energy and hours follow one rule:
the grid of the place that is stated, else the world's average with the interval of its grids, and the record says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint.catalogue import regions, zones
from sootprint.catalogue.hardware import Cpu
from sootprint.core import carbon, intervals, utc
from sootprint.core.errors import CatalogueError, InputError, RecordError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, Hardware, Place
from sootprint.core.units import hours
from sootprint.estimator import hours as estimator
from sootprint.estimator.inputs import Job
from sootprint.estimator.surroundings import UNKNOWN_PLACE
from sootprint.importers import clocks
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
        clock: Name and zone of times that a file tells without theirs; UTC where None, and said to be.
    """

    place: Place | None = None
    pue: float | None = None
    devices: Mapping[str, str] = field(default_factory=dict)
    processor: str | None = None
    cpus: int | None = None
    plugin: str | None = None
    clock: tuple[str, tzinfo] | None = None


NOTHING = Beside()
NOT_NAMED = "nobody says which device it was: its energy is not estimated"
PLACELESS = f"{UNKNOWN_PLACE}; the file tells no place: state it as it is imported, e.g. --zone DE"
AS_STATED = (
    "its energy is taken as stated, without bounds: those of the emissions are of the grid and PUE alone"
)


class _Around(NamedTuple):
    """Grid and PUE of where energy was used, None where none is known, and what to know of them."""

    intensity: Factor | None
    pue: Factor | None = None
    warnings: tuple[str, ...] = ()


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
        self._grids: dict[tuple[str | None, int | None], _Around] = {}
        for name in beside.devices.values():
            self._known.device(name)
        self._cores = None if beside.processor is None else self._cores_of(beside.processor)

    def of(self, footprint: Footprint) -> Footprint:
        """A record with an estimate of what it left out, or with a warning why there is none.

        Raises:
            InputError: It has a time that there is not in the zone beside it, or an energy that is no run's.
        """
        if STATEMENT in footprint.tags:
            return footprint
        plugin, clock = self._beside.plugin, self._beside.clock
        footprint = clocks.read_in(footprint, *clock) if clock else footprint
        if self._beside.place is not None and _is_filled(footprint):
            footprint = _of_no_grid(footprint)
        stated = self._with_place(plugins.as_read_by(plugin, footprint) if plugin else footprint)
        if stated.energy_kwh is None and stated.hardware and stated.duration_s:
            return self._estimated(stated)
        if stated.energy_kwh is not None and stated.emissions_kg is None:
            return self._emitted(stated, stated.energy_kwh)
        return stated

    def _with_place(self, stated: Footprint) -> Footprint:
        """A record with the place and PUE that were stated beside the file, where it has none."""
        changes: dict[str, Any] = {}
        if stated.place.zone is None and self._beside.place is not None and not is_of_world(stated):
            changes["place"] = self._beside.place
        if stated.pue is None and self._beside.pue is not None and stated.emissions_kg is None:
            changes["pue"] = Quantity(value=self._beside.pue, basis="claimed")
            changes["boundary"] = _with_facility(stated)
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
        nowhere = () if stated.place.zone else (PLACELESS,)
        return _known(
            stated,
            still=made.unknown,
            components=made.components,
            energy_kwh=made.energy_kwh,
            intensity_g_per_kwh=made.intensity_g_per_kwh,
            emissions_kg=stated.emissions_kg or made.emissions_kg,
            pue=stated.pue or made.pue,
            boundary=made.boundary,
            hardware=stated.hardware if of_cores else made.hardware,
            factors=(*stated.factors, *made.factors),
            warnings=(*stated.warnings, *nowhere, *made.warnings),
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

    def _emitted(self, stated: Footprint, energy_kwh: Quantity) -> Footprint:
        """A record with energy, with its emissions at the intensity that it states, else at that of its place."""
        found = self._around(stated.place.zone, year_of(stated))
        looked_up = None if stated.intensity_g_per_kwh is not None else found.intensity
        grid = stated.intensity_g_per_kwh or (looked_up.quantity() if looked_up else None)
        if grid is None:
            return _known(stated, warnings=(*stated.warnings, *found.warnings))
        pue_found = None if stated.pue is not None else found.pue
        pue = stated.pue or (pue_found.quantity() if pue_found else None)
        doubts = (
            *(found.warnings if looked_up else ()),
            *((carbon.NO_PUE,) if pue is None else ()),
            *((AS_STATED,) if energy_kwh.low is None else ()),
        )
        return _known(
            stated,
            still=("pue",) if pue is None else (),
            intensity_g_per_kwh=grid,
            pue=pue or intervals.exact(1.0, "assumed"),
            boundary=_with_facility(stated) if pue_found else stated.boundary,
            emissions_kg=_emissions(energy_kwh, grid, pue or intervals.exact(1.0, "assumed")),
            factors=(*stated.factors, *filter(None, (pue_found, looked_up))),
            warnings=(*stated.warnings, *doubts),
        )

    def _around(self, zone: str | None, year: int | None) -> _Around:
        if (zone, year) not in self._grids:
            self._grids[zone, year] = _around(zone, year)
        return self._grids[zone, year]


def is_of_world(footprint: Footprint) -> bool:
    """Whether the emissions of a record were computed with the world's average, as a run of ours in no known place."""
    return any(one.startswith(UNKNOWN_PLACE) for one in footprint.warnings)


def _is_filled(footprint: Footprint) -> bool:
    """Whether an earlier import computed the emissions of a record with the world's average."""
    emitted = footprint.emissions_kg
    return PLACELESS in footprint.warnings and emitted is not None and emitted.basis != "claimed"


def _of_no_grid(filled: Footprint) -> Footprint:
    """A record without the emissions and the PUE that an earlier import filled in where it had no place."""
    assumed = ("emissions_kg", "intensity_g_per_kwh", *(("pue",) if "pue" in filled.unknown else ()))
    emptied: dict[str, Any] = dict.fromkeys(assumed)
    gone = (PLACELESS, AS_STATED, carbon.NO_PUE, *_around(None, year_of(filled)).warnings)
    return dataclasses.replace(
        filled,
        warnings=tuple(one for one in filled.warnings if one not in gone),
        factors=tuple(one for one in filled.factors if one.kind != "intensity"),
        unknown=tuple(dict.fromkeys((*filled.unknown, *assumed))),
        **emptied,
    )


def _around(zone: str | None, year: int | None) -> _Around:
    """Grid and PUE of a place, and the world's grid where nobody tells it."""
    try:
        found = zones.intensity(zone or zones.WORLD, year)
        pue = regions.region(zone, year).pue if zone and "/" in zone else None
    except (CatalogueError, InputError) as err:
        return _Around(None, warnings=(f"no emissions can be told: {err}",))
    return _Around(found.factor, pue, found.warnings if zone else (PLACELESS, *found.warnings))


def _emissions(energy_kwh: Quantity, grid: Quantity, pue: Quantity) -> Quantity:
    """Emissions of an energy, which counts as stated where it has no bounds [kgCO2e].

    Raises:
        InputError: They are no number.
    """
    low, high = (energy_kwh.value if bound is None else bound for bound in (energy_kwh.low, energy_kwh.high))
    try:
        return carbon.emissions(dataclasses.replace(energy_kwh, low=low, high=high), grid, pue)
    except RecordError:
        raise InputError(
            f"energy_kwh is {energy_kwh.value:g}: its emissions are beyond all numbers"
        ) from None


def _with_facility(stated: Footprint) -> str:
    """Boundary of a record with its PUE: that of accelerators stays, for their nodes are not in."""
    return "facility" if stated.boundary == "node" else stated.boundary


def year_of(footprint: Footprint) -> int | None:
    """Year that a record states: of its start, else as given."""
    started = utc.written_year(footprint.started)
    if started is not None:
        return started
    given = footprint.given.get("year")
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _known(stated: Footprint, *, still: Collection[str] = (), **changes: Any) -> Footprint:
    """A record with changes, in which what is known now is not called unknown; a PUE of 1 that is assumed still is."""
    made = dataclasses.replace(stated, **changes)
    left = tuple(
        name for name in made.unknown if changes.get(name) is None or (name == "pue" and name in still)
    )
    return dataclasses.replace(made, unknown=left)
