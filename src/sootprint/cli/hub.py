"""`sootprint hub`: serve a hub, and look after it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import hub_own, hub_store, options, output, progress, shell
from sootprint.cli.hub_accounts import token, user
from sootprint.cli.hub_campaign import campaign
from sootprint.cli.hub_client import pull, push, retract
from sootprint.cli.hub_files import backup, dump, restore
from sootprint.cli.hub_venue import venue

if TYPE_CHECKING:
    from sootprint.hub.chain import Verified
    from sootprint.hub.insight.agreement import Agreement

Host = Annotated[str, typer.Option("--host", metavar="HOST", help="Address to listen on.")]
Port = Annotated[
    int, typer.Option("--port", metavar="N", parser=options.port, help="Port; 0 for any that is free.")
]
Tokens = Annotated[bool, typer.Option("--tokens", help="Ask for tokens on loopback too, as behind a proxy.")]
Allowed = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="Another name by which the hub may be called."),
]
Public = Annotated[
    str | None,
    typer.Option("--public-url", metavar="URL", help="Where the hub is reached from outside, for its links."),
]
Workers = Annotated[
    int,
    typer.Option("--workers", metavar="N", parser=options.whole, help="Processes; several need PostgreSQL."),
]
Measure = Annotated[
    bool,
    typer.Option("--measure", help="Measure the hub by this machine's meters, for its page /footprint."),
]
Rebuild = Annotated[
    bool, typer.Option("--rebuild", help="Make lists, leaderboards and sums again from the versions.")
]

hub = shell.group("hub")
hub.command(cls=shell.Command)(push)
hub.command(cls=shell.Command)(pull)
hub.command(cls=shell.Command)(retract)
for _command in (dump, backup, restore):
    hub.command(cls=shell.Command)(_command)
hub.add_typer(token, name="token")
hub.add_typer(user, name="user")
hub.add_typer(campaign, name="campaign")
hub.add_typer(venue, name="venue")


@hub.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """A central place for footprints: submitted, recomputed, compared and cited.

    sootprint hub serve
    sootprint hub push latest --hub http://127.0.0.1:8765
    """
    shell.helped(context)


@hub.command(cls=shell.Command)
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8765,
    database_url: hub_store.Database = None,
    key_file: hub_store.KeyFile = None,
    tokens: Tokens = False,
    allow_host: Allowed = None,
    public_url: Public = None,
    workers: Workers = 1,
    measure: Measure = False,
) -> None:
    r"""Serve a hub until SIGTERM or Ctrl-C.

    On loopback it has one user, who needs no token. On another address everybody may read, and a token is needed to
    submit. The address is printed on stdout; the log is JSON lines on stderr.

        sootprint hub serve
        sootprint hub serve --measure
        sootprint hub serve --workers 2 \
            --database-url postgresql+psycopg://hub@localhost/hub
        sootprint hub serve --host 0.0.0.0 --allow-host hub.example.org \
            --public-url https://hub.example.org
    """
    with hub_store.extra():
        from sootprint.hub.serve import Order
        from sootprint.hub.serve import serve as serve_until_stopped

        order = Order(
            home=hub_store.home(),
            host=host,
            port=port,
            database_url=database_url,
            key_file=key_file,
            tokens=tokens,
            hosts=(*(allow_host or ()), *_name_of(public_url)),
            public_url=public_url,
            workers=workers,
        )
        if measure and workers > 1:
            shell.wrong("--measure is for one process: leave out --workers, or measure with `sootprint run`")
        with hub_own.measured(measure) as own:
            serve_until_stopped(
                order, started=lambda address: print(f"The hub is at {address}/", flush=True), own=own
            )


@hub.command(cls=shell.Command)
def seed(database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Fill the hub with published runs, so that a first look is not empty.

    They are third-party estimates, each with its source. What is there already is left alone; where this Sootprint
    estimates otherwise than the one that filled the hub, a record gets a new version.

        sootprint hub seed
        sootprint hub seed --json
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.seed import seed as seeded

        answer = seeded(engine)
    if json:
        output.print_json(answer)
    else:
        updated = f"{answer['updated']} got a new version, " if answer["updated"] else ""
        print(f"{answer['accepted']} published runs added, {updated}{answer['duplicate']} were there already")


@hub.command(cls=shell.Command)
def verify(
    rebuild: Rebuild = False, database_url: hub_store.Database = None, json: options.Json = False
) -> None:
    r"""Check the chain of the audit log, that no stored version was changed, and that lists and sums follow from them.

    It prints the hash of the last entry: keep it elsewhere, and a later check also tells whether the end was cut off.
    Exit code 1 where something does not fit. --rebuild makes what lists, leaderboards and sums are read from again
    first, where the versions fit.

        sootprint hub verify
        sootprint hub verify --rebuild
        sootprint hub verify --json \
            --database-url postgresql+psycopg://hub@localhost/hub
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import chain
        from sootprint.hub.insight import agreement

        with progress.shown("checking the log") as (say, step):
            found = chain.verify(engine, shown=False, step=step)
            if mends := rebuild and not found.count:
                say("making lists and sums again")
            mended = agreement.mend(engine) if mends else None
            listed = agreement.check(engine, say=say, step=step)
    if json:
        output.print_json(_plain(found, listed, mended))
    else:
        _tell(found, listed, mended, rebuild=rebuild)
    if found.count or (listed is not None and listed.count):
        raise typer.Exit(shell.FAILED)


def _plain(found: Verified, listed: Agreement | None, mended: int | None) -> dict[str, Any]:
    """What was found, for other programs."""
    of_lists = {} if listed is None else dataclasses.asdict(listed)
    return {
        **dataclasses.asdict(found),
        "problems": [*found.problems, *of_lists.get("problems", ())],
        "count": found.count + of_lists.get("count", 0),
        "records": of_lists.get("records"),
        "sums": of_lists.get("sums"),
        "mended": mended,
    }


def _tell(found: Verified, listed: Agreement | None, mended: int | None, *, rebuild: bool) -> None:
    """Print what was found, and the way out."""
    said = _plain(found, listed, mended)
    print(f"{found.entries} entries of the audit log, {found.versions} versions of records checked")
    if mended is not None:
        print(f"all sums and {mended} records of the lists made again")
    if listed is None:
        print("the hub makes its lists and sums again while it serves: compare them when its log says so")
    else:
        print(f"{listed.records} records of the lists, {listed.sums} counts and sums compared with them")
    print(f"last hash  {found.head}")
    for problem in said["problems"]:
        print(f"  {shell.printable(problem)}")
    print("all of it fits" if not said["count"] else f"{said['count']} things do not fit")
    if found.count and rebuild:
        print("nothing was made again, as the versions themselves do not fit: restore a backup")
    elif said["count"] and not found.count and not rebuild:
        print("`sootprint hub verify --rebuild` makes lists and sums again from the versions")


def _name_of(public_url: str | None) -> tuple[str, ...]:
    """Name in a public address, by which the hub is then called."""
    from urllib.parse import urlsplit

    if public_url is None:
        return ()
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shell.wrong(f"public address {public_url!r} is none: give e.g. https://hub.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment:
        shell.wrong(
            f"public address {public_url!r} has a path: a hub needs a name of its own, e.g. https://hub.example.org"
        )
    return (parts.hostname,)
