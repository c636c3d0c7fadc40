"""Cells of sacct: times, amounts with suffixes, resources and states.

Source:
    SchedMD, sacct(1) of Slurm 22.05 to 25.05, "Job accounting fields" and "Job state codes"; the marks for a number
    that is not there are NO_VAL, INFINITE, NO_VAL64 and INFINITE64 of slurm/slurm.h.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from sootprint.core import units, utc
from sootprint.core.errors import InputError

ENDED = frozenset(
    (
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
        "REQUEUED", "RESIZING", "REVOKED", "TIMEOUT",
    )
)  # fmt: skip
# Short forms of sacct and squeue
_SHORT = {
    "BF": "BOOT_FAIL", "CA": "CANCELLED", "CD": "COMPLETED", "DL": "DEADLINE", "F": "FAILED", "NF": "NODE_FAIL",
    "OOM": "OUT_OF_MEMORY", "PR": "PREEMPTED", "RQ": "REQUEUED", "RS": "RESIZING", "RV": "REVOKED", "TO": "TIMEOUT",
    "PD": "PENDING", "R": "RUNNING", "S": "SUSPENDED",
}  # fmt: skip
_NOTHING = frozenset(
    (
        "",
        "unknown",
        "none",
        "invalid",
        "unlimited",
        "partition_limit",
        "n/a",
        "nan",
        "(null)",
        "none assigned",
    )
)
_ELAPSED = re.compile(r"(?:(\d{1,6})-)?(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,6})?)")
_AMOUNT = re.compile(r"(\d{1,20})(\.\d{1,6})?([KMGTPE]?)")
_SUFFIXES = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_NO_NUMBER = (2.0**32 - 2, 2.0**32 - 1)
_BELOW_ZERO = 2.0**63  # of 64 bits without a sign: a difference below zero comes out above
MOST_COUNT = 10_000_000
MOST_YEAR, LEAST_YEAR = 2100, 2002  # the first release of Slurm was in 2002


def is_nothing(text: str) -> bool:
    """Whether a cell says that nothing is known."""
    return text.strip().lower() in _NOTHING


def state(text: str) -> str | None:
    """State without the number of who cancelled; None where none is told.

    >>> state("CANCELLED by 1000"), state("CA"), state("")
    ('CANCELLED', 'CANCELLED', None)
    """
    word = text.strip().partition(" ")[0].rstrip("+").upper()
    return _SHORT.get(word, word) or None


def elapsed_s(text: str, *, raw: bool = False) -> float | None:
    """Seconds of `[DD-]HH:MM:SS`, or of a number where `raw`; None where nothing is told [s].

    Raises:
        InputError: It is neither.

    >>> elapsed_s("1-02:00:30"), elapsed_s("05:30"), elapsed_s("90", raw=True)
    (93630.0, 330.0, 90.0)
    """
    if is_nothing(text):
        return None
    if raw and text.isascii() and text.isdigit() and len(text) <= 12:
        return None if float(text) in _NO_NUMBER else float(text)
    found = None if raw else _ELAPSED.fullmatch(text)
    if found is None:
        rule = "a whole number of seconds" if raw else "[DD-]HH:MM:SS"
        raise InputError(f"its elapsed time is {text!r:.40}: it is {rule}")
    days, hours, minutes, seconds = (float(part or 0.0) for part in found.groups())
    return units.seconds(24.0 * days + hours) + units.SECONDS_PER_MINUTE * minutes + seconds


def instant(text: str) -> datetime | None:
    """Instant of ISO 8601 or of seconds since 1970, in UTC where it tells no zone; None where none is told.

    Raises:
        InputError: It is neither, or lies outside the years of Slurm.
    """
    if is_nothing(text):
        return None
    try:
        found = utc.logged(text.strip())
    except ValueError:
        found = None
    if found is None or not LEAST_YEAR <= found.year <= MOST_YEAR:
        raise InputError(
            f"its time {text!r:.40} is no instant such as 2024-05-01T12:00:00: have SLURM_TIME_FORMAT be %s or standard"
        )
    return found


class Amount(NamedTuple):
    """An energy as a cell tells it.

    Args:
        energy_j: Energy [J]; None where it is not known.
        why: Why a cell that has something gives none; None where it has nothing to say.
    """

    energy_j: float | None
    why: str | None = None


def energy(text: str) -> Amount:
    """Energy of a cell in J; 0 and the marks of a missing number are unknown [J].

    >>> energy("1.50M").energy_j, energy("0"), energy("18446744073709551614").energy_j
    (1500000.0, Amount(energy_j=None, why=None), None)
    """
    text = text.strip()
    if is_nothing(text):
        return Amount(None)
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return Amount(None, f"its energy {text!r:.40} is no number of joules, and is not used")
    whole, fraction, suffix = found.groups()
    factor = _SUFFIXES[suffix]
    value = float(f"{whole}{fraction or ''}") * factor
    half = 0.5 * factor * 10.0 ** -(len(fraction or ".") - 1)
    if value >= _BELOW_ZERO:
        return Amount(
            None, f"its energy {text:.40} is a counter that ran back below zero, or no number at all"
        )
    if any(abs(value - mark) <= half * 1.001 for mark in _NO_NUMBER):
        return Amount(None, f"its energy {text:.40} is Slurm's mark of a number that is not there")
    return Amount(value) if value > 0.0 else Amount(None)


def resources(text: str) -> dict[str, str]:
    """Resources of a cell such as `cpu=4,gres/gpu:a100=2,mem=500G,node=1`, by their names in small letters.

    >>> resources("cpu=4,gres/gpu:A100=2")
    {'cpu': '4', 'gres/gpu:a100': '2'}
    """
    parts = (part.partition("=") for part in text.split(",") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def count(text: str | None) -> int | None:
    """Whole number above 0 of a cell; None where it is none.

    >>> count("4"), count("0"), count("4G"), count(None)
    (4, None, None, None)
    """
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_COUNT))):
        return None
    return int(text) if 0 < int(text) <= MOST_COUNT else None
