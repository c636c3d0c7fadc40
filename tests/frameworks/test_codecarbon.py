"""The same scripts with CodeCarbon and with our interface of its name: what one takes and writes the other does."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import inspect
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip(
    "codecarbon", reason="CodeCarbon is not installed: `make test-frameworks` has an environment of its own"
)
import codecarbon as genuine
from codecarbon import emissions_tracker
from codecarbon.output_methods.emissions_data import EmissionsData, TaskEmissionsData

from sootprint.compat import codecarbon as ours
from sootprint.compat.codecarbon import output
from sootprint.ledger import Ledger
from tests.fixtures import fake_powercap

WATTS = 40.0  # of the fake processor
NAMES = ("codecarbon", "sootprint.compat.codecarbon")
# CodeCarbon looks for counters in one place; here it finds them in a folder.
ON_TREE = """
import os, codecarbon.core.cpu as cpu
cpu._get_candidate_bases = lambda rapl_dir: [os.environ["SOOTPRINT_SYSFS"] + "/class/powercap"]
cpu.IntelRAPL._setup_rapl = cpu.IntelRAPL._fetch_rapl_files
"""
WORK = """
import time
def work(duration_s=1.0):
    until = time.monotonic() + duration_s
    while time.monotonic() < until:
        sum(range(1000))
"""
# No sample of the genuine one's own thread within a script: it reads beside `flush` and `stop` without a lock, and
# where the later of two readings is kept first, it takes the counter for wrapped and adds its whole range.
OPTIONS = 'country_iso_code="FRA", measure_power_secs=60, log_level="error"'
# As found in public scripts: start and stop, a loop, tasks, a decorator, errors, nesting, what is read afterwards.
SCRIPTS = {
    "start_stop": f"""
        tracker = OfflineEmissionsTracker(project_name="plain", {OPTIONS})
        tracker.start()
        try:
            work()
        finally:
            emissions = tracker.stop()
        print(f"{{emissions:.4f}} kg", tracker._total_energy.kWh * 3.6e6, tracker.final_emissions == emissions)
    """,
    "context": f"""
        import json
        with OfflineEmissionsTracker(project_name="context", {OPTIONS}, save_to_file=True) as tracker:
            work()
        data = tracker.final_emissions_data
        print(round(data.emissions * 1000, 6), round(data.cpu_energy, 6), round(data.gpu_energy, 6))
        print(round(data.ram_energy, 6), f"{{data.energy_consumed:.9f}}", data.country_name.lower(), data)
        print(json.loads(data.toJSON())["duration"], dict(data.values)["emissions"], vars(data)["cpu_power"])
    """,
    "folds": f"""
        for fold in range(2):
            tracker = OfflineEmissionsTracker(f"fold{{fold}}", 1, {OPTIONS.replace("measure_power_secs=60, ", "")})
            tracker.start()
            work(0.5)
            tracker.stop()
    """,
    "tasks": f"""
        tracker = OfflineEmissionsTracker(project_name="tasks", {OPTIONS})
        try:
            tracker.start_task("load")
            work(0.5)
            loaded = tracker.stop_task()
            tracker.start_task("train")
            work(0.5)
            trained = tracker.stop_task()
        finally:
            tracker.stop()
        for one in (loaded, trained):
            print(f"Emissions: {{1000 * one.emissions}} g, {{one.duration}} s, {{one.energy_consumed}} kWh")
    """,
    "decorator": f"""
        @track_emissions(offline=True, project_name="decorator", {OPTIONS})
        def train(epochs, lr=0.1):
            work(0.5)
            if epochs > 1:
                raise RuntimeError("CUDA out of memory")
            return epochs
        print(train(1))
        try:
            train(2)
        except RuntimeError as err:
            print(err)
    """,
    "flush": f"""
        tracker = OfflineEmissionsTracker(project_name="flush", on_csv_write="update", {OPTIONS})
        tracker.start()
        for epoch in range(2):
            work(0.5)
            print(f"epoch {{epoch}}: {{tracker.flush():.8f}}")
        tracker.stop()
    """,
    "nested": f"""
        with OfflineEmissionsTracker(project_name="outer", {OPTIONS}):
            with OfflineEmissionsTracker(project_name="inner", {OPTIONS}):
                work(0.5)
    """,
    "exit": f"""
        import atexit
        tracker = OfflineEmissionsTracker(project_name="exit", {OPTIONS})
        tracker.start()
        atexit.register(lambda: print(f"{{tracker.stop():.4f}}"))
        work(0.5)
    """,
}


def arguments(function: object) -> list[str]:
    """Names of a function's arguments, in their order."""
    told = inspect.signature(function).parameters.values()
    return [
        one.name
        for one in told
        if one.name != "self" and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]


def test_arguments_have_the_names_and_the_order_of_the_genuine_ones() -> None:
    """So that each may be given by place or by name; none is missing, none too many."""
    common = arguments(genuine.EmissionsTracker.__init__)
    assert arguments(ours.EmissionsTracker) == common
    place = arguments(inspect.unwrap(genuine.OfflineEmissionsTracker.__init__))
    assert arguments(ours.OfflineEmissionsTracker) == common + place
    assert arguments(ours.track_emissions) == arguments(genuine.track_emissions)
    tasks = emissions_tracker.track_task_emissions, emissions_tracker.TaskEmissionsTracker.__init__
    assert arguments(ours.emissions_tracker.track_task_emissions) == arguments(tasks[0])
    assert arguments(ours.emissions_tracker.TaskEmissionsTracker.__init__) == arguments(tasks[1])


def test_names_of_the_package_are_the_genuine_ones() -> None:
    """Whatever a script may import from it is there."""
    assert set(genuine.__all__) <= set(ours.__all__)
    assert {one.name: one.value for one in ours.OutputMethod} == {
        one.name: one.value for one in genuine.OutputMethod
    }


def test_columns_are_the_genuine_ones() -> None:
    """In their order, for the run and for its tasks."""
    fields = [one.name for one in dataclasses.fields(output.EmissionsData)]
    assert fields == [one.name for one in dataclasses.fields(EmissionsData)]
    empty = output.EmissionsData(**dict.fromkeys(fields, 0))
    assert list(output.of_task("t", empty)) == [one.name for one in dataclasses.fields(TaskEmissionsData)]


@contextlib.contextmanager
def moving(folder: Path) -> Iterator[Path]:
    """A device tree whose processor draws a constant power meanwhile."""
    tree = fake_powercap.build(folder / "class/powercap", "--base-w", str(WATTS), "--no-dram")
    began_s, stop = time.monotonic(), threading.Event()

    def move() -> None:
        while not stop.wait(0.01):
            tree.update(time.monotonic() - began_s)

    thread = threading.Thread(target=move)
    tree.update(0.0)
    thread.start()
    try:
        yield folder
    finally:
        stop.set()
        thread.join()


def run(script: str, name: str, folder: Path, tree: Path) -> subprocess.Popen[str]:
    """A script that imports from one of the two, begun in a folder of its own."""
    folder.mkdir()
    lines = (
        ON_TREE if name == "codecarbon" else "",
        WORK,
        f"from {name} import EmissionsTracker, OfflineEmissionsTracker, track_emissions",
        textwrap.dedent(script),
    )
    environ = {
        key: text for key, text in os.environ.items() if key not in ("PYTHONPATH", "CUDA_VISIBLE_DEVICES")
    }
    environ |= {"SOOTPRINT_SYSFS": str(tree), "HOME": str(folder), "no_proxy": "*"}
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_goes_on_with_the_other_import(name: str, tmp_path: Path) -> None:
    """Both end alike and leave the same files with the same columns, as many rows, numbers and units."""
    with moving(tmp_path / "sys") as tree:
        begun = [run(SCRIPTS[name], one, tmp_path / one, tree) for one in NAMES]
        told = [one.communicate(timeout=120) for one in begun]
    assert [one.returncode for one in begun] == [0, 0], told
    assert "Traceback" not in told[1][1]
    assert len(told[0][0].splitlines()) == len(told[1][0].splitlines())
    theirs, own = (sorted(path.name[:14] for path in (tmp_path / one).glob("*.csv")) for one in NAMES)
    assert own == theirs
    for path in (tmp_path / NAMES[1]).glob("*.csv"):
        (other,) = (tmp_path / NAMES[0]).glob(
            "emissions.csv" if path.name == "emissions.csv" else "emissions_*"
        )
        _alike(rows(other), rows(path))


def test_flush_beside_our_own_samples_counts_nothing_twice(tmp_path: Path) -> None:
    """Twenty flushes as the sampling goes on: no range of the counter (262 kJ) is added to the 80 J of a run."""
    script = """
        tracker = OfflineEmissionsTracker(
            country_iso_code="FRA", measure_power_secs=0.1, log_level="error", on_csv_write="update"
        )
        tracker.start()
        for _ in range(20):
            work(0.1)
            tracker.flush()
        tracker.stop()
    """
    with moving(tmp_path / "sys") as tree:
        begun = run(script, NAMES[1], tmp_path / "own", tree)
        told = begun.communicate(timeout=120)
    assert begun.returncode == 0, told
    (row,) = rows(tmp_path / "own/emissions.csv")
    assert 0.1 < float(row["cpu_energy"]) * 3.6e6 / (WATTS * float(row["duration"])) < 10.0


def _alike(theirs: list[dict[str, str]], own: list[dict[str, str]]) -> None:
    """Whether two files tell of the same runs in the same units: factors of a thousand would be far outside."""
    assert len(own) == len(theirs)
    ordered = sorted(theirs, key=lambda row: row.get("task_name", row["project_name"]))
    for there, here in zip(
        ordered, sorted(own, key=lambda row: row.get("task_name", row["project_name"])), strict=True
    ):
        assert set(there) <= set(here)
        same = ("project_name", "country_iso_code", "country_name", "cpu_count", "tracking_mode")
        assert {key: here[key] for key in same} == {key: there[key] for key in same}
        number = {key: float(here[key]) for key in here if _is_number(here[key])}
        assert number["emissions_rate"] == pytest.approx(number["emissions"] / number["duration"], rel=1e-6)
        assert number["cpu_energy"] * 3.6e6 == pytest.approx(
            number["cpu_power"] * number["duration"], rel=1e-6
        )
        assert 0.1 < number["cpu_power"] / WATTS < 10.0  # the tree moves late on a busy machine
        for key in ("duration", "cpu_energy", "cpu_power"):
            assert 0.05 < number[key] / float(there[key]) < 20.0, key  # units differ by 60 at least
        assert 0.2 < _grid(here) / _grid(there) < 5.0
        assert number["ram_total_size"] == pytest.approx(float(there["ram_total_size"]), rel=0.05)


def _grid(row: dict[str, str]) -> float:
    """Intensity that a row implies [kg/kWh]."""
    return float(row["emissions"]) / float(row["energy_consumed"])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_callback_of_transformers_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    """The genuine callback with our module in the place of the other: a training has its row and its record."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from transformers.integrations import CodeCarbonCallback

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"loss": self.layer(x).square().mean()}

    monkeypatch.setitem(sys.modules, "codecarbon", ours)
    told = transformers.TrainingArguments(
        str(tmp_path / "out"), max_steps=2, report_to=[], disable_tqdm=True, use_cpu=True, save_strategy="no"
    )
    data = [{"x": torch.ones(2)} for _ in range(8)]
    callback = CodeCarbonCallback()
    transformers.Trainer(Model(), told, train_dataset=data, callbacks=[callback]).train()
    (row,) = rows(tmp_path / "out/emissions.csv")
    with Ledger(own_home) as ledger:
        assert (
            ledger.get(row["run_id"]).emissions_kg.value
            == float(row["emissions"])
            == callback.tracker.final_emissions
        )
