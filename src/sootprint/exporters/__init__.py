"""Places where finished footprints go. A record waits in the outbox until whoever it goes to has acknowledged it.

A place is a text: the name of an exporter and, after a colon, a file or an address, e.g. "jsonl:footprints.jsonl".
"""

from __future__ import annotations

from sootprint.core import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.core.protocols import Exporter
    from sootprint.settings import Settings

GROUP = "sootprint.exporters"


def opened(place: str, settings: Settings) -> Exporter:
    """Exporter to a place, which was looked at as far as that needs no network and changes nothing.

    One of another package may raise anything: `sootprint.runner.delivery.usable` makes one line of it.

    Raises:
        InputError: The file or address cannot be used.
        MissingExtraError: A package that it needs is not installed.
        SettingsError: No exporter has the name, or several have.
    """
    name, _, at = place.partition(":")
    exporter: Exporter = registry.load(GROUP, name)(at, settings)
    return exporter
