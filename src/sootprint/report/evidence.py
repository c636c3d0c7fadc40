"""Sections on what a reader must know before using the numbers: warnings, and what is not in them."""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.charts.families import NAMES, parts, wall_of
from sootprint.core.letters import clean
from sootprint.core.records import Footprint
from sootprint.report import words
from sootprint.report.parts import Section

MAIN_FAMILIES = ("cpu", "dram", "storage", "network", "node")


def sections(footprint: Footprint, warnings: tuple[str, ...]) -> tuple[Section, ...]:
    """Warnings, and what is not in the numbers."""
    made = [
        Section(key="warnings", title="Warnings", items=tuple(clean(text) for text in warnings)),
        Section(key="without", title="Not in these numbers", items=tuple(not_included(footprint))),
    ]
    return tuple(section for section in made if section.items)


def not_included(footprint: Footprint) -> Iterator[str]:
    """What a reader might think is in the total and is not."""
    if footprint.boundary != "facility":
        yield "The building's overhead for cooling and power supply, typically 10 to 60 % on top."
    absent = _absent(footprint)
    if absent:
        yield f"Energy of {', '.join(absent)}."
    if footprint.embodied_kg is None:
        yield "Making the hardware (embodied emissions)."
    else:
        yield "Making the hardware: embodied emissions stand on their own line."
    if footprint.scope == "final_run":
        yield _AROUND if footprint.stage != "inference" else _AROUND_USE
    unknown = [words.UNKNOWN.get(name, name) for name in footprint.unknown if name not in _TOLD_ABOVE]
    if unknown:
        yield clean(f"Not known: {', '.join(unknown)}.")


_AROUND = "Everything before and after this one run: other attempts, data, evaluation, use of the model."
_AROUND_USE = "Everything before and after this one run: the training of the model, data, its other uses."
_TOLD_ABOVE = ("place", "place.zone", "pue", "embodied_kg")


def _absent(footprint: Footprint) -> list[str]:
    """Families that a machine has and the record does not, unless the boundary or a wall meter covers them."""
    found = {part.family for part in parts(footprint)}
    if (
        not found
        or wall_of(footprint)
        or any(part.meter in ("estimate", "given") for part in parts(footprint))
    ):
        return []
    return [
        f"the {NAMES[family].lower().replace('cpu', 'CPU')}"
        for family in MAIN_FAMILIES
        if family not in found
    ]
