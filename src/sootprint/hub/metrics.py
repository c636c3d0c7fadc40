"""Counts for Prometheus, in its text format (version 0.0.4), summed over the processes of a hub."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sootprint import __version__
from sootprint.core import files

BUCKETS_S = (0.005, 0.025, 0.1, 0.25, 1.0, 5.0)
EVERY_S = 1.0  # after which other processes know of what this one counted
_WHOLE = float("inf")
_HELP = {
    "sootprint_hub_requests_total": "Requests by method, route and status.",
    "sootprint_hub_footprints_total": "Footprints of all batches by what became of them.",
}


@dataclass(slots=True)
class Counts:
    """What processes counted.

    Args:
        counts: Counters by name and labels.
        spent_s: Duration of all requests of a route [s].
        below: Requests of a route that took a time or less.
        cpu_s: CPU time [s].
    """

    counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=Counter)
    spent_s: Counter[str] = field(default_factory=Counter)
    below: Counter[tuple[str, float]] = field(default_factory=Counter)
    cpu_s: float = 0.0

    def add(self, other: Counts) -> None:
        """Add what another process counted."""
        self.counts.update(other.counts)
        self.spent_s.update(other.spent_s)
        self.below.update(other.below)
        self.cpu_s += other.cpu_s


class Metrics:
    """Counters of one process, and where it has them beside those of others.

    Args:
        folder: Where each process of this hub keeps its counts; None for a hub of one process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._mine, self._lock = Counts(), threading.Lock()
        self._folder = folder
        self._place = None if folder is None else folder / f"{os.getpid()}-{time.time_ns()}.json"
        if folder is not None:
            threading.Thread(target=self._keep_up, daemon=True).start()

    def count(self, name: str, n: int = 1, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._mine.counts[name, tuple(sorted(labels.items()))] += n

    def request(self, method: str, route: str, *, status: int, duration_s: float) -> None:
        """Count a request with its duration [s]."""
        self.count("sootprint_hub_requests_total", method=method, route=route, status=str(status))
        with self._lock:
            self._mine.spent_s[route] += duration_s  # type: ignore[assignment]
            self._mine.below[route, _WHOLE] += 1
            for limit_s in BUCKETS_S:
                self._mine.below[route, limit_s] += duration_s <= limit_s

    def requests(self) -> int:
        """Requests that this process counted."""
        with self._lock:
            return sum(
                n for (name, _), n in self._mine.counts.items() if name == "sootprint_hub_requests_total"
            )

    def text(self) -> str:
        """All of it as Prometheus reads it, with what the other processes counted until a second ago.

        This process keeps its counts first, so that no later sum of any process is less: Prometheus would take that
        for a start from 0.
        """
        whole = self._keep()
        if self._folder is not None:
            for path in sorted(self._folder.glob("*.json")):
                if path != self._place:
                    with contextlib.suppress(OSError):
                        whole.add(_read(path.read_text(encoding="utf-8")))
        return "\n".join(_lines(whole)) + "\n"

    def _keep(self) -> Counts:
        """Counts of this process, which are kept for the others."""
        with self._lock:
            used = resource.getrusage(resource.RUSAGE_SELF)
            self._mine.cpu_s = used.ru_utime + used.ru_stime
            now = Counts()
            now.add(self._mine)
            if self._place is not None:
                with contextlib.suppress(OSError):  # a full disk: the others know what was kept last
                    files.put(self._place, _written(now).encode())
        return now

    def _keep_up(self) -> None:
        """Keep the counts each second until this process ends."""
        while True:
            self._keep()
            time.sleep(EVERY_S)


def _written(counts: Counts) -> str:
    below = [
        [route, None if limit_s == _WHOLE else limit_s, n] for (route, limit_s), n in counts.below.items()
    ]
    told = [[name, labels, n] for (name, labels), n in counts.counts.items()]
    return json.dumps({"counts": told, "spent_s": counts.spent_s, "below": below, "cpu_s": counts.cpu_s})


def _read(text: str) -> Counts:
    given: dict[str, Any] = json.loads(text)
    return Counts(
        counts=Counter(
            {(name, tuple((key, value) for key, value in labels)): n for name, labels, n in given["counts"]}
        ),
        spent_s=Counter(given["spent_s"]),
        below=Counter({(route, _WHOLE if end is None else end): n for route, end, n in given["below"]}),
        cpu_s=given["cpu_s"],
    )


def _lines(whole: Counts) -> Iterator[str]:
    named = ""
    for (name, labels), n in sorted(whole.counts.items()):
        if name != named:
            yield from _head(name, "counter", _HELP[name])
            named = name
        yield f"{name}{_labels(labels)} {n}"
    yield from _durations(whole)
    yield from _head("process_cpu_seconds_total", "counter", "CPU time of the hub's processes.")
    yield f"process_cpu_seconds_total {whole.cpu_s:.3f}"
    yield from _head("sootprint_hub_info", "gauge", "Version of the program.")
    yield f'sootprint_hub_info{{version="{__version__}"}} 1'


def _durations(whole: Counts) -> Iterator[str]:
    name = "sootprint_hub_request_seconds"
    yield from _head(name, "histogram", "Duration of requests by route.")
    for route, spent_s in sorted(whole.spent_s.items()):
        for limit_s in (*BUCKETS_S, _WHOLE):
            shown = "+Inf" if limit_s == _WHOLE else f"{limit_s:g}"
            labels = _labels((("le", shown), ("route", route)))
            yield f"{name}_bucket{labels} {whole.below[route, limit_s]}"
        yield f"{name}_sum{_labels((('route', route),))} {spent_s:.6f}"
        yield f"{name}_count{_labels((('route', route),))} {whole.below[route, _WHOLE]}"


def _head(name: str, kind: str, told: str) -> tuple[str, str]:
    return f"# HELP {name} {told}", f"# TYPE {name} {kind}"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    escaped = (
        (name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in labels
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
