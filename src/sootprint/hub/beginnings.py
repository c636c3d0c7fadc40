"""Words that SQLite is asked for, each spelled out as the terms that begin with it, where these are few.

FTS5 puts the records of all terms with a beginning together before it gives the first one, in some 50 ms for a word of
a million records. Those of terms that are named it reads from the newest back, and stops at the page.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

MOST = 64  # terms that a word is spelled out as; one of more is mostly a number, and its records are put together
_TERMS = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.footprint_terms"
    " USING fts5vocab ('main', 'footprint_words', 'instance')"
)
_NEXT = "SELECT term FROM temp.footprint_terms WHERE term >= ? LIMIT 1"
_BEHIND = "\x01"  # comes before all letters: what follows a term with it are longer terms and others


def matching(connection: Connection, words: Sequence[str]) -> str:
    """What FTS5 is to look for: all of some words, each the beginning of one; empty where nothing has them.

    Args:
        connection: Connection to SQLite.
        words: Beginnings of words.
    """
    connection.exec_driver_sql(_TERMS)
    asked = []
    for word in words:
        if not word.strip("_"):
            continue  # no letters: nothing that a record could lack
        found = _terms(connection, word.lower()) if word.isascii() and word.isalnum() else None
        if found is None:
            asked.append(f'"{word}"*')
        elif found:
            asked.append("(" + " OR ".join(f'"{term}"' for term in found) + ")")
        else:
            return ""
    return " AND ".join(asked)


def _terms(connection: Connection, beginning: str) -> list[str] | None:
    """Terms with a beginning; None where they are many, or of letters that FTS5 may read in another way."""
    found: list[str] = []
    at = beginning
    while len(found) <= MOST:
        row = connection.exec_driver_sql(_NEXT, (at,)).first()
        if row is None or not row[0].startswith(beginning):
            return found
        if not row[0].isascii():
            return None
        found.append(row[0])
        at = row[0] + _BEHIND
    return None
