"""Texts of a record made fit to be shown, and texts without what must not be shown."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cs", "Cn", "Zl", "Zp")  # controls, halves of characters, no characters, line separators
# They reorder what follows them
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    r"""Text with a blank for each character that could move a cursor, reorder a line or break a drawing.

    >>> clean("a\x1b[31mb")
    'a [31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if _is_hidden(letter) else letter for letter in text)


def _is_hidden(letter: str) -> bool:
    return letter in _TURNING or unicodedata.category(letter) in _HIDDEN


def without_secrets(text: str) -> str:
    """Text without the passwords and queries of the addresses in it, as errors of other libraries have them.

    >>> without_secrets("POST http://me:s3cret@127.0.0.1/x?token=abc failed")
    'POST http://***@127.0.0.1/x?*** failed'
    """
    import re

    text = re.sub(r"(://)\S*@", r"\1***@", text)
    return re.sub(r"(://[^\s'\"?#]*[?#])[^\s'\"]*", r"\1***", text)


def in_a_line(text: str, most: int = 300) -> str:
    r"""Beginning of a text of another program as one line without secrets, at most so many letters.

    >>> in_a_line("no access\n to http://me:s3cret@127.0.0.1/")
    'no access to http://***@127.0.0.1/'
    """
    return without_secrets(" ".join(text.split()))[:most]
