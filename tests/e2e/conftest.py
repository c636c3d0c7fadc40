"""What the end-to-end tests share: a command line with a home of its own, the fake library, the long runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import harness
from tests.e2e.scenarios import SCENARIOS
from tests.fixtures import fake_devices

LONG_RUNS = Path(__file__).parent / "test_truth.py"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of its own."""
    return tmp_path / "home"


@pytest.fixture
def cli(home: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Function that calls `sootprint` in an empty folder: `cli("runs", "--json", SOOTPRINT_ZONE="FR")`."""
    folder = tmp_path / "folder"
    folder.mkdir()

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return harness.call(arguments, home=home, cwd=folder, **environ)

    return run


@pytest.fixture(scope="session")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the fake NVML library."""
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    return fake_devices.build_nvml(tmp_path_factory.mktemp("nvml"))


@pytest.fixture(scope="session", autouse=True)
def _long_runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, harness.Running]]:
    """The runs of 60 s, all side by side, begun before the first test so that the others fill the time."""
    wanted = any(item.path == LONG_RUNS for item in request.session.items)
    library = request.getfixturevalue("nvml") if wanted else Path()
    with harness.started(SCENARIOS if wanted else (), tmp_path_factory.mktemp("long"), library) as running:
        yield running


@pytest.fixture(scope="session")
def outcomes(_long_runs: dict[str, harness.Running]) -> dict[str, harness.Outcome]:
    """What the runs of 60 s left, by name."""
    return {name: running.finish() for name, running in _long_runs.items()}
