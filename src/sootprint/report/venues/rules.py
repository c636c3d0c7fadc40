"""A venue's file: TOML with the fields that it requires, in which form, and the weakest evidence that it takes."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.records import GRADES, Footprint

MAX_TEXT = 64 << 10  # bytes of a file
MAX_RULES = 100
MAX_WORDS = 500  # letters of a text in it
LEVELS = ("must", "should")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_FIELDS = frozenset(one.name for one in dataclasses.fields(Footprint))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a venue requires.

    Args:
        fields: Fields by their paths, e.g. energy_kwh or hardware.count; one of them suffices.
        level: must or should.
        why: Why the venue wants it.
        how: How to give it.
        interval: Whether bounds are required, too.
        one_of: Values that it may have; empty for any.
    """

    fields: tuple[str, ...]
    level: str = "must"
    why: str = ""
    how: str = ""
    interval: bool = False
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What a venue requires.

    Args:
        name: Short name.
        title: Name for people.
        about: What the rules are for.
        grade: Weakest evidence that it takes, A to E, or None for any.
        rules: What it requires.
    """

    name: str
    title: str
    about: str = ""
    grade: str | None = None
    rules: tuple[Rule, ...]


def load(ref: str) -> Venue:
    """Venue of a shipped name or of a file.

    Raises:
        InputError: There is no such name or file, or it breaks a rule of such files.
    """
    if ref in shipped():
        return shipped()[ref]
    path = Path(ref)
    if not path.is_file():
        names = ", ".join(shipped())
        raise InputError(f"venue {ref!r:.80} is none of {names}, and no TOML file: name one of the two")
    try:
        return parsed(path.read_text(encoding="utf-8"), where=str(path))
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"{path} cannot be read as a venue: {err}") from None


@cache
def shipped() -> dict[str, Venue]:
    """Venues that come with the program, by name."""
    folder = resources.files("sootprint.report.venues")
    texts = [one.read_text(encoding="utf-8") for one in folder.iterdir() if one.name.endswith(".toml")]
    return {venue.name: venue for venue in sorted(map(parsed, texts), key=lambda one: one.name)}


def parsed(text: str, *, where: str = "the venue") -> Venue:
    """Venue of the text of its file.

    Raises:
        InputError: It is no TOML, or a key or value of it cannot be used.
    """
    if len(text.encode("utf-8", "replace")) > MAX_TEXT:
        raise InputError(f"{where} has more than {MAX_TEXT >> 10} KiB")
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as err:
        raise InputError(f"{where} is no TOML: {err!s:.200}") from None
    _known(content, ("name", "title", "about", "grade", "require"), where)
    name, grade = _text(content, "name", where), content.get("grade")
    if _NAME.fullmatch(name) is None:
        raise InputError(f"{where}: name {name!r:.80} is not 1 to 60 small letters, digits or -")
    if grade is not None and grade not in GRADES:
        raise InputError(f"{where}: grade {grade!r:.40} is not one of {', '.join(GRADES)}")
    listed = content.get("require", [])
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_RULES:
        raise InputError(f"{where} has no [[require]], or more than {MAX_RULES}")
    rules = tuple(_rule(one, f"{where}: require {number}") for number, one in enumerate(listed, start=1))
    about = _text(content, "about", where)
    return Venue(
        name=name, title=_text(content, "title", where) or name, about=about, grade=grade, rules=rules
    )


def _rule(content: Any, where: str) -> Rule:
    if not isinstance(content, dict):
        raise InputError(f"{where} is no table")
    _known(content, ("field", "any", "level", "why", "how", "interval", "one_of"), where)
    named = content.get("any", [content["field"]] if "field" in content else [])
    if not isinstance(named, list) or not named or ("any" in content and "field" in content):
        raise InputError(f'{where} needs one `field = "..."`, or `any = ["...", "..."]`')
    for path in named:
        if not isinstance(path, str) or path.partition(".")[0] not in _FIELDS or len(path) > MAX_WORDS:
            raise InputError(f"{where}: {path!r:.60} is no field of a record: see `sootprint schema`")
    level, allowed = content.get("level", "must"), content.get("one_of", [])
    if level not in LEVELS:
        raise InputError(f"{where}: level {level!r:.40} is not one of {', '.join(LEVELS)}")
    if not isinstance(allowed, list) or not all(isinstance(one, str) for one in allowed):
        raise InputError(f"{where}: one_of is a list of texts")
    return Rule(
        fields=tuple(named),
        level=level,
        why=_text(content, "why", where),
        how=_text(content, "how", where),
        interval=content.get("interval", False) is True,
        one_of=tuple(allowed),
    )


def _text(content: dict[str, Any], name: str, where: str) -> str:
    text = content.get(name, "")
    if not isinstance(text, str) or len(text) > MAX_WORDS:
        raise InputError(f"{where}: {name} is a text of at most {MAX_WORDS} letters")
    return " ".join(text.split())


def _known(content: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    strange = sorted(set(content) - set(names))
    if strange:
        raise InputError(f"{where}: {strange[0]!r:.60} is not one of {', '.join(names)}")
