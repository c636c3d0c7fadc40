"""`sootprint merge`: the records of a job's nodes as one footprint."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import lookup, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.ledger import Ledger

Runs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN|FILE...]", help="Runs of the ledger, or JSON records, e.g. of other nodes."),
]
Group = Annotated[
    str | None, typer.Option("--group", metavar="ID", help="Take all runs of this group in the ledger, too.")
]
Nodes = Annotated[
    int | None,
    typer.Option(
        "--nodes", metavar="N", parser=options.whole, help="Nodes that took part; else as the launcher told."
    ),
]
Name = Annotated[str | None, typer.Option("--name", metavar="N", help="Name; else the one that all have.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse what is otherwise a warning, e.g. a node without a record.")
]
Overlap = Annotated[
    bool,
    typer.Option("--allow-overlap", help="Add runs that were each charged the whole of one node at once."),
]


def merge(
    runs: Runs = None,
    group: Group = None,
    nodes: Nodes = None,
    name: Name = None,
    strict: Strict = False,
    allow_overlap: Overlap = False,
    out: options.Out = None,
    json: options.Json = False,
) -> None:
    """Add the records of a job's nodes into one footprint.

    Each record counts once, whatever is named twice or ran inside of another. A node that left no record is filled in
    at the mean of the others, and a warning says so. The sum is kept in the ledger beside its parts, which
    `sootprint summary` then counts no more; merging again with one more part gives a new version of it.

        sootprint merge --group slurm-3f0c62a91d7be845
        sootprint merge node0.json node1.json node2.json --name pretraining
        sootprint merge latest node1.json --nodes 4 --strict --out job.json
    """
    from sootprint.core import merging

    if not runs and group is None:
        shell.wrong("nothing to merge: name runs or files, or a --group")
    files = {ref: lookup.record(ref) for ref in runs or [] if lookup.is_file(ref)}
    with lookup.ledger() as ledger:
        records = [files[ref] if ref in files else ledger.get(ref) for ref in runs or []]
        records += ledger.group(group) if group is not None else []
        if group is None and nodes is None:
            _refuse_one(records)
        added = merging.merge(
            _expanded(records, ledger),
            expected_nodes=nodes,
            name=name,
            allow_overlap=allow_overlap,
            strict=strict,
        )
        record = _as_kept(added, ledger, name)
        home = ledger.home
    _finish(record, home, out=out, json=json)


def _refuse_one(records: Sequence[Footprint]) -> None:
    """Nothing where there are two records or more.

    Raises:
        InputError: There is one; the message says how to name the others.
    """
    if len({record.id for record in records}) > 1:
        return
    job = records[0].run_group
    way = f"`sootprint merge --group {job}` adds all of its group" if job else "name another run or file"
    shell.wrong(f"there is one record only, {records[0].id}: {way}")


def _expanded(records: Sequence[Footprint], ledger: Ledger) -> list[Footprint]:
    """Records with the parts of merged ones in their place, where the ledger has them all."""
    from sootprint.core.merging import merged_ids

    known = {row.id for row in ledger.runs()}
    found: list[Footprint] = []
    for record in records:
        parts = merged_ids(record)
        found += [ledger.get(part) for part in parts] if parts and known.issuperset(parts) else [record]
    return found


def _as_kept(record: Footprint, ledger: Ledger, name: str | None) -> Footprint:
    """Sum as a new version of an earlier one of the same runs, whose name and tags it keeps.

    Raises:
        InputError: An earlier sum holds one of the runs beside others that this one does not.
    """
    from sootprint.core.merging import merged_ids

    parts = set(merged_ids(record))
    earlier = sorted((row for row in ledger.runs() if parts & set(row.merged)), key=lambda row: row.id)
    for row in earlier:
        beside = sorted(set(row.merged) - parts)
        if beside:
            shell.wrong(
                f"run {min(parts & set(row.merged))} is already in {row.id}, together with {beside[0]}: "
                f"merge {row.id} itself with the others, or delete it"
            )
    if not earlier:
        return record
    kept = next((row for row in earlier if row.id == record.id), earlier[0])
    return dataclasses.replace(
        record, id=kept.id, name=name or kept.name or record.name, tags={**record.tags, **kept.tags}
    )


def _finish(record: Footprint, home: Path, *, out: Path | None, json: bool) -> None:
    """Keep the sum and show it."""
    from sootprint.ledger import keep
    from sootprint.ledger.store import LOCK_S

    keep(home, record, timeout_s=LOCK_S)
    if out is not None:
        output.write_whole(out, record.to_json(indent=2) + "\n")
    if json:
        output.print_text(record.to_json(indent=2))
        return
    from sootprint import report

    runs, nodes = len(record.given["merged"]), record.given.get("merged_nodes")
    of = f" of {nodes} node{'s' if nodes != 1 else ''}" if nodes else ""
    shell.say(f"{runs} run{'s' if runs != 1 else ''}{of} merged into {record.id}")
    output.console().print(report.terminal(record))
