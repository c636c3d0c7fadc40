"""A JSON text that is read part by part, so that one value of its list is in memory at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

LEAST = 1 << 18  # characters that are read on at least
MOST_VALUE = 20_000_000  # characters of one value
_BLANKS = re.compile(r"[ \t\r\n]*")
_OF_NUMBERS = "0123456789.eE+-"
_DECODER = json.JSONDecoder()


class BrokenError(ValueError):
    """A text that is no JSON; the message says what is missing."""


class Text:
    """The part of a text that is not read yet, as far as it is here.

    Args:
        parts: Parts of the text, of any lengths.
    """

    def __init__(self, parts: Iterable[str]) -> None:
        self._parts = iter(parts)
        self._here = ""
        self._at = 0

    def next(self) -> str:
        """Next sign that is no blank, which stays there; nothing at the end."""
        while True:
            found = _BLANKS.match(self._here, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._here):
                return self._here[self._at]
            if not self._reads_on():
                return ""

    def skip(self, sign: str) -> None:
        """Go behind a sign.

        Raises:
            BrokenError: Another one is next.
        """
        if self.next() != sign:
            raise BrokenError(f"{sign!r} is missing")
        self._at += 1

    def value(self) -> Any:
        """The next value.

        Raises:
            BrokenError: It is none, breaks off, or is nested too deep.
        """
        self.next()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._here, self._at)
            except (ValueError, RecursionError) as err:
                if len(self._here) - self._at > MOST_VALUE or not self._reads_on():
                    why = err.msg if isinstance(err, json.JSONDecodeError) else str(err)
                    raise BrokenError(why) from None
                continue
            if (
                isinstance(found, int | float)
                and not self._here[end:].strip(_OF_NUMBERS)
                and self._reads_on()
            ):
                continue  # the number may go on
            self._at = end
            return found

    def _reads_on(self) -> bool:
        """Whether there was more: as much again as is here, so that a long value is tried a few times and no more."""
        wanted = max(LEAST, len(self._here) - self._at)
        parts, count = [self._here[self._at :]], 0
        for part in self._parts:
            parts.append(part)
            count += len(part)
            if count >= wanted:
                break
        if not count:
            return False
        self._here, self._at = "".join(parts), 0
        return True


def listed(text: Text, name: str) -> Iterator[Any]:
    """Values of the list that has a name in the object that a text is, one at a time.

    Raises:
        BrokenError: The text is no such object, or goes on behind it.
    """
    found = False
    text.skip("{")
    while text.next() == '"':
        key = text.value()
        text.skip(":")
        if key == name and text.next() == "[":
            found = True
            yield from _items(text)
        else:
            text.value()
        if text.next() != ",":
            break
        text.skip(",")
    text.skip("}")
    if text.next():
        raise BrokenError("it goes on behind its end")
    if not found:
        raise BrokenError(f"it has no list of {name}")


def _items(text: Text) -> Iterator[Any]:
    text.skip("[")
    while text.next() != "]":
        yield text.value()
        if text.next() != ",":
            break
        text.skip(",")
    text.skip("]")
