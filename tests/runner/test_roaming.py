"""Places of a plan: what is open to it, what is carried, and what that is charged."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.steps import within_step

from sootprint.core.records import Footprint
from sootprint.engines.book import Book, Plan
from sootprint.engines.shell import UnreachableError
from sootprint.ledger import Ledger
from sootprint.planner.facility import of_region
from sootprint.runner import roaming as module
from sootprint.runner import transfer
from sootprint.runner.outlook import Ahead
from sootprint.runner.overhead import pue_of
from sootprint.runner.roaming import HERE, Roaming
from sootprint.settings import load
from sootprint.settings.targets import Target

HOURS = 30


class Places:
    """A plan over local places, each with a folder and a trace in hours."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.said = folder, folder / "home", []
        self.work = folder / "work"
        self.work.mkdir()
        self.settings = load(home=self.home, zone="FR")
        self.targets: list[Target] = []

    def target(self, name: str, *values: float, own_folder: bool = True, **given) -> None:
        """Describe a place; its last figure goes on."""
        first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        told = [*values, *[values[-1]] * HOURS]
        rows = [f"{(first + timedelta(hours=at)).isoformat()},{one}\n" for at, one in enumerate(told)]
        trace = self.folder / f"{name}.csv"
        trace.write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
        if own_folder:
            (self.folder / name).mkdir()
            given["workdir"] = str(self.folder / name)
        self.targets.append(Target(name=name, trace=str(trace), **{"zone": "FR", **given}))

    def roaming(self, **changes) -> tuple[Book, Roaming]:
        """Book of a new plan, and its places."""
        given = {"id": "p", "command": ("true",), "cwd": str(self.work), "arguments": (), "pausable": True}
        given |= {"deadline_s": time.time() + 20 * 3600.0, "expect_s": 3600.0, "carry": ("ck",)}
        plan = Plan(**given | {"targets": tuple(one.as_table() for one in self.targets)} | changes)
        book = Book.begin(self.home, plan)
        return book, Roaming(book, self.settings, self.said.append)


@pytest.fixture
def places(tmp_path) -> Places:
    """Nothing yet, in an hour that does not turn meanwhile."""
    within_step()
    return Places(tmp_path)


def began(book: Book, target: str) -> None:
    """A segment that runs in a place."""
    os.close(book.begin_segment(resume=False, target=target)[1])


def test_place_that_is_the_working_directory_is_not_copied_to(places) -> None:
    """Its files are there: nothing moves, nothing is charged, and they are as they were."""
    places.target("home", 100.0, own_folder=False)
    (places.work / "ck").write_text("mine")
    book, found = places.roaming()
    found.ready(book.state(), "home", must=False)
    assert book.state().where == "home"
    assert book.state().carried[0].size_bytes == 0
    assert (places.work / "ck").read_text() == "mine"
    found.finish(book.state())
    assert book.state().where == HERE
    with Ledger(places.home) as ledger:
        assert ledger.runs() == []


def test_what_is_carried_has_a_record_and_comes_home(places) -> None:
    """Bytes times the factor times the mean of both grids; the job's own files are at home afterwards."""
    places.target("a", 100.0)
    places.target("b", 300.0, kwh_per_gb=0.5)
    (places.work / "ck").write_bytes(b"1" * 2_000_000)
    book, found = places.roaming()
    found.ready(book.state(), "a", must=False)
    found.ready(book.state(), "b", must=False)
    (places.folder / "b" / "ck").write_text("trained")
    found.finish(book.state())
    assert (places.work / "ck").read_text() == "trained"
    first, second, _ = book.state().carried
    with Ledger(places.home) as ledger:
        record: Footprint = ledger.get(second.record)
        assert len(ledger.runs()) == 3
    size_gb = second.size_bytes / 1e9
    assert first.energy_kwh[1] < first.energy_kwh[0] < first.energy_kwh[2]
    assert second.energy_kwh[0] == pytest.approx(0.5 * size_gb)
    assert record.intensity_g_per_kwh.value == pytest.approx(200.0)
    assert record.emissions_kg.value == pytest.approx(0.5 * size_gb * 0.2)
    assert any("MB were carried from a to b" in text for text in places.said)


def test_grids_of_two_kinds_are_not_averaged_for_what_is_carried(places) -> None:
    """Direct against life-cycle, average against marginal: the end that it comes from counts alone, and it is said."""
    places.target("a", 100.0)
    book, _ = places.roaming()
    size, factor = 10**9, transfer.factor(None)
    move = transfer.Move(size_bytes=size, took_s=1.0, source="a", target="b", factor=factor)
    one = Ahead(values=np.array([100.0]), step_s=3600.0, index=1, source="one", method="average, life-cycle")
    for method in ("average, direct", "marginal, life-cycle", "average, life-cycle"):
        other = replace(one, values=np.array([300.0]), method=method)
        line = transfer.charged(move, book.state().plan, {"a": one, "b": other}, places.settings)
        alike = method == one.method
        with Ledger(places.home) as ledger:
            record: Footprint = ledger.get(line["record"])
        assert record.intensity_g_per_kwh.value == pytest.approx(200.0 if alike else 100.0)
        told = [one for one in record.factors if one.kind == "intensity"]
        assert (told[0].key, told[0].method) == ("a", "average, life-cycle")
        assert len(told) == (2 if alike else 1)
        assert ("that of a alone" in " ".join(record.warnings)) is not alike
        assert (method in transfer.words(move, line)) is not alike
    line = transfer.charged(move, book.state().plan, {"a": None, "b": other}, places.settings)
    assert line["grids"] == ["b"]
    assert transfer.charged(move, book.state().plan, {"a": None}, places.settings)["emissions_kg"] is None


def test_only_a_job_whose_files_are_named_leaves_its_place(places) -> None:
    """Nobody said what would have to go with it: it goes on where it is."""
    places.target("a", 300.0)
    places.target("b", 10.0)
    terms = {"running": True, "must": False}
    book, found = places.roaming()
    began(book, "a")
    assert found.choose(book.state(), 3600.0, **terms) == "b"
    assert found.choose(book.state(), 3600.0, **terms | {"must": True}) == "a"
    book, found = places.roaming(id="q", carry=())
    began(book, "a")
    assert found.choose(book.state(), 3600.0, **terms) == "a"


def test_place_that_is_full_or_gone_is_left_out(places) -> None:
    """A full one has its next free slot; with none that answers the job runs on this machine."""
    places.target("a", 10.0, max_jobs=1)
    places.target("b", 300.0)
    other, _ = places.roaming(id="other")
    began(other, "a")
    book, found = places.roaming()
    terms = {"running": None, "must": True}
    assert found.choose(book.state(), 3600.0, **terms) == "b"
    with pytest.raises(BlockingIOError), found.slot("a"):
        pass
    found.shun("b", UnreachableError("target b cannot be reached"))
    found.shun("b", UnreachableError("target b cannot be reached"))
    assert len(places.said) == 1
    assert found.choose(book.state(), 3600.0, **terms | {"must": False}) is None
    other.write("done", code=0)
    assert found.choose(book.state(), 3600.0, **terms) == "a"
    found.shun("a", UnreachableError("target a cannot be reached"))
    assert found.choose(book.state(), 3600.0, **terms) == HERE


def test_near_the_deadline_it_goes_on_without_what_cannot_be_fetched(places, monkeypatch) -> None:
    """What it saved lies on a machine that is gone. While that answers, it goes on there instead."""
    places.target("a", 10.0)
    places.target("b", 300.0)
    book, found = places.roaming()
    book.write("carried", **transfer.nothing("", "b"))

    def gone(*_, **__):
        raise UnreachableError("target a cannot be reached")

    monkeypatch.setattr(module.carry, "carried", gone)
    with pytest.raises(UnreachableError):
        found.ready(book.state(), "a", must=False)
    with pytest.raises(UnreachableError):
        found.ready(book.state(), "a", must=True)
    (places.folder / "b").rmdir()
    assert found.ready(book.state(), "a", must=True).name == "local"
    assert any("goes on from what lies in a" in text for text in places.said)


def test_cloud_region_brings_its_pue_and_a_place_without_one_is_ranked_by_the_grid(places) -> None:
    """100 g at a stated PUE of 1.5 is more than 120 g in a region whose provider publishes 1.09."""
    places.target("a", 100.0, pue=1.5)
    places.target("b", 120.0, zone="gcp/europe-west1")
    book, found = places.roaming()
    assert found.choose(book.state(), 3600.0, running=None, must=False) == "b"
    assert not any("PUE" in text for text in places.said)
    places.target("c", 90.0)
    book, found = places.roaming(id="q")
    assert found.choose(book.state(), 3600.0, running=None, must=False) == "c"
    assert [text for text in places.said if "PUE" in text] == [
        "places are ranked without their PUE, as that of c is not known"
    ]


def test_the_pue_of_this_machine_is_not_that_of_another(places) -> None:
    """A general PUE of 1.5 makes 100 g here 150; the machine elsewhere has its region's own, and a line says so."""
    places.settings = replace(places.settings, pue=1.5, origins={"pue": "user file"})
    places.target("a", 100.0)
    places.target("b", 120.0, zone="gcp/europe-west1", engine="ssh", host="b.example.org")
    book, found = places.roaming()
    assert found.choose(book.state(), 3600.0, running=None, must=False) == "b"
    published = of_region("gcp/europe-west1")
    assert [text for text in places.said if "PUE" in text] == [
        f"the PUE of 1.5 (user file) is this machine's, and b counts with {published.value:g}, as gcp/europe-west1 "
        "publishes: state its own as pue in [targets.b]"
    ]
    places.said.clear()
    book, found = places.roaming(id="q", arguments=("--pue", "1.5"))
    assert found.choose(book.state(), 3600.0, running=None, must=False) == "a"
    assert places.said == []


def test_a_machine_elsewhere_of_which_no_pue_is_known_is_ranked_by_its_grid(places) -> None:
    """The general PUE of this machine would have made both alike; both lines name the place whose PUE is missing."""
    places.settings = replace(places.settings, pue=1.5, origins={"pue": "SOOTPRINT_PUE"})
    places.target("a", 100.0)
    places.target("c", 90.0, engine="ssh", host="c.example.org")
    book, found = places.roaming()
    assert found.choose(book.state(), 3600.0, running=None, must=False) == "c"
    first, second = (text for text in places.said if "PUE" in text)
    assert first.startswith(
        "the PUE of 1.5 (SOOTPRINT_PUE) is this machine's, and c has none that is known: "
    )
    assert second == "places are ranked without their PUE, as that of c is not known"


def test_a_place_on_this_machine_has_the_pue_of_its_site(places, own_home) -> None:
    """The site's 1.4 counts where the job would run in its zone, and not in another one."""
    stated = 'site = "lab"\n[sites.lab]\nzone = "FR"\npue = 1.4\n'
    own_home.joinpath("sootprint.toml").write_text(stated, encoding="utf-8")
    known = load()
    asked = {"arguments": (), "at_s": time.time()}
    assert pue_of(Target(name="a", zone="FR"), known, **asked) == 1.4
    assert pue_of(Target(name="b", zone="DE"), known, **asked) is None
    there = Target(name="c", zone="FR", engine="slurm", host="c.example.org", workdir="/w")
    assert pue_of(there, known, **asked) is None
