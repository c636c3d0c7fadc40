"""`sootprint tune` on a real small training, against a fake powercap tree of constant power."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import FIXTURES, SOOTPRINT, environment

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="sootprint run needs Linux"),
    # joules in real time: a machine that is busy in one slice and not in the next hides a difference
    pytest.mark.flaky(reruns=2),
]
# A linear classifier by gradient descent: the same samples cost less in larger batches, for there are fewer steps.
TRAINING = """
import os, sys, time
import numpy as np
import sootprint
size = int(os.environ["TUNE_BATCH_SIZE"])
assert sys.argv[1] == f"--batch-size={size}", sys.argv
if size > 1000:
    raise SystemExit("out of memory")
rng = np.random.default_rng(0)
x, w = rng.normal(size=(8192, 64)), np.zeros(64)
y = (x @ rng.normal(size=64) > 0) * 1.0
with sootprint.track("training") as run:
    for epoch in range(1, 4):
        for start in range(0, len(x), size):
            part = slice(start, start + size)
            w += 0.1 * x[part].T @ (y[part] - 1 / (1 + np.exp(-x[part] @ w))) / size
            time.sleep(0.015)  # a step's fixed cost, whatever the load of the machine
        run.log("samples", epoch * len(x))
        run.log("accuracy", float(np.mean((x @ w > 0) == y)))
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment with a home and a powercap tree of 60 W of their own."""
    tree = tmp_path / "sys" / "class" / "powercap"
    tree.mkdir(parents=True)
    command = [
        sys.executable,
        str(FIXTURES / "fake_powercap.py"),
        str(tree),
        "--base-w",
        "60",
        "--seconds",
        "120",
    ]
    moving = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    tmp_path.joinpath("train.py").write_text(TRAINING, encoding="utf-8")
    try:
        yield environment(tmp_path / "home", SOOTPRINT_SYSFS=str(tmp_path / "sys"), SOOTPRINT_ZONE="FR")
    finally:
        moving.kill()
        moving.wait()


def _tune(*options: str) -> list[str]:
    return [SOOTPRINT, "tune", *options, "--", sys.executable, "train.py", "--batch-size={batch_size}"]


def test_tuning_finds_what_needs_less_and_goes_on_after_a_kill(machine, tmp_path: Path) -> None:
    """Batches of 512 win over 128, one that fails is named, and a killed tuning measures nothing twice."""
    options = ["--batch-sizes", "128,512,2048", "--rounds", "3", "--slice", "40s", "--json"]
    first = subprocess.Popen(
        _tune(*options), env=machine, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    state = _first_slice(tmp_path)
    before = state.read_text(encoding="utf-8").splitlines()[0]
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    done = subprocess.run(
        _tune(*options), env=machine, cwd=tmp_path, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    lines = state.read_text(encoding="utf-8").splitlines()
    assert lines[0] == before and len(lines) == 7  # two settings three times, and one that failed once
    told = json.loads(done.stdout)
    assert told["best"] == {"batch_size": "512"}
    assert "out of memory" in told["settings"][2]["failed"]
    cheap, dear = (told["settings"][at]["joules_per_sample"]["value"] for at in (1, 0))
    assert cheap < 0.5 * dear
    assert told["settings"][1]["change"]["high"] < 0 < told["settings"][1]["joules_per_quality"]["value"]
    again = subprocess.run(
        _tune(*options[:-1]), env=machine, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert "512 needs" in again.stdout and "slice" not in again.stderr


def _first_slice(folder: Path) -> Path:
    until_s = time.monotonic() + 60.0
    while time.monotonic() < until_s:
        for path in (folder / "home" / "tune").glob("*/slices.jsonl"):
            with contextlib.suppress(OSError):
                if "\n" in path.read_text(encoding="utf-8"):
                    return path
        time.sleep(0.05)
    raise AssertionError("no slice was measured")
