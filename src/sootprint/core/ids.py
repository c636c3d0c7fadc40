"""Identifiers that sort by time."""

from __future__ import annotations

import os

_LENGTHS = [8, 4, 4, 4, 12]
_DIGITS = frozenset("0123456789abcdef")


def uuid7(wall_s: float) -> str:
    """UUID of version 7 (RFC 9562, 2024) for an instant in seconds since 1970 [s].

    >>> uuid7(0.0)[:15]
    '00000000-0000-7'
    """
    random_bits = int.from_bytes(os.urandom(10), "big")
    milliseconds = int(wall_s * 1000) & ((1 << 48) - 1)
    number = (milliseconds << 80) | (7 << 76) | ((random_bits >> 64 & 0xFFF) << 64)
    number |= (0b10 << 62) | (random_bits & ((1 << 62) - 1))
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_uuid7(text: str) -> bool:
    """Whether `text` is a UUID of version 7 in its usual form.

    >>> is_uuid7(uuid7(0.0)), is_uuid7("00000000-0000-4000-8000-000000000000")
    (True, False)
    """
    groups = text.split("-")  # without the re module, which a start would wait for
    if [len(group) for group in groups] != _LENGTHS or not _DIGITS.issuperset("".join(groups)):
        return False
    return groups[2][0] == "7" and groups[3][0] in "89ab"


def derived_uuid7(before: str, text: str) -> str:
    """UUID of version 7 with the instant of another one, whose other bits follow from a text.

    >>> derived_uuid7("018bcfe5-6800-7abc-8000-000000000000", "a run")[:15]
    '018bcfe5-6800-7'
    """
    import hashlib

    tail = hashlib.sha256(text.encode()).hexdigest()
    return f"{before[:13]}-7{tail[:3]}-{'89ab'[int(tail[3], 16) % 4]}{tail[4:7]}-{tail[7:19]}"
