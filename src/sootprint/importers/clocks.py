"""Times that a tool wrote by its machine's clock: taken for UTC and said to be, or read in the zone that is stated.

A record keeps its identity when its zone is stated later, so that it is the same run with better times.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, tzinfo
from typing import Any

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint

LOCAL = "its times tell no zone and are taken for UTC: state theirs as it is imported, e.g. --timezone Europe/Berlin"


def doubts(*texts: str | None) -> tuple[str, ...]:
    """The remark on times without a zone, where one of some texts is such a time."""
    return (LOCAL,) if any(utc.is_local(text.strip()) for text in texts if text) else ()


def read_in(footprint: Footprint, name: str, clock: tzinfo) -> Footprint:
    """A record with its times read in a zone, where its file told none; any other record as it is.

    Args:
        footprint: Record of any kind.
        name: Name of the zone, which the record keeps as given.
        clock: The zone.

    Raises:
        InputError: A time lies beyond the years that can be written.
    """
    if LOCAL not in footprint.warnings:
        return footprint
    try:
        moved: dict[str, Any] = {name: tuple(_all_moved(getattr(footprint, name), clock)) for name in _DATED}
        return dataclasses.replace(
            footprint,
            started=_moved(footprint.started, clock),
            ended=_moved(footprint.ended, clock),
            warnings=tuple(one for one in footprint.warnings if one != LOCAL),
            given={**footprint.given, "timezone": name},
            **moved,
        )
    except OverflowError:
        raise InputError(f"started is {footprint.started}: there is no such time in {name:.40}") from None


_DATED = ("intervals", "gaps", "spans")


def _all_moved(parts: Any, clock: tzinfo) -> Any:
    return (
        dataclasses.replace(one, start=_moved(one.start, clock), end=_moved(one.end, clock)) for one in parts
    )


def _moved(text: str | None, clock: tzinfo) -> str | None:
    """Stamp in UTC of what a clock showed, of the stamp that has it as UTC."""
    if text is None:
        return None
    shown = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=clock).astimezone(UTC)
    return utc.text_of(shown, "milliseconds" if "." in text else "seconds")
