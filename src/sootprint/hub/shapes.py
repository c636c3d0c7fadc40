"""Shapes of requests and answers, for OpenAPI: the record's own schema, and what the hub adds."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from sootprint.core.schema import json_schema

_RECORD = {"$ref": "#/components/schemas/Footprint"}
_LIST = {"type": "array", "items": _RECORD, "maxItems": 5000}
BATCH: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"anyOf": [_RECORD, _LIST]}}},
    },
}
RECORDS: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "A page of records.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "items": {"type": "array", "items": {"type": "object"}},
                            "next_cursor": {"type": ["string", "null"]},
                        },
                        "required": ["items", "next_cursor"],
                    }
                }
            },
        }
    }
}
RECORD: dict[str, Any] = {
    "responses": {"200": {"description": "The record.", "content": {"application/json": {"schema": _RECORD}}}}
}
ESTIMATED = RECORD


class Rejected(BaseModel):
    """A record of a batch that was not accepted."""

    index: int
    errors: list[str]


class BatchAnswer(BaseModel):
    """What became of a batch."""

    accepted: int
    duplicate: int
    rejected: list[Rejected]


class Validity(BaseModel):
    """Whether records keep the rules, and what the hub would say of them."""

    valid: bool
    rejected: list[Rejected]
    previews: list[dict[str, Any]]


class Assessment(BaseModel):
    """What the hub says of a record."""

    id: str
    version: int
    newest_version: int
    state: str
    origin: str
    submitted_at: str
    reason: str | None = None
    sha256: str | None = None
    history: list[dict[str, Any]]
    grade_claimed: str | None = None
    grade_supported: str | None = None
    grade_counted: str | None = None
    verification: str | None = None
    engine: str | None = None
    energy_kwh: dict[str, Any] | None = None
    emissions_kg: dict[str, Any] | None = None
    method: str | None = None
    marks: list[str] = []
    notes: list[str] = []
    factors: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []


class Factors(BaseModel):
    """Rows of a table of the catalogue, and the release that they are of."""

    engine: str
    items: list[dict[str, Any]]


class History(BaseModel):
    """Versions of a record."""

    items: list[dict[str, Any]]


def components() -> dict[str, Any]:
    """Schemas of the record and its parts, for `components` of OpenAPI."""
    text = json.dumps(json_schema()).replace("#/$defs/", "#/components/schemas/")
    schema = json.loads(text)
    parts: dict[str, Any] = schema.pop("$defs")
    schema.pop("$schema")
    return {"Footprint": schema, **parts}
