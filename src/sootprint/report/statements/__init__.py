"""Statements: what standards, forms and checklists ask of a training, answered from its record.

`boamps` is a file of another format; the others are pages that text, Markdown and JSON show.
"""

from __future__ import annotations

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.report.statements.document import SHAPES, Statement
from sootprint.report.statements.document import render as drawn

USUAL = {"sci": "text", "form": "md", "checklist": "text"}  # shape of each where none is asked for


__all__ = ["SHAPES", "USUAL", "render"]


def render(footprint: Footprint, form: str, shape: str | None = None, width: int | None = None) -> str:
    """Statement of a record.

    Args:
        footprint: The record.
        form: boamps, sci, form or checklist.
        shape: text, md or json, for the checklist also tex; as usual for the form where None. BoAmps is JSON.
        width: Columns of a text, at most 96; so many where None.

    Raises:
        InputError: The record lacks what the form requires, or the shape is none of it.
    """
    if form == "boamps":
        from sootprint.report.statements import boamps

        if shape not in (None, "json"):
            raise InputError(f"BoAmps is JSON, not {shape}: end the file with .json")
        return boamps.render(footprint)
    if shape == "tex" and form != "checklist":
        raise InputError(f"{form} is text, Markdown or JSON, not LaTeX: end the file with .txt, .md or .json")
    return drawn(_statement(footprint, form), shape or USUAL[form], width)


def _statement(footprint: Footprint, form: str) -> Statement:
    if form == "sci":
        from sootprint.report.statements import sci_page

        return sci_page.statement(footprint)
    if form == "form":
        from sootprint.report.statements import form as model_form

        return model_form.statement(footprint)
    from sootprint.report.statements import checklist

    return checklist.statement(footprint)
