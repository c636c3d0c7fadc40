"""Real trainings that are paused and go on: to the last digit as if they had not been."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip(
    "torch", reason="PyTorch is not installed: `make test-frameworks` has an environment of its own"
)

import doc_examples
from sootprint.engines.book import PAUSED, Book, Plan, books, learned_s
from sootprint.ledger import Ledger
from sootprint.settings.targets import Target
from tests.fixtures import real_sshd

TRAININGS = Path(__file__).parent / "trainings"
LIMIT_S = 280.0
BATCHES = 8
FRAMEWORKS = {"light": "lightning", "hugging": "transformers,accelerate", "keras_fit": "keras"}
# A job of Slurm, in which Lightning takes SIGUSR1 for itself unless a plan drives the job.
SLURM = {
    f"SLURM_{name}": value
    for name, value in (
        ("JOB_ID", "1"),
        ("JOB_NAME", "light"),
        ("NTASKS", "1"),
        ("NNODES", "1"),
        ("PROCID", "0"),
        ("LOCALID", "0"),
        ("NODEID", "0"),
        ("NODELIST", "localhost"),
    )
}
Segment = tuple[str, str, list[str], dict[str, str]]


def environment() -> dict[str, str]:
    """Variables of a training."""
    kept = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "SOOTPRINT_STRICT")}
    return kept | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "SOOTPRINT_ZONE": "FR"}


def segment(folder: Path, training: str, *arguments: object, resume: bool = False, **environ: str) -> Segment:
    """One start of a training."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"SOOTPRINT_RESUME": "1"} if resume else {}
    return str(folder), training, [str(one) for one in arguments], environ | told


def codes(framework: str, *groups: list[Segment]) -> list[list[int]]:
    """Exit codes of segments; those of one group run side by side."""
    command = [sys.executable, str(TRAININGS / "forked.py"), framework, json.dumps(groups)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=LIMIT_S)
    sys.stderr.write(done.stderr)
    assert done.returncode == 0
    return json.loads(done.stdout.splitlines()[-1])


def lines(folder: Path, name: str = "losses") -> list[str]:
    """What the segments wrote."""
    return folder.joinpath(name).read_text().splitlines()


def spans(folder: Path) -> list[str]:
    """Spans in the record of the last segment."""
    return json.loads(folder.joinpath("spans").read_text())


def test_plain_training_paused_twice_and_moved_once(tmp_path: Path) -> None:
    """In the middle of an epoch, moved by copying its checkpoint, and at the end of one; with loader processes."""
    whole, first, second = (tmp_path / name for name in ("whole", "first", "second"))
    given = {"WORKERS": "1"}
    started = [segment(whole, "plain", 3, **given), segment(first, "plain", 3, PAUSES="5", **given)]
    assert codes("torch", started) == [[0, PAUSED]]
    second.mkdir()
    for name in ("pause.pt", "losses"):
        shutil.copy(first / name, second / name)
    shutil.rmtree(first)
    again = [segment(second, "plain", 3, PAUSES="16", resume=True, **given)]
    assert codes("torch", again, [segment(second, "plain", 3, resume=True, **given)]) == [[PAUSED], [0]]
    assert lines(second) == lines(whole)
    assert len(lines(whole)) == 3 * (BATCHES + 1)
    assert spans(whole) == ["epoch", "evaluation"] * 3
    assert spans(second) == ["restore", "epoch", "evaluation"]


@pytest.mark.parametrize("training", FRAMEWORKS)
def test_framework_paused_once_has_the_same_losses(training: str, tmp_path: Path) -> None:
    """In the middle of an epoch; each step after the resume has the loss that it has without a pause."""
    whole, paused = tmp_path / "whole", tmp_path / "paused"
    slurm = SLURM | {"SOOTPRINT_PLAN_READY": str(tmp_path / "ready")} if training == "light" else {}
    started = [segment(whole, training, 2), segment(paused, training, 2, PAUSES="5", **slurm)]
    assert codes(FRAMEWORKS[training], started, [segment(paused, training, 2, resume=True)]) == [
        [0, PAUSED],
        [0],
    ]
    assert lines(paused) == lines(whole)
    assert len(lines(whole)) == 2 * BATCHES
    assert spans(whole) == ["epoch", "evaluation"] * 2
    assert spans(paused)[-4:] == ["epoch", "evaluation"] * 2


def test_ranks_follow_rank_0(tmp_path: Path) -> None:
    """SIGUSR1 to one of two: both save at the same step, end with 75, and go on with the losses of each rank."""

    def both(name: str, meeting: int, **given: object) -> list[Segment]:
        return [
            segment(tmp_path / name, "ranks", rank, tmp_path / f"meeting {meeting}", **given)
            for rank in (0, 1)
        ]

    groups = both("whole", 1), both("paused", 2, PAUSES="10"), both("paused", 3, resume=True)
    assert codes("torch", *groups) == [[0, 0], [PAUSED, PAUSED], [0, 0]]
    assert below_torchrun(tmp_path / "launched", PAUSES="3", STEP_S="0.3") == PAUSED
    assert codes("torch", both("launched", 4, resume=True)) == [[0, 0]]
    for rank in (0, 1):
        files = [lines(tmp_path / name, f"losses {rank}") for name in ("whole", "paused", "launched")]
        assert files[0] == files[1] == files[2]
        assert len(files[0]) == 3 * BATCHES


def below_torchrun(folder: Path, **environ: str) -> int:
    """Exit code of the launcher, which is asked to pause and passes that on."""
    folder.mkdir()
    options = ["--standalone", "--nproc-per-node", "2", str(TRAININGS / "ranks.py")]
    command = [sys.executable, "-m", "sootprint.callbacks.torchrun", *options]
    env = environment() | environ
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S)
    sys.stderr.write(done.stderr)
    return done.returncode


def test_page_of_the_documents_runs(tmp_path: Path) -> None:
    """The plain training of the how-to guide, as it stands there."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "pause-a-training.md"
    (block,) = [one for one in doc_examples.examples(page.read_text(encoding="utf-8")) if one.file]
    tmp_path.joinpath("train.py").write_text(block.text)
    done = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, env=environment(), timeout=LIMIT_S)
    assert done.returncode == 0


def test_kill_in_the_middle_of_a_save_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    """The second save is killed after half of its bytes; the third start finds what the first one saved."""
    resumed = [segment(tmp_path, "killed", resume=True)]
    assert codes("torch", [segment(tmp_path, "killed")], resumed, resumed) == [[0], [-9], [-9]]
    assert lines(tmp_path) == ["[1]", "[2]", "[2]"]


@pytest.fixture(scope="module")
def planned(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, list[str], subprocess.Popen[str]]]:
    """A training under `sootprint run --deadline --pausable`, begun before the other tests."""
    folder = tmp_path_factory.mktemp("planned")
    first = datetime.now(UTC).replace(microsecond=0)
    grid = [50.0] * 4 + [500.0] * 40 + [50.0] * 400
    rows = [f"{(first + timedelta(seconds=at)).isoformat()},{value}\n" for at, value in enumerate(grid)]
    folder.joinpath("trace.csv").write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
    command = [sys.executable, str(TRAININGS / "plain.py"), "3"]
    options = ["--deadline", "400s", "--expect", "40s", "--pausable", "--quiet", "--trace", "trace.csv"]
    env = environment() | {"SOOTPRINT_HOME": str(folder / "home"), "STEP_S": "1"}
    env["SOOTPRINT_RUNTIME_DIR"] = str(folder / "run")
    running = subprocess.Popen(
        [sys.executable, "-m", "sootprint", "run", *options, "--", *command],
        cwd=folder,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield folder, command, running
    running.kill()
    running.communicate()


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[str] | None]]:
    """A training that may run on two machines behind ssh, begun before the other tests; None where no sshd is."""
    folder = tmp_path_factory.mktemp("moved")
    if real_sshd.missing():
        yield folder, None
        return
    with real_sshd.sshd(folder / "one") as one, real_sshd.sshd(folder / "other") as other:
        targets = [place(folder, "a", one), place(folder, "b", other)]
        (folder / "here").mkdir()
        plan = Plan(
            id="p",
            command=(sys.executable, str(TRAININGS / "plain.py"), "3"),
            cwd=str(folder / "here"),
            arguments=("--tag", "plan=p"),
            deadline_s=time.time() + 1000.0,
            expect_s=60.0,
            pausable=True,
            targets=tuple(target.as_table() for target in targets),
            carry=("pause.pt", "losses"),
        )
        Book.begin(folder / "home", plan).release()
        env = environment() | {
            "SOOTPRINT_HOME": str(folder / "home"),
            "SOOTPRINT_RUNTIME_DIR": str(folder / "run"),
        }
        arguments = [str(folder / "home" / "plans" / "p"), str(folder / "a"), str(folder / "b")]
        running = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("moving.py")), *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        yield folder, running
        running.kill()
        running.communicate()


def place(folder: Path, name: str, server: real_sshd.Sshd) -> Target:
    """A machine behind ssh, with a home and a folder of its own."""
    (folder / name).mkdir()
    given = {"SOOTPRINT_HOME": f"{folder}/home-{name}", "SOOTPRINT_RUNTIME_DIR": f"{folder}/run-{name}"}
    given |= {"HOLDS": "5,11,18", "OMP_NUM_THREADS": "1"}
    return Target(
        name=name,
        zone={"a": "FR", "b": "SE"}[name],
        engine="ssh",
        host=server.host,
        ssh_config=str(server.config),
        workdir=str(folder / name),
        python=sys.executable,
        setup="export " + " ".join(f"{key}={value}" for key, value in given.items()),
    )


@pytest.fixture(autouse=True)
def _begun(planned: object, moved: object) -> None:
    """The planned trainings run beside all tests."""


def test_training_paused_twice_and_moved_once_by_its_grid(
    moved: tuple[Path, subprocess.Popen[str] | None], tmp_path: Path
) -> None:
    """From one sshd to another: the runner pauses it in each and moves it; its losses are those of a run at once."""
    folder, running = moved
    if running is None:
        pytest.skip(real_sshd.missing() or "")
    said = running.communicate(timeout=LIMIT_S)[1]
    assert running.returncode == 0, said
    state = Book(folder / "home" / "plans" / "p").state()
    ended = [(one.target, one.code, one.resume) for one in state.segments]
    assert ended == [
        ("a", PAUSED, False),
        ("a", PAUSED, True),
        ("b", PAUSED, True),
        ("b", 0, True),
    ], said
    assert [(one.source, one.target) for one in state.carried] == [("", "a"), ("a", "b"), ("b", "")]
    assert codes("torch", [segment(tmp_path, "plain", 3)]) == [[0]]
    assert lines(folder / "here") == lines(tmp_path)
    assert len(lines(tmp_path)) == 3 * (BATCHES + 1)
    with Ledger(folder / "home") as ledger:
        zones = [ledger.get(row.id).place.zone for row in reversed(ledger.runs()) if "target" in row.tags]
    assert zones == ["FR", "FR", "SE", "SE"]


def test_planned_training_is_paused_by_its_grid(
    planned: tuple[Path, list[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    """The runner pauses it in the dirty seconds; the losses are those of a run at once, and the pause has a price."""
    folder, command, running = planned
    said = running.communicate(timeout=LIMIT_S)[1]
    assert running.returncode == 0, said
    (book,) = books(folder / "home")
    state = book.state()
    ended = [one.code for one in state.segments]
    assert ended == [*[PAUSED] * (len(ended) - 1), 0]
    assert len(ended) >= 2, said
    assert codes("torch", [segment(tmp_path, "plain", 3)]) == [[0]]
    assert lines(folder) == lines(tmp_path)
    assert 0.0 < state.resume_s < LIMIT_S
    assert learned_s(folder / "home", command, str(folder)) == state.resume_s
