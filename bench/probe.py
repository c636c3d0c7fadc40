"""One measurement in a fresh process: `python probe.py WHAT [MODULE ...]` prints one JSON object.

Only `sys` and `time`, which every interpreter has loaded, are imported before the clock starts.
"""

import sys
import time


def _memory_mb() -> float:
    """Resident memory of this process [MB]."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib would be loaded for it
        return next(float(line.split()[1]) * 1.024e-3 for line in status if line.startswith("VmRSS"))


def _third_party() -> list[str]:
    """Top-level modules that were loaded from site-packages."""
    named = {
        name.partition(".")[0]: getattr(module, "__file__", None) for name, module in sys.modules.items()
    }
    return sorted(name for name, file in named.items() if file and "site-packages" in file)


def _import() -> dict[str, object]:
    before_mb, before = _memory_mb(), _third_party()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    import sootprint

    wall_ms, cpu_ms = 1000 * (time.perf_counter() - wall_s), 1000 * (time.process_time() - cpu_s)
    loaded = sorted({*_third_party()} - {*before, sootprint.__name__})
    return {
        "wall_ms": wall_ms,
        "cpu_ms": cpu_ms,
        "memory_mb": _memory_mb() - before_mb,
        "third_party": loaded,
    }


def _cycle(run: object) -> dict[str, float]:
    """Wall and CPU time of one start and one stop, two samples apart [ms]."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    run.start()  # type: ignore[attr-defined]
    start_ms, start_cpu_ms = 1000 * (time.perf_counter() - wall_s), 1000 * (time.process_time() - cpu_s)
    time.sleep(1.5)
    settle_cpu_ms = 1000 * (time.process_time() - cpu_s) - start_cpu_ms
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    run.stop()  # type: ignore[attr-defined]
    stop_ms, stop_cpu_ms = 1000 * (time.perf_counter() - wall_s), 1000 * (time.process_time() - cpu_s)
    assert run.footprint is not None, "no footprint was made"  # type: ignore[attr-defined]
    return {
        "start_ms": start_ms,
        "start_cpu_ms": start_cpu_ms,
        "next_1.5_s_cpu_ms": settle_cpu_ms,
        "stop_ms": stop_ms,
        "stop_cpu_ms": stop_cpu_ms,
    }


def _fresh() -> dict[str, float]:
    import sootprint

    return _cycle(sootprint.track("bench", zone="FR"))


def _warm() -> dict[str, float]:
    import sootprint

    _cycle(sootprint.track("bench", zone="FR"))
    return _cycle(sootprint.track("bench", zone="FR"))


def _sample() -> dict[str, object]:
    settle_s, samples = 11.0, 10  # a run of less than 10 s is looked at more often
    alone_s = time.process_time()
    time.sleep(1.0)
    alone_ms = 1000 * (time.process_time() - alone_s)
    for name in sys.argv[2:]:  # what a training has loaded anyway
        __import__(name)
    before_mb = _memory_mb()
    import sootprint

    with sootprint.track("bench", zone="FR", period_s=1.0) as run:
        time.sleep(settle_s)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        time.sleep(samples)
        cpu_ms = 1000 * (time.process_time() - cpu_s)
        taken = time.perf_counter() - wall_s
        added_mb = _memory_mb() - before_mb
    assert run.footprint is not None, "no footprint was made"
    meters = sorted({part.meter for part in run.footprint.components})
    return {"cpu_ms": cpu_ms / taken - alone_ms, "memory_mb": added_mb, "meters": meters}


def main() -> None:
    """Measure what was asked for and print it."""
    probes = {"import": _import, "fresh": _fresh, "warm": _warm, "sample": _sample}
    result = probes[sys.argv[1]]()
    import json

    print(json.dumps(result))


if __name__ == "__main__":
    main()
