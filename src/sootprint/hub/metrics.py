"""Counts for Prometheus, in its text format (version 0.0.4)."""

from __future__ import annotations

import resource
import threading
from collections import Counter
from collections.abc import Iterator

from sootprint import __version__

BUCKETS_S = (0.005, 0.025, 0.1, 0.25, 1.0, 5.0)
_HELP = {
    "sootprint_hub_requests_total": "Requests by method, route and status.",
    "sootprint_hub_footprints_total": "Footprints of all batches by what became of them.",
}


class Metrics:
    """Counters of one process."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._spent_s: Counter[str] = Counter()
        self._below: Counter[tuple[str, float]] = Counter()
        self._lock = threading.Lock()

    def count(self, name: str, n: int = 1, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += n

    def request(self, method: str, route: str, *, status: int, duration_s: float) -> None:
        """Count a request with its duration [s]."""
        self.count("sootprint_hub_requests_total", method=method, route=route, status=str(status))
        with self._lock:
            self._spent_s[route] += duration_s  # type: ignore[assignment]
            self._below[route, float("inf")] += 1
            for limit_s in BUCKETS_S:
                self._below[route, limit_s] += duration_s <= limit_s

    def requests(self) -> int:
        """Requests that were counted."""
        with self._lock:
            return sum(n for (name, _), n in self._counts.items() if name == "sootprint_hub_requests_total")

    def text(self) -> str:
        """All of it as Prometheus reads it."""
        with self._lock:
            return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        named = ""
        for (name, labels), n in sorted(self._counts.items()):
            if name != named:
                yield from _head(name, "counter", _HELP[name])
                named = name
            yield f"{name}{_labels(labels)} {n}"
        yield from self._durations()
        used = resource.getrusage(resource.RUSAGE_SELF)
        yield from _head("process_cpu_seconds_total", "counter", "CPU time of this process.")
        yield f"process_cpu_seconds_total {used.ru_utime + used.ru_stime:.3f}"
        yield from _head("sootprint_hub_info", "gauge", "Version of the program.")
        yield f'sootprint_hub_info{{version="{__version__}"}} 1'

    def _durations(self) -> Iterator[str]:
        name = "sootprint_hub_request_seconds"
        yield from _head(name, "histogram", "Duration of requests by route.")
        for route, spent_s in sorted(self._spent_s.items()):
            for limit_s in (*BUCKETS_S, float("inf")):
                shown = "+Inf" if limit_s == float("inf") else f"{limit_s:g}"
                labels = _labels((("le", shown), ("route", route)))
                yield f"{name}_bucket{labels} {self._below[route, limit_s]}"
            yield f"{name}_sum{_labels((('route', route),))} {spent_s:.6f}"
            yield f"{name}_count{_labels((('route', route),))} {self._below[route, float('inf')]}"


def _head(name: str, kind: str, told: str) -> tuple[str, str]:
    return f"# HELP {name} {told}", f"# TYPE {name} {kind}"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    escaped = (
        (name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in labels
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
