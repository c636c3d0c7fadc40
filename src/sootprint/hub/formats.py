"""One record in other forms: CSV that no spreadsheet obeys, Markdown, BibTeX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sootprint import report
from sootprint.core.cells import cell, line
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.hub import reading
from sootprint.report.paper import card, tex
from sootprint.report.statements import boamps

STATEMENTS = {
    "boamps.json": "BoAmps",
    "sci.json": "SCI",
    "form.md": "EU model form",
    "checklist.md": "Checklist answers",
}
FORMATS = ("json", "csv", "md", "bib", "yaml", *STATEMENTS)
MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "bib": "application/x-bibtex; charset=utf-8",
    "yaml": "application/yaml; charset=utf-8",
}
COLUMNS = tuple(name for name in reading.SHOWN if name != "seq")
RESULT = ("kind", "task", "dataset", "split", "metric", "value")  # columns of a result, as a release has them


def csv_head() -> str:
    """First line of a CSV of records."""
    return line(COLUMNS)


def csv_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Lines of a CSV, one for each listed record."""
    return "".join(line([cell(row[name]) for name in COLUMNS]) for row in rows)


def csv_record(stored: reading.Stored) -> str:
    """CSV of a version of a record: one line for each of its results, or one without a result where it has none."""
    own = {name: stored.own[name] for name in COLUMNS}
    names = (*COLUMNS, *(name for name in RESULT if name not in own))
    told = [{name: getattr(one, name) for name in RESULT} for one in stored.footprint.results] or [{}]
    lines = (line([cell((own | one).get(name)) for name in names]) for one in told)
    return "".join((line(names), *lines))


def markdown(stored: reading.Stored, address: str) -> str:
    """Report of a record, with where it stands."""
    row = stored.own
    checked = f"evidence {row['evidence']}, {row['verification']}"
    where = f"{address}/footprints/{row['id']}?version={stored.version}"
    return f"{report.render(stored.footprint, 'md')}\nVersion {stored.version} in the hub ({checked}): <{where}>\n"


def bibtex(stored: reading.Stored, address: str) -> str:
    """Entry of a version of a record for a bibliography."""
    footprint, row = stored.footprint, stored.own
    fields = {
        "title": f"Carbon footprint of {_title(footprint)}",
        "author": "{The Sootprint hub}",
        "year": stored.at[:4],
        "note": f"Version {stored.version}, sha256 {(stored.sha256 or '')[:16]}, evidence {row['evidence']}, "
        f"{row['verification']}",
        "url": f"{address}/footprints/{row['id']}?version={stored.version}",
    }
    if footprint.paper is not None and footprint.paper.citation:
        fields["annote"] = f"Footprint of {footprint.paper.citation}"
    lines = "".join(
        f"  {name} = {{{text if name in ('author', 'url') else tex(text)}}},\n"
        for name, text in fields.items()
    )
    return f"@misc{{sootprint-{row['id'][-12:]},\n{lines}}}\n"


def model_card(stored: reading.Stored, address: str) -> str:
    """Front matter of a model card, with the address at which the number can be checked."""
    row = stored.own
    where = f"{address}/footprints/{row['id']}?version={stored.version}"
    return card(
        stored.footprint, f"Sootprint hub, evidence {row['evidence']}, {row['verification']}: {where}"
    )


def statement(stored: reading.Stored, form: str) -> str:
    """Statement of a record with the evidence that the hub counts; a later version's BoAmps report corrects.

    Args:
        stored: The version of the record.
        form: One of `STATEMENTS`.

    Raises:
        InputError: The record lacks what the form requires.
    """
    name, _, shape = form.partition(".")
    counted = replace(stored.footprint, grade=stored.own["evidence"] or stored.footprint.grade)
    if name == "boamps":
        return boamps.render(counted, corrects=stored.version > 1)
    return report.render(counted, name, shape=shape)


def offered(footprint: Footprint) -> tuple[dict[str, str], str]:
    """Statements that a record can fill with the name of each, and what BoAmps misses where it is not among them."""
    try:
        lacking = ", ".join(what for what, _ in boamps.lacks(footprint))
    except InputError as err:
        lacking = str(err)
    left = {form: name for form, name in STATEMENTS.items() if form != "boamps.json" or not lacking}
    return left, lacking


def _title(footprint: Footprint) -> str:
    model = footprint.model.name if footprint.model else None
    return model or footprint.name or f"run {footprint.id[-8:]}"
