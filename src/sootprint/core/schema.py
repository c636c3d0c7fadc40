"""JSON Schema (draft 2020-12) of the record, made from the same dataclasses that check it."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from sootprint.core.decode import hints
from sootprint.core.quantity import BASES
from sootprint.core.records import SCHEMA, Footprint

_PLAIN = {str: "string", float: "number", int: "integer", bool: "boolean"}


def json_schema() -> dict[str, Any]:
    """JSON Schema of a `Footprint`; fields of newer minor versions are allowed."""
    definitions: dict[str, Any] = {}
    schema = _object(Footprint, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Sootprint Footprint {SCHEMA}",
        **schema,
        "$defs": definitions,
    }


def _object(record: type, definitions: dict[str, Any]) -> dict[str, Any]:
    properties, required = {}, []
    for spec in dataclasses.fields(record):
        if spec.name == "extra":
            continue
        properties[spec.name] = _property(hints(record)[spec.name], spec.metadata, definitions)
        if spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING:
            required.append(spec.name)
    described = (record.__doc__ or "").partition("\n")[0]
    return {"type": "object", "description": described, "properties": properties, "required": required}


def _property(hint: Any, rules: typing.Mapping[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _type(hint, definitions)
    target = schema if "anyOf" not in schema else schema["anyOf"][0]
    limits = {key: rules[key] for key in ("minimum", "maximum") if key in rules}
    if "$ref" not in target:
        target.update(limits)
        if "one_of" in rules:
            target["enum"] = list(rules["one_of"])
    elif limits:
        target["properties"] = {"value": limits, "low": limits}
    return {**schema, "description": rules["doc"]} if "doc" in rules else schema


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint is object:
        return {}
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        option = next(option for option in typing.get_args(hint) if option is not type(None))
        return {"anyOf": [_type(option, definitions), {"type": "null"}]}
    if dataclasses.is_dataclass(hint):
        return _reference(typing.cast(type, hint), definitions)
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": _type(typing.get_args(hint)[0], definitions)}
    if typing.get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _type(typing.get_args(hint)[1], definitions)}
    return {"type": _PLAIN[hint]}


def _reference(record: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if record.__name__ not in definitions:
        definitions[record.__name__] = {}
        definitions[record.__name__].update(_object(record, definitions))
        if record.__name__ == "Quantity":
            definitions["Quantity"]["properties"]["basis"]["enum"] = list(BASES)
    return {"$ref": f"#/$defs/{record.__name__}"}
