"""Where the record of a run goes besides the ledger: to a hub, and to the places of the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sootprint.exporters.hub import HubExporter
    from sootprint.runner.exporting import Exporting
    from sootprint.runner.sharing import Sharing
    from sootprint.settings import Settings

    Say = Callable[[str], object]  # called with one line for a person


def sharing(known: Settings, *, say: Say) -> Sharing | None:
    """The way of the run to a hub, where --hub or the user's own settings ask for one.

    Raises:
        InputError: The address is none, or a token would go to it without encryption.
        SettingsError: The token cannot be read.
    """
    asked = known.origins.get("hub") == "argument"
    if known.hub is None or (known.hub_push == "asked" and not asked):
        return None
    if "project file" in (known.origins.get("hub"), known.origins.get("hub_push")):
        say(f"the project's file names the hub, so nothing is sent to it: add --hub {known.hub}")
        return None
    from sootprint.exporters.address import address_of, token_of
    from sootprint.exporters.outbox import Outbox
    from sootprint.runner.sharing import Sharing

    token = token_of(known.hub_token_file)
    address = address_of(known.hub, token=token is not None)

    def opened() -> HubExporter:
        from sootprint.exporters.hub import HubExporter

        return HubExporter(known.home, address, token=token)

    return Sharing(
        Outbox(known.home, address),
        known.home,
        open_hub=opened,
        say=_nothing if known.quiet else say,
        live=asked or known.hub_push == "live",
    )


def exporting(known: Settings, *, say: Say, is_segment: bool) -> Exporting | None:
    """The way of the record to the places of the settings; one that was asked for here must be fit to be used.

    Args:
        known: Settings.
        say: Called with one line for a person.
        is_segment: Whether the run is one of a plan, which must not fail for that.

    Raises:
        InputError: A file or address of --export cannot be used.
        MissingExtraError: A package for one of --export is not installed.
        SettingsError: There is no exporter of that name.
    """
    if not known.exporters:
        return None
    from sootprint.core.errors import SootprintError
    from sootprint.runner.delivery import present
    from sootprint.runner.exporting import Exporting

    asked = known.origins.get("exporters") == "argument" and not is_segment
    for place in known.exporters:
        try:
            present(place, known)
        except SootprintError as err:
            if asked:
                raise
            say(f"{place}: {err}; the record will wait")
    return Exporting(known, say=say, quiet=known.quiet)


def _nothing(*_: object) -> None:
    """Say nothing."""
