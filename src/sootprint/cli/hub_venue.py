"""`sootprint hub venue`: what conferences and journals require, as the hub knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sootprint.cli import hub_store, options, output, shell

File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML of the venue.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the venue.")]

venue = shell.group("venue")


@venue.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """What venues require of a footprint.

    sootprint hub venue add our-workshop.toml
    sootprint hub venue list
    """
    shell.helped(context)


@venue.command(cls=shell.Command)
def add(file: File, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Add a venue, or replace it by its newer file.

    sootprint hub venue add our-workshop.toml
    """
    from sootprint.cli import lookup

    text = lookup.text_of(str(file))
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import venues

        name = venues.add(engine, text, str(file))
    if json:
        output.print_json({"name": name})
    else:
        print(f"added {name}")


@venue.command(cls=shell.Command)
def remove(name: Name, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Remove a venue that was added; one that ships is there again.

    sootprint hub venue remove our-workshop
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import venues

        venues.remove(engine, name)
    if json:
        output.print_json({"name": name, "removed": True})
    else:
        print(f"removed {name}")


@venue.command("list", cls=shell.Command)
def list_venues(database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """List the venues that the hub checks records against.

    sootprint hub venue list
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import venues

        found = venues.known(engine)
    if json:
        output.print_json([{"name": one.name, "title": one.title} for one in found.values()])
        return
    for one in found.values():
        print(f"{one.name}  {shell.printable(one.title)}, {len(one.rules)} rules")
