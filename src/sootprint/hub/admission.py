"""What comes in: bytes of a batch, unpacked within limits, each record checked by the rules of the core.

pydantic checks a record of an estimate in 0.06 ms where the core's codec takes 0.5 ms, so it goes first; what it does
not accept goes to the codec, whose word is final and whose message the client gets. The intervals of a run, one a
minute, are checked as plain data: nothing that is computed of a record on its way in looks at them.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from sootprint.core import codec, decode
from sootprint.core.errors import RecordError
from sootprint.core.records import Footprint
from sootprint.core.utc import instant
from sootprint.hub import pieces
from sootprint.hub.room import SMALL
from sootprint.hub.validator import validator

MAX_BODY = 32 << 20  # bytes of a request, unpacked
MAX_PACKED = 16 << 20  # bytes of a request as it comes
MAX_RECORD = 4 << 20  # bytes of one record as JSON
MAX_AS_SENT = 2 * MAX_RECORD  # bytes of one record with its spaces and escapes, above which it is not read
MAX_BATCH = 5_000  # records in a request
YEARS = (1950, 2100)  # in which a training may begin or end
# Values of a request: full ones of ours have 1,800,000, a bomb of empty lists 11 millions
MAX_PARTS = 2_000_000
# Memory that objects, lists and values take at least once they are read [bytes]: full requests of ours 106 MiB
TAKEN = {b"{": 232, b"[": 88, b",": 40}
MAX_TAKEN = 120 << 20
MAX_TAKEN_BY_ONE = 48 << 20  # by one record of a large request: one of 4 MiB with intervals takes 15 MiB
# Up to which a request is read as one, like all usual batches: bytes, and memory that its values take [bytes]
WHOLE, WHOLE_TAKEN = 6 << 20, 24 << 20
MAX_NAMES = 50_000  # of one object: as pairs, which are looked at for doubles, a million take 200 MB
# Sizes of a number that is not 0: what is computed and drawn of three such numbers is finite, and not 0
LEAST, MOST = 1e-99, 1e99
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_EXTREME = (b"e+000", b"e-000", b"0" * 99)  # a text without them, its digits all 0, has no other number

_CONTAINERS = frozenset({dict, list})
_written = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode  # made once: as many arguments to `json.dumps` make a new one for each record
Pairs = Callable[[list[tuple[str, Any]]], Any]


class TooLargeError(RecordError):
    """A request or record beyond the limits: send it in parts."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A record that keeps the rules, as the hub stores it.

    Args:
        footprint: The record without its intervals, which were checked like all else and stand in the text.
        text: Its JSON with the fields in order and no spaces, so that equal contents are equal bytes.
        sha256: Hash of the text.
    """

    footprint: Footprint
    text: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that breaks a rule, with the rule."""

    index: int
    error: str


def size_of(body: bytes, encoding: str) -> int:
    """Bytes that a body has unpacked, by what its gzip says at its end; `unpacked` takes no more than that.

    One more than the limit for all beyond it.
    """
    size = int.from_bytes(body[-4:], "little") if encoding == "gzip" else len(body)
    return min(size, MAX_BODY + 1)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Body of a request without its gzip.

    Raises:
        TooLargeError: It is, packed or unpacked, beyond the limits.
        RecordError: The encoding is not known, or the body is not of it.
    """
    size = size_of(body, encoding)
    if encoding in ("", "identity"):
        if size > MAX_BODY:
            raise TooLargeError(_too_large())
        return body
    if encoding != "gzip":
        raise RecordError(f"Content-Encoding {encoding!r:.40} is not gzip or identity")
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = unzip.decompress(body, min(size, MAX_BODY) + 1)
    except zlib.error as err:
        raise RecordError(f"the body is no gzip: {err}") from None
    if len(text) > MAX_BODY:
        raise TooLargeError(_too_large())
    if len(text) != size or not unzip.eof or unzip.unused_data:
        raise RecordError("the body is cut off, or more than one gzip member: send one whole member")
    return text


def _too_large() -> str:
    return f"the request holds more than {MAX_BODY >> 20} MiB: send the records in several"


def items(text: bytes) -> list[Any]:
    """Records of a request, one or a list, as plain data.

    Raises:
        TooLargeError: They are too many.
        RecordError: The text is no JSON, or neither an object nor a list.
    """
    _taken(text)
    listed = _items(text, _object)
    within(len(listed))
    return listed


def within(n: int) -> None:
    """Refuse a request of too many records.

    Raises:
        TooLargeError: They are more than a batch may have.
    """
    if n > MAX_BATCH:
        raise TooLargeError(f"{n} records in one request, at most {MAX_BATCH}: send them in several")


def _taken(text: bytes) -> int:
    """Memory that the values of a request take at least once they are read [bytes].

    Raises:
        TooLargeError: They are too many.
    """
    if len(text) <= SMALL:
        return 0
    signs = {sign: text.count(sign) for sign in TAKEN}
    if sum(signs.values()) > MAX_PARTS:
        raise TooLargeError(f"more than {MAX_PARTS:,} values in one request: send the records in several")
    taken = sum(size * signs[sign] for sign, size in TAKEN.items())
    if taken > MAX_TAKEN:
        raise TooLargeError("too many objects and lists in one request: send the records in several")
    return taken


def _items(text: bytes, pairs: Pairs | None, said: Callable[[Exception], str] = str) -> list[Any]:
    try:
        if pairs and text.count(b":") > MAX_NAMES and _has_many_names(_parsed(text)):
            raise TooLargeError(f"an object has more than {MAX_NAMES:,} names: no record has as many")
        data = json.loads(text, object_pairs_hook=pairs) if pairs else _parsed(text)
    except TooLargeError:
        raise
    except (ValueError, RecursionError) as err:
        raise RecordError(f"the body is no JSON: {said(err):.200}") from None
    if isinstance(data, dict):
        return [data]
    if not isinstance(data, list):
        raise RecordError("the body is neither a record nor a list of records")
    return data


def admitted(data: Any) -> Admitted:
    """A record of plain data.

    Raises:
        RecordError: It breaks a rule; the message names the field by its JSON pointer.
    """
    if not isinstance(data, dict) or not _is_plain(data):
        codec.from_dict(data if isinstance(data, dict) else None)  # says what is wrong
    codec.check_schema(data.get("schema"))
    text = _canonical(data)
    if len(text) > MAX_RECORD:
        raise TooLargeError(f"the record has {len(text)} bytes of JSON, at most {MAX_RECORD >> 20} MiB")
    try:
        footprint: Footprint = validator().validate_json(text, strict=True)
    except (ValidationError, RecordError):
        footprint = _slow(data)
    if footprint.extra or "extra" in data:
        footprint = _slow(data)
    check_sizes(text, footprint, data)
    return Admitted(footprint, text, hashlib.sha256(text).hexdigest())


def check_sizes(text: bytes, footprint: Footprint, data: Any = None) -> None:
    """Refuse numbers and dates that no page can draw or sort.

    Args:
        text: JSON of a record, as it is stored.
        footprint: The record.
        data: The same as plain data, where it is at hand.

    Raises:
        RecordError: There is one; the message names the field.
    """
    alike = text.translate(_DIGITS)  # a pattern's search takes an eighth of all time
    if any(one in alike for one in _EXTREME):
        _check_numbers(json.loads(text) if data is None else data)
    for name in ("started", "ended"):
        _check_date(name, getattr(footprint, name))


def _check_numbers(data: Any) -> None:
    """Refuse what no quantity has and no page can draw; it may also be letters that only look like such a number."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict | list):
            named = one.items() if isinstance(one, dict) else enumerate(one)
            waiting += [(f"{path}/{name}", part) for name, part in named]
        elif isinstance(one, int | float) and one and not LEAST <= abs(one) <= MOST:
            raise RecordError(f"{path:.200} is {one!r:.40}: a number is 0, or {LEAST:g} to {MOST:g} in size")


def _check_date(name: str, text: str | None) -> None:
    """Refuse what is no date: pages sort, count and draw by it."""
    if text is None:
        return
    rest = {len("2024"): "-01-01", len("2024-03"): "-01"}.get(len(text), "")
    try:
        if not text.isascii():  # digits of other scripts are read, but sorted behind all others
            raise ValueError(text)
        year = instant(text + rest).year
    except ValueError:
        raise RecordError(
            f"/{name} is {text!r:.60}: it is a date or time of ISO 8601, e.g. 2024-03-01T12:00:00Z"
        ) from None
    if not YEARS[0] <= year <= YEARS[1]:
        raise RecordError(f"/{name} is {text!r:.60}: its year is between {YEARS[0]} and {YEARS[1]}")


def stored(text: bytes) -> Footprint:
    """A record of a text that was admitted once, without its intervals.

    Raises:
        RecordError: The present rules refuse it.
    """
    try:
        footprint: Footprint = validator().validate_json(text, strict=True)
    except (ValidationError, RecordError):
        return _slow(json.loads(text))
    return _slow(json.loads(text)) if footprint.extra else footprint


def _slow(data: dict[str, Any]) -> Footprint:
    return replace(codec.from_dict(data), intervals=())


def _parsed(text: bytes) -> Any:
    """Data of a JSON text, half as slow as `json`, which takes a few texts more and says better what is wrong."""
    try:
        return from_json(text, cache_strings="all")
    except ValueError:
        return json.loads(text)


def read(text: bytes, few: Callable[[int], None] = within) -> Iterator[tuple[int, Admitted] | Refused]:
    """Records of a request that keep the rules, with their places in it, and the others with what is wrong.

    A large request is read some records at a time, so that what was yielded is all that stays of them. Whoever stores
    them does so when the last was yielded: until then all of the request may be refused.

    Args:
        text: The request, one record or a list.
        few: Called with the number of records, or of those so far, before they are looked at; raises where they
            are too many.

    Raises:
        TooLargeError: They are too many.
        RecordError: The text is no JSON, neither an object nor a list, or has a name twice in one object.
    """
    if _taken(text) <= WHOLE_TAKEN and len(text) <= WHOLE:
        data = _items(text, None)
        few(len(data))
        yield from _checked(text, data, 0)
    else:
        yield from _read_in_pieces(text, few)


def _checked(text: bytes, data: list[Any], first: int) -> Iterator[tuple[int, Admitted] | Refused]:
    """Records of a text, the first of which has a place in its request.

    A name that stands twice in one object is refused. To look at each name costs as much as all of the reading, so
    it is done only where the records, written again, have fewer colons than the text: a dropped name takes one
    with it.
    """
    good, bad = sorted_out(data, first)
    kept = sum(one.text.count(b":") for _, one in good)
    if bad or kept != text.count(b":") or b"\\u003" in text:  # an escaped colon could stand for a dropped one
        _items(text, _object)
    yield from good
    yield from bad


def _read_in_pieces(text: bytes, few: Callable[[int], None]) -> Iterator[tuple[int, Admitted] | Refused]:
    first = 0
    try:
        text = pieces.as_utf8(text)
        if not pieces.opens(text):
            _items(text if len(text) <= MAX_AS_SENT else b"0", None)  # says what is wrong
        for one in pieces.of(text):
            few(first + one.n)
            if one.n == 1 and (why := _too_large_to_read(text, one)):
                yield Refused(first, why)
            else:
                part = b"[%b]" % text[one.start : one.end]
                yield from _checked(
                    part, _items(part, None, partial(pieces.placed, text, one.start - 1)), first
                )
            first += one.n
    except pieces.BrokenError as err:
        heavy = _too_large_to_read(text, pieces.Piece(err.start, err.at, 1))
        why = "a bracket or quote does not close" if heavy else pieces.why(text, err)
        raise RecordError(f"the body is no JSON: {why:.200}") from None
    except UnicodeDecodeError as err:
        raise RecordError(f"the body is no JSON: {err!s:.200}") from None


def _too_large_to_read(text: bytes, one: pieces.Piece) -> str | None:
    """Why a record of a request is refused by its size alone; None where it is not."""
    size = one.end - one.start
    if size > MAX_AS_SENT:
        return f"the record has {size} bytes of JSON, at most {MAX_RECORD >> 20} MiB"
    if sum(n * text.count(sign, one.start, one.end) for sign, n in TAKEN.items()) > MAX_TAKEN_BY_ONE:
        return "too many objects and lists in one record"
    return None


def sorted_out(data: list[Any], first: int = 0) -> tuple[list[tuple[int, Admitted]], list[Refused]]:
    """Records of a batch that keep the rules, with their places in it, and the others with what is wrong."""
    good: list[tuple[int, Admitted]] = []
    bad: list[Refused] = []
    for index, one in enumerate(data, first):
        try:
            good.append((index, admitted(one)))
        except RecordError as err:
            bad.append(Refused(index, f"{err!s:.400}"))
    return good, bad


def _canonical(data: dict[str, Any]) -> bytes:
    try:
        return _written(data).encode("utf-8")
    except ValueError:
        codec.from_dict(data)  # names the field that is no finite number, or no text
        raise RecordError("the record holds what cannot be written as JSON") from None


def _is_plain(data: dict[str, Any]) -> bool:
    """Whether data are nested no deeper than a record may be; the intervals are looked at where they are checked."""
    level: list[Any] = [{name: value for name, value in data.items() if name != "intervals"}]
    for _ in range(decode.MAX_DEPTH):
        level = [
            one
            for part in level
            for one in (part.values() if part.__class__ is dict else part)
            if one.__class__ in _CONTAINERS
        ]
        if not level:
            return True
    return False


def _has_many_names(data: Any) -> bool:
    """Whether an object within has more names than a record may have."""
    waiting: list[Any] = [data] if data.__class__ in _CONTAINERS else []
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and len(one) > MAX_NAMES:
            return True
        inner = one.values() if isinstance(one, dict) else one
        waiting += [part for part in inner if part.__class__ in _CONTAINERS]
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError(f"the name {_twice(pairs)!r:.40} stands twice in one object")
    return data


def _twice(pairs: list[tuple[str, Any]]) -> str:
    return Counter(name for name, _ in pairs).most_common(1)[0][0]
