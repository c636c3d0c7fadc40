"""What all tests share: a home of their own, the folder beside the repository, the rule on skips."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

with contextlib.suppress(ImportError):  # the frameworks have an environment of their own, without it
    from hypothesis import HealthCheck, settings

    # No test is one of speed, as the machine may be busy, or of chance: the same examples each time, whatever was found
    # before. HYPOTHESIS_PROFILE=search looks for new ones.
    untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("search", untimed)
    settings.register_profile("untimed", untimed, derandomize=True)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it puts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
SHARED = Path(__file__).resolve().parents[2] / "shared"
SHARED_REASON = "../shared is not here"
LONG_S = 120.0
# Joules or grids of seconds against a clock, and processes by the dozen: these tests want the machine to themselves.
ALONE = (
    "faults",
    "e2e/test_attack.py",
    "e2e/test_moves.py",
    "e2e/test_node_service.py",
    "e2e/test_node_users.py",
    "e2e/test_nodes.py",
    "e2e/test_plans.py",
    "e2e/test_sbatch.py",
    "e2e/test_shares.py",
    "e2e/test_sharing.py",
    "e2e/test_truth.py",
    "e2e/test_tune.py",
    "e2e/test_two_places.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs one at a time, after the tests that several workers share."""
    alone = [Path(__file__).parent / path for path in ALONE]
    for item in items:
        if any(item.path.is_relative_to(path) for path in alone):
            item.add_marker(pytest.mark.alone)


@pytest.fixture
def shared_dir() -> Path:
    """The folder of data and fixtures beside the repository; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(SHARED_REASON)
    return SHARED


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty SOOTPRINT_HOME, so that no test reads or writes the ledger and settings of the user."""
    for name in [name for name in os.environ if name.startswith("SOOTPRINT_") and name != "SOOTPRINT_STRICT"]:
        monkeypatch.delenv(name)
    for name in ("COLUMNS", "LINES"):  # a worker states the width of a terminal that it does not have
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SOOTPRINT_HOME", str(home))
    # A socket's path has at most 107 characters, and pytest's folders are deep.
    with tempfile.TemporaryDirectory(prefix="soot-") as runtime:
        monkeypatch.setenv("SOOTPRINT_RUNTIME_DIR", runtime)
        yield home


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is waited for however busy the machine is; a training's own wait ends after seconds, without a record."""
    for name in ("STOP_WAIT_S", "ANSWER_WAIT_S"):
        monkeypatch.setattr(f"sootprint.tracker.run.{name}", LONG_S)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """The report of one phase of a test, a skip turned into a failure where skips are not allowed."""
    return _strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """The report of a collected file, which may skip as a whole."""
    return _strict((yield))


def _strict(report):
    if (
        os.environ.get("SOOTPRINT_STRICT") != "1"
        or report.outcome != "skipped"
        or hasattr(report, "wasxfail")
    ):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "../shared" not in reason:
        report.outcome = "failed"
        report.longrepr = f"Skipped under SOOTPRINT_STRICT=1, which allows no skip. {reason}"
    return report
