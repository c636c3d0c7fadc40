"""JSON in and out for the records, with one clear line for whatever is wrong."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring

from sootprint.core import classes
from sootprint.core.errors import RecordError
from sootprint.core.lines import encoder
from sootprint.core.records import SCHEMA, Footprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sootprint.core.records import Interval

_encode = encoder(ensure_ascii=False, spaced=True, allow_nan=False)
_AS_THEY_ARE = frozenset((str, float, int, bool, type(None)))
_VERSION = re.compile(r"([0-9]{1,6})(\.[0-9]{1,6}){1,2}")


def dumps(footprint: Footprint, *, indent: int | None = None) -> str:
    """JSON text of a footprint."""
    if indent is not None or footprint.extra:
        return json.dumps(to_dict(footprint), indent=indent, ensure_ascii=False, allow_nan=False)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    part = before
    for name in classes.names(footprint):
        if name == "intervals":
            part = after
        elif name != "extra":
            held = getattr(footprint, name)
            part[name] = held if held.__class__ in _AS_THEY_ARE else _plain(held)
    table = classes.table(footprint, "intervals")
    intervals = _listed(footprint.intervals) if table is None else _rows(table.rows)
    return f'{_encode(before)[:-1]}, "intervals": [{intervals}], {_encode(after)[1:]}'


def loads(text: str | bytes) -> Footprint:
    """Footprint of a JSON text.

    Raises:
        RecordError: The text is not JSON, breaks the schema, or is of a newer major version.
    """
    return from_dict(parsed(text))


def parsed(text: str | bytes) -> Any:
    """Plain data of a JSON text.

    Raises:
        RecordError: The text is not JSON, or a name stands twice in one object.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as err:
        raise RecordError(f"not a JSON record: {err}") from err


def to_dict(footprint: Footprint) -> dict[str, Any]:
    """Plain dictionary of a footprint, ready for JSON."""
    data: dict[str, Any] = _plain(footprint)
    for pointer, value in data.pop("extra").items():
        _put(data, pointer, value)
    return data


def from_dict(data: Any) -> Footprint:
    """Footprint of a plain dictionary.

    Raises:
        RecordError: A field breaks the schema; the message names it by its JSON pointer.
    """
    from sootprint.core.decode import decode, kind

    if not isinstance(data, dict):
        raise RecordError(f"a record is a JSON object, this is {kind(data)}")
    check_schema(data.get("schema"))
    extra: dict[str, Any] = {}
    record: Footprint = decode(Footprint, data, "", extra)
    return classes.replace(record, extra=extra) if extra else record


def check_schema(schema: Any) -> None:
    """Refuse a record whose major version is not ours.

    Raises:
        RecordError: The version is missing, malformed, or of another major number.
    """
    version = _VERSION.fullmatch(schema) if isinstance(schema, str) else None
    if version is None:
        doubt = ": is it a record of Sootprint?" if schema is None else ""
        raise RecordError(f"schema {schema!r:.40} is not a version such as {SCHEMA!r}{doubt}")
    if int(version[1]) > int(SCHEMA.partition(".")[0]):
        raise RecordError(
            f"schema {schema} is newer than {SCHEMA}, which this version reads: upgrade sootprint"
        )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the name {next(name for name in names if names.count(name) > 1)!r:.40} stands twice"
        )
    return data


class _Texts(dict[str, str]):
    """JSON of texts that come again and again."""

    def __missing__(self, text: str) -> str:
        made = self[text] = encode_basestring(text)
        return made


def _listed(intervals: Sequence[Interval]) -> str:
    """JSON of intervals, without the brackets."""
    try:
        return _rows((one.start, one.end, one.component, one.energy_j) for one in intervals)
    except TypeError:  # whole joules that somebody typed
        return _encode(_plain(intervals))[1:-1]


def _rows(rows: Iterable[Sequence[Any]]) -> str:
    """The same of their fields by row: of a record they are most, and a third of the time is enough here."""
    json_of, number = _Texts(), float.__repr__
    return ", ".join(
        [
            f'{{"start": {json_of[start]}, "end": {json_of[end]}, '
            f'"component": {json_of[component]}, "energy_j": {number(energy_j)}}}'
            for start, end, component, energy_j in rows
        ]
    )


def _plain(value: Any) -> Any:
    if classes.is_record(value):
        return {
            name: held if held.__class__ in _AS_THEY_ARE else _plain(held)
            for name, held in classes.held(value)
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _put(data: Any, pointer: str, value: Any) -> None:
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    try:
        for part in path:
            data = data[int(part)] if isinstance(data, list) else data[part]
        data[last] = value
    except (LookupError, TypeError):
        return  # the part of the record that held the field was replaced since
