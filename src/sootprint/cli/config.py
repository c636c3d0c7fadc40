"""`sootprint config`: each setting, its value and where that came from."""

from __future__ import annotations

from typing import Any

from sootprint.cli import options, output


def config(json: options.Json = False) -> None:
    """Show each setting, its value and where it came from.

    An argument wins over a SOOTPRINT_* variable, that over `sootprint.toml` of the project (the nearest one from
    the working directory upwards), that over the user's own `sootprint.toml`.

        sootprint config
        SOOTPRINT_ZONE=FR sootprint config --json
    """
    from sootprint import settings

    described = settings.load().describe()
    if json:
        output.print_json(
            [{"key": key, "value": value, "origin": origin} for key, value, origin in described]
        )
        return
    table = output.table("setting", "value", "from", wraps=("value",))
    for key, value, origin in described:
        style = "dim" if origin == "default" else None
        output.add_row(table, key, _words(value), origin, style=style)
    output.console().print(table)


def _words(value: Any) -> str:
    """Value for a person: a table by the names in it, an unset one by a dash."""
    if value is None or value in ({}, ()):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
