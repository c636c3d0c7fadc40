"""Places where finished footprints go. A record waits in the outbox until whoever it goes to has acknowledged it.

A place is a text: the name of an exporter and, after a colon, a file or an address, e.g. "jsonl:footprints.jsonl".
"""

from __future__ import annotations

from sootprint.core import registry
from sootprint.core.errors import MissingExtraError, SootprintError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.core.protocols import Exporter
    from sootprint.settings import Settings

GROUP = "sootprint.exporters"
# What the code of another package may raise where it is loaded or called wrongly.
STRANGE = (ImportError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def opened(place: str, settings: Settings) -> Exporter:
    """Exporter to a place, which was looked at as far as that needs no network and changes nothing.

    Raises:
        InputError: The file or address cannot be used.
        MissingExtraError: A package that it needs is not installed, or does not work.
        SettingsError: No exporter has the name.
    """
    name, _, at = place.partition(":")
    try:
        exporter: Exporter = registry.load(GROUP, name)(at, settings)
    except SootprintError:
        raise
    except STRANGE as err:
        raise MissingExtraError(f"the exporter {name} does not work: {type(err).__name__}: {err}") from err
    return exporter
