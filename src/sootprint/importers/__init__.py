"""Importers: files that other tools and people wrote, read as records; nothing is computed, repaired or sent here.

    imported = read(text, name="emissions.csv")

A row that cannot be used is told with its place and the reason, and does not hold back the others. The same file read
twice gives records with the same identities, so that a hub takes each once.
"""

from __future__ import annotations

from collections.abc import Callable

from sootprint.core.errors import InputError
from sootprint.importers import codecarbon, hf_card, ours, template
from sootprint.importers.base import Imported, LeftOut

__all__ = ["FORMATS", "Imported", "LeftOut", "form_of", "read"]

FORMATS: dict[str, Callable[[str, str], Imported]] = {
    "codecarbon": codecarbon.read,
    "hf-card": hf_card.read,
    "template": template.read,
    "sootprint": ours.read,
}
MOST_CHARACTERS = 20_000_000


def read(text: str, *, name: str, form: str | None = None) -> Imported:
    """Records of a file's text, with what was left out of it and why.

    Args:
        text: Text of the file.
        name: Its name, for messages and for a card without a title.
        form: One of `FORMATS`; None to tell it by the text.

    Raises:
        InputError: The text is in no form that is known, or holds nothing that can be a record.
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"{name} has {len(text):,} characters, at most {MOST_CHARACTERS:,}: give it in parts"
        )
    text = text.removeprefix("\ufeff")
    chosen = form or form_of(text, name)
    if chosen not in FORMATS:
        raise InputError(f"format {chosen!r:.40} is not one of {', '.join(FORMATS)}")
    if "\0" in text or not text.strip():
        raise InputError(f"{name} is {'no text' if text.strip() else 'empty'}: give {_KNOWN}")
    return FORMATS[chosen](text, name)


_KNOWN = "our records, a table of our template, CodeCarbon's emissions.csv or a model card"


def form_of(text: str, name: str) -> str:
    """Form of a text.

    Raises:
        InputError: It is none that is known.
    """
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        return "sootprint"
    if start.startswith("---"):
        return "hf-card"
    head = start.partition("\n")[0].lower()
    if codecarbon.is_head(head):
        return codecarbon.NAME
    if template.is_head(head):
        return template.NAME
    raise InputError(f"{name} is in no form that is known: give {_KNOWN}")
