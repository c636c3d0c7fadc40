"""The text file for Prometheus: the latest run of each name, whole at every instant."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from sootprint import settings
from sootprint.core.errors import ExportError, InputError
from sootprint.exporters import opened
from sootprint.exporters.prometheus import MOST
from tests.fixtures import exposition
from tests.fixtures.exporting import footprint


def write(path: Path, *records) -> None:
    """Write records."""
    exporter = opened(f"prometheus:{path}", settings.load())
    for record in records:
        exporter.write(record)


def test_file_has_the_latest_run_of_each_name_in_base_units(tmp_path: Path) -> None:
    """Joules, grams and seconds with bounds; an older run that is sent later does not replace a newer one."""
    path = tmp_path / "sootprint.prom"
    older = footprint(1.0, name="base", ended="2026-11-01T11:00:00Z")
    newer = footprint(2.0, name="base", ended="2026-11-03T11:00:00Z")
    write(path, older, newer, older, footprint(3.0, name="other"))
    found = {
        (one.name.removeprefix("sootprint_run_"), one.labels["name"]): one.value
        for one in exposition.read(path.read_text())
    }
    assert found["energy_joules", "base"] == 2.0 * 3.6e6
    assert found["energy_joules_low", "base"] == pytest.approx(1.8 * 3.6e6)
    assert found["emissions_grams", "base"] == pytest.approx(80.0)
    assert found["duration_seconds", "other"] == 3600.0
    assert found["end_timestamp_seconds", "base"] == 1793703600.0
    assert ("embodied_grams", "base") not in found


def test_readers_see_whole_files_only(tmp_path: Path) -> None:
    """A collector that reads all the time finds a page that keeps the rules each time."""
    path = tmp_path / "sootprint.prom"
    write(path, footprint(1.0))
    writers = [
        Thread(target=write, args=(path, *(footprint(n, name=f"{k} {n}") for n in range(1, 21))))
        for k in "ab"
    ]
    for one in writers:
        one.start()
    reads = 0
    while any(one.is_alive() for one in writers):
        assert exposition.read(path.read_text())
        reads += 1
    assert reads
    infos = [one for one in exposition.read(path.read_text()) if one.name == "sootprint_run_info"]
    assert len(infos) == 41
    assert [one.name for one in tmp_path.iterdir()] == ["sootprint.prom"]


def test_names_do_not_grow_without_bound(tmp_path: Path) -> None:
    """Of more than 200 names those that ended last are told."""
    path = tmp_path / "sootprint.prom"
    ends = [f"2026-11-{1 + n // 24:02d}T{n % 24:02d}:00:00Z" for n in range(MOST + 5)]
    write(path, *(footprint(1.0 + n, name=f"run {n:03d}", ended=end) for n, end in enumerate(ends)))
    infos = [one for one in exposition.read(path.read_text()) if one.name == "sootprint_run_info"]
    assert sorted(one.labels["name"] for one in infos) == [f"run {n:03d}" for n in range(5, MOST + 5)]


def test_name_that_the_collector_does_not_read_is_refused(tmp_path: Path) -> None:
    """It reads files that end in .prom alone."""
    with pytest.raises(InputError, match=r"ends in \.prom"):
        opened(f"prometheus:{tmp_path}/x.txt", settings.load())


@pytest.mark.parametrize("text", ["other_metric 1\n", "no figure at all\n", 'sootprint_run_x{a="b"} 1\n'])
def test_figures_of_another_program_are_left_alone(text: str, tmp_path: Path) -> None:
    """A file that somebody else writes is not replaced."""
    path = tmp_path / "theirs.prom"
    path.write_text(text)
    with pytest.raises(ExportError, match="other figures than ours"):
        write(path, footprint())
    assert path.read_text() == text
