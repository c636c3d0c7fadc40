"""`sootprint hub campaign`: ask the authors of a sample of papers, and see who answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sootprint.cli import figures, hub_store, options, output, shell
from sootprint.cli.hub_accounts import Address

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the campaign.")]
From = Annotated[
    Path,
    typer.Option("--from", metavar="FILE", help="CSV of papers: title, email and what else is known."),
]
Number = Annotated[int, typer.Option("--n", metavar="N", parser=options.whole, help="Papers in the sample.")]
Strata = Annotated[
    str, typer.Option("--strata", metavar="A,B", help="Columns that make the strata, e.g. task,year.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", parser=options.whole, help="Seed of the draw.")]
Allocation = Annotated[
    str, typer.Option("--allocation", metavar="A", help="proportional to the strata's sizes, or equal.")
]
Out = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", parser=options.new_folder, help="Folder for the mails."),
]
SenderName = Annotated[str, typer.Option("--sender", metavar="NAME", help="Your name.")]
SenderAddress = Annotated[str, typer.Option("--reply-to", metavar="ADDRESS", help="Your mail address.")]
Contact = Annotated[
    str | None, typer.Option("--contact", metavar="TEXT", help="More about you and the purpose, in a line.")
]
Form = Annotated[str, typer.Option("--format", metavar="F", help="eml for a mail program, or txt.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Invitations, as the files are named.")]

campaign = shell.group("campaign")


@campaign.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Ask authors where, on what and how long they trained.

    sootprint hub campaign draw nets --from papers.csv --n 200 --strata task
    sootprint hub campaign status nets
    """
    shell.helped(context)


@campaign.command(cls=shell.Command)
def draw(
    name: Name,
    papers: From,
    n: Number,
    strata: Strata = "",
    seed: Seed = 1,
    allocation: Allocation = "proportional",
    database_url: hub_store.Database = None,
    json: options.Json = False,
) -> None:
    """Draw a sample of papers, each stratum on its own.

    The CSV has a row for each paper: title and email, and whatever is known of authors, year, task, model, doi, arxiv,
    hardware, count, hours, zone; any other column may make strata. The same list and seed give the same sample, in
    whatever order its rows stand. The hub keeps no address.

        sootprint hub campaign draw nets --from papers.csv --n 200 --strata task
    """
    columns = [column.strip().casefold() for column in strata.split(",") if column.strip()]
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.campaigns import sample, store

        listing = sample.read(papers, columns)
        chosen = sample.drawn(listing.papers, n, seed=seed, allocation=allocation)
        plan = store.plan_of(listing.papers, columns, seed=seed, allocation=allocation)
        store.add(engine, name, chosen, plan)
    drawn = {stratum: sum(one.stratum == stratum for one in chosen) for stratum in plan.listed}
    if json:
        facts = {"listed": len(listing.papers), "repeated": listing.repeated, "drawn": drawn}
        output.print_json({"campaign": name, "sample": len(chosen), **facts})
        return
    print(f"{len(chosen)} of {len(listing.papers)} papers drawn, {listing.repeated} rows named one twice")
    for stratum, part in drawn.items():
        print(f"  {shell.printable(stratum)}: {part} of {plan.listed[stratum]}")


@campaign.command(cls=shell.Command)
def mails(
    name: Name,
    papers: From,
    out: Out,
    sender: SenderName,
    reply_to: SenderAddress,
    address: Address,
    contact: Contact = None,
    form: Form = "eml",
    database_url: hub_store.Database = None,
    key_file: hub_store.KeyFile = None,
    json: options.Json = False,
) -> None:
    r"""Write the mails of a campaign, one file each; sending them is yours.

    Each asks the survey's three questions and has a signed link to a form that holds what the paper says. The addresses
    come from the CSV. What is written counts as asked.

        sootprint hub campaign mails vision-2026 --from papers.csv --out mails \
            --sender "Ada Lovelace" --reply-to ada@example.org \
            --public-url https://hub.example.org
    """
    asked = {"sender": sender, "reply_to": reply_to, "contact": contact, "address": address}
    with hub_store.opened(database_url) as engine:
        made = _mails(engine, name, papers, key=hub_store.key(key_file), asked=asked, reminder=False)
        _written(engine, made, out, form=form, reminder=False, json=json)


@campaign.command(cls=shell.Command)
def remind(
    name: Name,
    papers: From,
    out: Out,
    sender: SenderName,
    reply_to: SenderAddress,
    address: Address,
    form: Form = "eml",
    database_url: hub_store.Database = None,
    key_file: hub_store.KeyFile = None,
    json: options.Json = False,
) -> None:
    r"""Write a reminder to each author who was asked and has neither answered nor declined.

        sootprint hub campaign remind vision-2026 --from papers.csv \
            --out reminders --sender "Ada Lovelace" \
            --reply-to ada@example.org --public-url https://hub.example.org
    """
    asked = {"sender": sender, "reply_to": reply_to, "contact": None, "address": address}
    with hub_store.opened(database_url) as engine:
        made = _mails(engine, name, papers, key=hub_store.key(key_file), asked=asked, reminder=True)
        _written(engine, made, out, form=form, reminder=True, json=json)


@campaign.command(cls=shell.Command)
def unreachable(ids: Ids, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Note whose mail came back: they count as not reached, not as silent.

    sootprint hub campaign unreachable 3f0a5c9e8b7d6c5b4a392817
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.campaigns import store

        changed = store.closed(engine, ids, store.UNREACHABLE)
    if json:
        output.print_json({"unreachable": changed})
    else:
        print(f"{changed} of {len(ids)} noted as unreachable")


@campaign.command(cls=shell.Command)
def status(name: Name, database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """Show the response rate, and who did not answer by stratum, with 95 % intervals.

    sootprint hub campaign status vision-2026
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.campaigns.status import status as status_of

        found = status_of(engine, name)
    if json:
        output.print_json(found)
        return
    columns = ("stratum", "listed", "asked", "answered", "declined", "silent", "unreachable", "response rate")
    table = output.table(*columns, right=columns[1:-1], wraps=("stratum",))
    for row in [*found["strata"], {**found, "stratum": "all"}]:
        cells = [str(row[column]) for column in columns[:-1]]
        output.add_row(table, *cells, _rate(row))
    output.console().print(table)
    difference = found["difference"]
    if difference is not None and difference["smallest_expected"] >= 5:
        alike = "do not answer alike" if difference["p"] < 0.05 else "show no difference"
        print(f"the strata {alike}: chi-squared {difference['chi2']:.3g}, p = {difference['p']:.2g}")


@campaign.command("list", cls=shell.Command)
def list_campaigns(database_url: hub_store.Database = None, json: options.Json = False) -> None:
    """List the campaigns, the newest first.

    sootprint hub campaign list
    """
    with hub_store.opened(database_url) as engine:
        from sootprint.hub.campaigns import store

        names = store.names(engine)
    if json:
        output.print_json(names)
    else:
        print("\n".join(names) if names else figures.DASH)


def _mails(
    engine: Any, name: str, papers: Path, *, key: bytes, asked: dict[str, Any], reminder: bool
) -> list[tuple[str, Any]]:
    """Names and mails of those who are to be asked, or reminded, and whose address the list has."""
    from sootprint.hub.campaigns import mails as letters
    from sootprint.hub.campaigns import sample, store

    store.campaign(engine, name)
    known = {store.invitation_id(name, one.key): one.email for one in sample.read(papers).papers}
    sender = letters.Sender(name=asked["sender"], email=asked["reply_to"], contact=asked["contact"])
    made = []
    for one in store.invitations(engine, name, [store.SENT if reminder else store.DRAWN]):
        if not known.get(one["id"]):
            shell.say(f"{papers} has no address for {one['paper']['title']!r:.80}: not written")
            continue
        link = store.link(key, one["id"], asked["address"].rstrip("/"))
        mail = letters.message(one, known[one["id"]], link, sender=sender, reminder=reminder)
        made.append((one["id"], mail))
    return made


def _written(
    engine: Any, made: list[tuple[str, Any]], out: Path, *, form: str, reminder: bool, json: bool
) -> None:
    from sootprint.hub.campaigns import mails as letters
    from sootprint.hub.campaigns import store

    paths = letters.write(out, made, form=form)
    store.mailed(engine, [one for one, _ in made], reminder=reminder)
    if json:
        output.print_json({"written": [str(path) for path in paths]})
    else:
        print(f"{len(paths)} mails in {out}: send them with your mail program")


def _rate(row: dict[str, Any]) -> str:
    if row["response_rate"] is None:
        return figures.DASH
    low, high = (100 * row[f"response_{end}"] for end in ("low", "high"))
    return f"{100 * row['response_rate']:.0f} % ({low:.0f} to {high:.0f})"
