"""`sootprint schema`: the JSON Schema of the record, and a check against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sootprint.cli import lookup, options, output

Check = Annotated[
    Path | None,
    typer.Option("--check", metavar="FILE", help="Check a JSON record instead; - is standard input."),
]


def schema(check: Check = None, json: options.Json = False) -> None:
    """Print the JSON Schema of the record, or check a file against it.

    The schema is draft 2020-12. A file that breaks a rule gets one line that names the field by its JSON pointer,
    and exit code 2.

        sootprint schema > footprint.schema.json
        sootprint schema --check run.json
    """
    if check is None:
        from sootprint.core.schema import json_schema

        output.print_json(json_schema())
        return
    record = lookup.parsed(str(check), lookup.text_of(str(check)))
    if json:
        output.print_json(
            {"valid": True, "id": record.id, "schema": record.schema, "extra": sorted(record.extra)}
        )
        return
    print(f"{check}: a valid record of schema {record.schema}, id {record.id}")
    for pointer in sorted(record.extra):
        print(f"  {pointer} is unknown to this version and kept as it is")
