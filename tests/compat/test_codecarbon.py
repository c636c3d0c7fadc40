"""CodeCarbon's interface: its scripts go on, and what they read is what our record knows."""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import sootprint
from sootprint.compat.codecarbon import EmissionsTracker, OfflineEmissionsTracker, track_emissions
from sootprint.compat.codecarbon.emissions_tracker import TaskEmissionsTracker, track_task_emissions
from sootprint.ledger import Ledger
from sootprint.tracker.recover import recover
from sootprint.tracker.replay import journals
from tests.fixtures import fake_devices


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory and a home of the test's own: both may hold a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in [name for name in os.environ if name.lower().startswith("codecarbon_")]:
        monkeypatch.delenv(name)
    return tmp_path


def rows(path: Path = Path("emissions.csv")) -> list[dict[str, str]]:
    """Rows of a CSV, each as long as its head."""
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert all(None not in row and None not in row.values() for row in found)
    return found


def work(duration_s: float = 0.2) -> None:
    """Use a core for a while."""
    until = time.monotonic() + duration_s
    while time.monotonic() < until:
        sum(range(1000))


def script(text: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A program of its own, which ended."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environ,
    )


def test_row_is_what_the_record_knows(own_home: Path, tmp_path: Path) -> None:
    """Kilograms, kilowatt-hours with the PUE, watts without it, seconds; `run_id` is the record's identity."""
    with OfflineEmissionsTracker("thesis", country_iso_code="FRA", pue=1.25, experiment_id="e1") as tracker:
        work()
    with Ledger(own_home) as ledger:
        made = ledger.get(tracker.run_id)
    (row,) = rows()
    data = tracker.final_emissions_data
    cpu_kwh = sum(part.energy_kwh.value for part in made.components if part.component.startswith("cpu"))
    assert row["run_id"] == made.id
    assert float(row["emissions"]) == tracker.final_emissions == made.emissions_kg.value
    assert float(row["energy_consumed"]) == pytest.approx(1.25 * made.energy_kwh.value, rel=1e-12)
    assert float(row["cpu_energy"]) == pytest.approx(1.25 * cpu_kwh, rel=1e-12)
    assert float(row["cpu_power"]) == pytest.approx(cpu_kwh * 3.6e6 / made.duration_s, rel=1e-9)
    assert float(row["duration"]) == made.duration_s
    assert float(row["emissions_rate"]) == pytest.approx(made.emissions_kg.value / made.duration_s, rel=1e-12)
    assert (row["country_iso_code"], row["country_name"], row["pue"]) == ("FRA", "France", "1.25")
    assert (
        (row["project_name"], row["experiment_id"])
        == ("thesis", "e1")
        == (made.project, made.tags["experiment_id"])
    )
    assert (row["codecarbon_version"], row["tracking_mode"]) == (
        f"sootprint {sootprint.__version__}",
        "machine",
    )
    assert list(row) == list(data.values)


def test_unknown_is_an_empty_cell_and_no_number(caplog: pytest.LogCaptureFixture) -> None:
    """Without a place no country is guessed; what nobody measured is neither 0 nor a default."""
    with EmissionsTracker() as tracker:
        work(0.05)
    (row,) = rows()
    empty = {"country_name", "country_iso_code", "region", "cloud_provider", "cloud_region", "on_cloud"}
    empty |= {
        "longitude",
        "latitude",
        "pue",
        "wue",
        "water_consumed",
        "ram_used_gb",
        "ram_utilization_percent",
    }
    assert {name for name in empty if row[name]} == set()
    data = tracker.final_emissions_data
    assert math.isnan(data.wue) and math.isnan(round(data.water_consumed, 6))
    assert json.loads(data.toJSON())["wue"] is None
    assert float(row["emissions"]) > 0.0  # of the world's average, as the record says
    assert "place unknown" in caplog.text


@pytest.mark.parametrize(
    ("place", "cells"),
    [
        ({"country_iso_code": "DEU"}, ("Germany", "DEU", "", "", "")),
        ({"country_iso_code": "USA", "region": "california"}, ("United States", "USA", "california", "", "")),
        (
            {"cloud_provider": "gcp", "cloud_region": "europe-west9"},
            ("France", "FRA", "", "gcp", "europe-west9"),
        ),
        ({"country_2letter_iso_code": "NO"}, ("Norway", "NOR", "", "", "")),
    ],
)
def test_offline_place_is_the_one_that_was_stated(place: dict[str, str], cells: tuple[str, ...]) -> None:
    """Country, state and cloud region stand in the row as the table knows them."""
    with OfflineEmissionsTracker(**place):
        pass
    (row,) = rows()
    columns = ("country_name", "country_iso_code", "region", "cloud_provider", "cloud_region")
    assert tuple(row[name] for name in columns) == cells
    assert row["on_cloud"] == ("Y" if "cloud_region" in place else "")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"region": "quebec"}, "region='quebec' tells no place without country_iso_code"),
        ({"cloud_provider": "aws"}, "cloud_provider='aws' tells no place without cloud_region"),
        ({"country_iso_code": "XYZ"}, "country 'XYZ' is in no table"),
        (
            {"country_iso_code": "USA", "region": "atlantis"},
            "region='atlantis' is in no table: the place is US",
        ),
        (
            {"cloud_provider": "gcp", "cloud_region": "mars"},
            "cloud_region='mars' is in no table: the place is unknown",
        ),
    ],
)
def test_offline_place_that_no_table_knows_is_told(
    place: dict[str, str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line names the value; what is known of the place counts."""
    with OfflineEmissionsTracker(**place):
        pass
    assert words in caplog.text
    assert rows()[0]["country_iso_code"] == ("USA" if "USA" in place.values() else "")


def test_decorator_has_all_its_forms() -> None:
    """Bare, with brackets, with arguments and offline: each call is a row, and the function answers as before."""

    @track_emissions
    def bare(x: int) -> int:
        return x + 1

    @track_emissions()
    def called(x: int) -> int:
        return x + 2

    @track_emissions(project_name="named", offline=True, country_iso_code="NOR")
    def named(x: int) -> int:
        """Words."""
        return x + 3

    @track_emissions(project_name="later", country_iso_code="NOR")
    async def later(x: int) -> int:
        await asyncio.sleep(0.1)
        return x + 4

    assert (bare(1), called(1), named(1), asyncio.run(later(1)), named(2)) == (2, 3, 4, 5, 5)
    assert (named.__name__, named.__doc__) == ("named", "Words.")
    told = [(row["project_name"], row["country_iso_code"]) for row in rows()]
    assert told == [("codecarbon", ""), ("codecarbon", ""), ("named", "NOR"), ("later", ""), ("named", "NOR")]
    assert float(rows()[3]["duration"]) >= 0.1


def test_decorated_function_that_raises_leaves_its_row() -> None:
    """The error is the function's own."""

    @track_emissions(save_to_file=True)
    def fails() -> None:
        work(0.05)
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        fails()
    assert len(rows()) == 1


def test_flush_adds_rows_that_grow_or_updates_the_one() -> None:
    """Several rows of one run are sums; with "update" the row of the run is replaced, and others stay."""
    tracker = EmissionsTracker(project_name="grows")
    tracker.start()
    work()
    flushed = tracker.flush()
    work()
    stopped = tracker.stop()
    first, second = rows()
    assert first["run_id"] == second["run_id"] == tracker.run_id
    assert (float(first["emissions"]), float(second["emissions"])) == (flushed, stopped)
    assert 0.0 < flushed < stopped
    assert 0.2 <= float(first["duration"]) < float(second["duration"])
    updated = EmissionsTracker(project_name="one", on_csv_write="update")
    updated.start()
    work()
    updated.flush()
    kept = updated.stop()
    assert [row["project_name"] for row in rows()] == ["grows", "grows", "one"]
    assert float(rows()[-1]["emissions"]) == kept


def test_tasks_are_parts_of_the_run(own_home: Path) -> None:
    """Each has its data at its end and a line in the file of the tasks; the run holds them all."""
    tracker = EmissionsTracker(project_name="whole", experiment_name="grid")
    tracker.start_task("load")
    work()
    loaded = tracker.stop_task()
    tracker.start_task("fit")
    work()
    fitted = tracker.stop_task("fit")
    total = tracker.stop()
    parts = rows(Path(f"emissions_grid_{tracker.run_id}.csv"))
    assert [part["task_name"] for part in parts] == ["load", "fit"]
    assert [float(part["energy_consumed"]) for part in parts] == [
        loaded.energy_consumed,
        fitted.energy_consumed,
    ]
    assert loaded.duration == pytest.approx(0.2, abs=0.15)
    assert 0.0 < loaded.emissions + fitted.emissions <= 1.05 * total
    with Ledger(own_home) as ledger:
        assert {row.parent for row in ledger.runs()} == {None, tracker.run_id}


def test_one_task_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    """A second one is told and not begun; one that is not there ends nothing; stop ends the one that goes on."""
    tracker = EmissionsTracker()
    tracker.start()
    assert tracker.stop_task() is None
    tracker.start_task("a")
    tracker.start_task("b")
    assert tracker.stop_task("b") is None
    tracker.stop()
    (part,) = rows(Path(f"emissions_base_{tracker.run_id}.csv"))
    assert part["task_name"] == "a"
    assert "task 'a' goes on" in caplog.text


def test_task_of_another_thread_is_part_of_the_run_all_the_same(own_home: Path) -> None:
    """A task is a part of its tracker's run, whoever begins it: the run is charged in full."""
    import threading

    tracker = EmissionsTracker()
    tracker.start()
    thread = threading.Thread(target=lambda: (tracker.start_task("far"), work(), tracker.stop_task()))
    thread.start()
    thread.join()
    tracker.stop()
    with Ledger(own_home) as ledger:
        parents = {row.name: row.parent for row in ledger.runs()}
    assert parents["far"] == tracker.run_id


def test_task_forms_of_context_and_decorator() -> None:
    """As in `codecarbon.emissions_tracker`."""
    tracker = EmissionsTracker()
    with TaskEmissionsTracker("within", tracker=tracker):
        work(0.05)

    @track_task_emissions(tracker=tracker, task_name="each")
    def called() -> str:
        return "done"

    assert (called(), called()) == ("done", "done")
    tracker.stop()
    names = [part["task_name"] for part in rows(Path(f"emissions_base_{tracker.run_id}.csv"))]
    assert names[:2] == ["within", "each"] and names[2].startswith("each_")


def test_second_stop_gives_the_same_and_writes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Before a start there is nothing to give; after the end it is the same; started again it is a run anew."""
    tracker = EmissionsTracker()
    assert tracker.stop() is None and tracker.flush() is None and rows_or_none() is None
    tracker.start()
    tracker.start()
    first = tracker.stop()
    assert tracker.stop() == first and len(rows()) == 1
    tracker.start()
    tracker.stop()
    assert len({row["run_id"] for row in rows()}) == 2
    assert "was not started" in caplog.text and "measures already" in caplog.text


def rows_or_none() -> list[dict[str, str]] | None:
    """Rows, or None where there is no file."""
    return rows() if Path("emissions.csv").exists() else None


def test_numbers_that_scripts_read_are_there() -> None:
    """Public and private ones, as found in scripts."""
    tracker = EmissionsTracker(save_to_file=False, log_level="error")
    tracker.start()
    work(0.05)
    emissions = tracker.stop()
    data = tracker.final_emissions_data
    assert f"{emissions * 1000:.4f}".count(".") == 1
    assert tracker._total_energy.kWh == data.energy_consumed == getattr(data, "energy_consumed", 0)
    assert tracker._total_cpu_energy.kWh == data.cpu_energy
    assert round(data.gpu_energy, 6) is not None
    assert logging.getLogger("sootprint").level == logging.ERROR
    logging.getLogger("sootprint").setLevel(logging.NOTSET)
    assert rows_or_none() is None


def test_two_trackers_in_one_program_tell_which_is_inside(own_home: Path) -> None:
    """Both have their row; the record of the second says whose part it is, so that no sum counts it twice."""
    outer, inner = EmissionsTracker(project_name="outer"), EmissionsTracker(project_name="inner")
    outer.start()
    inner.start()
    work()
    outer.stop()
    inner.stop()
    assert [row["project_name"] for row in rows()] == ["outer", "inner"]
    with Ledger(own_home) as ledger:
        assert {row.name: row.parent for row in ledger.runs()} == {"outer": None, "inner": outer.run_id}


def test_program_that_never_stops_it_has_its_row() -> None:
    """At the end of the interpreter, also of one that ends by an error."""
    ended = script(
        """
        from sootprint.compat.codecarbon import EmissionsTracker
        tracker = EmissionsTracker(project_name="left")
        tracker.start()
        tracker.start_task("open")
        raise SystemExit(3)
        """
    )
    assert (ended.returncode, [row["project_name"] for row in rows()]) == (3, ["left"])
    assert "Traceback" not in ended.stderr


def test_killed_program_has_its_record(own_home: Path) -> None:
    """A row needs an end, a record does not: `sootprint recover` makes it."""
    ended = script(
        """
        import os, pathlib, signal, time
        from sootprint.compat.codecarbon import EmissionsTracker
        EmissionsTracker(project_name="killed").start()
        journals = pathlib.Path(os.environ["SOOTPRINT_HOME"], "journal")
        while sum(path.read_text().count("tick") for path in journals.glob("*")) < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert ended.returncode == -signal.SIGKILL
    (journal,) = journals(own_home)
    assert recover(journal).energy_kwh.value > 0.0
    assert rows_or_none() is None


def test_forked_child_writes_no_row_and_may_measure_anew() -> None:
    """The run is the parent's; a child that starts the tracker has a run of its own."""
    ended = script(
        """
        import os
        from sootprint.compat.codecarbon import EmissionsTracker
        tracker = EmissionsTracker(project_name="parent")
        tracker.start()
        if os.fork() == 0:
            print(f"child {tracker.stop():.3f}", flush=True)
            os._exit(0)
        os.wait()
        if os.fork() == 0:
            tracker.start()
            tracker.stop()
            os._exit(0)
        os.wait()
        tracker.stop()
        """
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "child nan\n"
    assert len({row["run_id"] for row in rows()}) == 2 == len(rows())


@pytest.mark.parametrize("where", ["file/below", "closed"])
def test_file_that_cannot_be_written_costs_the_row_alone(
    where: str, own_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The training goes on, one line says so, and the record is in the ledger."""
    Path("file").write_text("", encoding="utf-8")
    Path("closed").symlink_to("/proc/self/fdinfo")
    with EmissionsTracker(output_dir=where) as tracker:
        work(0.05)
    assert tracker.final_emissions > 0.0
    assert caplog.text.count("emissions.csv was not written; the record is in the ledger") == 1
    with Ledger(own_home) as ledger:
        assert ledger.get(tracker.run_id).emissions_kg.value == tracker.final_emissions


def test_folder_that_is_missing_is_made() -> None:
    """Nothing is lost at the end of a training for a folder."""
    with EmissionsTracker(output_dir="a/b", output_file="mine.csv"):
        pass
    assert len(rows(Path("a/b/mine.csv"))) == 1


def test_file_is_where_the_tracker_was_made(tmp_path: Path) -> None:
    """A program that changes its folder has its row where it asked for it."""
    tracker = EmissionsTracker()
    tracker.start()
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    tracker.stop()
    assert len(rows(tmp_path / "emissions.csv")) == 1


def test_process_mode_is_our_strict_share(own_home: Path) -> None:
    """Row and record say so."""
    with EmissionsTracker(tracking_mode="process") as tracker:
        work(0.05)
    assert rows()[0]["tracking_mode"] == "process"
    with Ledger(own_home) as ledger:
        assert any(one.startswith("share:") for one in ledger.get(tracker.run_id).warnings)


def test_cards_that_were_chosen_are_charged_alone(tmp_path: Path) -> None:
    """`gpu_ids` counts in the driver's order; an empty list is no card, and none of it is known."""
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    told = fake_devices.python(
        """
import json, time
from sootprint.compat.codecarbon import EmissionsTracker
found = []
for chosen in (None, [1], "0", []):
    with EmissionsTracker(gpu_ids=chosen, save_to_file=False, log_level="critical") as tracker:
        time.sleep(0.3)
    data = tracker.final_emissions_data
    found.append([data.gpu_count, round(data.gpu_power / 10.0) if data.gpu_power > 0.0 else None])
print(json.dumps(found))
""",
        LD_LIBRARY_PATH=str(fake_devices.build_nvml(tmp_path)),
        FAKE_NVML_COUNT="2",
        FAKE_NVML_BASE_MW="100000",
    )
    assert told[:3] == [[2, 21], [1, 11], [1, 10]]
    assert told[3][1] is None


def test_import_loads_nothing_heavy() -> None:
    """Neither numpy nor pandas nor a network; `import sootprint` loads none of it."""
    heavy = ["numpy", "pandas", "httpx", "rich", "typer", "requests", "psutil"]
    told = script(
        f"""
        import sys, sootprint
        assert "sootprint.compat" not in sys.modules
        import sootprint.compat.codecarbon
        with sootprint.compat.codecarbon.EmissionsTracker(): pass
        print([name for name in {heavy} if name in sys.modules])
        """
    )
    assert told.stdout == "[]\n", told.stderr
