"""Zones that people mean: a place in words, and the places that a text names."""

from __future__ import annotations

import re
from functools import lru_cache

from sootprint.catalogue import tables, zones
from sootprint.catalogue.names import key
from sootprint.core.errors import CatalogueError

_REGION_CODE = re.compile(r"\b(?:[a-z]{2}|us|europe|asia|australia|northamerica|southamerica)-[a-z]+-?\d\b")
# A place in a text stands behind a preposition and begins with a capital: "in France", "at Jean Zay, France".
_BEHIND = re.compile(
    r"\b(?:in|at|from|region|location:?|country:?|site:?)\s+(?:the\s+)?"
    r"((?:[A-Z][\w'.-]+|of|the)(?:,?\s+(?:[A-Z][\w'.-]+|of|the(?=\s+[A-Z]))){0,4})"
)


def in_text(text: str) -> str | None:
    """First place that a running text names, as it stands there, or None.

    >>> in_text("We trained in May 2023 in Paris, France, on 8 GPUs"), in_text("run in region us-east-1 of AWS")
    ('Paris, France', 'us-east-1')
    >>> in_text("as shown in Table 3") is None
    True
    """
    code = _REGION_CODE.search(text)
    if code and _region(code[0]):
        return code[0]
    for found in _BEHIND.finditer(text):
        if places(found[1]):
            return found[1].strip(" .,")
    return None


def places(text: str | None) -> list[str]:
    """Zones that a place in words means: "Google Georgia US", "AWS us-west-2", "Paris, France"; empty where none.

    >>> places("Google Georgia US"), places("AWS us-west-2"), places("Paris, France"), places("not stated")
    (['US-GA'], ['aws/us-west-2'], ['FR'], [])
    """
    return list(_places(text, tables.stamp())) if text and text.strip() else []


@lru_cache(maxsize=4096)
def _places(text: str, _: object) -> list[str]:
    plain = re.sub(r"\([^)]*\bmemory\b[^)]*\)", " ", text)
    region = _region(plain)
    if region:
        return [region]
    for whole in (text.strip(), plain.strip()):
        try:
            return [zones.locate(whole).place.zone or whole]
        except CatalogueError:
            continue
    return _named_in(plain)


def _region(text: str) -> str | None:
    lower = text.lower()
    provider = next(
        (one for word, one in _PROVIDERS if re.search(rf"\b{word}\b", lower)),
        None,
    )
    candidates = re.findall(r"\b[a-z]{2,}(?:-[a-z]+)*-?[a-z]*\d?(?:-\d)?\b", lower)
    for candidate in sorted(candidates, key=len, reverse=True):
        for name in (provider,) if provider else ("aws", "gcp", "azure"):
            if any(letter.isdigit() for letter in candidate) or name == "azure":
                found = tables.rows("regions", f"{name}/{candidate}")
                if found:
                    return f"{name}/{candidate}"
    return None


_PROVIDERS = (("aws", "aws"), ("amazon", "aws"), ("gcp", "gcp"), ("google cloud", "gcp"), ("azure", "azure"))


def _named_in(text: str) -> list[str]:
    """Zones whose names stand in a text, states before their countries."""
    words = re.findall(r"[A-Za-zÀ-ÿ'.-]+", text)
    found: list[str] = []
    for length in (3, 2, 1):
        for start in range(len(words) - length + 1):
            name = " ".join(words[start : start + length]).strip(".,-")
            if len(name) < 4 and not (name.isupper() and len(name) in (2, 3)):
                continue
            found += _zone_named(name)
    states = [zone for zone in found if "-" in zone]
    countries = {zone.partition("-")[0] for zone in states}
    named = [zone for zone in found if "-" not in zone and zone not in countries]
    if states and any(zone in countries for zone in found):
        return list(dict.fromkeys(states))  # "Georgia US": the country's name tells which Georgia
    return list(dict.fromkeys([*states, *named]))


def _zone_named(name: str) -> list[str]:
    listed = tables.rows("zone_names", key(name)) or (
        tables.rows("zones", name) if name.isupper() and len(name) == 2 else ()
    )
    zone = listed[0]["zone"] if listed else None
    state = [
        row["zone"]
        for row in tables.all_rows("zones")
        if row["kind"] == "subdivision" and key(row["name"]) == key(name)
    ]
    return [*state, *([zone] if zone and zone not in state else [])]
