"""Annual intensity: the catalogue's figure of each year, for any time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from sootprint.catalogue import zones
from sootprint.core.errors import CatalogueError, IntensityError
from sootprint.core.protocols import Intensity
from sootprint.intensity.times import check_times

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.intensity.live import Asked


class AnnualSource:
    """Carbon intensity of a zone from the packaged annual tables; needs no network."""

    name = "annual"

    def between(self, zone: str, start: datetime, end: datetime) -> Sequence[Intensity]:
        """Annual intensities that cover `[start, end)`, one a year of UTC, in order.

        Raises:
            IntensityError: No table knows the zone, or the times are naive or not in order.
        """
        check_times(start, end)
        pieces = []
        for first, last in _years(start.astimezone(UTC), end.astimezone(UTC)):
            try:
                found = zones.intensity(zone, first.year)
            except CatalogueError as err:
                raise IntensityError(str(err)) from err
            pieces.append(
                Intensity(zone=zone, start=first, end=last, factor=found.factor, warnings=found.warnings)
            )
        return pieces


def _years(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Parts of `[start, end)` that lie in one year each."""
    turns = [datetime(year, 1, 1, tzinfo=UTC) for year in range(start.year + 1, end.year + 1)]
    edges = [start, *(turn for turn in turns if turn < end), end]
    return list(pairwise(edges))


def configured(asked: Asked) -> AnnualSource:
    """Source as the settings state it."""
    return AnnualSource()
