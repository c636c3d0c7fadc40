"""A record that is a part of something says so in every form."""

from __future__ import annotations

import dataclasses
import json

import pytest

from sootprint import report
from sootprint.core.quantity import Quantity
from sootprint.core.records import Stage
from sootprint.report import console

PARENT = "019c0000-0000-7000-8000-0000aaaa1111"


@pytest.fixture
def part(read):
    """A measured run that is part of another, on a machine that it shared, of a job on four nodes."""
    return dataclasses.replace(
        read("laptop"),
        parent=PARENT,
        run_group="pretrain-7",
        process_share=0.25,
        given={"node_shared": True, "run_group_nodes": 4, "run_group_node": 1},
        unallocated_kwh=Quantity(value=0.5, low=0.4, high=0.6),
    )


@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_every_form_tells_what_the_run_is_part_of(part, form):
    """The other run, the other nodes, the share of the machine and what nobody is charged with."""
    if form == "html":
        pytest.importorskip("altair")
    told = " ".join(report.render(part, form).split())
    for words in (
        "Part of run aaaa1111",
        "One of 4 nodes of job pretrain-7",
        "25 %",
        "no run is charged with: 500 Wh",
    ):
        assert words in told
    assert told.index("Part of run aaaa1111") < told.index("Where the energy went")


def test_json_names_the_other_run(part):
    """For programs it is the record's own fields."""
    told = json.loads(report.render(part, "json"))
    assert (told["parent"], told["given"]["node_shared"], told["process_share"]) == (PARENT, True, 0.25)


def test_the_short_form_after_a_run_tells_it_too(part):
    """Whoever reads only the summary at the end must not add it to the run around it."""
    from rich.console import Console

    terminal = Console(width=100, file=None, record=True, quiet=False)
    with terminal.capture() as seen:
        terminal.print(console.renderable(part, brief=True))
    assert "Part of run aaaa1111" in seen.get()


def test_a_run_alone_says_nothing_of_sharing(read, part):
    """Nor does a merged record of its nodes, nor a life cycle whose parent is a model."""
    assert "Shared and part of" not in report.render(read("laptop"), "text")
    merged = dataclasses.replace(part, parent=None, given={"merged": ["x"], "run_group_nodes": 4})
    assert "Shared and part of" not in report.render(merged, "text")
    cycle = dataclasses.replace(part, given={}, stages=(Stage(stage="pretrain"),))
    assert "Part of run" not in report.render(cycle, "text")
