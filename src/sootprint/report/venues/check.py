"""A record against a venue's rules: what it has, what is missing, and the way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sootprint.core.quantity import Quantity
from sootprint.core.records import GRADES, Footprint
from sootprint.report.venues.rules import Rule, Venue

EVIDENCE = "grade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one rule.

    Args:
        fields: Fields that it is about.
        level: must or should.
        met: Whether the record has it.
        wrong: What is wrong where it is not met.
        why: Why the venue wants it.
        how: The way out.
    """

    fields: tuple[str, ...]
    level: str
    met: bool
    wrong: str = ""
    why: str = ""
    how: str = ""


def check(footprint: Footprint, venue: Venue, *, grade: str | None = None) -> list[Finding]:
    """Findings of a venue's rules on a record, in the order of its file.

    Args:
        footprint: The record.
        venue: The venue.
        grade: Evidence that counts, where it is another than the record states.
    """
    found = [_finding(footprint, rule) for rule in venue.rules]
    if venue.grade is not None:
        stated = grade or footprint.grade or GRADES[-1]
        met = stated <= venue.grade
        wrong = "" if met else f"the evidence is {stated}, and at least {venue.grade} is required"
        how = "measure the run: sootprint run -- COMMAND"
        why = "What is measured can be relied on more than what is estimated or claimed."
        found.append(Finding(fields=(EVIDENCE,), level="must", met=met, wrong=wrong, why=why, how=how))
    return found


def in_words(venue: Venue, found: Sequence[Finding]) -> str:
    """Findings for a terminal, what is missing first."""
    missing = [one for one in found if not one.met]
    lacks = sum(one.level == "must" for one in missing)
    lines = [venue.title, ""]
    for one in sorted(missing, key=lambda one: one.level):
        mark = "missing" if one.level == "must" else "better "
        lines.append(f"{mark}  {' or '.join(one.fields)}: {one.wrong}")
        lines += [f"         {text}" for text in (one.why, one.how) if text]
    kept = sum(one.met for one in found)
    says = (
        "nothing is missing"
        if not lacks
        else f"{lacks} required {'thing is' if lacks == 1 else 'things are'} missing"
    )
    return "\n".join([*lines, *([""] if missing else []), f"{kept} of {len(found)} rules are kept; {says}"])


def _finding(footprint: Footprint, rule: Rule) -> Finding:
    wrongs = [_wrong(footprint, path, rule) for path in rule.fields]
    met = any(wrong is None for wrong in wrongs)
    wrong = "" if met else next(one for one in wrongs if one is not None)
    return Finding(fields=rule.fields, level=rule.level, met=met, wrong=wrong, why=rule.why, how=rule.how)


def _wrong(footprint: Footprint, path: str, rule: Rule) -> str | None:
    """What is wrong with a field; None where it is as required."""
    values = list(_values(footprint, path))
    if path in footprint.unknown or not values or any(_is_empty(value) for value in values):
        return "it is not known"
    if rule.interval and any(
        not isinstance(one, Quantity) or one.low is None or one.high is None for one in values
    ):
        return "it has no interval"
    strange = [str(value) for value in values if rule.one_of and str(value) not in rule.one_of]
    return f"it is {strange[0]!r:.60}, and has to be {' or '.join(rule.one_of)}" if strange else None


def _values(owner: object, path: str) -> Iterator[object]:
    """Values at a path; of a list those of each of its parts."""
    name, _, rest = path.partition(".")
    value: Any = owner.get(name) if isinstance(owner, Mapping) else getattr(owner, name, None)
    if not rest:
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _values(one, rest)
    elif value is not None:
        yield from _values(value, rest)


def _is_empty(value: object) -> bool:
    return value is None or value in ("", (), {}, [])
