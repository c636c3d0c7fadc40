"""`sootprint tag`: tags of a stored run."""

from __future__ import annotations

from typing import Annotated

import typer

from sootprint.cli import lookup, options, output, shell

Set = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE...", help="Tags to set; a key that is there already gets the new value."
    ),
]
Remove = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="KEY", help="Tag to take away; may be repeated."),
]


def tag(run: options.Run, tags: Set = None, remove: Remove = None, json: options.Json = False) -> None:
    """Set or remove tags of a run, or list them.

    The record is not changed but gets a new version; the versions before are kept.

        sootprint tag latest seed=1 model=resnet50
        sootprint tag baseline --remove seed
    """
    changes: dict[str, str | None] = dict.fromkeys(remove or [])
    changes |= pairs(tags or [])
    with lookup.ledger() as ledger:
        record = ledger.tag(run, changes) if changes else ledger.get(run)
    if json:
        output.print_json({"id": record.id, "tags": record.tags})
    elif record.tags:
        for key, value in sorted(record.tags.items()):
            print(shell.printable(f"{key}={value}"))
    else:
        shell.say(f"run {record.name or record.id} has no tags")


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
