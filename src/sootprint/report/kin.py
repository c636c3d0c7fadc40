"""Runs around and inside of a run, as a ledger knows them: names and energies that the record itself does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint

if TYPE_CHECKING:
    from sootprint.ledger.rows import RunRow


class Relative(NamedTuple):
    """A run beside the one that is reported.

    Args:
        id: Its identity.
        name: Its name.
        energy_kwh: Its energy [kWh].
        apart: Share of its energy that is not in that of the run around it [0-1].
    """

    id: str
    name: str | None
    energy_kwh: Quantity | None
    apart: float = 0.0


class Kin(NamedTuple):
    """Relatives of a run.

    Args:
        whole: The run that it is a part of.
        origin: The run that it names as its parent and is no part of.
        apart: Share of its own energy that is not in the whole's [0-1].
        parts: Runs that are parts of it, the first to start first.
        is_elsewhere: Whether the page tells of them beside the report, with links.
    """

    whole: Relative | None = None
    origin: Relative | None = None
    apart: float = 0.0
    parts: tuple[Relative, ...] = ()
    is_elsewhere: bool = False


def kin_of(footprint: Footprint, runs: Sequence[RunRow]) -> Kin:
    """Relatives of a record among the runs of a ledger."""
    known = {run.id: run for run in runs}
    own, parent = known.get(footprint.id), known.get(footprint.parent or "")
    whole = known.get(own.part_of or "") if own else None
    inside = sorted((one for one in runs if one.part_of == footprint.id), key=lambda one: one.started or "")
    return Kin(
        whole=_relative(whole),
        origin=_relative(parent) if whole is None else None,
        apart=own.apart if own else 0.0,
        parts=tuple(found for one in inside if (found := _relative(one)) is not None),
    )


def _relative(run: RunRow | None) -> Relative | None:
    return None if run is None else Relative(run.id, run.name, run.energy_kwh, run.apart)
