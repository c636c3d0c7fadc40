"""`sootprint hub dump`, `backup` and `restore`: a hub's records as files, and the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import hub_store, options, output, shell

if TYPE_CHECKING:
    from sootprint.hub.chain import Verified

Tag = Annotated[
    str | None,
    typer.Option("--tag", metavar="DATE", help="Name of the release; else today, e.g. 2026-11-22."),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=options.new_folder,
        help="Folder of all releases; else the one that the hub publishes.",
    ),
]
Address = Annotated[
    str | None,
    typer.Option("--public-url", metavar="URL", help="Where the hub is reached, for the citation."),
]
Licence = Annotated[
    str | None, typer.Option("--licence", metavar="SPDX", help="Licence of the data, e.g. CC-BY-4.0.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def dump(
    tag: Tag = None,
    out: Folder = None,
    public_url: Address = None,
    licence: Licence = None,
    database_url: hub_store.Database = None,
    json: options.Json = False,
) -> None:
    """Write a dated release of all published records: CSV, JSON lines, Parquet, checksums, citation.

    The hub publishes it on its page of downloads. A release does not change: a second one of a day takes a --tag of its
    own. The audit log keeps the hash of its checksums.

        sootprint hub dump --licence CC-BY-4.0
        sootprint hub dump --tag 2026-11-22-b --public-url https://hub.example.org
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.files import dumps

        folder = out or hub_store.home() / dumps.FOLDER
        made = dumps.make(engine, folder, tag=tag, address=public_url, licence=licence)
    if json:
        output.print_json({**made.about, "files": made.sizes, "folder": str(folder / made.tag)})
        return
    print(f"release {made.tag}: {made.footprints} footprints, {made.results} results, in {folder / made.tag}")


def backup(file: File, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    r"""Write the whole hub into one file, while it runs, and check it.

    The file is an SQLite database, also for a hub on PostgreSQL. It holds what is private, too, and is readable to you
    alone. The server's key, `hub.key`, is not in it: keep that beside it, or no token works after a restore.

        sootprint hub backup hub-2026-11-22.sqlite
        sootprint hub backup /backups/hub.sqlite \
            --database-url postgresql+psycopg://hub@localhost/hub
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.files import backups

        found = backups.backup(engine, file)
    _told(found, f"backed up into {file}", json=json)


def restore(file: File, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    r"""Bring a backup into an empty database, and check it.

    The database may be another one than that of the backup: so a hub moves from SQLite to PostgreSQL and back.

        sootprint hub restore hub-2026-11-22.sqlite
        sootprint hub restore hub.sqlite \
            --database-url postgresql+psycopg://hub@localhost/hub
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.files import backups

        found = backups.restore(file, engine)
    _told(found, f"restored from {file}", json=json)


def _told(found: Verified, what: str, *, json: bool) -> None:
    if json:
        output.print_json(found)
        return
    print(
        f"{found.versions} versions of records and {found.entries} entries of the audit log {what}: all of it fits"
    )
    shell.say(f"last hash  {found.head}")
