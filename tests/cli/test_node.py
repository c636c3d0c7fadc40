"""`sootprint node`, as far as it needs no service."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import sootprint
from sootprint.cli.node import in_a_line


@pytest.mark.parametrize("question", [("status",), ("record", "4711"), ("jobs", "end", "4711")])
def test_absent_service_is_named_with_a_way_out(call, tmp_path: Path, question: tuple[str, ...]) -> None:
    """Where no socket is, the line tells where it was looked for, what starts one, and how another is named."""
    socket = tmp_path / "none.sock"
    result = call("node", *question, "--socket", socket)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert f"no node service at {socket}" in result.stderr
    assert "sootprint node serve" in result.stderr and "--socket" in result.stderr


def test_line_of_a_job_has_emissions_where_its_place_is_known() -> None:
    """10 h of 300 W are 3 kWh, at 100 g/kWh 0.3 kg; without a place the world's average is not told as theirs."""
    estimate = sootprint.estimate(power_w=300.0, hours=10.0, intensity=100.0)
    job = dataclasses.replace(estimate, name="job 4711", duration_s=36_000.0)
    assert in_a_line(job) == "job 4711  10 h  3.00 kWh (exact)"
    placed = dataclasses.replace(job, place=dataclasses.replace(job.place, zone="FR"))
    assert in_a_line(placed) == "job 4711  10 h  3.00 kWh (exact)  300 g (exact) CO2e in FR"
