"""A training between two steps, without any framework: who decides, how often, and what a failed save does."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sootprint.callbacks import session as module
from sootprint.callbacks.framework import base, needed
from sootprint.callbacks.session import GO_ON, PAUSE, SAVE, Paused, Session
from sootprint.core.errors import MissingExtraError


class Told:
    """Ranks of which this one is the second: rank 0 has said what is in the list."""

    rank, size = 1, 2

    def __init__(self, *told: tuple[int, int]) -> None:
        self.told_before = list(told)
        self.meetings = 0

    def told(self, *numbers: int) -> tuple[int, ...]:
        """What rank 0 says."""
        self.meetings += 1
        return self.told_before.pop(0)[: len(numbers)]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session that may pause, whose run measures nothing."""
    made = Session(pausable=True)
    monkeypatch.setattr(module, "pause_requested", lambda: False)
    return made


def test_verdict_follows_the_request(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single process looks at each step."""
    assert [session.verdict() for _ in range(3)] == [GO_ON] * 3
    monkeypatch.setattr(module, "pause_requested", lambda: True)
    assert session.verdict() == PAUSE


def test_training_that_cannot_save_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a checkpoint it does not even listen for SIGUSR1."""
    monkeypatch.setattr(module, "pause_requested", lambda: pytest.fail("it was asked"))
    made = Session()
    made.ready()
    assert made.verdict() == GO_ON


def test_save_in_the_middle_is_due_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten minutes once; and after a save of a minute not before twenty minutes have gone."""
    now_s = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    made = Session(every_s=600.0)
    made.begin()
    made.end()
    now_s[0] = 599.0
    assert made.verdict() == GO_ON
    now_s[0] = 600.0
    assert made.verdict() == SAVE

    def slow() -> None:
        now_s[0] += 60.0

    assert made.save(slow)
    now_s[0] = 660.0 + 1199.0
    assert made.verdict() == GO_ON
    now_s[0] = 660.0 + 1200.0
    assert made.verdict() == SAVE


def test_other_ranks_follow_rank_0_and_meet_it_seldom(session: Session) -> None:
    """Rank 0 says after how many steps they meet again; in between nobody is asked."""
    session.ranks = Told((GO_ON, 3), (GO_ON, 2), (PAUSE, 1))
    assert [session.verdict() for _ in range(6)] == [GO_ON, GO_ON, GO_ON, GO_ON, GO_ON, PAUSE]
    assert session.ranks.meetings == 3


def test_ranks_meet_about_twice_a_second(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 1 ms: rank 0 doubles the distance up to 500 steps; a step of 2 s makes it meet at each again."""
    now_s, said = [0.0], []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))

    class Zero(Told):
        def told(self, *numbers: int) -> tuple[int, ...]:
            said.append(numbers[1])
            return numbers

    session.ranks = Zero()
    for _ in range(3000):
        now_s[0] += 0.001
        session.verdict()
    assert said[:3] == [2, 4, 8]
    assert set(said[-3:]) <= {499, 500}
    for _ in range(1000):
        now_s[0] += 2.0
        session.verdict()
    assert said[-1] == 1


def test_failed_save_does_not_end_the_training(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk is one line; the training goes on and is not paused, for nothing was saved."""
    monkeypatch.setattr(module, "pause_requested", lambda: True)

    def full() -> None:
        raise OSError(28, "No space left on device")

    assert session.verdict() == PAUSE
    assert not session.save(full)
    assert "no checkpoint was written, so the training is not paused" in caplog.text
    assert session.verdict() == GO_ON


def test_save_that_failed_on_rank_0_failed_on_all(session: Session) -> None:
    """Else one of them would end while the others wait for it."""
    session.ranks = Told((0, 0))
    assert not session.save(lambda: None)


def test_pause_is_the_exit_code_75(session: Session) -> None:
    """`sys.exit(75)`, so that nothing but the end of the process is needed."""
    with pytest.raises(Paused) as raised:
        session.pause()
    assert isinstance(raised.value, SystemExit)
    assert raised.value.code == 75


def test_steps_open_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand steps and an epoch ask no provider, whatever the settings name."""
    monkeypatch.setenv("ELECTRICITYMAPS_API_KEY", "k")
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a connection was opened"))
    made = Session(None, {"zone": "FR"}, pausable=True)
    made.begin()
    assert made.run._worker is not None
    assert made.run._worker.ready.wait(60.0)
    made.enter("epoch", total=1)
    assert {made.verdict() for _ in range(10_000)} == {GO_ON}
    time.sleep(0.3)  # a run of a few milliseconds has no energy, and so no spans
    made.leave("epoch")
    made.log({"loss": 0.5, "name": "digits", "empty": None})
    made.end()
    assert made.run.footprint is not None
    assert [span.name for span in made.run.footprint.spans] == ["epoch"]
    assert [(one.metric, one.value) for one in made.run.footprint.curve] == [("loss", 0.5)]


@pytest.mark.parametrize("name", ["torch", "lightning", "transformers", "keras"])
def test_missing_framework_is_one_line(name: str, tmp_path: Path) -> None:
    """The module can be imported; its use says what is missing and how to get it."""
    made = "Training('x.pt')" if name == "torch" else "SootprintCallback()"
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'lightning', 'pytorch_lightning', 'transformers', "
        f"'keras']))\nfrom sootprint.callbacks.{name} import *\n"
        f"import sootprint.callbacks.{name} as module\nmodule.{made}"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("sootprint.core.errors.MissingExtraError:")
    assert f"is not installed: pip install {name}" in last


def test_framework_that_is_broken_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that lacks another one says so itself."""
    (tmp_path / "halfway.py").write_text("import nowhere_to_be_found")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        needed("halfway", package="halfway")
    with pytest.raises(MissingExtraError, match="pip install whole"):
        needed("not_there_at_all", package="whole")
    assert base("Thing", "not_there_at_all") is object
