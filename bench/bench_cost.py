"""What measuring costs the process that is measured: medians over fresh processes, into bench/results.

    python bench/bench_cost.py [--repeats 11] [--side-by-side 1]

CPU times stand even on a busy machine; wall times do not: run it on a quiet one before quoting them.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.fixtures import fake_devices  # noqa: E402 - the folder above is not on the path of a script

RESULTS = ROOT / "bench" / "results"
FIXTURES = ROOT / "tests" / "fixtures"
PROBE = ROOT / "bench" / "probe.py"
LEAST_REPEATS = 11


class Case(NamedTuple):
    """One thing to measure: the probe, the fake devices around it, and what it may cost."""

    name: str
    probe: str
    devices: str
    limits: Mapping[str, float]


CASES = (
    Case("import sootprint", "import", "none", {"wall_ms": 30.0}),
    Case("first run of a process", "fresh", "cpu", {"start_ms": 40.0, "stop_ms": 40.0}),
    Case("later run of a process", "warm", "cpu", {"start_ms": 20.0, "stop_ms": 20.0}),
    Case("sample, CPU meters", "sample", "cpu", {"cpu_ms": 0.5, "memory_mb": 8.0}),
    Case("sample, 8 GPUs with a counter", "sample", "counters", {"cpu_ms": 1.0, "memory_mb": 8.0}),
    Case("sample, 8 GPUs with power only", "sample", "powers", {}),
    Case("sample, CPU meters, numpy loaded before", "sample numpy", "cpu", {"cpu_ms": 0.5, "memory_mb": 8.0}),
    Case(
        "sample, 8 GPUs with a counter, numpy loaded before",
        "sample numpy",
        "counters",
        {"cpu_ms": 1.0, "memory_mb": 8.0},
    ),
    Case("first run, 8 GPUs with a counter", "fresh", "counters", {"start_ms": 40.0, "stop_ms": 40.0}),
)


@contextlib.contextmanager
def _devices(folder: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Environment of each kind of fake device; the fake powercap tree advances meanwhile."""
    tree = folder / "sys" / "class" / "powercap"
    tree.mkdir(parents=True)
    (folder / "bare").mkdir()
    cpu = {"SOOTPRINT_SYSFS": str(folder / "sys")}
    nvml = {
        "LD_LIBRARY_PATH": str(fake_devices.build_nvml(folder)),
        "FAKE_NVML_COUNT": "8",
        "FAKE_NVML_WAVE": "sine",
    }
    nvml |= {"FAKE_NVML_BASE_MW": "250000", "FAKE_NVML_AMP_MW": "100000", "FAKE_NVML_LIMIT_MW": "700000"}
    fake = [sys.executable, str(FIXTURES / "fake_powercap.py"), str(tree)]
    process = subprocess.Popen(
        [*fake, "--packages", "2", "--tick", "0.2", "--in-place", "--seconds", "36000"],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield {
            "none": {},
            "cpu": cpu,
            "counters": cpu | nvml,
            "powers": cpu | nvml | {"FAKE_NVML_NO_ENERGY": "1"},
        }
    finally:
        process.kill()
        process.wait()


def _probed(probe: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What one fresh process measured, in a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOOTPRINT_")}
    with tempfile.TemporaryDirectory(prefix="soot-") as home:
        own = {"SOOTPRINT_HOME": f"{home}/home", "SOOTPRINT_RUNTIME_DIR": f"{home}/run"}
        done = subprocess.run(
            [sys.executable, str(PROBE), *probe.split()],
            env=kept | own | environ,
            cwd=home,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _summed(rows: Sequence[Mapping[str, Any]], limits: Mapping[str, float]) -> dict[str, Any]:
    """Median, quartiles and limit of each number, and what else was seen."""
    summary: dict[str, Any] = {}
    for name, first in rows[0].items():
        values = [row[name] for row in rows]
        if isinstance(first, list):
            summary[name] = sorted({item for value in values for item in value})
            continue
        low, median, high = statistics.quantiles(values, n=4)
        summary[name] = {"median": median, "quartiles": [low, high], "limit": limits.get(name)}
    return summary


def measure(repeats: int, side_by_side: int) -> dict[str, Any]:
    """Figures of every case, by name.

    Args:
        repeats: Fresh processes for each case.
        side_by_side: Processes at a time; more than one only where CPU times are wanted.
    """
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="soot-") as folder, _devices(Path(folder)) as devices:
        for case in CASES:
            environ = devices[case.devices]
            with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
                rows = list(pool.map(lambda _, e=environ, p=case.probe: _probed(p, e), range(repeats)))
            figures[case.name] = _summed(rows, case.limits)
            print(f"  {case.name}: {_short(figures[case.name])}", flush=True)
    return figures


def _short(figures: Mapping[str, Any]) -> str:
    parts = []
    for name, figure in figures.items():
        if isinstance(figure, list):
            parts.append(f"{name} {', '.join(figure) or 'none'}")
        else:
            limit = "" if figure["limit"] is None else f" (at most {figure['limit']:g})"
            parts.append(f"{name} {figure['median']:.3g}{limit}")
    return "; ".join(parts)


def _machine() -> dict[str, Any]:
    """What the figures depend on; no name of the machine."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cores": os.cpu_count(),
        "cpu": model,
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load_1_min": os.getloadavg()[0],
        "python": platform.python_version(),
        "sootprint": version("sootprint"),
        "psutil": version("psutil"),
        "nvidia-ml-py": version("nvidia-ml-py"),
    }


def _page(report: Mapping[str, Any]) -> str:
    machine = report["machine"]
    rows = [
        f"| {case} | {name} | {figure['median']:.3g} | {figure['quartiles'][0]:.3g}-{figure['quartiles'][1]:.3g} | "
        f"{'' if figure['limit'] is None else format(figure['limit'], 'g')} |"
        for case, figures in report["figures"].items()
        for name, figure in figures.items()
        if isinstance(figure, dict)
    ]
    lists = [
        f"- {case}, {name}: {', '.join(figure) or 'none'}"
        for case, figures in report["figures"].items()
        for name, figure in figures.items()
        if isinstance(figure, list)
    ]
    return "\n".join(
        [
            "# What measuring costs",
            "",
            f"{report['date']}, medians of {report['repeats']} fresh processes, {report['side_by_side']} at a time; "
            f"{machine['cores']} cores of {machine['cpu']}, {machine['system']}, load {machine['load_1_min']:.1f}, "
            f"Python {machine['python']}, Sootprint {machine['sootprint']}. The GPUs are a fake library.",
            "",
            "| case | figure | median | quartiles | limit |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            *lists,
            "",
        ]
    )


def main() -> None:
    """Measure, print, and write the two result files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=LEAST_REPEATS)
    parser.add_argument("--side-by-side", type=int, default=1)
    chosen = parser.parse_args()
    if chosen.repeats < LEAST_REPEATS:
        parser.error(f"--repeats {chosen.repeats}: a median wants at least {LEAST_REPEATS}")
    report = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "repeats": chosen.repeats,
        "side_by_side": chosen.side_by_side,
        "machine": _machine(),
        "figures": measure(chosen.repeats, chosen.side_by_side),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"cost-{report['date']}.json"
    file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    file.with_suffix(".md").write_text(_page(report), encoding="utf-8")
    print(f"written: {file.relative_to(ROOT)} and {file.with_suffix('.md').name}")


if __name__ == "__main__":
    main()
