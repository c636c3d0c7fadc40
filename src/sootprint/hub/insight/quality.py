"""How good the data of the hub are: evidence, checks, ratios of claimed to recomputed, and what records tell."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from sootprint.hub import columns, reading, views
from sootprint.hub.insight.sheets import Cell, Grid, Link, Part, Sheet, link
from sootprint.report import figures, words

_BINS = dict(columns.RATIOS)
_FIELDS = {
    "year": "Year", "country": "Country", "hardware": "Hardware", "device_hours": "Device hours",
    "energy_kwh": "Energy", "emissions_kg": "Emissions", "task": "A result", "paper": "Publication", "model": "Model",
}  # fmt: skip
EMPTY = "There is no footprint here yet."


def sheet(engine: Engine) -> Sheet:
    """The page."""
    grades = dict(reading.tallies(engine, "evidence"))
    total = sum(grades.values())
    measured = sum(grades.get(grade, 0) for grade in ("A", "B", "C"))
    marked = dict(reading.tallies(engine, "marked")).get("1", 0)
    ratios = dict(reading.tallies(engine, columns.RATIO))
    compared = sum(ratios.values())
    within = sum(ratios.get(name, 0) for name in ("0.5", "0.8", "1.25"))
    return Sheet(
        title="Quality of the data",
        lead="What the footprints of this hub rest on, and how far they can be checked. Nothing is repaired "
        "or held back.",
        figures=_headline(measured, total, within, compared, marked) if total else [],
        parts=_parts(engine, total, ratios) if total else [Part(says=[EMPTY])],
        actions=[Link("Review queue", "/review"), Link("How the hub computes", "/methodology")],
    )


def _parts(engine: Engine, total: int, ratios: dict[str, int]) -> list[Part]:
    grades, compared = dict(reading.tallies(engine, "evidence")), sum(ratios.values())
    return [
        Part(
            title="Claimed over recomputed emissions",
            says=[
                "Near 1 the hub's own factors give what was claimed. A thousand is a typical slip of units."
            ],
            grid=_grid(
                "Ratio of claimed to recomputed",
                "Ratio",
                [(text, ratios.get(name, 0)) for name, text in _BINS.items()],
                compared,
            ),
        ),
        Part(
            title="Evidence",
            grid=_grid(
                "How the energy was obtained",
                "Grade",
                _by_grade(grades),
                total,
            ),
        ),
        Part(
            title="Checks",
            grid=_counted(engine, "verification", "What was done to check them", total, views.CHECKED),
        ),
        Part(title="Origin", grid=_counted(engine, "origin", "Who made the records", total, views.ORIGINS)),
        Part(
            title="What records tell",
            says=[
                "The survey could only ask for place, hardware and time; these are the "
                "shares that tell it here."
            ],
            grid=_grid("Footprints with a fact", "Fact", _known(engine), total),
        ),
    ]


def _headline(
    measured: int, total: int, within: int, compared: int, marked: int
) -> list[tuple[str, str, str]]:
    said = f"within 0.5 to 2 of the recomputation, of {compared:,}"
    return [
        ("Measured", _share(measured, total), f"evidence A to C, of {total:,}"),
        ("Claims that hold", _share(within, compared), said),
        ("To be reviewed", f"{marked:,}", _share(marked, total)),
    ]


def _by_grade(grades: dict[str, int]) -> list[tuple[Cell, int]]:
    return [
        (link(f"{grade}: {said}", "/explore", evidence=grade), grades.get(grade, 0))
        for grade, said in words.GRADES.items()
    ]


def _known(engine: Engine) -> list[tuple[Cell, int]]:
    found = dict(reading.tallies(engine, columns.KNOWN))
    return [(text, found.get(name, 0)) for name, text in _FIELDS.items()]


def _counted(engine: Engine, facet: str, caption: str, total: int, names: dict[str, str]) -> Grid:
    listed = reading.tallies(engine, facet)
    rows: list[tuple[Cell, int]] = [
        (link(names.get(value, value).capitalize(), "/explore", **{facet: value}), n) for value, n in listed
    ]
    return _grid(caption, facet.capitalize(), rows, total)


def _grid(caption: str, first: str, rows: list[tuple[Cell, int]], total: int) -> Grid:
    return Grid(
        caption=caption,
        columns=(first, "Footprints", "Share"),
        numbers=(1, 2),
        rows=[(name, f"{n:,}", _share(n, total)) for name, n in rows],
    )


def _share(part: int, total: int) -> str:
    return figures.share(part / total) if total else figures.NOT_KNOWN
