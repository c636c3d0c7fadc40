"""What drivers, disks, signals and programs do wrong: it costs a reading or a name, never the run or the training."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import sootprint
from sootprint import runner
from sootprint.core.errors import RecordError
from sootprint.core.protocols import Reading
from sootprint.core.records import Footprint
from sootprint.ledger import Ledger
from sootprint.tracker import worker
from sootprint.tracker.fold import Fold
from sootprint.tracker.journal import Journal
from sootprint.tracker.live import live_runs
from sootprint.tracker.recover import recover
from sootprint.tracker.replay import unfinished
from sootprint.tracker.worker import Worker
from tests.fixtures.counters import counter_spend
from tests.tracker.conftest import ScriptMeter, head

NAN, INF = math.nan, math.inf


def program(body: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A program run by a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", body],
        env={**os.environ, "SOOTPRINT_ZONE": "FR", **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"energy_j": NAN},
        {"energy_j": INF},
        {"energy_j": -5.0},
        {"energy_j": "12"},
        {"energy_j": 1e300},
        {},
        {"energy_j": 1.0, "low_ratio": NAN},
        {"energy_j": 1.0, "basis": "weird"},
    ],
)
def test_impossible_counter_is_a_gap_that_the_counter_bridges(clock, sampled, bad):
    """100 W with one unsound reading of ten are 1,000 J, and the gap says what was read."""
    meter = ScriptMeter(clock, lambda t: bad if 3.5 < t < 4.5 else {"energy_j": 100.0 * t})
    fold = sampled(meter, duration_s=10.0)
    assert fold.total_j() == pytest.approx(1000.0, abs=1e-6)
    ((_, start_s, end_s, _, bridged),) = fold.gaps
    assert (round(start_s), round(end_s), bridged) == (3, 5, True)


@pytest.mark.parametrize("bad", [NAN, INF, -7.0, 1e30])
@pytest.mark.parametrize("poll_s", [None, 0.05])
def test_impossible_power_is_a_gap_and_no_number(clock, sampled, bad, poll_s):
    """A power that is none is left out; the gap is filled at the mean power, which stays 100 W."""
    meter = ScriptMeter(clock, lambda t: {"power_w": bad if 4.5 < t < 5.2 else 100.0})
    meter.poll_s = poll_s
    state = sampled(meter, duration_s=10.0).states[0]
    assert state.lost_s >= 0.9
    assert state.energy_j / state.covered_s == pytest.approx(100.0)
    assert (state.min_w, state.max_w) == (pytest.approx(100.0), pytest.approx(100.0))


@pytest.mark.parametrize("share", [NAN, -1.0, 55.0, "busy"])
def test_impossible_utilisation_is_unknown_and_costs_no_energy(clock, sampled, share):
    """A busy share outside 0-1 leaves the joules as they are and the share unknown."""
    fold = sampled(
        ScriptMeter(clock, lambda t: {"energy_j": 100.0 * t, "utilisation": share}), duration_s=5.0
    )
    assert fold.total_j() == pytest.approx(500.0)
    assert fold.states[0].judged_s == 0.0


@pytest.mark.parametrize("off_s", [1e9, -1e9, NAN])
def test_reading_of_another_time_is_left_out(clock, sampled, off_s):
    """A clock far ahead, far behind or no number stops neither the sums nor the readings after it."""
    meter = ScriptMeter(clock, lambda t: {"energy_j": 100.0 * t})
    read = meter.read

    def moved() -> list[Reading]:
        (one,) = read()
        at_s = one.at_s + off_s if one.at_s == 0.0 or 3.5 < one.at_s < 4.5 else one.at_s
        return [Reading(meter="nvml", component="accelerator:0", at_s=at_s, energy_j=one.energy_j)]

    meter.read = moved  # type: ignore[method-assign]
    fold = sampled(meter, duration_s=10.0)
    assert fold.total_j() == pytest.approx(900.0)
    assert fold.states[0].lost_s == pytest.approx(1.0)
    assert len([text for text in fold.notes if "was not counted" in text]) == 1


@pytest.mark.parametrize("answer", [None, [1, "a"], SystemExit(3), OSError(5, "Input/output error")])
def test_meter_that_answers_nonsense_costs_no_other_meter(clock, sampled, answer):
    """A second meter is read on, whatever the first answers or raises."""
    good = ScriptMeter(clock, lambda t: {"energy_j": 10.0 * t}, name="rapl", component="cpu:0")
    bad = ScriptMeter(clock, lambda t: {"energy_j": 10.0 * t})

    def read() -> object:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    bad.read = read  # type: ignore[method-assign,assignment]
    assert sampled(bad, good, duration_s=5.0).total_j() == pytest.approx(50.0)


def test_counter_that_wakes_up_later_is_counted(clock, sampled):
    """A GPU asleep for 5 s, then at 100 W for 5 s: 500 J, though its counter stood still at first."""
    fold = sampled(ScriptMeter(clock, lambda t: {"energy_j": max(0.0, 100.0 * (t - 5.0))}), duration_s=10.0)
    assert fold.total_j() == pytest.approx(500.0)
    assert any("moved later" in text for text in fold.notes)


def test_slow_counter_is_used_at_a_short_period(clock, sampled):
    """A counter that steps every 100 ms and is read every 10 ms: 700 W for 3 s are 2,100 J."""
    meter = ScriptMeter(clock, lambda t: {"energy_j": 70.0 * int(t / 0.1 + 1e-6)}, max_power_w=1400.0)
    fold = sampled(meter, duration_s=3.0, period_s=0.01)
    assert fold.notes == []
    assert fold.total_j() == pytest.approx(2100.0, abs=71.0)
    assert fold.states[0].lost_s < 0.02


def test_step_of_a_counter_may_end_just_after_a_reading():
    """70 J of the last 100 ms that show 5 ms after a reading are possible for a card of 1,400 W at most."""
    before = Reading(meter="nvml", component="accelerator:0", at_s=0.0, energy_j=0.0)
    after = Reading(meter="nvml", component="accelerator:0", at_s=0.005, energy_j=70.0, max_power_w=1400.0)
    assert counter_spend(before, after).energy_j == 70.0


def test_period_of_the_run_decides_what_is_polled(clock, sampled):
    """A power that is to be seen every 2 s is integrated in a run of 60 s a tick: 30 cycles of 0 and 200 W."""
    meter = ScriptMeter(clock, lambda t: {"power_w": 200.0 if t % 20.0 < 10.0 else 0.0})
    meter.poll_s = 2.0
    assert sampled(meter, duration_s=600.0, period_s=60.0).total_j() == pytest.approx(60000.0, rel=0.05)


def test_notes_of_a_month_are_bounded():
    """Notes that differ each time stop at a hundred."""
    fold = Fold()
    fold.apply(head())
    for number in range(1000):
        fold.apply({"k": "note", "text": f"note {number}"})
    assert len(fold.notes) == 100


def test_losses_that_are_no_numbers_do_not_cost_the_run(own_home, caplog):
    """A NaN loss is said once and left out; the run and its other points are kept."""
    with caplog.at_level(logging.WARNING, "sootprint"), sootprint.track("x", zone="FR") as run:
        for value in (1.0, NAN, NAN, INF, 10**400, object(), 0.5):
            run.log("loss", value)
    assert [point.value for point in run.footprint.curve] == [1.0, 0.5]
    assert sum("log of loss: nan" in record.message for record in caplog.records) == 1
    assert any("log of loss: nan" in text for text in run.footprint.warnings)
    with Ledger(own_home) as ledger:
        assert ledger.get("x") == run.footprint


class _Nameless:
    def __str__(self) -> str:
        raise RuntimeError("no name")


def test_strange_names_and_tags_are_kept_as_text(own_home, caplog):
    """Numbers, halves of characters, long and unprintable names make a record that can be read back."""
    with sootprint.track("\udcff", zone="FR", tags={"seed": 1}) as run:
        for name in (3, None, "\ud800", "x" * 5000, _Nameless()):
            with run.span(name):
                pass
    made = run.footprint
    assert [span.name[:9] for span in made.spans] == ["3", "None", "?", "xxxxxxxxx", "_Nameless"]
    assert (made.name, made.tags) == ("?", {"seed": "1"})
    assert Footprint.from_json(made.to_json()) == made
    with caplog.at_level(logging.WARNING, "sootprint"), sootprint.track(tags="abc") as run:
        pass
    assert any("tags='abc'" in record.message for record in caplog.records)


def test_marks_that_wait_are_bounded_and_their_number_is_told(monkeypatch):
    """Beyond the limit spans and values are counted and not kept; a span that was opened is closed."""
    monkeypatch.setattr(worker, "MAX_MARKS", 10)
    run = Worker()
    number = run.open_span("kept")
    for _ in range(30):
        run.log("x", 1.0)
    assert number is not None
    assert run.open_span("late") is None
    run.close_span(number)
    assert (len(run.marks), run.unkept) == (11, 22)


def test_runs_of_other_threads_are_no_parents():
    """Two runs side by side in two threads are not part of one another."""
    found = []

    def inner() -> None:
        with sootprint.track("inner", zone="FR") as run:
            pass
        found.append(run.footprint)

    with sootprint.track("outer", zone="FR"):
        thread = threading.Thread(target=inner)
        thread.start()
        thread.join()
    assert found[0].parent is None


def test_cpu_time_before_the_run_is_not_its_own():
    """A second of work before the run is not in the run's CPU time."""
    until_s = time.process_time() + 1.0
    while time.process_time() < until_s:
        pass
    run = sootprint.track("x", zone="FR").start()
    time.sleep(0.2)
    run.stop()
    assert run._worker is not None
    (spent_s,) = _cpu_times(run)
    assert spent_s < 0.9


def _cpu_times(run: sootprint.Run) -> list[float]:
    """CPU time that a run's share was made of [s], from the share and the busy time of the machine."""
    made = run.footprint
    judge = next(part for part in made.components if part.component.startswith("cpu"))
    return [
        (made.process_share or 0.0) * (judge.utilisation or 0.0) * made.duration_s * (os.cpu_count() or 1)
    ]


def test_pool_of_forked_workers_measures_from_the_first_moment(own_home):
    """A fork right after the start waits for half-loaded modules, so that each child can measure, too."""
    body = """
import os, sootprint
with sootprint.track("outer"):
    children = []
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            with sootprint.track(f"job{number}") as run:
                for _ in range(10): run.log("x", 1.0)
            os._exit(0 if run.footprint is not None else 1)
        children.append(pid)
    print([os.waitpid(pid, 0)[1] for pid in children])
"""
    done = program(body)
    assert done.stdout.strip() == "[0, 0, 0]", done.stderr
    with Ledger(own_home) as ledger:
        assert sorted(row.name for row in ledger.runs()) == ["job0", "job1", "job2", "outer"]


def test_start_while_the_interpreter_ends_does_not_hang():
    """A run begun by a finaliser at the very end is not measured, and the program ends."""
    body = "import sootprint\nclass Late:\n    def __del__(self): sootprint.track('x').start().stop()\nlate = Late()"
    assert program(body).returncode == 0


def test_folder_that_is_gone_and_home_that_is_relative(tmp_path, own_home):
    """A program in a deleted folder is measured; a relative home stays where it was when the run began."""
    body = f"""
import os, time, sootprint
os.makedirs({str(tmp_path / "a" / "b")!r}); os.chdir({str(tmp_path / "a")!r})
with sootprint.track("moves", period="20ms"):
    time.sleep(0.5)
    os.chdir("b")
os.environ["SOOTPRINT_HOME"] = {str(own_home)!r}
os.rmdir({str(tmp_path / "a" / "b")!r})
with sootprint.track("gone"): pass
"""
    done = program(body, SOOTPRINT_HOME="kept")
    assert (done.returncode, done.stderr) == (0, "")
    for home, name in ((tmp_path / "a" / "kept", "moves"), (own_home, "gone")):
        with Ledger(home) as ledger:
            assert [row.name for row in ledger.runs()] == [name]
    assert list((tmp_path / "a" / "kept" / "journal").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'{"k":"he'])
def test_journal_without_its_first_line_is_cleared_away(own_home, content):
    """What was cut off before it began holds no run: said once, and gone."""
    folder = own_home / "journal"
    folder.mkdir()
    path = folder / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordError, match="holds no run, and was removed"):
        recover(path)
    assert unfinished(own_home) == []


@pytest.mark.parametrize(
    "lines",
    [
        [{"k": "head", "v": 1}],
        [head(wall_s="noon")],
        [head(wall_s=1e300)],
        [head(period_s=None), {"k": "end", "s": 1.0, "why": "x"}],
        [head(), {"k": "comp", "c": {"meter": "m", "component": "cpu", "basis": "weird", "covered_s": 1.0}}],
        [head(), {"k": "comp", "c": {"meter": "m", "component": "cpu", "basis": "sensor", "energy_j": "x"}}],
        [head(), {"k": "comp", "c": {"meter": "m", "component": "cpu", "basis": "sensor", "bucket_s": 0}}],
        [head(name=5)],
        [head(given={"x": NAN})],
        [head(), {"k": "log", "s": 0.1, "metric": "loss", "value": NAN}],
        [
            head(),
            {"k": "comp", "c": {"meter": "m", "component": "cpu", "basis": "sensor"}},
            {"k": "tick", "s": 1.0, "r": [[0, -1e12, 0.0, None, None, 0.0]]},
        ],
    ],
)
def test_journal_of_impossible_values_is_one_error_and_stays(own_home, lines):
    """No value in a journal makes anything but a record or one RecordError, live or cut off."""
    path = own_home / "journal" / "01931c3e-0000-7000-8000-000000000000.jsonl"
    journal = Journal(path)
    for line in [*lines, {"k": "note", "text": "last"}]:
        journal.append(line)
    live_runs(own_home)
    journal.close()
    try:
        recover(path)
    except RecordError as err:
        assert "\n" not in str(err)
        assert path.exists()


def test_file_names_of_an_error_stay_out_of_the_record(clock, sampled):
    """A note about a failed sample names the error, not the folder that it happened in."""
    from sootprint.tracker.sampler import guarded

    said: list[str] = []

    def fails() -> None:
        raise OSError(28, "No space left on device", "/home/someone/secret")

    guarded(fails, said.append)
    assert said == ["OSError: No space left on device"]


@pytest.mark.parametrize(
    ("number", "code", "passed"),
    [
        (signal.SIGTERM, 0, True),
        (signal.SIGTERM, runner.SI_KERNEL, False),
        (538_976_288, 899_754_240, False),
        (signal.SIGTERM, 899_754_240, False),
        (signal.SIGKILL, 0, False),
    ],
    ids=["outside", "terminal", "memory", "memory-like-a-signal", "not-asked-for"],
)
def test_signal_from_outside_a_container_is_passed_on(monkeypatch, number, code, passed):
    """A sender outside our process namespace has id 0, as the terminal has; only the terminal's stays here.

    What Python answers for a wait that was stopped and went on late is no signal; it is not sent to the training.
    """
    sent: list[int] = []
    info = SimpleNamespace(si_signo=number, si_pid=0, si_code=code)
    monkeypatch.setattr(runner.signal, "sigtimedwait", lambda numbers, wait_s: info)
    monkeypatch.setattr(runner.os, "kill", lambda pid, number: sent.append(number))
    monkeypatch.setattr(runner.os, "waitpid", lambda pid, options: (pid, 0))
    assert runner._Held({signal.SIGTERM}, set()).forward_until_exit(42, lambda number: True) == 0
    assert sent == ([signal.SIGTERM] if passed else [])


def _run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    """`sootprint run` of a command."""
    sootprint_ = str(Path(sys.executable).with_name("sootprint"))
    return subprocess.run(
        [sootprint_, "run", "--quiet", "--zone", "FR", "--", *command],
        capture_output=True,
        text=True,
        timeout=120,
        **more,  # type: ignore[call-overload]
    )


def test_exit_code_where_our_parent_ignores_the_end_of_children():
    """With an inherited ignored SIGCHLD the kernel would drop the code; it is passed on all the same."""
    ignore = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # noqa: E731
    assert _run(["sh", "-c", "exit 5"], preexec_fn=ignore).returncode == 5


def test_script_without_a_first_line_and_empty_command(tmp_path):
    """A script without #! is run by sh, as `env` does; an empty name is no program, and one line says so."""
    script = tmp_path / "train.sh"
    script.write_text('echo "got $1"\nexit 4\n')
    script.chmod(0o755)
    done = _run([str(script), "a b"])
    assert (done.returncode, done.stdout) == (4, "got a b\n")
    empty = _run([""])
    assert (empty.returncode, empty.stderr.count("\n")) == (127, 1)


def test_undecodable_name_is_recorded(own_home):
    """A name of bytes that are no text costs the name, not the run."""
    sootprint_ = str(Path(sys.executable).with_name("sootprint"))
    done = subprocess.run(
        [sootprint_, "run", "-q", "--name", b"\xff", "--", "true"], timeout=120, check=False
    )
    assert done.returncode == 0
    with Ledger(own_home) as ledger:
        (row,) = ledger.runs()
        assert json.loads(ledger.get(row.id).to_json())["energy_kwh"]["value"] > 0.0
