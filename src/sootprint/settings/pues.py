"""The PUE that holds for a run: stated for itself, or with the site; what was stated more strongly counts."""

from __future__ import annotations

from sootprint.settings.rules import strength

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date
    from typing import NamedTuple

    from sootprint.settings import Settings
else:
    from sootprint.core.named import NamedTuple


class StatedPue(NamedTuple):
    """A PUE that someone stated, with its bounds and who stated it [1]."""

    value: float
    low: float | None
    high: float | None
    source: str


def holding(settings: Settings, day: date, *, site: str | None) -> StatedPue | None:
    """PUE that holds on a day, as `Settings.pue_on` tells it.

    A PUE counts before that of a site that was stated no more strongly: `--pue` always does, a general one of a file
    does not where `--site` names a place with its own.
    """
    name = site or _stated_site(settings)
    known = settings.sites[name].pue_on(day) if name is not None and name in settings.sites else None
    own = None if known is None else StatedPue(known.value, known.low, known.high, f"site {name}")
    if settings.pue is None:
        return own
    is_stronger = name == settings.site and _strength(settings, "site") < _strength(settings, "pue")
    if own is not None and is_stronger:
        return own
    return StatedPue(settings.pue, None, None, settings.origins.get("pue", "argument"))


def _stated_site(settings: Settings) -> str | None:
    """Site that was stated, unless a zone was stated more strongly that is not the site's."""
    if settings.site is None or settings.zone is None:
        return settings.site
    is_elsewhere = settings.sites[settings.site].zone not in (None, settings.zone)
    return (
        None if is_elsewhere and _strength(settings, "zone") < _strength(settings, "site") else settings.site
    )


def _strength(settings: Settings, name: str) -> int:
    return strength(settings.origins.get(name, "argument"))
