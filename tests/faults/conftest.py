"""All faults that are wanted, played some at a time before their first test, and their table at the end."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

import pytest

from tests.faults.page import plain
from tests.faults.play import may_mount, playing
from tests.faults.stage import Fault, Outcome
from tests.fixtures import fake_devices

OUTCOMES = pytest.StashKey[dict[str, Outcome]]()
NEEDS_ROOT = "needs root: mounts a file system of its own, or gives files to another user"


@pytest.fixture(scope="session")
def _played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    given = [call.params.get("fault") for call in calls if call]
    wanted = {
        fault.key: fault for fault in given if isinstance(fault, Fault)
    }  # others have faults of their own
    mounts = may_mount()
    possible = [fault for fault in wanted.values() if mounts or not fault.wrap]
    with playing(possible, tmp_path_factory.mktemp("faults") / "ground") as futures:
        yield futures


@pytest.fixture
def outcome(fault: Fault, _played: Mapping[str, Future[Outcome]], request: pytest.FixtureRequest) -> Outcome:
    """What the fault of this test left."""
    if fault.key not in _played:
        pytest.skip(NEEDS_ROOT)
    found = _played[fault.key].result()
    request.config.stash.setdefault(OUTCOMES, {})[fault.key] = found
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of the faults that were played."""
    played = terminalreporter.config.stash.get(OUTCOMES, {})
    if played:
        terminalreporter.section("joules lost and doubled, by fault")
        terminalreporter.write_line(plain(list(played.values())))
