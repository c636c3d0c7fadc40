"""The report as Markdown (CommonMark with tables), for a README or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sootprint.core.records import Footprint
from sootprint.report.content import Alert, Report, report
from sootprint.report.kin import Kin
from sootprint.report.parts import Section, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_COMMAND = re.compile(r"(`sootprint [^`|\n]+`)")  # all in it is literal for Markdown
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")


def markdown(footprint: Footprint, kin: Kin | None = None) -> str:
    """Report of a record as Markdown; what the record's texts hold of Markdown or HTML is shown, not obeyed."""
    return "\n".join(_lines(report(footprint, kin))).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    r"""Text in which no character has a meaning for Markdown or HTML, but that commands of ours stand as code.

    >>> escaped("a|b <script>: `sootprint tag RUN k=v_1`")
    'a\\|b \\<script\\>: `sootprint tag RUN k=v_1`'
    """
    parts = _COMMAND.split(text)
    parts[::2] = [_AUTOLINK.sub(r"\1&#8203;", _SPECIAL.sub(r"\\\1", part)) for part in parts[::2]]
    return "".join(parts)


def _lines(made: Report) -> Iterator[str]:
    yield from (f"# {escaped(made.title)}", "")
    if made.alert is not None:
        yield from _alert(made.alert)
    for figure in made.figures:
        note = f" ({escaped(figure.note)})" if figure.note else ""
        yield f"- {figure.label}: **{escaped(figure.value)}**{note}"
    yield ""
    if made.equation is not None:
        yield from (escaped(made.equation), "")
    if made.about:
        yield from (escaped(made.about), "")
    for section in made.sections:
        yield from section_lines(section)


def _alert(alert: Alert) -> Iterator[str]:
    yield f"> **{escaped(alert.title)}.**"
    if alert.fix:
        yield f"> {escaped(alert.fix)}."
    yield ""


def section_lines(section: Section) -> Iterator[str]:
    """Lines of a section: heading, sentences, table, list."""
    yield from (f"## {section.title}", "")
    if section.lead:
        yield from (escaped(section.lead), "")
    if section.table is not None:
        yield from _table(section.table)
    if section.picture:
        yield from ("```text", *(line.replace("`", "'") for line in section.picture), "```", "")
    if section.items:
        yield from (f"- {escaped(item)}" for item in section.items)
        yield ""


def _table(shown: Table) -> Iterator[str]:
    yield from (f"{escaped(shown.caption)}:", "")
    rules = ("---:" if index in shown.numbers else "---" for index in range(len(shown.columns)))
    yield _row(shown.columns)
    yield f"| {' | '.join(rules)} |"
    for row in shown.rows:
        bold = shown.total and row is shown.rows[-1]
        yield _row(
            tuple(f"**{cell}**" if bold and cell else cell for cell in map(escaped, row)), escape=False
        )
    yield ""


def _row(cells: tuple[str, ...], *, escape: bool = True) -> str:
    return f"| {' | '.join(escaped(cell) if escape else cell for cell in cells)} |"
