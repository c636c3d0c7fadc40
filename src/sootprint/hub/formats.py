"""One record in other forms: CSV that no spreadsheet obeys, Markdown, BibTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sootprint import report
from sootprint.charts.letters import clean
from sootprint.core.records import Footprint
from sootprint.core.units import G_PER_KG
from sootprint.hub import reading, truth

FORMATS = ("json", "csv", "md", "bib", "yaml")
MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "bib": "application/x-bibtex; charset=utf-8",
    "yaml": "application/yaml; charset=utf-8",
}
COLUMNS = tuple(name for name in reading.SHOWN if name != "seq")
OBEYED = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes a cell that begins so for a formula (OWASP)
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_TEX |= {letter: f"\\{letter}" for letter in "&%$#_"}


def csv_head() -> str:
    """First line of a CSV of records."""
    return _line(COLUMNS)


def csv_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Lines of a CSV, one for each listed record."""
    return "".join(_line([cell(row[name]) for name in COLUMNS]) for row in rows)


def cell(value: Any) -> Any:
    """Cell of a CSV: texts that a spreadsheet would obey begin with an apostrophe.

    >>> cell("=1+1"), cell(-1.5), cell(None)
    ("'=1+1", -1.5, '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = clean(value)
        return f"'{text}" if text.lstrip().startswith(OBEYED) or text.startswith(OBEYED) else text
    return value


def markdown(stored: reading.Stored, address: str) -> str:
    """Report of a record, with where it stands."""
    row = stored.row
    checked = f"evidence {row['evidence']}, {row['verification']}"
    where = f"{address}/footprints/{row['id']}"
    return f"{report.render(stored.footprint, 'md')}\nVersion {stored.version} in the hub ({checked}): <{where}>\n"


def bibtex(stored: reading.Stored, address: str) -> str:
    """Entry of a version of a record for a bibliography."""
    footprint, row = stored.footprint, stored.row
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
    """Front matter of a model card: emissions in grams, and where they come from.

    Source:
        Hugging Face, Model cards, "Displaying carbon emissions": co2_eq_emissions, in grams of CO2 equivalent.
    """
    import yaml

    footprint, row = stored.footprint, stored.row
    main = truth.main_device(footprint.hardware)
    place = ", ".join(part for part in (footprint.place.zone, footprint.place.country) if part)
    kg = footprint.emissions_kg
    said = {
        "emissions": None if kg is None else float(f"{kg.value * G_PER_KG:.4g}"),
        "source": f"Sootprint hub, evidence {row['evidence']}, {row['verification']}: "
        f"{address}/footprints/{row['id']}?version={stored.version}",
        "training_type": _TRAINING.get(footprint.stage, clean(footprint.stage)),
        "geographical_location": clean(place) or None,
        "hardware_used": f"{main.count} x {clean(main.name)}" if main is not None else None,
    }
    known = {name: value for name, value in said.items() if value is not None}
    return f"---\n{yaml.safe_dump({'co2_eq_emissions': known}, sort_keys=False, allow_unicode=True, width=200)}---\n"


_TRAINING = {"pretrain": "pre-training", "finetune": "fine-tuning"}


def tex(text: str) -> str:
    r"""Text in which no character has a meaning for TeX; BibTeX counts braces even where they are escaped.

    >>> tex("50 % of {x}")
    '50 \\% of \\textbraceleft{}x\\textbraceright{}'
    """
    return re.sub(r"[\\{}~^&%$#_]", lambda found: _TEX[found[0]], clean(text))


def _title(footprint: Footprint) -> str:
    model = footprint.model.name if footprint.model else None
    return model or footprint.name or f"run {footprint.id[-8:]}"


def _line(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
