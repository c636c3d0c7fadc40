"""Importers: files that other tools and people wrote, read as records; nothing is computed, repaired or sent here.

    imported = read(text, name="emissions.csv")

A row that cannot be used is told with its place and the reason, and does not hold back the others. The same file read
twice gives records with the same identities, so that a hub takes each once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

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

__all__ = ["FORMATS", "SAYS", "Imported", "LeftOut", "form_of", "read", "streamed"]

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
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"{name} has {len(text):,} characters, at most {MOST_CHARACTERS:,}: give it in parts"
        )
    text = text.removeprefix("\ufeff")
    chosen = form or form_of(text, name)
    if chosen not in FORMATS:
        raise InputError(f"format {chosen!r:.40} is not one of {', '.join(FORMATS)}")
    if "\0" in text or not text.strip():
        raise InputError(f"{name} is {'no text' if text.strip() else 'empty'}: give {_KNOWN}")
    if chosen in _WITH_NAMES:
        return _WITH_NAMES[chosen](text, name, names)
    return FORMATS[chosen](text, name)


def streamed(
    lines: Iterable[str], head: str, *, name: str, form: str | None = None, names: Names = nobody
) -> Iterator[tuple[str, Footprint | str]] | None:
    """Place and record of each row of a text of any length, or why it became none; None for what is read whole.

    Args:
        lines: All lines of the text.
        head: The first of them, which tells the form.
        name: Name of the file, for messages.
        form: One of `FORMATS`; None to tell it by the head.
        names: Pseudonyms of users, accounts and nodes; left out by default.

    Raises:
        InputError: While it is read, as `read`.
    """
    if form in (None, slurm_sacct.NAME) and slurm_sacct.is_head(head):
        return slurm_sacct.each(lines, name, names)
    return None


_KNOWN = (
    "our records, a table of our template, a file of CodeCarbon or another tool, a BoAmps report, a model card, the "
    "output of sacct --parsable2 or a cloud provider's export of emissions"
)


def form_of(text: str, name: str) -> str:
    """Form of a text.

    Raises:
        InputError: It is none that is known.
    """
    start = text.lstrip("\ufeff \t\r\n")[:_LOOKED_AT]
    for form, is_its in _TOOLS:
        if is_its(start, name):
            return form
    if start[:1] in ("{", "["):
        return next((form for form, is_tree in _TREES if is_tree(start)), "sootprint")
    if start.startswith("---"):
        return mlco2.NAME if not hf_card.is_stated(start) and mlco2.is_it(text, name) else hf_card.NAME
    head = start.partition("\n")[0].lower()
    for form, is_of_head in _HEADS:
        if is_of_head(head):
            return form
    if mlco2.is_it(text, name):
        return mlco2.NAME
    raise InputError(f"{name} is in no form that is known: give {_KNOWN}")


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
