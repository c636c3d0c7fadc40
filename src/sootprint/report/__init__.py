"""A record as a person reads it: text, Markdown, one HTML page; as JSON; as a paper, a model card or a form tells it.

The first three show one `Report`, made by `content`. The terminal's and the page's libraries load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sootprint.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sootprint.core.records import Footprint
    from sootprint.report.kin import Kin

STATEMENTS = ("boamps", "sci", "form", "checklist")
FORMATS = ("text", "md", "json", "html", "latex", "hf", *STATEMENTS)

__all__ = ["FORMATS", "STATEMENTS", "render", "terminal"]


def render(
    footprint: Footprint,
    format: str,
    *,
    kin: Kin | None = None,
    shape: str | None = None,
    width: int | None = None,
) -> str:
    """Report of a record as text, Markdown, JSON or one HTML page that needs no other file; a paragraph; a statement.

    Args:
        footprint: Record to report.
        format: One of `FORMATS`.
        kin: Runs around and inside of it, where a ledger tells.
        shape: text, md or json for a statement, for the checklist also tex; as usual for it where None.
        width: Columns of a text, at most 96; so many where None.

    Raises:
        InputError: There is no such format, or the record lacks what a statement requires.
        MissingExtraError: The page's charts need the extra `charts`, which is not installed.
    """
    if format == "json":
        return footprint.to_json(indent=2) + "\n"
    if format == "text":
        from sootprint.report.console import text

        return text(footprint, kin, width)
    if format == "md":
        from sootprint.report.markdown import markdown

        return markdown(footprint, kin)
    if format == "html":
        from sootprint.report.page import page

        return page(footprint, kin)
    if format in ("latex", "hf"):
        from sootprint.report import paper

        return paper.latex(footprint) if format == "latex" else paper.card(footprint)
    if format in STATEMENTS:
        from sootprint.report import statements

        return statements.render(footprint, format, shape, width)
    raise InputError(f"format {format!r} is not one of {', '.join(FORMATS)}")


def terminal(footprint: Footprint, *, brief: bool = False, kin: Kin | None = None) -> RenderableType:
    """Report of a record for a terminal, in colour where it has any, without the factors and the method.

    Args:
        footprint: Record to report.
        brief: Whether to stop after the energy by component and the warnings, as at the end of a run.
        kin: Runs around and inside of it, where a ledger tells.
    """
    from sootprint.report.console import renderable

    return renderable(footprint, brief=brief, kin=kin)
