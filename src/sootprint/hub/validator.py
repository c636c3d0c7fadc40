"""The fast check of a record: the core's rules as a schema of pydantic, the intervals as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaValidator, core_schema

from sootprint.core import decode
from sootprint.core.records import Footprint, Interval


@cache
def validator() -> SchemaValidator:
    """Validator of a footprint's JSON, which checks its intervals and leaves them out; made once."""
    return SchemaValidator(_without_intervals(TypeAdapter(Footprint).core_schema))


def _without_intervals(schema: Any) -> Any:
    """Schema of a footprint whose intervals are checked and left out; the given one stays as it is."""
    if schema["type"] != "dataclass-args":
        return {**schema, "schema": _without_intervals(schema["schema"])}
    checked = core_schema.with_default_schema(
        core_schema.no_info_after_validator_function(
            lambda _: (), core_schema.list_schema(_plain_schema(Interval), strict=True)
        ),
        default=(),
    )
    made = [{**one, "schema": checked} if one["name"] == "intervals" else one for one in schema["fields"]]
    return {**schema, "fields": made}


def _plain_schema(record: type) -> core_schema.CoreSchema:
    """Schema of a flat record by the rules of its fields, all of which it must have, and no other."""
    kinds = decode.hints(record)
    return core_schema.typed_dict_schema(
        {
            one.name: core_schema.typed_dict_field(_plain_field(kinds[one.name], one.metadata))
            for one in fields(record)
        },
        extra_behavior="forbid",
    )


def _plain_field(kind: type, rules: Mapping[str, Any]) -> core_schema.CoreSchema:
    if kind is str:
        return core_schema.str_schema(strict=True)
    least, most = rules.get("minimum"), rules.get("maximum")
    return core_schema.float_schema(strict=True, ge=least, le=most, allow_inf_nan=False)
