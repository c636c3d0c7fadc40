"""`sootprint hub push`, `pull` and `retract`: records to a hub, from it, and taken back; without the hub's packages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import importing, lookup, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.exporters.hub import HubExporter, Sent

Hub = Annotated[
    str | None,
    typer.Option("--hub", metavar="URL", help="Address of the hub; else the setting `hub`."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help="File of a token, chmod 600; else the setting."),
]
Retracted = Annotated[
    list[str], typer.Argument(metavar="ID|RUN...", help="Records by id, or runs of this machine.")
]
Reason = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help="Why; it stands where the record stood, for everybody."),
]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Records by id; else all that fit.")]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="K=V", help="Only records with this value, e.g. country=FR."),
]


def push(
    run: options.Sent = None,
    hub: Hub = None,
    token_file: TokenFile = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> None:
    """Send records to a hub.

    They wait in the outbox until the hub has acknowledged them: what was interrupted is sent by the next push, and
    nothing is there twice. A run of `sootprint run --hub` that was killed is recovered and sent, too. A record that
    the hub will not take is put aside with the reason.

        sootprint hub push latest --dry-run
        sootprint hub push latest --hub http://127.0.0.1:8765
        sootprint hub push emissions.csv --hub https://hub.example.org
        sootprint hub push
    """
    from sootprint.exporters.hub import previewed
    from sootprint.runner.delivery import promised

    records = [one for ref in run or () for one in importing.records_of(ref)]
    if dry_run:
        output.print_text(previewed(records))
        return
    with _exporter(hub, token_file) as exporter:
        for record in (*records, *promised(exporter.outbox, shell.say)):
            exporter.outbox.put(record)
            exporter.outbox.keep_promise(record.id)
        waiting = len(exporter.outbox.waiting())
        sent = exporter.send()
        _told(exporter, sent, records, json=json)
    if sent.refused:
        raise typer.Exit(shell.FAILED)
    if not waiting and not json:
        shell.say("nothing waits: name a run, e.g. `sootprint hub push latest`")


def pull(
    key: Ids = None,
    hub: Hub = None,
    token_file: TokenFile = None,
    filters: Filters = None,
    out: options.Out = None,
    json: options.Json = False,
) -> None:
    """Get records of a hub, one JSON object a line.

    The file can be read by `sootprint survey`.

        sootprint hub pull --hub https://hub.example.org --out records.jsonl
        sootprint hub pull --filter country=FR --filter stage=pretrain
    """
    import json as as_json

    with _exporter(hub, token_file) as exporter:
        found = list(_found(exporter, key or [], filters or []))
    if json:
        output.print_json(found)
        return
    text = "".join(f"{as_json.dumps(one, ensure_ascii=False)}\n" for one in found)
    if out is None:
        print(text, end="")
    else:
        output.write_whole(out, text)
        shell.say(f"{len(found)} records in {out}")


def retract(
    ref: Retracted,
    reason: Reason,
    hub: Hub = None,
    token_file: TokenFile = None,
    json: options.Json = False,
) -> None:
    r"""Take records back at a hub, for a reason.

    They leave its lists, leaderboards and sums for good; at their address stands the reason, with the versions that
    there were. Who sent a record may take it back, and so may a maintainer or an admin. A run stays in the ledger of
    its machine.

        sootprint hub retract latest --reason "measured on the wrong machine"
        sootprint hub retract 01a20300-a9f4-71c6-853b-96e83b40071f \
            --reason "advertising" --hub https://hub.example.org
    """
    with _exporter(hub, token_file) as exporter:
        keys = [_key(one) for one in ref]
        done = [{"id": key, "version": exporter.retract(key, reason)} for key in keys]
    if json:
        output.print_json(done)
        return
    for key in keys:
        print(f"retracted {exporter.place(key)}")


def _key(ref: str) -> str:
    """Identity of a record as it was given, or of a run of the ledger."""
    from sootprint.core.ids import is_uuid7

    if is_uuid7(ref):
        return ref
    with lookup.ledger() as ledger:
        return ledger.find(ref)


def _found(exporter: HubExporter, keys: list[str], filters: list[str]) -> Iterator[dict[str, Any]]:
    if keys:
        yield from (exporter.fetch(key) for key in keys)
        return
    chosen = {}
    for one in filters:
        name, sign, value = one.partition("=")
        if not sign or not name:
            shell.wrong(f"filter {one!r} is not a name and a value, e.g. country=FR")
        chosen[name] = value
    yield from exporter.every(chosen)


def _exporter(hub: str | None, token_file: Path | None) -> HubExporter:
    """Way to the hub that was named or set.

    Raises:
        InputError: None was, or a project's file named it while a token of the user's would go to it.
    """
    from sootprint import settings
    from sootprint.exporters.address import token_of
    from sootprint.exporters.hub import HubExporter

    known = settings.load(hub=hub, hub_token_file=token_file)
    if known.hub is None:
        shell.wrong("no hub is named: add --hub URL, or set `hub` in sootprint.toml or SOOTPRINT_HUB")
    if known.hub_token_file is not None and known.origins.get("hub") == "project file":
        shell.wrong(f"the project's file names the hub: to send it your token, add --hub {known.hub}")
    return HubExporter(known.home, known.hub, token=token_of(known.hub_token_file))


def _told(exporter: HubExporter, sent: Sent, records: list[Footprint], *, json: bool) -> None:
    places = [f"{exporter.address}/footprints/{record.id}" for record in records]
    refused = [{"file": str(path), "error": why} for path, why in sent.refused]
    if json:
        output.print_json(
            {"accepted": sent.accepted, "duplicate": sent.duplicate, "refused": refused, "places": places}
        )
        return
    for one in refused:
        shell.say(f"refused, and put aside in {one['file']}: {one['error']}")
    if sent.accepted or sent.duplicate:
        print(f"{sent.accepted} new at {exporter.address}, {sent.duplicate} known there already")
    if not refused:
        for place in places:
            print(place)
