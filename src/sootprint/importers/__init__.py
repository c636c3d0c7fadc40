"""Importers: files that other tools and people wrote, read as records; nothing is computed, repaired or sent here.

    imported = read(text, name="emissions.csv")

A row that cannot be used is told with its place and the reason, and does not hold back the others. The same file read
twice gives records with the same identities, so that a hub takes each once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TextIO

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import (
    aws_ccft,
    azure_carbon,
    boamps,
    carbontracker,
    codecarbon,
    eco2ai,
    gcp_carbon,
    green_algorithms,
    hf_card,
    impact_tracker,
    mlco2,
    mlflow,
    mlperf_power,
    ours,
    slurm_sacct,
    template,
    wandb,
    zeus,
)
from sootprint.importers.base import Imported, LeftOut, Names, nobody

__all__ = ["FORMATS", "SAYS", "Imported", "LeftOut", "form_of", "opened", "parts", "read"]

FORMATS: dict[str, Callable[[str, str], Imported]] = {
    "codecarbon": codecarbon.read,
    "carbontracker": carbontracker.read,
    "eco2ai": eco2ai.read,
    "zeus": zeus.read,
    "experiment-impact-tracker": impact_tracker.read,
    "mlco2": mlco2.read,
    "green-algorithms": green_algorithms.read,
    "mlflow": mlflow.read,
    "wandb": wandb.read,
    "hf-card": hf_card.read,
    "boamps": boamps.read,
    "slurm-sacct": slurm_sacct.read,
    "aws-ccft": aws_ccft.read,
    "gcp-carbon": gcp_carbon.read,
    "azure-carbon": azure_carbon.read,
    "mlperf-power": mlperf_power.read,
    "template": template.read,
    "sootprint": ours.read,
}
SAYS = {
    "codecarbon": "CodeCarbon's emissions.csv",
    "carbontracker": "a log of Carbontracker, the standard one or both in one text",
    "eco2ai": "Eco2AI's emission.csv",
    "zeus": "the log file of a ZeusMonitor",
    "experiment-impact-tracker": "impacttracker/data.json",
    "mlco2": "words of the ML CO2 Impact calculator, in a paper or a model card",
    "green-algorithms": "the CSV that Green Algorithms exports",
    "mlflow": "an export of MLflow's system metrics, with the powers of the GPUs",
    "wandb": "a CSV of W&B's system metrics, with the powers of the GPUs",
    "hf-card": "a model card with co2_eq_emissions (grams)",
    "boamps": "a BoAmps report: JSON",
    "slurm-sacct": "jobs of Slurm: sacct --parsable2 or --json",
    "aws-ccft": "carbon emissions of AWS Data Exports",
    "gcp-carbon": "carbon footprint of Google Cloud, from BigQuery",
    "azure-carbon": "carbon optimization of Azure",
    "mlperf-power": "power logs of MLPerf: spl.txt, or node_N.txt",
    "template": "a table of the template",
    "sootprint": "our records: JSON, or one a line",
}
# Those with names of people and accounts, which become pseudonyms
_WITH_NAMES: dict[str, Callable[[str, str, Names], Imported]] = {
    "slurm-sacct": slurm_sacct.read,
    "aws-ccft": aws_ccft.read,
    "gcp-carbon": gcp_carbon.read,
    "azure-carbon": azure_carbon.read,
}
MOST_CHARACTERS = 20_000_000
_LOOKED_AT = 100_000  # characters of a JSON text that tell its form


def read(text: str, *, name: str, form: str | None = None, names: Names = nobody) -> Imported:
    """Records of a file's text, with what was left out of it and why.

    Args:
        text: Text of the file.
        name: Its name, for messages and for a card without a title.
        form: One of `FORMATS`; None to tell it by the text.
        names: Pseudonyms of users, accounts and nodes; left out by default.

    Raises:
        InputError: The text is in no form that is known, or holds nothing that can be a record.
    """
    _check(text, name, form)
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"{name} has more than {MOST_CHARACTERS:,} characters: give it in parts")
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise InputError(f"{name} is empty: give {_KNOWN}")
    chosen = form or form_of(text, name)
    if chosen in _WITH_NAMES:
        return _WITH_NAMES[chosen](text, name, names)
    return FORMATS[chosen](text, name)


def opened(
    text: TextIO, *, name: str, form: str | None = None, names: Names = nobody
) -> Iterator[tuple[str, Footprint | str]]:
    """Place and record of each part of a file, or why it became none.

    A text of any length is read where its form allows that: jobs of Slurm, one at a time. Of any other no more is read
    than `MOST_CHARACTERS`.

    Args:
        text: Text of the file, from its begin.
        name: Its name, as for `read`.
        form: One of `FORMATS`; None to tell it by the text.
        names: Pseudonyms of users, accounts and nodes; left out by default.

    Raises:
        InputError: As `read`; jobs may have come by then.
    """
    head = text.read(_LOOKED_AT)
    _check(head, name, form)
    if (form or _told_by(_start_of(head), name)) == slurm_sacct.NAME:
        yield from slurm_sacct.opened(head, text, name, names)
        return
    yield from parts(read(head + text.read(MOST_CHARACTERS + 1), name=name, form=form, names=names))


def parts(found: Imported) -> Iterator[tuple[str, Footprint | str]]:
    """Place and record of each part of what a file held, or why it became none."""
    yield from ((one.where, one.why) for one in found.left_out)
    yield from ((f"record {number}", one) for number, one in enumerate(found.records, 1))


def _check(text: str, name: str, form: str | None) -> None:
    if form is not None and form not in FORMATS:
        raise InputError(f"format {form!r:.40} is not one of {', '.join(FORMATS)}")
    if "\0" in text:
        raise InputError(f"{name} is no text: give {_KNOWN}")


_KNOWN = (
    "our records, a table of our template, a file of CodeCarbon or another tool, a BoAmps report, a model card, the "
    "output of sacct --parsable2 or a cloud provider's export of emissions"
)


def form_of(text: str, name: str) -> str:
    """Form of a text.

    Raises:
        InputError: It is none that is known.
    """
    start = _start_of(text)
    told = _told_by(start, name)
    if told is not None:
        return told
    if start.startswith("---"):
        return mlco2.NAME if not hf_card.is_stated(start) and mlco2.is_it(text, name) else hf_card.NAME
    if mlco2.is_it(text, name):
        return mlco2.NAME
    raise InputError(f"{name} is in no form that is known: give {_KNOWN}")


def _start_of(text: str) -> str:
    return text[: 2 * _LOOKED_AT].lstrip("\ufeff \t\r\n")[:_LOOKED_AT]


def _told_by(start: str, name: str) -> str | None:
    """Form that the begin of a text tells; None where more of it has to be read."""
    for form, is_its in _TOOLS:
        if is_its(start, name):
            return form
    if start[:1] in ("{", "["):
        return next((form for form, is_tree in _TREES if is_tree(start)), "sootprint")
    head = "" if start.startswith("---") else start.partition("\n")[0].lower()
    return next((form for form, is_of_head in _HEADS if is_of_head(head)), None)


_TOOLS = (
    (carbontracker.NAME, carbontracker.is_it),
    (eco2ai.NAME, eco2ai.is_it),
    (zeus.NAME, zeus.is_it),
    (impact_tracker.NAME, impact_tracker.is_it),
    (mlflow.NAME, mlflow.is_it),
    (wandb.NAME, wandb.is_it),
    (green_algorithms.NAME, green_algorithms.is_it),
)
_TREES = (
    (boamps.NAME, boamps.is_tree),
    (slurm_sacct.NAME, slurm_sacct.is_tree),
    (gcp_carbon.NAME, gcp_carbon.is_tree),
    (azure_carbon.NAME, azure_carbon.is_tree),
)
_HEADS = (
    (codecarbon.NAME, codecarbon.is_head),
    (slurm_sacct.NAME, slurm_sacct.is_head),
    (aws_ccft.NAME, aws_ccft.is_head),
    (gcp_carbon.NAME, gcp_carbon.is_head),
    (azure_carbon.NAME, azure_carbon.is_head),
    (mlperf_power.NAME, mlperf_power.is_head),
    (template.NAME, template.is_head),
)
