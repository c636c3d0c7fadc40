"""The path that measures loads nothing of the sources over the network."""

from __future__ import annotations

import json
import subprocess
import sys

TRACK = """
import json, sys
import sootprint
with sootprint.track(zone="FR", quiet=True) as run:
    sum(range(10000))
print(json.dumps(sorted(sys.modules)))
"""
NETWORK = ("urllib.request", "http.client", "httpx", "ssl", "numpy", "rich", "typer")
LIVE = ("live", "fetch", "store", "chain", "keys", "mix", "energy_charts", "watttime")


def test_tracked_run_loads_no_source_of_the_network():
    """A run without `[grid]` has neither an HTTP client nor any module of the live sources in its process."""
    done = subprocess.run(
        [sys.executable, "-c", TRACK], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "sootprint.tracker.surroundings" in loaded
    assert (
        loaded & {*NETWORK, "sootprint.settings.grid", *(f"sootprint.intensity.{name}" for name in LIVE)}
        == set()
    )


def test_tracked_run_with_sources_asks_nobody(grid, own_home):
    """With `[grid]` the training's own process still asks nobody: hours are read after its end."""
    stated = f'[grid]\nsources = ["energy_charts"]\n[grid.energy_charts]\nurl = "{grid.address}"\n'
    own_home.joinpath("sootprint.toml").write_text(stated, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", TRACK], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded & {*NETWORK, "sootprint.intensity.live"} == set()
    assert grid.asked == []
