"""A statement as a document: sections that text and Markdown draw, and the same facts as plain data for programs."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

from sootprint.report.parts import Section

SHAPES = ("text", "md", "json")


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


def render(statement: Statement, shape: str) -> str:
    """Statement as plain text of 96 columns, as Markdown, or as JSON."""
    if shape == "json":
        return json.dumps(statement.data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return _text(statement) if shape == "text" else _markdown(statement)


def _text(statement: Statement) -> str:
    from rich.console import Console, Group
    from rich.text import Text

    from sootprint.report.console import TEXT_WIDTH, body

    head = (Text(statement.title), Text(statement.lead)) if statement.lead else (Text(statement.title),)
    console = Console(file=io.StringIO(), width=TEXT_WIDTH, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(Group(*head, *body(statement.sections)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _markdown(statement: Statement) -> str:
    from sootprint.report.markdown import escaped, section_lines

    lines = [f"# {escaped(statement.title)}", ""]
    lines += [escaped(statement.lead), ""] if statement.lead else []
    for section in statement.sections:
        lines += section_lines(section)
    return "\n".join(lines).rstrip("\n") + "\n"
