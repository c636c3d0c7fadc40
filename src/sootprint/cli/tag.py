"""`sootprint tag`: tags, model, results and amount of work of a stored run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum
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


class StageName(StrEnum):
    """Stages of the life cycle, as a record has them."""

    PRETRAIN = "pretrain"
    FINETUNE = "finetune"
    SEARCH = "search"
    DISTIL = "distil"
    EVALUATE = "evaluate"
    DATA = "data"
    INFERENCE = "inference"
    DEVELOPMENT = "development"
    OTHER = "other"


class ScopeName(StrEnum):
    """What a record is of."""

    FINAL_RUN = "final_run"
    PROJECT_TOTAL = "project_total"


WORK = ("tokens", "samples", "steps", "flops")
StageOption = Annotated[
    StageName | None,
    typer.Option(
        "--stage", metavar="S", help="Stage, e.g. pretrain, finetune, search, distil, evaluate or inference."
    ),
]
ScopeOption = Annotated[
    ScopeName | None,
    typer.Option(
        "--scope",
        metavar="S",
        help="final_run, or project_total where failed and preliminary runs are in it.",
    ),
]


def amount(text: str | float) -> float:
    """Number above 0 of an option's text.

    Raises:
        typer.BadParameter: The text is no such number; the message has it.
    """
    found = options.number(text)
    if not 0.0 < found < float("inf"):
        raise typer.BadParameter(f"{text!s:.40} is not above 0 and finite: leave it out where it is unknown")
    return found


def _amount_option(flag: str, help: str) -> Any:
    return typer.Option(flag, metavar="N", parser=amount, help=help)


Params = Annotated[float | None, _amount_option("--params", "Parameters of the model, e.g. 7e9.")]
ActiveParams = Annotated[
    float | None,
    _amount_option("--active-params", "Parameters that one token passes, in a mixture of experts."),
]
Tokens = Annotated[float | None, _amount_option("--tokens", "Tokens trained on, epochs included.")]
Samples = Annotated[float | None, _amount_option("--samples", "Samples trained on, epochs included.")]
Steps = Annotated[float | None, _amount_option("--steps", "Steps of the optimiser.")]
Flops = Annotated[float | None, _amount_option("--flops", "Floating-point operations of the training.")]


def tag(
    run: options.Run,
    tags: Set = None,
    model: options.Model = None,
    result: options.Results = None,
    stage: StageOption = None,
    scope: ScopeOption = None,
    params: Params = None,
    active_params: ActiveParams = None,
    tokens: Tokens = None,
    samples: Samples = None,
    steps: Steps = None,
    flops: Flops = None,
    remove: Remove = None,
    json: options.Json = False,
) -> None:
    """Set or remove tags, model, results and amount of work of a run, or list them.

    The record is not changed but gets a new version; the versions before are kept. A model and a result bring the
    run onto the leaderboard of its task once it is pushed to a hub; stage, parameters and work are what a statement
    for a paper or a form asks for.

        sootprint tag latest seed=1 stage=tuned
        sootprint tag latest --model big-2 --result "Translation/WMT/BLEU=27"
        sootprint tag latest --stage finetune --params 7e9 --tokens 2e9
        sootprint tag baseline --remove seed
    """
    from sootprint.core import results

    stated = [results.parsed(text) for text in result or []]
    told = {"stage": stage, "scope": scope}
    sizes = {"params": params, "active_params": active_params}
    work = {"tokens": tokens, "samples": samples, "steps": steps, "flops": flops}
    changes: dict[str, str | None] = dict.fromkeys(remove or [])
    changes |= pairs(tags or [])
    with lookup.ledger() as ledger:
        record = ledger.get(run)
        dropped = _dropped(record, changes)
        record = ledger.tag(run, changes) if changes else record
        if stated or dropped or model is not None:
            record = _described(ledger, record, model=model, stated=stated, dropped=dropped)
        record = _stated(ledger, record, told, {"model": sizes, "work": work})
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
        ledger.amend(made, since=record)
    return made


def _stated(
    ledger: Ledger,
    record: Footprint,
    told: Mapping[str, str | None],
    numbers: Mapping[str, Mapping[str, float | None]],
) -> Footprint:
    """Record with stage, scope, parameters and work as stated, as a new version of it; the same where none is."""
    from sootprint.core.records import Model, Work

    changes: dict[str, Any] = {name: str(value) for name, value in told.items() if value is not None}
    for name, empty in (("model", Model()), ("work", Work())):
        given = {one: value for one, value in numbers[name].items() if value is not None}
        if given:
            changes[name] = dataclasses.replace(getattr(record, name) or empty, **given)
    made = dataclasses.replace(record, **changes)
    if made.model and (made.model.active_params or 0.0) > (made.model.params or float("inf")):
        shell.wrong("--active-params is more than --params: swap the two, or leave one out")
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
    lines += [f"{key}: {value}" for key, value in _numbers(record).items()]
    lines += [f"{_name_of(one)}={one.value:g}" for one in record.results]
    for line in lines:
        print(shell.printable(line))
    if not lines:
        shell.say(f"run {record.name or record.id} has no tags, model, results or work")


def _numbers(record: Footprint) -> dict[str, str]:
    """Stage, scope, parameters and work of a record as far as they are stated."""
    found = {} if record.stage == "other" else {"stage": record.stage}
    found |= {} if record.scope == "final_run" else {"scope": record.scope}
    for part, names in ((record.model, ("params", "active_params")), (record.work, WORK)):
        known = {name: getattr(part, name) for name in names} if part else {}
        found |= {name: f"{value:g}" for name, value in known.items() if value is not None}
    return found


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
