"""`sootprint tag`: tags, model and results of a stored run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import lookup, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint, Result
    from sootprint.ledger import Ledger

Set = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE...", help="Tags to set; a key that is there already gets the new value."
    ),
]
Remove = Annotated[
    list[str] | None,
    typer.Option(
        "--remove",
        metavar="KEY",
        help="Tag, or result TASK/DATASET[:SPLIT]/METRIC, to take away; may be repeated.",
    ),
]


def tag(
    run: options.Run,
    tags: Set = None,
    model: options.Model = None,
    result: options.Results = None,
    remove: Remove = None,
    json: options.Json = False,
) -> None:
    """Set or remove tags, model and results of a run, or list them.

    The record is not changed but gets a new version; the versions before are kept. A model and a result bring the
    run onto the leaderboard of its task once it is pushed to a hub.

        sootprint tag latest seed=1 stage=tuned
        sootprint tag latest --model big-2 --result "Translation/WMT/BLEU=27"
        sootprint tag baseline --remove seed
    """
    from sootprint.core import results

    stated = [results.parsed(text) for text in result or []]
    changes: dict[str, str | None] = dict.fromkeys(remove or [])
    changes |= pairs(tags or [])
    with lookup.ledger() as ledger:
        record = ledger.get(run)
        dropped = _dropped(record, changes)
        record = ledger.tag(run, changes) if changes else record
        if stated or dropped or model is not None:
            record = _described(ledger, record, model=model, stated=stated, dropped=dropped)
    _shown(record, json=json)


def _dropped(record: Footprint, changes: dict[str, str | None]) -> set[tuple[str, ...]]:
    """Keys of the results that are to be taken away, which are no tags then."""
    from sootprint.core import results
    from sootprint.core.errors import InputError

    found = set()
    for name in [name for name, value in changes.items() if value is None and name not in record.tags]:
        try:
            key = results.key_of(results.named(name))
        except InputError:
            continue
        if key in {results.key_of(dataclasses.asdict(one)) for one in record.results}:
            found.add(key)
            del changes[name]
    return found


def _described(
    ledger: Ledger,
    record: Footprint,
    *,
    model: str | None,
    stated: Sequence[Mapping[str, Any]],
    dropped: set[tuple[str, ...]],
) -> Footprint:
    """Record with another model and other results, as a new version of it."""
    from sootprint.core import results
    from sootprint.core.records import Model, Result

    kept = [dataclasses.asdict(one) for one in record.results]
    kept = [one for one in kept if results.key_of(one) not in dropped]
    made = dataclasses.replace(record, results=tuple(Result(**one) for one in results.joined(kept, stated)))
    if model is not None:
        made = dataclasses.replace(made, model=dataclasses.replace(made.model or Model(), name=model or None))
    if made != record:
        ledger.amend(made)
    return made


def _shown(record: Footprint, *, json: bool) -> None:
    name = record.model.name if record.model else None
    if json:
        listed = [dataclasses.asdict(one) for one in record.results]
        output.print_json({"id": record.id, "tags": record.tags, "model": name, "results": listed})
        return
    lines = [f"{key}={value}" for key, value in sorted(record.tags.items())]
    lines += [f"model: {name}"] if name else []
    lines += [f"{_name_of(one)}={one.value:g}" for one in record.results]
    for line in lines:
        print(shell.printable(line))
    if not lines:
        shell.say(f"run {record.name or record.id} has no tags, model or results")


def _name_of(one: Result) -> str:
    kind = "" if one.kind == "quality" else f"{one.kind}:"
    return f"{kind}{one.task or ''}/{one.dataset or ''}/{one.metric}"


def pairs(texts: list[str]) -> dict[str, str]:
    """Tags of texts such as seed=1.

    Raises:
        InputError: A text has no key or no equals sign.
    """
    found = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            shell.wrong(f"tag {text!r} is not KEY=VALUE, e.g. seed=1")
        found[key.strip()] = value.strip()
    return found
