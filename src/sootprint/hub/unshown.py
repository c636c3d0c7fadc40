"""Records that were stored before a rule came which they break: they are told as such, and no page draws them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sootprint.core.errors import RecordError
from sootprint.core.records import Footprint
from sootprint.hub import admission


class UnshownError(RecordError):
    """A stored record breaks a rule that came after it: its JSON is there, and its sender may correct it."""


def footprint(text: bytes) -> Footprint:
    """Record of a stored text.

    Raises:
        UnshownError: It breaks a rule.
    """
    try:
        made = Footprint.from_json(text)
        admission.check_sizes(text, made)
    except RecordError as err:
        raise UnshownError(
            f"this record cannot be shown, as it breaks a rule that came after it: {err}"
        ) from None
    return made


def readable(texts: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Footprint]]:
    """Ids and records of those texts that break no rule."""
    for key, text in texts:
        try:
            yield key, footprint(text)
        except UnshownError:  # its own page tells it
            continue
