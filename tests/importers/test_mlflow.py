"""MLflow's system metrics: a run of the file store, exports of the history, and the file of one metric."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sootprint import importers
from sootprint.cli import app
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from tests.importers.paths import of_paths

START_MS = 1_700_000_000_000
META = """artifact_uri: file:///home/someone/secret/mlruns/0/{key}/artifacts
end_time: {end}
entry_point_name: ''
experiment_id: '0'
lifecycle_stage: active
run_id: {key}
run_name: bold-fox-123
run_uuid: {key}
source_name: ''
start_time: {start}
status: 3
user_id: someone
"""


def values(power_w: float, *, seconds: int = 3600) -> list[tuple[int, float]]:
    """Instants [ms] and powers [W] of a steady load, one each 10 s."""
    return [(START_MS + 1000 * at_s, power_w) for at_s in range(0, seconds + 1, 10)]


def stored(folder: Path, *, key: str = "a1b2", gpus: int = 2, prefix: str = "system") -> Path:
    """A run in MLflow's file store; returns its folder."""
    run = folder / "mlruns" / "0" / key
    metrics = run / "metrics" / prefix
    metrics.mkdir(parents=True)
    (run / "meta.yaml").write_text(META.format(key=key, start=START_MS, end=START_MS + 3_600_000))
    for index in range(gpus):
        lines = [f"{at_ms} {power_w} {step}" for step, (at_ms, power_w) in enumerate(values(250.0))]
        (metrics / f"gpu_{index}_power_usage_watts").write_text("\n".join(lines) + "\n")
        busy = [f"{at_ms} 80 {step}" for step, (at_ms, _) in enumerate(values(0.0))]
        (metrics / f"gpu_{index}_utilization_percentage").write_text("\n".join(busy) + "\n")
    (metrics / "cpu_utilization_percentage").write_text(f"{START_MS} 50.0 0\n")
    return run


def of_folder(folder: Path) -> list[Footprint]:
    """Records of a folder."""
    return [record for _, one in of_paths(folder) for record in one.records]


def test_run_of_the_file_store(tmp_path: Path) -> None:
    """Two GPUs at 250 W for an hour: 0.5 kWh of accelerators, the run's own times, and nothing private."""
    (made,) = of_folder(stored(tmp_path))
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(0.5)
    assert (made.boundary, made.grade, made.name, made.given) == (
        "accelerator",
        "C",
        "bold-fox-123",
        {"run_id": "a1b2"},
    )
    assert (made.emissions_kg, made.pue, made.intensity_g_per_kwh) == (None, None, None)
    assert {"emissions_kg", "place", "pue"} <= set(made.unknown)
    assert [part.utilisation for part in made.components] == [0.8, 0.8]
    assert (made.started, made.duration_s) == ("2023-11-14T22:13:20.000Z", 3600.0)
    assert "secret" not in made.to_json()
    assert "someone" not in made.to_json()
    assert Footprint.from_json(made.to_json()) == made


def test_folder_of_runs_is_each_of_them_once(tmp_path: Path) -> None:
    """Also those of several nodes; a run without powers is told, and a second reading gives the same identities."""
    stored(tmp_path, key="a")
    stored(tmp_path, key="b", prefix="system/node_0")
    empty = tmp_path / "mlruns" / "0" / "c"
    (empty / "metrics").mkdir(parents=True)
    (empty / "meta.yaml").write_text(META.format(key="c", start=START_MS, end="null"))
    home = {"SOOTPRINT_HOME": str(tmp_path / "home")}
    done = CliRunner().invoke(app, ["import", str(tmp_path / "mlruns"), "--zone", "FR"], env=home)
    assert (done.exit_code, done.stdout) == (0, "2 records in the ledger, 1 row left out\n")
    assert "no system/gpu_N_power_usage_watts" in done.stderr
    listed = json.loads(CliRunner().invoke(app, ["runs", "--json"], env=home).stdout)
    assert [run["emissions_kg"] is not None for run in listed] == [True, True]
    shutil.rmtree(empty)
    assert [one.given["run_id"] for one in of_folder(tmp_path)] == ["a", "b"]
    assert [one.id for one in of_folder(tmp_path)] == [one.id for one in of_folder(tmp_path)]


def test_folder_without_runs_gets_one_line(tmp_path: Path) -> None:
    """It says what is looked for."""
    with pytest.raises(InputError, match="MLflow runs with metrics") as caught:
        of_folder(tmp_path)
    assert "\n" not in str(caught.value)


def history(power_w: float = 250.0, key: str = "system/gpu_0_power_usage_watts") -> list[dict[str, object]]:
    """What metrics/get-history answers."""
    return [
        {"key": key, "value": value, "timestamp": at_ms, "step": step}
        for step, (at_ms, value) in enumerate(values(power_w))
    ]


@pytest.mark.parametrize("shape", ["list", "object", "with the run"])
def test_answers_of_the_rest_api(shape: str) -> None:
    """The metrics alone, or with what runs/get answers beside them."""
    whole: object = history()
    if shape != "list":
        whole = {"metrics": history()}
    if shape == "with the run":
        info = {
            "run_id": "k",
            "run_name": "n",
            "start_time": START_MS - 600_000,
            "end_time": START_MS + 3_600_000,
        }
        whole = {"run": {"info": info}, "metrics": history()}
    (made,) = importers.read(json.dumps(whole), name="history.json").records
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(0.25)
    assert made.duration_s == (4200.0 if shape == "with the run" else 3600.0)
    assert len(made.gaps) == (shape == "with the run")


def test_history_of_a_run_is_the_run_of_the_file_store(tmp_path: Path) -> None:
    """The client's histories name their run: all of its GPUs are the same record, one of them is another one."""
    (made,) = of_folder(stored(tmp_path, gpus=2))
    both = [
        one | {"run_id": "a1b2"}
        for index in (0, 1)
        for one in history(key=f"system/gpu_{index}_power_usage_watts")
    ]
    (told,) = importers.read(json.dumps(both), name="history.json").records
    assert (told.id, told.energy_kwh) == (made.id, made.energy_kwh)
    (part,) = importers.read(json.dumps(both[:361]), name="history.json").records
    assert part.id != made.id
    other = [*both, *(one | {"run_id": "other"} for one in history())]
    assert len(importers.read(json.dumps(other), name="history.json").records) == 2


def test_name_in_quotes_is_read(tmp_path: Path) -> None:
    """As MLflow 3.17 writes what is no plain word."""
    run = stored(tmp_path, gpus=1)
    meta = (run / "meta.yaml").read_text()
    (run / "meta.yaml").write_text(meta.replace("bold-fox-123", "'it''s: a \"run\"'"))
    assert of_folder(run)[0].name == 'it\'s: a "run"'


def test_rows_of_a_chart_and_of_a_script() -> None:
    """The page's "Run","Run ID","metric","step","timestamp","value", and key, value, timestamp, run_id of one's own."""
    chart = ['"Run","Run ID","metric","step","timestamp","value"']
    own = ["run_id,key,value,timestamp,step"]
    for run in ("x", "y"):
        for step, (at_ms, value) in enumerate(values(500.0)):
            chart.append(f'"fox {run}","{run}","system/gpu_0_power_usage_watts","{step}","{at_ms}","{value}"')
            own.append(f"{run},system/gpu_0_power_usage_watts,{value},{at_ms},{step}")
            own.append(f"{run},loss,0.5,{at_ms},{step}")
    for lines in (chart, own):
        made = importers.read("\n".join(lines), name="metrics.csv").records
        assert [one.energy_kwh.value for one in made if one.energy_kwh] == [pytest.approx(0.5)] * 2
    assert [one.name for one in importers.read("\n".join(chart), name="m.csv").records] == ["fox x", "fox y"]


def test_file_of_one_metric() -> None:
    """The text of a metric's file, under its own name, or with the format named."""
    lines = "\n".join(f"{at_ms} {value} {step}" for step, (at_ms, value) in enumerate(values(100.0)))
    for name, form in (("gpu_0_power_usage_watts", None), ("x.txt", "mlflow")):
        (made,) = importers.read(lines, name=name, form=form).records
        assert made.energy_kwh is not None
        assert made.energy_kwh.value == pytest.approx(0.1)
    with pytest.raises(InputError, match="in no form that is known"):
        importers.read(lines, name="x.txt")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "no system/gpu_N_power_usage_watts"),
        ('{"metrics": 5}', 'no list of "metrics"'),
        ("[" * 100_000, "no JSON"),
        ('[{"key": "system/gpu_0_power_usage_watts", "timestamp": "x", "value": 5}]', "no system/gpu_N"),
        ('[{"key": 5}, 7, null, {"key": "loss", "timestamp": 1, "value": 2}]', "no system/gpu_N"),
        ("run_id,key,value,timestamp\n", "has no rows"),
        ("run_id,key,value,timestamp\nx,system/gpu_0_power_usage_watts,-5,1700000000000\n", "no device"),
        ("run_id,key,value,timestamp\nx,y\n", "no record"),
    ],
)
def test_bad_export_gets_one_line(text: str, why: str) -> None:
    """Empty, deep, cut off or negative."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(text, name="m", form="mlflow")
    assert "\n" not in str(caught.value)


def test_cut_off_line_is_told(tmp_path: Path) -> None:
    """A file that was being written when it was copied."""
    run = stored(tmp_path, gpus=1)
    with (run / "metrics/system/gpu_0_power_usage_watts").open("a") as file:
        file.write("170000")
    (made,) = of_folder(run)
    assert any("1 values have no time" in warning for warning in made.warnings)
