"""Runs of other tools in which a run takes place, and where its record is promised: read and noted at its beginning.

Nothing is sent from here: the record is put where it was promised by `sootprint run` at its end or `sootprint export`.
"""

from __future__ import annotations

import contextlib
import sys

from sootprint.tracker.worker import STRANGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sootprint.settings import Settings

# Tag of the record and variable of the environment, by the name of the exporter.
_TOOLS = {"mlflow": ("mlflow_run", "MLFLOW_RUN_ID"), "wandb": ("wandb_run", "WANDB_RUN_ID")}


def begun() -> dict[str, str]:
    """Runs of MLflow and W&B that this program has begun, by tool; called on its thread, for which MLflow keeps them.

    Neither is loaded, nor asked over a network.
    """
    found: dict[str, str] = {}
    mlflow: Any = sys.modules.get("mlflow")
    wandb: Any = sys.modules.get("wandb")
    with contextlib.suppress(*STRANGE):
        active = None if mlflow is None else mlflow.active_run()
        if active is not None:
            found["mlflow"] = str(active.info.run_id)
    with contextlib.suppress(*STRANGE):
        if wandb is not None and wandb.run is not None:
            found["wandb"] = f"{wandb.run.project or ''}/{wandb.run.id}"  # its entity may be a person's name
    return found


def tags(settings: Settings, known: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Tags that name the runs of other tools to which the record will go.

    Args:
        settings: Settings, with the places of the record.
        known: What `begun` found.
        environ: Environment variables.
    """
    made = {}
    for place in settings.exporters:
        tool = place.partition(":")[0]
        if tool in _TOOLS:
            tag, variable = _TOOLS[tool]
            run = known.get(tool) or environ.get(variable)
            if run:
                made[tag] = run
    return made


def promise(settings: Settings, run: str) -> None:
    """Note that the record of a run that begins is to go to the places of the settings; it outlives a kill.

    Raises:
        ExportError: It cannot be noted.
    """
    for box in _outboxes(settings):
        box.promise(run)


def withdraw(settings: Settings, run: str) -> None:
    """Forget that the record of a run is to be sent: there will be none."""
    for box in _outboxes(settings):
        box.keep_promise(run)


def _outboxes(settings: Settings) -> list[Any]:
    from sootprint.exporters.outbox import Outbox

    return [Outbox(settings.home, place) for place in settings.exporters]
