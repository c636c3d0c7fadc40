"""Rules of single settings: each takes what was written and returns the value; its ValueError is the rule."""

from __future__ import annotations

import math
from pathlib import Path

from sootprint.core import pue
from sootprint.core.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

MAX_BUDGET_KG = 1e9
HUB = "https://hub.example.org"
MOST_PERIOD_S = SECONDS_PER_MINUTE  # AMD's processors and Intel's memory count to 65 kJ: at 1 kW that is 65 s
_UNITS_S = {"ms": 1e-3, "s": 1.0, "m": SECONDS_PER_MINUTE, "min": SECONDS_PER_MINUTE, "h": SECONDS_PER_HOUR}
_SPANS_S = {**_UNITS_S, "d": 24 * SECONDS_PER_HOUR}
_ORIGINS = ("argument", "SOOTPRINT_", "project", "user")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def label(value: Any) -> str:
    """Text of one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("must be a text of one line")
    return value.strip()


def zone(value: Any) -> str:
    """Name of a zone as written; the catalogue says whether it knows it."""
    text = label(value)
    if len(text) > 80:
        raise ValueError('must be a zone such as "FR", "US-WA" or "aws/us-east-1"')
    return text


def accelerators(value: Any) -> str:
    """Places of accelerators as CUDA_VISIBLE_DEVICES names them, from a text or a list; "" is none of them."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else value
    if not isinstance(text, str) or not text.isprintable():
        raise ValueError('must be places such as "0,2", or identities such as "GPU-8932f937"')
    return text.strip()


def seen_by(environ: Mapping[str, str], chosen: str) -> dict[str, str]:
    """Variables of a job that may use these accelerators, counted in the driver's order, and no others."""
    kept = {name: text for name, text in environ.items() if name != "HIP_VISIBLE_DEVICES"}
    shown = dict.fromkeys(("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"), chosen)
    return {**kept, **shown, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def directory(value: Any) -> Path:
    """Directory, `~` being the user's."""
    if isinstance(value, Path):
        return value
    return Path(label(value)).expanduser()


def number(value: Any, *, low: float, high: float, rule: str) -> float:
    """Finite number between two bounds, from a number or a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(rule)
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        raise ValueError(rule) from None
    if not (math.isfinite(parsed) and low <= parsed <= high):
        raise ValueError(rule)
    return parsed


def overhead(value: Any) -> float:
    """PUE, facility energy over IT energy [1]."""
    return number(value, low=pue.LEAST, high=pue.MOST, rule=f"must be a PUE, {pue.RULE}")


def budget(value: Any) -> float:
    """Emissions at which a run warns [kgCO2e]."""
    return number(
        value, low=1e-9, high=MAX_BUDGET_KG, rule="must be kilograms of CO2e above 0, e.g. 5 or 0.25"
    )


def year(value: Any) -> int:
    """Calendar year."""
    rule = "must be a year from 1990 to 2100"
    parsed = number(value, low=1990, high=2100, rule=rule)
    if parsed != int(parsed):
        raise ValueError(rule)
    return int(parsed)


def duration(value: Any) -> float:
    """Time between two looks [s], from a number of seconds or a text such as "1s", "500ms" or "5m"."""
    rule = 'must be a time from 10ms to 1h, e.g. "1s", "500ms" or "5m"'
    text = str(value).strip() if isinstance(value, str) else ""
    unit = text.lstrip("0123456789.").strip()
    if text and unit:
        if unit not in _UNITS_S:
            raise ValueError(rule)
        amount = number(text.removesuffix(unit).strip(), low=0.0, high=1e9, rule=rule)
        value = amount * _UNITS_S[unit]
    return number(value, low=0.01, high=SECONDS_PER_HOUR, rule=rule)


def period(value: Any) -> float:
    """Time between two looks at the meters [s]: a counter that may have wrapped twice in it tells nothing."""
    try:
        found = duration(value)
    except ValueError:
        found = math.inf
    if found > MOST_PERIOD_S:
        raise ValueError('must be a time from 10ms to 1m, e.g. "1s" or "500ms": counters of energy wrap')
    return found


def span(value: Any) -> float:
    """Length of a job or a slack [s], from a text such as "90m", "24h", "1.5h" or "3d"."""
    rule = 'must be a time of at least a second and at most 1000 days, e.g. "90m", "24h" or "3d"'
    text = str(value).strip() if isinstance(value, str) else ""
    unit = text.lstrip("0123456789.").strip()
    if unit not in _SPANS_S:
        raise ValueError(rule)
    amount = number(text.removesuffix(unit).strip(), low=0.0, high=1e9, rule=rule)
    return number(amount * _SPANS_S[unit], low=1.0, high=1000 * _SPANS_S["d"], rule=rule)


def expectation(value: Any) -> str:
    """What a whole run does, as a text such as "epochs=90"."""
    from sootprint.core import expectation

    if not isinstance(value, str):
        raise ValueError(expectation.RULE)
    expectation.parsed(value)
    return value.strip()


def share(value: Any) -> str:
    """How the node's energy is shared out."""
    if value not in ("node", "process"):
        raise ValueError('must be "node" or "process"')
    return str(value)


def pushed(value: Any) -> str:
    """What each run sends to the hub."""
    if value not in ("asked", "end", "live"):
        raise ValueError('must be "asked", "end" or "live"')
    return str(value)


def one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    """Rule of a setting that is one of some words."""

    def parse(value: Any) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)

    return parse


def boolean(value: Any) -> bool:
    """Truth value, from a boolean or one of the usual words."""
    word = str(value).strip().lower()
    if not isinstance(value, bool | str) or word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def hub(value: Any) -> str:
    """Address of a hub."""
    return url(value, example=HUB, instead="a token stands in a file that SOOTPRINT_HUB_TOKEN_FILE names")


def url(value: Any, *, example: str, instead: str, query: bool = False) -> str:
    """Address without user name, password or trailing slash: a password in it would enter logs and lists.

    An @ is refused wherever it stands: in "https://me:pa/ss@host" a reader of addresses finds the host "me".

    Args:
        value: As it was written.
        example: An address that would do.
        instead: Where a password or key belongs, in words.
        query: Whether it may have a query, as a device asks for.
    """
    text = label(value).rstrip("/")
    if "@" in text:
        raise ValueError(f'must be an address without a password and @, such as "{example}": {instead}')
    if not query and ("?" in text or "#" in text):
        raise ValueError(
            f"must be an address without ? and #, for it is stored and printed, as a key in it would be: {instead}"
        )
    if not text.startswith(("https://", "http://")) or " " in text or not _is_host(text):
        raise ValueError(f'must be an address such as "{example}", without a password')
    return text


def _is_host(text: str) -> bool:
    """Whether an address has a host, and after it no port or one of digits."""
    host = text.partition("://")[2].partition("/")[0].partition("?")[0]
    name, colon, port = ("", "", "") if host.endswith("]") else host.rpartition(":")
    return bool(name and port.isdigit()) if colon else bool(host)


def strength(origin: str) -> int:
    """Rank of where a setting came from, the strongest being 0.

    >>> strength("argument"), strength("SOOTPRINT_ZONE"), strength("project file"), strength("default")
    (0, 1, 2, 4)
    """
    return next((rank for rank, start in enumerate(_ORIGINS) if origin.startswith(start)), len(_ORIGINS))
