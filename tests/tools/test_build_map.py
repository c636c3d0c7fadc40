"""The packaged outlines are made by a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import build_map

SQUARE = [[0, 0], [10, 0], [0, 10], [-10, 0], [0, -10]]


def atlas(*shapes: dict) -> str:
    """TopoJSON with one square that all shapes share."""
    return json.dumps(
        {
            "type": "Topology",
            "transform": {"scale": [1.0, 1.0], "translate": [5.0, 5.0]},
            "arcs": [SQUARE],
            "objects": {"countries": {"type": "GeometryCollection", "geometries": list(shapes)}},
        }
    )


def shape(name: str, number: str) -> dict:
    """A country with its name and number."""
    return {"type": "Polygon", "arcs": [[0]], "id": number, "properties": {"name": name}}


def test_countries_get_two_letters_and_small_ones_a_point(tmp_path: Path):
    """What only the finer outlines hold becomes a point in its middle; Antarctica is left out."""
    (tmp_path / build_map.OUTLINES).write_text(atlas(shape("France", "250"), shape("Antarctica", "010")))
    (tmp_path / build_map.FINE).write_text(atlas(shape("France", "250"), shape("Singapore", "702")))
    made = build_map.world(tmp_path)
    assert [one["id"] for one in made["objects"]["countries"]["geometries"]] == ["FR"]
    assert made["points"] == {"SG": [9.0, 9.0]}


def test_country_without_a_code_stops_the_build(tmp_path: Path):
    """No outline is packaged that no row could ever name."""
    for name in (build_map.OUTLINES, build_map.FINE):
        (tmp_path / name).write_text(atlas(shape("Atlantis", "999")))
    with pytest.raises(SystemExit, match="Atlantis"):
        build_map.world(tmp_path)


def test_folder_without_the_files_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One line says what is missing."""
    with pytest.raises(SystemExit):
        build_map.main(["--from", str(tmp_path), "--out", str(tmp_path / "world.json")])
    assert "holds no countries-110m.json" in capsys.readouterr().err
