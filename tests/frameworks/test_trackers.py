"""Records in the real MLflow and the real Weights & Biases, the latter offline."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "mlflow", reason="MLflow is not installed: `make test-frameworks` has an environment of its own"
)
pytest.importorskip(
    "wandb", reason="W&B is not installed: `make test-frameworks` has an environment of its own"
)

import mlflow
import wandb

from sootprint import settings
from sootprint.core.errors import ExportError
from sootprint.exporters import opened
from sootprint.ledger import Ledger, keep
from tests.fixtures.collector import Collector
from tests.fixtures.exporting import *  # noqa: F403 - the shared tests
from tests.fixtures.exporting import Place, Seen, footprint

LONG_S = 120.0
SECRET = "s3cret-key"
BLOCK, FULL, LAST = 32_768, 1, 4
TRACKED = {
    "mlflow": """
import mlflow, sootprint
with mlflow.start_run() as own:
    with sootprint.track("tracked", zone="FR"):
        sum(range(100_000))
print(own.info.run_id)
""",
    "wandb": """
import wandb, sootprint
own = wandb.init(project="thesis", settings=wandb.Settings(silent=True, console="off"))
with sootprint.track("tracked", zone="FR"):
    sum(range(100_000))
print(own.id)
own.finish()
""",
}


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store of MLflow, whose tables take seconds to be made."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with contextlib.chdir(path.parent):  # its artifacts lie below the working folder
        mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, in which both tools write, and no account."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(store, tmp_path)
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "WANDB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    for name, value in {"MODE": "offline", "DIR": str(tmp_path), "DATA_DIR": str(tmp_path / "data")}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    wandb.teardown()  # it keeps the environment that it has seen first
    return tmp_path


def runs() -> list[Any]:
    """Runs of the MLflow store."""
    client = mlflow.MlflowClient()
    return list(client.search_runs([one.experiment_id for one in client.search_experiments()]))


def mlflow_seen() -> list[Seen]:
    """What MLflow has: numbers of runs of ours."""
    return [
        Seen(
            one.data.tags["sootprint.id"],
            one.data.metrics.get("energy_kwh"),
            one.data.metrics.get("emissions_kg"),
        )
        for one in runs()
    ]


def messages(log: bytes) -> Iterator[bytes]:
    """Messages of a log of W&B: LevelDB's format, blocks of 32 KiB whose parts have checksum, length and kind."""
    place, message = 7, b""
    while place + 7 <= len(log):
        left = BLOCK - place % BLOCK
        if left < 7:
            place += left
            continue
        length, kind = int.from_bytes(log[place + 4 : place + 6], "little"), log[place + 6]
        message += log[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (FULL, LAST):
            yield message
            message = b""


def summaries(folder: Path) -> dict[str, dict[str, Any]]:
    """Summary of each run that W&B has written to a folder, by its own messages."""
    from wandb.proto import wandb_internal_pb2

    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        told = found.setdefault(path.stem.removeprefix("run-"), {"artifacts": []})
        for data in messages(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            for item in record.summary.update:
                told[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
            if record.request.log_artifact.artifact.name:
                told["artifacts"].append(record.request.log_artifact.artifact.name)
            if record.artifact.name:
                told["artifacts"].append(record.artifact.name)
    return found


def wandb_seen(folder: Path) -> list[Seen]:
    """What W&B has of each run."""
    return [
        Seen(key, told.get("energy_kwh"), told.get("emissions_kg")) for key, told in summaries(folder).items()
    ]


@pytest.fixture(params=["mlflow", "wandb"])
def place(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A store of MLflow, and a folder of W&B."""
    if request.param == "mlflow":
        yield Place(
            "mlflow",
            lambda: opened("mlflow", settings.load()),
            mlflow_seen,
            lambda: monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9"),
            lambda: runs() == [],
        )
    else:

        def spoil() -> None:
            monkeypatch.setenv("WANDB_MODE", "online")

        yield Place(
            "wandb",
            lambda: opened("wandb:thesis", settings.load()),
            lambda: wandb_seen(folder),
            spoil,
            lambda: not (folder / "wandb").exists(),
        )


def program(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """The finished command line."""
    command = [sys.executable, "-m", "sootprint", *(str(one) for one in arguments)]
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"} | environ
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LONG_S)


def test_mlflow_run_has_metrics_tags_and_the_record(folder: Path) -> None:
    """With bounds, the time of the run's end, and the record as an artifact that reads as one."""
    record = footprint(2.0)
    opened("mlflow", settings.load()).write(record)
    (run,) = runs()
    metrics, tags = run.data.metrics, run.data.tags
    assert (metrics["energy_kwh"], metrics["energy_kwh_low"], metrics["energy_kwh_high"]) == (2.0, 1.8, 2.4)
    assert (metrics["emissions_kg"], metrics["duration_s"]) == (0.08, 3600.0)
    assert (tags["sootprint.grade"], tags["sootprint.zone"], tags["sootprint.unknown"]) == (
        "B",
        "FR",
        "water_l",
    )
    assert (run.info.run_name, run.info.status, run.info.end_time) == (record.name, "FINISHED", 1793617200000)
    client = mlflow.MlflowClient()
    assert client.get_experiment(run.info.experiment_id).name == "thesis"
    path = client.download_artifacts(run.info.run_id, f"sootprint/footprint-{record.id}.json", str(folder))
    assert type(record).from_json(Path(path).read_text()) == record
    assert len(client.get_metric_history(run.info.run_id, "energy_kwh")) == 1


def test_record_that_was_cut_off_is_completed_in_the_same_run(folder: Path, monkeypatch) -> None:
    """Killed between the metrics and the artifact: the next export finds the run, and no value is there twice."""
    record = footprint(2.0)
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(mlflow.MlflowClient, "log_text", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        opened("mlflow", settings.load()).write(record)
    opened("mlflow", settings.load()).write(record)
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "energy_kwh")) == 1
    assert [one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id)] == ["sootprint"]


def test_wandb_run_has_summary_and_the_record(folder: Path) -> None:
    """By the record's id, with bounds; the artifact is of type footprint."""
    record = footprint(2.0)
    opened("wandb:thesis", settings.load()).write(record)
    told = summaries(folder)[record.id]
    assert (told["energy_kwh"], told["energy_kwh_low"], told["sootprint_grade"]) == (2.0, 1.8, "B")
    assert told["artifacts"] == [f"footprint-{record.id}"]


@pytest.mark.parametrize("tool", TRACKED)
def test_tracked_program_has_its_footprint_in_its_own_run(tool: str, folder: Path) -> None:
    """The run that was active when the tracking began; nothing is sent before the export."""
    done = subprocess.run(
        [sys.executable, "-c", TRACKED[tool]],
        env={**os.environ, "SOOTPRINT_EXPORTERS": tool},
        capture_output=True,
        text=True,
        timeout=LONG_S,
    )
    assert done.returncode == 0, done.stderr
    own = done.stdout.split()[-1]
    exported = program("export")
    assert (exported.returncode, exported.stdout) == (0, f"1 record in {tool}\n"), exported.stderr
    with Ledger(settings.load().home) as ledger:
        record = ledger.get("latest")
    if tool == "mlflow":
        (run,) = runs()
        assert run.info.run_id == own
        assert run.data.metrics["energy_kwh"] == record.energy_kwh.value
    else:
        assert record.tags["wandb_run"] == f"thesis/{own}"
        assert summaries(folder)[own]["energy_kwh"] == record.energy_kwh.value


@pytest.mark.parametrize("tool", ["mlflow", "wandb"])
def test_run_sends_its_record_with_the_commands_own_exit_code(tool: str, folder: Path) -> None:
    """Whatever the package prints or loads, the output is the command's; what is late is sent in the background."""
    code = "print('trained'); raise SystemExit(3)"
    done = program("run", "--zone", "FR", "--export", tool, "--", sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (3, "trained\n")
    assert f"1 record in {tool}" in done.stderr or "in the background" in done.stderr
    until_s = time.monotonic() + LONG_S
    while list((settings.load().home / "outbox").glob("*/*.json")) and time.monotonic() < until_s:
        time.sleep(0.2)
    assert len(mlflow_seen() if tool == "mlflow" else wandb_seen(folder)) == 1


def test_given_run_of_mlflow_gets_the_record(folder: Path) -> None:
    """By the tag of the record, or MLFLOW_RUN_ID at the beginning; one that is not there is one line."""
    given = mlflow.MlflowClient().create_run("0").info.run_id
    home = settings.load().home
    keep(home, footprint(name="base"))
    assert program("tag", "base", f"mlflow_run={given}").returncode == 0
    done = program("export", "base", "--to", "mlflow")
    assert done.returncode == 0, done.stderr
    (run,) = runs()
    assert (run.info.run_id, run.info.status) == (given, "RUNNING")  # it is the user's to end
    program("tag", "base", "mlflow_run=there-is-none")
    away = program("export", "base", "--to", "mlflow")
    assert away.returncode == 1
    assert "MLflow does not take it" in away.stderr
    assert "the record waits" in away.stderr


def test_server_that_answers_nonsense_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow itself would try for hours; no key is told."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    with Collector() as server:
        for server.status, server.answer in ((500, b"no"), (200, b"<html>"), (302, b"")):
            with pytest.raises(ExportError, match="MLflow does not take it") as caught:
                opened(f"mlflow:{server.address}", settings.load()).write(footprint())
            assert SECRET not in str(caught.value)


def test_wandb_without_a_key_asks_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal it would wait for one to be typed."""
    monkeypatch.setenv("WANDB_MODE", "online")
    with pytest.raises(ExportError, match="W&B has no key here"):
        opened("wandb:thesis", settings.load()).write(footprint())


@pytest.mark.parametrize(("name", "value"), [("WANDB_MODE", "disabled"), ("WANDB_DISABLED", "true")])
def test_wandb_that_is_switched_off_takes_no_record(
    name: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take all that it is given, and keep nothing of it."""
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    with pytest.raises(ExportError, match="W&B is switched off"):
        opened("wandb:thesis", settings.load()).write(footprint())
    assert not (folder / "wandb").exists()


def test_wandb_gets_nothing_of_the_process_that_exports(folder: Path) -> None:
    """Neither its command line nor the machine's name: the run may be the user's own, which has told them of itself."""
    from wandb.proto import wandb_internal_pb2

    opened("wandb:thesis", settings.load()).write(footprint())
    (log,) = folder.glob("wandb/offline-run-*/*.wandb")
    records = []
    for data in messages(log.read_bytes()):
        records.append(wandb_internal_pb2.Record())
        records[-1].ParseFromString(data)
    assert {one.run.host for one in records} == {""}
    names = {path.name for path in log.parent.glob("files/*")}
    assert names.isdisjoint({"wandb-metadata.json", "requirements.txt", "conda-environment.yaml"}), names
    told = {item.path for one in records for item in one.files.files}
    assert not [path for path in told if "metadata" in path or "requirements" in path], told
    assert not [one for one in records if one.HasField("environment")]
