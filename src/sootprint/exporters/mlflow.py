"""A record in MLflow: its numbers as metrics, what it is as tags, and the record itself as an artifact.

The run is that of the record's tag `mlflow_run`, which a tracked run has where an MLflow run was active or
MLFLOW_RUN_ID was set; else one is made in the experiment of MLFLOW_EXPERIMENT_NAME, of the record's project, or in
the default one. A tag of the run names the version of the record that it has, so that nothing is logged twice.

Source:
    MLflow, Python API, MlflowClient: create_run, log_batch, log_text, search_runs (2025).
"""

from __future__ import annotations

import hashlib
import logging
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

PACKAGE = "mlflow"
RUN = "mlflow_run"  # tag of a record
TIMEOUT, RETRIES = "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
TIMEOUT_S = 15  # unless stated; MLflow's own patience is of hours
TOLD = ("grade", "zone", "boundary", "stage", "parent", "tool_version")
MOST_LETTERS = 5_000  # of a tag
MILLI = 1000


def opened(at: str, settings: Settings) -> Mlflow:
    """Exporter to MLflow.

    Args:
        at: Address of the tracking server or store; MLFLOW_TRACKING_URI or MLflow's own default where empty.
        settings: Settings.

    Raises:
        MissingExtraError: MLflow is not installed.
    """
    needed(PACKAGE)
    return Mlflow(at)


class Mlflow:
    """A tracking server or store of MLflow."""

    name = "mlflow"

    def __init__(self, at: str) -> None:
        self._at = at
        self._client: Any = None

    def write(self, footprint: Footprint) -> None:
        """Log a record into its run, unless that has it.

        Raises:
            ExportError: MLflow does not take it.
        """
        client = self._client = self._client or _client(self._at)
        from mlflow.exceptions import MlflowException

        try:
            run, is_new = self._run(footprint)
            _log(client, run, footprint)
            if is_new:
                client.set_terminated(run.info.run_id, end_time=_at_ms(footprint))
        except (MlflowException, OSError) as err:  # the latter of its artifacts: a status, a disk
            raise ExportError(f"MLflow does not take it: {in_a_line(str(err))}") from None

    def _run(self, footprint: Footprint) -> tuple[Any, bool]:
        """The run of a record, and whether it is one of ours."""
        given = footprint.tags.get(RUN)
        if given:
            return self._client.get_run(given), False
        experiment = self._experiment(footprint)
        same = f"tags.`sootprint.id` = '{footprint.id}'"
        found = self._client.search_runs([experiment], filter_string=same, max_results=1)
        if found:
            return found[0], True
        ended_ms = _at_ms(footprint)
        return self._client.create_run(
            experiment,
            start_time=ended_ms - int((footprint.duration_s or 0.0) * MILLI),
            run_name=clean(footprint.name or "") or None,
            tags={"sootprint.id": footprint.id},
        ), True

    def _experiment(self, footprint: Footprint) -> str:
        """Identity of the experiment of a record, made where it is missing."""
        stated = os.environ.get("MLFLOW_EXPERIMENT_ID")
        if stated:
            return stated
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or clean(footprint.project or "") or "Default"
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))


def _client(at: str) -> Any:
    os.environ.setdefault(TIMEOUT, str(TIMEOUT_S))
    os.environ[RETRIES] = (
        "0"  # a run whose making was answered and not heard would be made again: the outbox retries
    )
    mlflow = loaded(PACKAGE)
    for name in (PACKAGE, "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow.MlflowClient(tracking_uri=at or None)


def _log(client: Any, run: Any, footprint: Footprint) -> None:
    """Metrics, artifact and tags; the tag that says that they are there comes last."""
    from mlflow.entities import Metric, RunTag

    text = footprint.to_json(indent=2)
    version, key = (
        hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
        f"sootprint.record.{footprint.id}",
    )
    if run.data.tags.get(key) == version:
        return
    at_ms, key_of = _at_ms(footprint), run.info.run_id
    known = figures.known(footprint)
    client.log_batch(key_of, metrics=[Metric(name, value, at_ms, 0) for name, value in known.items()])
    client.log_text(key_of, text, f"sootprint/footprint-{footprint.id}.json")
    words = figures.words(footprint)
    told = {f"sootprint.{name}": words[name] for name in TOLD if name in words}
    told |= {"sootprint.id": footprint.id, "sootprint.unknown": ", ".join(footprint.unknown)}
    told[key] = version
    client.log_batch(key_of, tags=[RunTag(name, clean(text)[:MOST_LETTERS]) for name, text in told.items()])


def _at_ms(footprint: Footprint) -> int:
    """End of a run in milliseconds since 1970, as MLflow counts."""
    return int(figures.end_s(footprint) * MILLI)
