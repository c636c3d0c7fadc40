"""What an audit says: one finding with its rule, its numbers, its likely cause and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("error", "warning", "info")
CONFIDENCES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a claim's numbers imply.

    Args:
        rule: Name of the rule, as in `RULES`.
        severity: error where the numbers contradict each other or what is possible, warning where they are outside
            what was published or would mislead, info where a fact is missing or was disclosed.
        field: Field of the claim that it is about.
        given: Number that the claim has, in the unit of the field.
        implied: Number that the rest of the claim implies, in the same unit.
        message: One sentence for a person.
        cause: Likely cause.
        confidence: high where it is arithmetic, medium where it rests on published ranges, low where it is a guess.
    """

    rule: str
    severity: str
    field: str
    given: float | str | None = None
    implied: float | None = None
    message: str
    cause: str = ""
    confidence: str = "high"


def order(finding: Finding) -> tuple[int, int]:
    """Place of a finding in a list: errors first, the surest first."""
    return SEVERITIES.index(finding.severity), CONFIDENCES.index(finding.confidence)
