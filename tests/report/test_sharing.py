"""A record that is a part of something says so in every form."""

from __future__ import annotations

import dataclasses
import json

import pytest

from sootprint import report
from sootprint.core.quantity import Quantity
from sootprint.core.records import Stage
from sootprint.ledger.rows import RunRow, with_wholes
from sootprint.report import console, sharing
from sootprint.report.kin import Kin, kin_of

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


@pytest.fixture
def kin(read) -> list[Kin]:
    """A ledger of a run, one inside of it that ended in its life, one that outlived it, and one that came after."""
    whole, start = read("laptop"), "2026-01-31T12:00:00Z"
    outer = dataclasses.replace(whole, id=PARENT, name="outer", started=start, duration_s=100.0)
    inner = [
        RunRow(
            **{name: getattr(whole, name) for name in ("project", "grade", "energy_kwh", "emissions_kg")},
            **{"id": f"019c0000-0000-7000-8000-0000bbbb000{n}", "name": f"inner-{n}", "parent": PARENT},
            **{"state": "finished", "tags": {}, "zone": None, "duration_s": 50.0, "apart_kwh": None},
            started=f"2026-01-31T12:0{minute}:{second}Z",
        )
        for n, (minute, second) in enumerate(((0, 40), (1, 15), (5, 10)))
    ]
    top = dataclasses.replace(inner[0], id=PARENT, name="outer", parent=None, started=start, duration_s=100.0)
    halved = dataclasses.replace(whole, intervals=(), started=inner[1].started, duration_s=50.0)
    rows = with_wholes([top, *inner], record_of=lambda run: halved)
    return [kin_of(outer, rows)] + [
        kin_of(dataclasses.replace(outer, id=r.id, parent=PARENT), rows) for r in inner
    ]


def test_a_run_and_its_parts_name_each_other(part, kin):
    """The run tells what of each part is in its energy, and a part the name of the run and what came after it."""
    outer, *inner = (" ".join(report.render(part, "text", kin=one).split()) for one in kin)
    energy = part.energy_kwh.value
    assert "Includes run inner-0 (bbbb0000): " in outer
    assert "Includes run inner-1 (bbbb0001): " in outer
    assert "rest of its energy counts beside" in outer
    assert "inner-2" not in outer
    assert [one.apart for one in kin[0].parts] == [0.0, pytest.approx(0.5)], energy
    assert "Part of run outer (aaaa1111), whose energy includes this one's: count one" in inner[0]
    assert "Part of run outer (aaaa1111), whose energy includes this one's but for" in inner[1]
    assert "Started from run outer (aaaa1111); its energy is its own" in inner[2]


def test_many_parts_are_told_as_a_sum(part, kin):
    """A sweep of a hundred trials is no page of names."""
    many = kin[0]._replace(parts=kin[0].parts[:1] * 100)
    told = " ".join(report.render(part, "md", kin=many).split())
    assert told.count("Includes run") == sharing.MOST_PARTS
    assert f"Includes {100 - sharing.MOST_PARTS} more runs" in told


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


def test_a_part_of_others_is_reported_whatever_its_times_are(part):
    """A start that is no instant, which a record of others may hold, is shown as it stands."""
    made = report.render(dataclasses.replace(part, started="yesterday"), "md")
    assert "yesterday" in made and "Part of run" in made
