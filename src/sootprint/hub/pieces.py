"""A large list of JSON in pieces: where its records begin and end, so that few of them are in memory at once.

Brackets outside texts are counted, nothing else is looked at. Whatever is wrong within a piece is found where it is
read: a list is JSON if and only if each of its pieces is, as lists of their own, one after the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

PIECE = 512 << 10  # bytes from which a piece ends behind the record; a record of as many is a piece by itself
AROUND = 64  # bytes behind a fault that are shown to the parser, for its words
_LATER = bytes(range(0x80, 0xC0))  # bytes of a letter in UTF-8 but its first
_SPACE = re.compile(rb"[ \t\n\r]*+")
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = rb'(?:[^"\[\]{}]++|' + _TEXT + rb")*+"
# All until a bracket that does not close at once: most objects of a record, its intervals, have no others within
_WITHIN = re.compile(
    rb'(?:[^"\[\]{}]++|' + _TEXT + rb"|\{" + _FLAT + rb"\}|\[" + _FLAT + rb"\])*+", re.DOTALL
)
_SCALAR = re.compile(_TEXT + rb'|[^\s,\[\]{}"]++', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some records of a list.

    Args:
        start: First byte.
        end: Byte behind the last.
        n: Records [1].
    """

    start: int
    end: int
    n: int


class BrokenError(ValueError):
    """The list is broken.

    Args:
        start: First byte of the piece that is.
        at: Byte that should not be there; behind the last where the text is cut off.
    """

    def __init__(self, start: int, at: int) -> None:
        super().__init__(f"broken at byte {at}")
        self.start, self.at = start, at


def as_utf8(text: bytes) -> bytes:
    """A JSON text in UTF-8, without a mark of its order; other encodings are those that `json` takes."""
    encoding = json.detect_encoding(text)
    if encoding == "utf-8":
        return text
    return text.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")


def opens(text: bytes) -> bool:
    """Whether a JSON text begins like a list or an object."""
    at = _behind_space(text, 0)
    return text[at : at + 1] in (b"{", b"[")


def of(text: bytes) -> Iterator[Piece]:
    """Pieces of a JSON list, in their order; an object is the only one.

    Raises:
        BrokenError: A bracket or quote does not close, or records are not parted by commas.
    """
    at = _behind_space(text, 0)
    if text[at : at + 1] == b"[":
        yield from _of_list(text, _behind_space(text, at + 1))
        return
    end, is_whole = end_of(text, at)
    if not is_whole or (rest := _behind_space(text, end)) < len(text):
        raise BrokenError(at, rest if is_whole else end)
    yield Piece(at, end, 1)


def _of_list(text: bytes, at: int) -> Iterator[Piece]:
    start, n, sign = at, 0, text[at : at + 1]
    while sign != b"]":
        begin, (end, is_whole) = at, end_of(text, at)
        if not is_whole:
            raise BrokenError(start, end)
        if n and end - begin > PIECE:
            yield Piece(start, _before_comma(text, begin), n)
            start, n = begin, 0
        n, at = n + 1, _behind_space(text, end)
        sign = text[at : at + 1]
        if sign not in (b",", b"]"):
            raise BrokenError(start, at)
        if sign == b"]" or end - start > PIECE:
            yield Piece(start, end, n)
        if sign == b",":
            at = _behind_space(text, at + 1)
            start, n = (at, 0) if end - start > PIECE else (start, n)
            if text[at : at + 1] == b"]":
                raise BrokenError(start, at)
    if (rest := _behind_space(text, at + 1)) < len(text):
        raise BrokenError(start, rest)


def end_of(text: bytes, at: int) -> tuple[int, bool]:
    """Byte behind a value of JSON, and true; where it has no end, the byte that shows it, and false."""
    if text[at : at + 1] not in (b"{", b"["):
        found = _SCALAR.match(text, at)
        return (found.end(), True) if found else (at, False)
    depth, at = 1, at + 1
    while depth:
        at = _end(_WITHIN, text, at)
        sign = text[at : at + 1]
        if sign in (b"", b'"'):
            return at, False
        depth += 1 if sign in (b"{", b"[") else -1
        at += 1
    return at, True


def why(text: bytes, err: BrokenError) -> str:
    """What the parser says of a broken list, with the place in all of the text."""
    end = err.at + AROUND
    while text[end : end + 1] and text[end] in _LATER:
        end += 1
    try:
        json.loads(b"[0," + text[err.start : end])
    except (ValueError, RecursionError) as said:
        return placed(text, err.start - len(b"[0,"), said)
    return str(err)


def placed(text: bytes, before: int, err: Exception) -> str:
    """What a parser says of a part of a text, with the place in all of it.

    Args:
        text: All of it.
        before: Byte of it that the part's first would be; may be negative.
        err: What the parser raised.
    """
    if isinstance(err, UnicodeDecodeError):
        byte = f"byte 0x{err.object[err.start]:02x} in position {before + err.start}"
        return f"{err.encoding!r} codec can't decode {byte}: {err.reason}"
    if not isinstance(err, json.JSONDecodeError):
        return str(err)
    line = text.count(b"\n", 0, max(before, 0)) + err.lineno
    began = text.rfind(b"\n", 0, max(before, 0)) + 1 if err.lineno == 1 else before
    column = err.colno + _letters(text, began, before)
    return f"{err.msg}: line {line} column {column} (char {_letters(text, 0, before) + err.pos})"


def _letters(text: bytes, start: int, end: int) -> int:
    """Letters from one byte to another; before the first as many as bytes."""
    if end <= start:
        return end - start
    steps = range(start, end, PIECE)
    return sum(len(text[at : min(at + PIECE, end)].translate(None, _LATER)) for at in steps)


def _behind_space(text: bytes, at: int) -> int:
    return _end(_SPACE, text, at)


def _before_comma(text: bytes, at: int) -> int:
    return text.rindex(b",", 0, at)


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where a pattern ends that also fits nothing."""
    found = pattern.match(text, at)
    assert found is not None
    return found.end()
