"""Records from plain JSON: every field by its type, with one clear line for whatever is wrong."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from functools import cache
from typing import Any

from sootprint.core.errors import RecordError

MAX_DEPTH = 32


@cache
def hints(record: type) -> dict[str, Any]:
    """Types of a record's fields by name."""
    return typing.get_type_hints(record)


def decode(record: type, data: Any, path: str, extra: dict[str, Any]) -> Any:
    """Record of a plain dictionary.

    Args:
        record: Its class.
        data: What should be a dictionary.
        path: JSON pointer of it in the whole, for messages.
        extra: Where fields that are not known are left, by their pointers.

    Raises:
        RecordError: A field breaks the schema.
    """
    if not isinstance(data, dict):
        raise RecordError(f"{path or '/'} is {kind(data)}: it is an object")
    known = {spec.name: spec for spec in dataclasses.fields(record)}
    arguments = {}
    for name, value in data.items():
        if name in known and name != "extra":
            arguments[name] = _value(hints(record)[name], value, f"{path}/{name}", extra)
        else:
            pointer = f"{path}/{_escape(_text(name, path or '/'))}"
            extra[pointer] = _free(value, pointer)
    for name, spec in known.items():
        if name not in arguments and _is_required(spec):
            raise RecordError(f"{path}/{name} is missing")
    try:
        return record(**arguments)
    except RecordError as err:
        raise RecordError(f"{path or '/'}: {err}") from err


def _is_required(spec: dataclasses.Field[Any]) -> bool:
    return spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, path: str, extra: dict[str, Any]) -> Any:
    if path.count("/") > MAX_DEPTH:
        raise RecordError(f"{path} is nested deeper than {MAX_DEPTH} levels")
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        if value is None:
            return None
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if dataclasses.is_dataclass(hint):
        return decode(typing.cast(type, hint), value, path, extra)
    if typing.get_origin(hint) is tuple:
        return _items(typing.get_args(hint)[0], value, path, extra)
    if typing.get_origin(hint) is dict:
        return _mapping(typing.get_args(hint)[1], value, path, extra)
    return _plain_value(hint, value, path)


def _items(hint: Any, value: Any, path: str, extra: dict[str, Any]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise RecordError(f"{path} is {kind(value)}: it is a list")
    return tuple(_value(hint, item, f"{path}/{index}", extra) for index, item in enumerate(value))


def _mapping(hint: Any, value: Any, path: str, extra: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecordError(f"{path} is {kind(value)}: it is an object")
    return {
        _text(key, path): _value(hint, item, f"{path}/{_escape(key)}", extra) for key, item in value.items()
    }


def _plain_value(hint: Any, value: Any, path: str) -> Any:
    if hint is object:
        return _free(value, path)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return _as_float(value, path)
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        _as_float(value, path)  # one that is computed with
        return value
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise RecordError(f"{path} is {kind(value)}: it is {_NAMES.get(hint, hint.__name__)}")
    return _text(value, path) if hint is str else value


def _free(value: Any, path: str) -> Any:
    """A value that no rule describes, if it can be written as JSON again."""
    if path.count("/") > MAX_DEPTH:
        raise RecordError(f"{path:.80} is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {_text(key, path): _free(item, f"{path}/{_escape(key)}") for key, item in value.items()}
    if isinstance(value, list):
        return [_free(item, f"{path}/{index}") for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordError(f"{path} is {value}: it is a finite number, or null where it is unknown")
    if isinstance(value, int):
        _as_float(value, path)  # who reads it may compute with it
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _text(value, path)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RecordError(f"{path} is a Python {type(value).__name__}, which JSON has not")
    try:
        value.encode()
    except UnicodeEncodeError as err:
        raise RecordError(f"{path} holds half of a surrogate pair, which is no text") from err
    return value


def _as_float(value: int, path: str) -> float:
    try:
        return float(value)
    except OverflowError as err:
        raise RecordError(f"{path} is an integer of {len(str(value))} digits: too large") from err


_NAMES = {str: "a text", float: "a number", int: "a whole number", bool: "true or false", dict: "an object"}


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    return _NAMES.get(type(value), type(value).__name__) + (
        f" ({value!r:.40})" if not isinstance(value, dict) else ""
    )


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
