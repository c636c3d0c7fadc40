"""What is shipped: the wheel's content, and the plug-ins that the package registers."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import sootprint
from sootprint.core import registry

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return archive.namelist()


def test_wheel_holds_every_file_of_the_package(wheel: list[str]) -> None:
    """Modules, tables, templates and the marker of types are in, caches are not."""
    package = ROOT / "src"
    wanted = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= set(wheel)
    assert "sootprint/py.typed" in wheel
    assert not any("__pycache__" in name for name in wheel)


def test_wheel_carries_its_licence_and_the_credits(wheel: list[str]) -> None:
    """LICENSE and NOTICE go where the package goes."""
    named = {Path(name).name for name in wheel if ".dist-info/" in name}
    assert {"LICENSE", "NOTICE", "entry_points.txt"} <= named


def test_wheel_holds_nothing_but_the_package(wheel: list[str]) -> None:
    """Tests, tools and documents stay in the repository."""
    assert {name.partition("/")[0] for name in wheel} == {
        "sootprint",
        f"sootprint-{sootprint.__version__}.dist-info",
    }


def test_version_stands_in_one_way() -> None:
    """The version of the distribution is that of the module."""
    assert PROJECT["version"] == sootprint.__version__


def test_entry_points_are_those_of_the_registry() -> None:
    """The built-in plug-ins are registered like anybody's, and found without searching."""
    groups = {name: targets for name, targets in registry.BUILT_IN.items() if targets}
    assert PROJECT["entry-points"] == groups


def test_notice_credits_each_source_that_asks_for_it() -> None:
    """A packaged source under a licence is named in NOTICE, and no source is named that is not packaged."""
    table = ROOT / "src/sootprint/catalogue/data/sources.csv"
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    ours = {row["id"] for row in rows if row["credit"] == "The authors of Sootprint"}
    licensed = {row["id"] for row in rows if row["licence"] not in {"facts", "public-domain"}}
    named = set(re.findall(r"\[([\w.-]+)\]", (ROOT / "NOTICE").read_text(encoding="utf-8")))
    assert licensed - ours <= named
    assert named <= {row["id"] for row in rows}
