"""A record in Weights & Biases: its numbers in the summary of a run, and the record itself as an artifact.

The run is that of the record's tag `wandb_run`, which a tracked run has where a W&B run was active or WANDB_RUN_ID was
set; else one of the record's own id, which is resumed where it is there. In offline mode (WANDB_MODE=offline) all of
it is written to a folder, and `wandb sync` sends it.

Source:
    Weights & Biases, Python SDK: wandb.init, Run.summary, Artifact, environment variables (2025).
"""

from __future__ import annotations

import json
import os
from typing import Any

from sootprint.core.errors import ExportError
from sootprint.core.letters import clean, in_a_line
from sootprint.core.records import Footprint
from sootprint.exporters import figures
from sootprint.exporters.packages import loaded, needed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings import Settings

PACKAGE = "wandb"
RUN = "wandb_run"  # tag of a record: [[ENTITY/]PROJECT/]ID
KIND = "footprint"
# Nothing of the process that exports (command line, folder, machine, packages) takes the place of what a training told.
PRIVATE = {
    "silent": True,
    "console": "off",
    "disable_git": True,
    "disable_code": True,
    "disable_job_creation": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
    "host": "",
}
TOLD = ("id", "grade", "zone", "boundary", "stage", "parent", "tool_version")


def opened(at: str, settings: Settings) -> WeightsAndBiases:
    """Exporter to Weights & Biases.

    Args:
        at: PROJECT or ENTITY/PROJECT; those of the environment, or the record's project where empty.
        settings: Settings.

    Raises:
        MissingExtraError: W&B is not installed.
    """
    needed(PACKAGE)
    return WeightsAndBiases(at)


class WeightsAndBiases:
    """Weights & Biases, or a folder of it in offline mode."""

    name = "wandb"

    def __init__(self, at: str) -> None:
        self._at = at

    def write(self, footprint: Footprint) -> None:
        """Put a record into its run.

        Raises:
            ExportError: W&B does not take it.
        """
        wandb = loaded(PACKAGE)
        entity, project, key = _whose(footprint, self._at)
        known = wandb.Settings.model_fields
        quiet = wandb.Settings(**{name: value for name, value in PRIVATE.items() if name in known})
        try:
            _check(wandb, os.environ.get("WANDB_MODE") or quiet.mode)
            run = wandb.init(
                entity=entity,
                project=project,
                id=key,
                resume="allow",
                name=None if footprint.tags.get(RUN) else clean(footprint.name or "") or None,
                settings=quiet,
            )
            try:
                _log(wandb, run, footprint)
            finally:
                run.finish()
                wandb.teardown()  # its service writes the last of an offline run as it ends
        except (wandb.Error, wandb.errors.Error) as err:
            raise ExportError(f"W&B does not take it: {in_a_line(str(err))}") from None


def _whose(footprint: Footprint, at: str) -> tuple[str | None, str | None, str]:
    """Entity, project and id of the run of a record."""
    *where, key = footprint.tags.get(RUN, "").split("/")
    entity, _, project = at.rpartition("/")
    stated = os.environ.get("WANDB_PROJECT")
    project = project or ("" if stated else clean(footprint.project or "") or "sootprint")
    if where:
        project, entity = where[-1] or project, where[-2] if len(where) > 1 else entity
    return entity or None, project or None, key or footprint.id


def _log(wandb: Any, run: Any, footprint: Footprint) -> None:
    """Numbers and words into the summary, and the record as an artifact."""
    words = figures.words(footprint)
    run.summary.update(figures.known(footprint))
    run.summary.update({f"sootprint_{name}": words[name] for name in TOLD if name in words})
    artifact = wandb.Artifact(f"footprint-{footprint.id}", type=KIND, metadata=figures.known(footprint))
    with artifact.new_file("footprint.json", encoding="utf-8") as file:
        json.dump(json.loads(footprint.to_json()), file, indent=2)
    run.log_artifact(artifact)


def _check(wandb: Any, mode: str) -> None:
    """Nothing where W&B will keep what it is given, without asking for a key at the terminal, where nobody may be.

    Raises:
        ExportError: It is switched off, or needs a key and has none.
    """
    if mode == "disabled" or os.environ.get("WANDB_DISABLED", "").lower() in ("true", "1"):
        raise ExportError("W&B is switched off by WANDB_MODE=disabled or WANDB_DISABLED")
    if mode not in ("offline", "dryrun") and not wandb.api.api_key:
        raise ExportError(
            "W&B has no key here: run `wandb login`, set WANDB_API_KEY, or write to a folder with WANDB_MODE=offline"
        )
