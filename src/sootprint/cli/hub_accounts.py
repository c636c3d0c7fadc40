"""`sootprint hub user` and `sootprint hub token`: who may do what at a hub that others reach."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from sootprint.cli import figures, hub_store, options, output, shell

DEFAULT_DAYS = 365
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]
Prefix = Annotated[str, typer.Argument(metavar="PREFIX", help="Part of the token before the point.")]
Role = Annotated[
    str,
    typer.Option("--role", metavar="ROLE", help="viewer, contributor, maintainer, reviewer or admin."),
]
Scope = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="read, submit, correct, review or admin; may be repeated; else read, and submit where the role may.",
    ),
]
Days = Annotated[
    int,
    typer.Option(
        "--days", metavar="N", parser=options.whole, help="Days that the token is valid; 0 for ever."
    ),
]

Address = Annotated[
    str,
    typer.Option("--public-url", metavar="URL", help="Where people reach the hub, for the link."),
]

user = shell.group("user")
token = shell.group("token")


@user.callback(invoke_without_command=True)
def user_root(context: typer.Context) -> None:
    """Accounts of a hub, each with one role.

    sootprint hub user add alice --role contributor
    sootprint hub user list
    """
    shell.helped(context)


@token.callback(invoke_without_command=True)
def token_root(context: typer.Context) -> None:
    """Tokens of a hub's accounts.

    sootprint hub token create alice
    sootprint hub token revoke soot_1a2b3c4d
    """
    shell.helped(context)


@user.command(cls=shell.Command)
def add(
    name: Name,
    role: Role = "contributor",
    database_url: hub_store.Database = None,
    json: options.Json = False,
) -> None:
    """Add an account. Its role says what its tokens may do at most.

    A viewer reads, a contributor also submits and corrects what is his own, a maintainer also corrects what others
    submitted, a reviewer also reviews, an admin may do everything.

        sootprint hub user add alice
        sootprint hub user add nightly --role maintainer
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import accounts

        accounts.add_account(engine, name, role)
    _say({"name": name, "role": role}, f"added {name}, a {role}", json=json)


@user.command(cls=shell.Command)
def role(name: Name, role: Role, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Give an account another role.

    sootprint hub user role alice --role reviewer
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import accounts

        accounts.set_role(engine, name, role)
    _say({"name": name, "role": role}, f"{name} is a {role} now", json=json)


@user.command(cls=shell.Command)
def close(name: Name, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Close an account: its tokens work no more, and what it submitted stays.

    sootprint hub user close alice
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import accounts

        accounts.close_account(engine, name)
    _say({"name": name, "closed": True}, f"closed {name}", json=json)


@user.command(cls=shell.Command)
def link(
    name: Name,
    address: Address = "http://127.0.0.1:8765",
    database_url: hub_store.Database = None,
    key_file: hub_store.KeyFile = None,
    json: options.Json = False,
) -> None:
    """Print a link at which the person of an account sets a password.

    It works once and for a week, for the first password as for a forgotten one. Give it to that person alone.

        sootprint hub user link alice --public-url https://hub.example.org
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.people import sessions

        made = sessions.welcome_link(engine, hub_store.key(key_file), name, address.rstrip("/"))
    _say({"link": made, "name": name}, made, json=json)


@user.command("list", cls=shell.Command)
def list_users(database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """List the accounts.

    sootprint hub user list
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import accounts

        rows = accounts.listed(engine)
    _print(rows, ("name", "role", "created_at", "closed_at"), json=json)


@token.command(cls=shell.Command)
def create(
    name: Name,
    scope: Scope = None,
    days: Days = DEFAULT_DAYS,
    database_url: hub_store.Database = None,
    key_file: hub_store.KeyFile = None,
    json: options.Json = False,
) -> None:
    """Make a token of an account and print it, this once.

    The hub stores a keyed hash of it. Keep it in a file that only you can read, and name that to `sootprint hub push`
    with --token-file.

        sootprint hub token create alice
        sootprint hub token create nightly --scope submit --days 30
        sootprint hub token create mo --scope correct
    """
    life = timedelta(days=days) if days else None
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import accounts

        scopes = tuple(scope or accounts.usual_scopes(engine, name))
        made = accounts.make_token(engine, hub_store.key(key_file), name, scopes=scopes, life=life)
    _say({"token": made, "name": name, "scopes": scopes}, made, json=json)


@token.command(cls=shell.Command)
def revoke(prefix: Prefix, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Make a token worthless from the next request on.

    sootprint hub token revoke soot_1a2b3c4d
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import accounts

        accounts.revoke(engine, prefix)
    _say({"prefix": prefix, "revoked": True}, f"revoked {prefix}", json=json)


@token.command("list", cls=shell.Command)
def list_tokens(database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """List the tokens without their secrets, the newest first.

    sootprint hub token list
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub import accounts

        rows = accounts.tokens(engine)
    _print(rows, ("prefix", "name", "scopes", "created_at", "expires_at", "revoked_at", "used_at"), json=json)


def _say(data: dict[str, Any], text: str, *, json: bool) -> None:
    if json:
        output.print_json(data)
    else:
        print(shell.printable(text))


def _print(rows: list[dict[str, Any]], columns: tuple[str, ...], *, json: bool) -> None:
    if json:
        output.print_json(rows)
        return
    table = output.table(*(name.removesuffix("_at") for name in columns), wraps=("name", "scopes"))
    for row in rows:
        output.add_row(table, *(_cell(name, row[name]) for name in columns))
    output.console().print(table)


def _cell(name: str, value: Any) -> str:
    """Cell of a table; of a time the day, for --json has the rest."""
    return (
        str(value or figures.DASH).partition("T")[0] if name.endswith("_at") else str(value or figures.DASH)
    )
