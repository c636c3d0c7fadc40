"""Runs that were each told the energy of one node at the same time: told with how much of it may be counted again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sootprint import importers
from sootprint.cli import app
from sootprint.importers.sharing import Drawn, shared
from tests.importers.test_importers import SECOND, THIRD, table
from tests.importers.test_slurm_sacct import text

Command = Callable[..., Any]
CROWDED = "ran at the same time on like hardware"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command in a home of its own."""
    env = {"SOOTPRINT_HOME": str(tmp_path / "home"), "COLUMNS": "160"}
    return lambda *words, stdin=None: CliRunner().invoke(app, list(words), env=env, input=stdin)


def crowd(source: str) -> list[bool]:
    """Which records of a table of CodeCarbon say that others ran beside them."""
    found = importers.read(source, name="emissions.csv").records
    return [any(CROWDED in warning for warning in record.warnings) for record in found]


def rows(*changes: dict[str, str], head: str = SECOND) -> str:
    """Runs of their own, each a row."""
    return table(head, *({"run_id": str(index), **one} for index, one in enumerate(changes)))


def test_processes_of_one_node_are_told(command: Command) -> None:
    """Four rows of 1 kWh in the same hour, and one of the hour after: the four say so, once on the terminal, too."""
    source = rows({}, {}, {}, {}, {"timestamp": "2024-05-01T13:00:00"})
    assert crowd(source) == [True] * 4 + [False]
    first = importers.read(source, name="emissions.csv").records[0]
    assert any(
        "3 other runs of the file" in warning and "up to 4 times" in warning for warning in first.warnings
    )
    done = command("import", "-", stdin=source)
    assert done.stderr.count(CROWDED) == 1
    assert "4 runs of codecarbon" in done.stderr
    assert "their sum counts 3 of 4 kWh again" in done.stderr


@pytest.mark.parametrize(
    "changes",
    [
        ({}, {"timestamp": "2024-05-01T13:00:00"}),
        ({}, {"timestamp": "2024-05-01T12:59:59"}),  # the clock of a file is good to a second
        ({}, {"gpu_model": "8 x NVIDIA H100"}),
        ({}, {"cpu_count": "128"}),
        ({}, {"ram_total_size": "512"}),
        ({}, {"country_iso_code": "DEU", "country_name": "Germany", "region": ""}),
        ({}, {"timestamp": ""}),
        ({}, {"duration": ""}),
    ],
)
def test_runs_of_other_times_or_machines_are_not(
    changes: tuple[dict[str, str], ...], command: Command
) -> None:
    """One after the other, on other devices, in another place, or at a time that nobody tells."""
    assert crowd(rows(*changes)) == [False, False]
    assert CROWDED not in command("import", "-", stdin=rows(*changes)).stderr


def test_mode_of_processes_counts_the_accelerators_again_alone(command: Command) -> None:
    """CodeCarbon splits processor and memory in that mode, and not the accelerators: 0.8 of each kWh."""
    mode = {"tracking_mode": "process"}
    source = rows(mode, mode)
    assert crowd(source) == [True, True]
    assert "counts 0.8 of 1.6 kWh again" in command("import", "-", stdin=source).stderr
    alone = mode | {"gpu_model": "", "gpu_energy": "0", "gpu_count": ""}
    assert crowd(rows(alone, alone)) == [False, False]


def test_tasks_of_one_run_are_no_processes() -> None:
    """They follow each other in one process, whatever their times say."""
    tasks = table(f"task_name,{SECOND}", {"task_name": "load"}, {"task_name": "train"})
    assert crowd(tasks) == [False, False]


def test_files_of_several_processes_are_seen_together(command: Command, tmp_path: Path) -> None:
    """Each process wrote a file of its own: the terminal tells what no file can."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "emissions.csv").write_text(rows({"project_name": name}, head=THIRD))
    done = command("import", str(tmp_path / "a"), str(tmp_path / "b"))
    assert "2 runs of codecarbon ran at the same time" in done.stderr
    assert "counts 0.8 of 1.6 kWh again" in done.stderr


def test_jobs_of_slurm_tell_how_much_is_counted_again(command: Command) -> None:
    """2 kWh in two hours, and 1 kWh in the first of them: one of the three is the same."""
    whole = {"ConsumedEnergyRaw": "7200000"}
    half = {
        "JobID": "102",
        "ConsumedEnergyRaw": "3600000",
        "ElapsedRaw": "3600",
        "End": "2025-03-01T11:00:00",
    }
    done = command("import", "-", stdin=text(whole, half))
    assert "2 jobs shared a node" in done.stderr
    assert "their sum counts 1 of 3 kWh again" in done.stderr


TIMES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20), st.floats(0.0, 10.0, allow_nan=False)), max_size=12
)


@given(TIMES)
def test_what_is_counted_again_is_that_of_every_second(listed: list[tuple[int, int, float]]) -> None:
    """Second by second: the sum of the powers less the largest, wherever two run."""
    drawn = [Drawn(start, start + length, energy) for start, length, energy in listed]
    again = 0.0
    for second in range(80):
        powers = [
            one.energy_kwh / (one.end_s - one.start_s) for one in drawn if one.start_s <= second < one.end_s
        ]
        again += sum(powers) - max(powers, default=0.0)
    crowded = [
        one
        for index, one in enumerate(drawn)
        if any(
            one.start_s < other.end_s and other.start_s < one.end_s
            for place, other in enumerate(drawn)
            if place != index
        )
    ]
    found = shared(drawn)
    assert found.records == len(crowded)
    assert found.energy_kwh == pytest.approx(sum(one.energy_kwh for one in crowded))
    assert found.again_kwh == pytest.approx(again, abs=1e-9)
