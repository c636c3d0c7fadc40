"""`sootprint.track` in a real process: contexts, decorators, spans, and nothing that reaches the training."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import sootprint
import sootprint.tracker.assemble
from sootprint.ledger import Ledger
from sootprint.tracker.replay import journals, unfinished
from sootprint.tracker.run import _current
from sootprint.tracker.worker import Flag


def busy(duration_s: float) -> None:
    """Use a core for a while."""
    until = time.monotonic() + duration_s
    while time.monotonic() < until:
        pass


def test_context_gives_a_stored_footprint(own_home):
    """After the block the footprint is there, in the ledger too, and no journal is left."""
    begun_s = time.monotonic()
    with sootprint.track("one", zone="FR", pue=1.2, period="100ms", tags={"k": "v"}) as run:
        busy(0.4)
        assert run.footprint is None
    lasted_s = time.monotonic() - begun_s
    made = run.footprint
    assert made is not None
    assert (made.name, made.tags, made.place.country, made.pue.value) == ("one", {"k": "v"}, "FR", 1.2)
    assert made.energy_kwh.low < made.energy_kwh.value < made.energy_kwh.high
    assert made.emissions_kg.value == pytest.approx(
        made.energy_kwh.value * 1.2 * made.intensity_g_per_kwh.value / 1000.0, rel=1e-9
    )
    assert 0.4 <= made.duration_s < lasted_s + 0.001
    assert journals(own_home) == []
    with Ledger(own_home) as ledger:
        assert ledger.get("one") == made


def test_decorators_keep_the_functions_result_and_name():
    """A decorated function, plain, with settings or async, answers as before and is a run each time."""

    @sootprint.track
    def plain(x: int) -> int:
        return x + 1

    @sootprint.track("named", zone="FR")
    def named(x: int) -> int:
        return x + 2

    @sootprint.track(zone="FR")
    async def later(x: int) -> int:
        await asyncio.sleep(0.01)
        return x + 3

    assert (plain(1), named(1), asyncio.run(later(1))) == (2, 3, 4)
    assert plain.__name__ == "plain"


def test_decorated_generator_is_measured_until_its_end(own_home):
    """A generator is a run from its first value to its last, plain or async, and answers what it did before."""

    @sootprint.track(zone="FR")
    def batches():
        for number in range(2):
            busy(0.1)
            yield number
        return "done"

    @sootprint.track(zone="FR")
    async def streamed():
        for number in range(2):
            await asyncio.sleep(0.1)
            yield number

    async def collected() -> list[int]:
        return [number async for number in streamed()]

    def driven():
        return (yield from batches()), (yield from batches())

    made = driven()
    assert [next(made) for _ in range(4)] == [0, 1, 0, 1]
    with pytest.raises(StopIteration) as ended:
        next(made)
    assert ended.value.value == ("done", "done")
    assert asyncio.run(collected()) == [0, 1]
    with Ledger(own_home) as ledger:
        assert [row.name for row in ledger.runs()] == ["streamed", "batches", "batches"]
        assert all(row.duration_s > 0.15 for row in ledger.runs())


def test_decorated_async_generator_hears_its_caller(own_home):
    """What is sent or thrown reaches it, and its own end is in the run, as with a plain one."""
    ended: list[bool] = []

    @sootprint.track("echo", zone="FR")
    async def echo():
        heard: object = None
        try:
            while True:
                try:
                    heard = yield heard
                except KeyError as err:
                    heard = str(err)
        finally:
            ended.append(bool(_current.get()))

    async def asks() -> list[object]:
        values = echo()
        told = [await values.asend(None), await values.asend(1), await values.athrow(KeyError(2))]
        await values.aclose()
        return told

    async def fails() -> None:
        @sootprint.track("fails", zone="FR")
        async def one():
            yield 1
            raise LookupError("its own")

        with pytest.raises(LookupError, match="its own"):
            assert [value async for value in one()] == [1]

    assert asyncio.run(asks()) == [None, 1, "2"]
    assert ended == [True]
    asyncio.run(fails())
    with Ledger(own_home) as ledger:
        assert [row.name for row in ledger.runs()] == ["fails", "echo"]


def test_decorated_static_and_class_methods_stay_what_they_are():
    """The decorator may stand above or below those of the class."""

    class Trainer:
        @sootprint.track("static", zone="FR")
        @staticmethod
        def static(x: int) -> int:
            return x

        @sootprint.track("of class", zone="FR")
        @classmethod
        def of_class(cls, x: int) -> tuple[str, int]:
            return cls.__name__, x

        @sootprint.track
        @classmethod
        def bare(cls, x: int) -> tuple[str, int]:
            return cls.__name__, x

    assert Trainer().static(1) == Trainer.static(1) == 1
    assert Trainer().of_class(2) == Trainer.bare(2) == ("Trainer", 2)


def test_decorated_runs_are_stored_under_the_functions_name(own_home):
    """Two calls of one function are two runs of its name."""

    @sootprint.track(zone="FR")
    def fit() -> None:
        busy(0.05)

    fit()
    fit()
    with Ledger(own_home) as ledger:
        assert [row.name for row in ledger.runs()] == ["fit", "fit"]


def test_error_of_the_training_passes_and_the_run_is_kept(own_home):
    """An exception leaves the block as it came, and what was measured is stored."""
    with pytest.raises(ZeroDivisionError), sootprint.track("broken", zone="FR"):
        1 / 0  # noqa: B018
    with Ledger(own_home) as ledger:
        assert ledger.get("broken").name == "broken"


def test_spans_nest_and_overlap_and_metrics_make_a_curve():
    """Inner spans lie within outer ones, and a metric stands at the energy spent until then."""
    with sootprint.track("spans", zone="FR", period="100ms") as run:
        with run.span("outer"):
            busy(0.3)
            with run.span("inner"):
                busy(0.3)
            run.log("accuracy", 0.5)
        busy(0.2)
        run.log("accuracy", 0.75)
    made = run.footprint
    outer, inner = (next(span for span in made.spans if span.name == name) for name in ("outer", "inner"))
    assert outer.start < inner.start < inner.end <= outer.end
    assert 0.0 < inner.energy_kwh.value < outer.energy_kwh.value < made.energy_kwh.value
    assert [(point.metric, point.value) for point in made.curve] == [("accuracy", 0.5), ("accuracy", 0.75)]
    assert 0.0 < made.curve[0].energy_kwh < made.curve[1].energy_kwh <= made.energy_kwh.value


def test_results_are_kept_with_their_latest_value(caplog):
    """What the model reaches is in the record, as stated before and as told at the end; what is none is said once."""
    board = "Image Classification/ImageNet/Top-1 accuracy"
    known = {board: 50, "one/two": 1.0}
    with sootprint.track("r", zone="FR", period="100ms", model="Tiny-1", results=known) as run:
        run.result(board, 51.5)
        run.result("robustness:Translation/WMT/en-fr/BLEU", "27")  # type: ignore[arg-type]
        run.result("Image Classification/ImageNet:val/Top-1 accuracy", 52.0)
        run.result(board, float("nan"))
        run.result(board, None)  # type: ignore[arg-type]
    made = run.footprint
    assert made.model.name == "Tiny-1"
    told = [(one.kind, one.task, one.dataset, one.split, one.metric, one.value) for one in made.results]
    assert told == [
        ("quality", "Image Classification", "ImageNet", None, "Top-1 accuracy", 51.5),
        ("robustness", "Translation", "WMT/en-fr", None, "BLEU", 27.0),
        ("quality", "Image Classification", "ImageNet", "val", "Top-1 accuracy", 52.0),
    ]
    assert sum("not kept" in text for text in made.warnings) == 3
    assert "'one/two' is not TASK/DATASET[:SPLIT]/METRIC" in caplog.text


def test_value_that_is_no_number_is_warned_of(caplog):
    """Logging a text is one warning and no error."""
    with caplog.at_level(logging.WARNING, "sootprint"), sootprint.track("x", zone="FR") as run:
        run.log("loss", "high")  # type: ignore[arg-type]
        run.log("steps", 10**400)
    assert any("str is not a number" in record.message for record in caplog.records)
    assert any("log of steps: inf is not a number" in record.message for record in caplog.records)
    assert run.footprint.curve == ()


@pytest.mark.parametrize("wrong", [{"zone": "XX"}, {"pue": 0.8}, {"nonsense": 1}, {"period": "soon"}])
def test_wrong_setting_is_warned_of_and_the_run_measured(wrong, caplog):
    """A setting that cannot be used never stops the training; the warning names it, the others count."""
    with caplog.at_level(logging.WARNING, "sootprint"), sootprint.track("x", project="kept", **wrong) as run:
        busy(0.05)
    assert run.footprint is not None
    assert run.footprint.energy_kwh is not None
    assert run.footprint.project == "kept"
    said = " ".join(record.message for record in caplog.records) + " ".join(run.footprint.warnings)
    assert str(next(iter(wrong))) in said or str(next(iter(wrong.values()))) in said


class Wordless:
    """A value without a text."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "tree", ["/no\0where", "/no\ud800where", Wordless()], ids=["null", "half", "wordless"]
)
@pytest.mark.parametrize("name", ["sysfs", "procfs"])
def test_tree_that_no_file_can_have_costs_no_training(tree, name, monkeypatch):
    """The first look at its counters, in whichever thread, finds none and raises nothing."""
    ended: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: ended.append(told.exc_value))
    with sootprint.track("x", zone="FR", **{name: tree}) as run:
        busy(0.05)
    assert run.footprint is not None
    assert ended == []


def test_broken_configuration_file_does_not_stop_the_training(own_home, caplog):
    """A sootprint.toml that is no TOML is warned of."""
    (own_home / "sootprint.toml").write_text("zone = [[[")
    with caplog.at_level(logging.WARNING, "sootprint"), sootprint.track("x") as run:
        busy(0.05)
    assert run.footprint is not None
    assert any("TOML" in record.message for record in caplog.records)


def test_home_that_cannot_be_written_is_measured_in_memory(own_home, monkeypatch, caplog):
    """Where nothing can be stored the footprint is still there for the program."""
    blocked = own_home / "file"
    blocked.write_text("")
    monkeypatch.setenv("SOOTPRINT_HOME", str(blocked))
    with caplog.at_level(logging.WARNING, "sootprint"), sootprint.track("x", zone="FR") as run:
        busy(0.05)
    assert run.footprint is not None
    assert any("journal cannot be written" in record.message for record in caplog.records)


def test_home_that_is_made_is_its_owners_alone(own_home, monkeypatch):
    """No other user of the machine can read what was trained; a folder that is there stays as it is."""
    mask = os.umask(0o022)
    try:
        for home in (own_home / "new" / "home", own_home / "there"):
            monkeypatch.setenv("SOOTPRINT_HOME", str(home))
            own_home.joinpath("there").mkdir(exist_ok=True)
            with sootprint.track("x", zone="FR"):
                busy(0.05)
            assert home.joinpath("spool").is_dir()
    finally:
        os.umask(mask)
    assert own_home.joinpath("new", "home").stat().st_mode & 0o777 == 0o700
    assert own_home.joinpath("there").stat().st_mode & 0o777 == 0o755


def test_budget_warns_once_and_the_run_goes_on(caplog):
    """Above the budget one line is said, once, and kept in the record."""
    with (
        caplog.at_level(logging.WARNING, "sootprint"),
        sootprint.track("x", zone="PL", budget_kg=1e-9, period="50ms") as run,
    ):
        until = time.monotonic() + 60.0  # however slow the machine is
        while "budget" not in caplog.text and time.monotonic() < until:
            busy(0.05)
        busy(0.3)  # some more looks
    said = [record.message for record in caplog.records if "budget" in record.message]
    assert len(said) == 1
    assert any("budget" in text for text in run.footprint.warnings)


def test_second_start_and_stop_change_nothing():
    """Starting twice is one run, and a second stop answers the same footprint."""
    run = sootprint.track("x", zone="FR").start()
    identity = run.id
    assert run.start().id == identity
    assert run.stop() is run.stop()


def test_a_module_that_cannot_be_loaded_costs_no_training(own_home, monkeypatch):
    """As where the training took all files that may be open: the thread goes on, and says nothing of its own."""
    escaped = []
    monkeypatch.setattr(threading, "excepthook", escaped.append)

    monkeypatch.setitem(sys.modules, "sootprint.tracker.breakdown", None)
    with sootprint.track("without") as run:
        busy(0.3)
    assert not escaped
    assert run.footprint is not None


def test_start_after_the_end_is_warned_of(caplog):
    """A run that is used for a second block is not measured there, and says so."""
    run = sootprint.track("x", zone="FR")
    for _ in range(2):
        with run:
            busy(0.01)
    assert [text for text in caplog.messages if "is not measured again" in text]


def test_inner_run_names_its_parent():
    """A run within a run knows which one it is part of."""
    with sootprint.track("outer", zone="FR") as outer, sootprint.track("inner", zone="FR") as inner:
        busy(0.02)
    assert inner.footprint.parent == outer.id
    assert outer.footprint.parent is None


def script(body: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A program run by a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", body],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_run_left_open_is_stored_at_the_programs_end(own_home):
    """A program that ends without stop() keeps its run; so does one that ends by sys.exit in the block."""
    done = script(
        "import sootprint, time, sys; sootprint.track('open', zone='FR').start(); time.sleep(.2); sys.exit(3)"
    )
    assert done.returncode == 3, done.stderr
    with Ledger(own_home) as ledger:
        assert ledger.get("open").energy_kwh.value > 0.0


def test_forked_child_neither_stores_nor_ends_its_parents_run(own_home):
    """A child by fork that ends normally leaves one run, its parent's, with the parent's duration."""
    body = (
        "import os, sys, time, sootprint\n"
        "run = sootprint.track('parent', zone='FR').start(); time.sleep(.2)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    sys.exit(0)\n"
        "os.waitpid(pid, 0); time.sleep(.3); run.stop()\n"
    )
    done = script(body)
    assert done.returncode == 0, done.stderr
    with Ledger(own_home) as ledger:
        (row,) = ledger.runs()
        assert row.duration_s > 0.5


def test_killed_training_leaves_a_journal_to_recover(own_home):
    """A training killed by SIGKILL leaves one unfinished journal."""
    done = script(
        "import os, sootprint; run = sootprint.track('k', zone='FR').start()\n"
        "while run.so_far() is None: pass\n"
        "os.kill(os.getpid(), 9)"
    )
    assert done.returncode == -9
    assert len(unfinished(own_home)) == 1


def test_import_loads_no_third_party_module():
    """`import sootprint` loads itself and two or three modules of the standard library."""
    body = (
        "import sys; before = set(sys.modules); import sootprint\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    assert script(body).stdout.strip() == "['sootprint']"


def test_tracking_loads_no_heavy_module():
    """A run loads neither numpy nor a web client, a database, a terminal library or NVIDIA's module."""
    body = (
        "import sys, sootprint, time\nwith sootprint.track('x', zone='FR'): time.sleep(.3)\n"
        "heavy = {'numpy', 'httpx', 'rich', 'typer', 'sqlite3', 'pynvml', 'psutil', 'hashlib', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert script(body).stdout.strip() == "[]"


def test_hardware_of_the_settings_is_what_the_model_uses(own_home):
    """A [hardware.X] entry with this machine's processor name gives the rated power of the record."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)
    assert model is not None, "this kernel names no processor"
    entry = f'[hardware."{model}"]\nkind = "cpu"\nrated_power_w = 123.0\ncores = 64\n'
    (own_home / "sootprint.toml").write_text(entry)
    with sootprint.track("x", zone="FR") as run:
        busy(0.05)
    rated = [factor for factor in run.footprint.factors if factor.kind == "rated_power"]
    assert [(factor.value, factor.source) for factor in rated] == [(123.0, "settings of the user")]


def test_flag_ends_a_wait_at_once_and_stays_up():
    """A wait ends when the flag is raised, and every later one at once."""
    flag = Flag()
    assert not flag.wait(0.01)
    threading.Timer(0.05, flag.set).start()
    started_s = time.monotonic()
    assert flag.wait(60.0)
    assert time.monotonic() - started_s < 50.0
    flag.set()
    assert flag.wait(0.0)


def test_rank_that_ends_last_gives_the_record_of_its_job(own_home, monkeypatch):
    """The rank that wrote it has gone by then; the last one has no time of its own to tell of."""
    told = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "job"}
    for name, value in (told | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}).items():
        monkeypatch.setenv(name, value)
    ranks = []
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        ranks.append(sootprint.track(zone="FR", period="1m").start())
        while ranks[0].so_far() is None:
            pass
        while rank == "1" and ranks[1].so_far() is None:
            pass
    first, last = (run.stop() for run in ranks)
    assert first is not None
    assert last == first
    with Ledger(own_home) as ledger:
        assert [row.id for row in ledger.runs()] == [first.id]


def test_nudge_ends_one_wait_and_raises_no_flag():
    """A wait that goes on, or else the next one; a flag that is raised stays so."""
    flag = Flag()
    flag.nudge()
    flag.nudge()
    started_s = time.monotonic()
    assert not flag.wait(60.0)
    threading.Timer(0.05, flag.nudge).start()
    assert not flag.wait(60.0)
    assert time.monotonic() - started_s < 50.0
    assert not flag.wait(0.01)
    flag.nudge()
    flag.set()
    flag.nudge()
    assert flag.wait(60.0) and flag.wait(60.0)


def test_footprint_so_far_grows_while_the_run_goes_on(own_home):
    """It is of readings taken for it, is no record, and after the end is the run's own."""
    run = sootprint.track("asked", zone="FR", period="1m")
    assert run.so_far() is None
    with run:
        busy(0.2)
        first = run.so_far()
        busy(0.2)
        second = run.so_far()
        with Ledger(own_home) as ledger:
            assert ledger.runs() == []
    assert first.id == second.id == run.id
    assert 0.2 <= first.duration_s < second.duration_s <= run.footprint.duration_s
    assert 0.0 < first.energy_kwh.value < second.energy_kwh.value <= run.footprint.energy_kwh.value
    assert run.so_far() == run.footprint


def test_footprint_so_far_ends_with_the_forecast_of_now():
    """One of its first epoch, although no share of progress at which records keep one was reached."""
    with sootprint.track(zone="FR") as run:
        with run.span("epoch", total=1000):
            run.so_far()
            busy(0.2)
        made = run.so_far()
    assert made.forecasts[-1]["expected"] == "1000 epochs"
    assert made.forecasts[-1]["units"] == 1


def test_footprint_so_far_of_a_forked_child_is_none():
    """Its parent measures; it does not wait for an answer that never comes."""
    with sootprint.track(zone="FR") as run:
        run.so_far()
        child = os.fork()
        if child == 0:
            began = time.monotonic()
            os._exit(0 if run.so_far() is None and time.monotonic() - began < 30.0 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_run_of_another_thread_is_inside_of_the_one_that_is_named(own_home):
    """Threads share no context, so that it is said whose part it is."""
    with sootprint.track("outer", zone="FR") as outer:
        inner = sootprint.track("inner", zone="FR")
        thread = threading.Thread(target=lambda: (inner.start(inside=outer), inner.stop()))
        thread.start()
        thread.join()
    with Ledger(own_home) as ledger:
        assert {row.name: row.parent for row in ledger.runs()} == {"outer": None, "inner": outer.id}
