"""What no measuring can go below: bare threads that wake as a run looks, each in a fresh process.

    python bench/bare.py [--repeats 5] [--seconds 10]

They do the least of a look in this Python, as often as a run of Sootprint in its second to eleventh second and, after
that, once a second. All stand side by side, and the median CPU time of the processes is printed [ms/s].
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from sootprint.tracker.sampler import Beat  # noqa: E402 - the folder above is not on the path of a script

DOES = {
    "wakes": "",
    "reads a counter": "r",
    "and writes it to a file": "rw",
    "as a line of JSON": "rwj",
    "once the files are seen to be ours": "rwjs",
}
AGES_S = {"second to eleventh second": 1.0, "one look a second": 11.0}  # age of the run at the begin [s]


def pauses(age_s: float, until_s: float) -> Iterator[float]:
    """Times between the looks of a run from one age to another, as a run of Sootprint takes them [s]."""
    beat = Beat(0.0, 1.0, is_dense=True)
    before_s = age_s
    while before_s < until_s:
        due_s = beat.due_s
        if due_s > age_s:
            yield due_s - before_s
            before_s = due_s
        beat.go_on(due_s)


def look(does: str, source: int, target: int) -> None:
    """The least of one look: the calls of the kernel, and one line of text."""
    if "s" in does:
        os.fstat(target)
    line = os.pread(source, 64, 0) if "r" in does else b""
    if "j" in does:
        at_s, energy_j = round(time.monotonic(), 5), int(line) / 1e6
        line = (
            f'{{"k":"tick","s":{at_s!r},"r":[[0,{at_s!r},{energy_j!r},null,null,0.0]],"miss":[]}}\n'.encode()
        )
    if "s" in does:
        os.fstat(source)
    if "w" in does:
        os.write(target, line)


def spent(does: str, age_s: float, seconds: float) -> float:
    """CPU time of this process while such a thread looks [ms/s]."""
    with tempfile.TemporaryDirectory(prefix="soot-") as folder:
        counter = Path(folder) / "energy_uj"
        counter.write_text("262083402216\n", encoding="ascii")
        source = os.open(counter, os.O_RDONLY)
        target = os.open(Path(folder) / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def body() -> None:
            due_s = time.monotonic()
            for pause_s in pauses(age_s, age_s + seconds):
                due_s += pause_s
                time.sleep(max(0.0, due_s - time.monotonic()))
                look(does, source, target)

        threading.Thread(target=body, daemon=True).start()
        time.sleep(0.01)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        time.sleep(seconds)
        return 1000.0 * (time.process_time() - cpu_s) / (time.perf_counter() - wall_s)


def medians(repeats: int, seconds: float) -> dict[str, dict[str, float]]:
    """CPU time by age of the run and by what the thread does; the processes stand side by side [ms/s]."""
    cases = [(age, does) for age in AGES_S for does in DOES]
    found: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
    for _ in range(repeats):
        started = {
            (age, does): subprocess.Popen(
                [sys.executable, __file__, "--one", DOES[does], str(AGES_S[age]), "--seconds", str(seconds)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for age, does in cases
        }
        for case, process in started.items():
            printed, _ = process.communicate()
            found[case].append(float(printed))
    return {age: {does: statistics.median(found[age, does]) for does in DOES} for age in AGES_S}


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args(given)
    if chosen.one:
        print(spent(chosen.one[0], float(chosen.one[1]), chosen.seconds))
        return
    if chosen.repeats < 1 or not 0.0 < chosen.seconds < math.inf:
        parser.error(f"--repeats {chosen.repeats} --seconds {chosen.seconds}: both must be above 0")
    told = medians(chosen.repeats, chosen.seconds)
    print(f"| a bare thread that [ms/s] | {' | '.join(told)} |")
    print(f"| --- |{' --- |' * len(told)}")
    for does in DOES:
        print(f"| {does} | {' | '.join(f'{told[age][does]:.2f}' for age in told)} |")


if __name__ == "__main__":
    main()
