"""A statement as a document: sections that text and Markdown draw, and the same facts as plain data for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sootprint.report.parts import Section

SHAPES = ("text", "md", "json", "tex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a standard or a venue asks, answered from a record.

    Args:
        title: Heading.
        lead: Sentences below the heading.
        sections: Answers, facts, and what is missing.
        data: The same for programs, ready for JSON.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    data: dict[str, Any]


def render(statement: Statement, shape: str, width: int | None = None) -> str:
    """Statement as plain text of 96 columns or fewer, as Markdown, as JSON, or its paragraphs in LaTeX."""
    if shape == "json":
        return json.dumps(statement.data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if shape == "tex":
        return _latex(statement)
    return _text(statement, width) if shape == "text" else _markdown(statement)


def _latex(statement: Statement) -> str:
    """Paragraphs to copy into a paper; what a reader of the paper does not need stands in comments."""
    from sootprint.report.paper import typeset

    lines = [f"% {statement.title}"]
    for section in statement.sections:
        if section.lead:
            lines += ["", f"% {section.title}", "\n\n".join(map(typeset, section.lead.split("\n\n")))]
        elif section.items:
            lines += ["", f"% {section.title}:"]
        lines += [f"% - {item}" for item in section.items]
    return "\n".join(lines) + "\n"


def _text(statement: Statement, width: int | None) -> str:
    from rich.text import Text

    from sootprint.report.console import body, plain

    head = (Text(statement.title), Text(statement.lead)) if statement.lead else (Text(statement.title),)
    return plain((*head, *body(statement.sections)), width)


def _markdown(statement: Statement) -> str:
    from sootprint.report.markdown import escaped, section_lines

    lines = [f"# {escaped(statement.title)}", ""]
    lines += [escaped(statement.lead), ""] if statement.lead else []
    for section in statement.sections:
        lines += section_lines(section)
    return "\n".join(lines).rstrip("\n") + "\n"
