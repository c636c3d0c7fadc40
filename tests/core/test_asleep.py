"""Time in which a machine was suspended, by two of its clocks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sootprint.core import asleep
from sootprint.core.asleep import MONOTONIC_S, Asleep


def test_time_asleep_is_that_of_two_clocks_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the monotonic clock left out since the call before, told once; a hold-up between the two clocks is none."""
    apart_s = [5.0]
    monkeypatch.setattr(time, "clock_gettime", lambda _: time.monotonic() + apart_s[0])
    watch = Asleep(MONOTONIC_S)
    apart_s[0] = 65.0
    assert watch.since_s() == pytest.approx(60.0, abs=0.01)
    assert watch.since_s() == 0.0
    apart_s[0] = 65.03
    assert watch.since_s() == 0.0
    assert Asleep(lambda: 0.0).since_s() == 0.0, "nothing is known of another clock"


def procfs(folder: Path, link: str, offsets: str = "") -> str:
    """Root of a process tree whose reader is in a time namespace."""
    (folder / "self/ns").mkdir(parents=True)
    (folder / "self/ns/time").symlink_to(link)
    (folder / "self/timens_offsets").write_text(offsets, encoding="ascii")
    return str(folder)


def test_instants_of_another_time_namespace_are_those_of_the_machine(tmp_path: Path) -> None:
    """The kernel adds 5000 s to one clock there and takes 1000.5 s off the other: both are taken off again."""
    shifted = "monotonic           5000         0\nboottime           -1001 500000000\n"
    there = procfs(tmp_path / "there", "time:[4026532177]", shifted)
    assert asleep.ahead_s("monotonic", there) == 5000.0
    assert asleep.ahead_s("boottime", there) == -1000.5
    before_s, at_s, after_s = time.monotonic(), asleep.machines_own(there)(), time.monotonic()
    assert before_s <= at_s + 5000.0 <= after_s


@pytest.mark.parametrize("link", ["time:[4026531834]", None])
def test_without_a_time_namespace_the_clock_is_the_system_s_own(tmp_path: Path, link: str | None) -> None:
    """In the first one, where all offsets are none, and on a system that has none at all."""
    there = str(tmp_path) if link is None else procfs(tmp_path / "there", link, "monotonic 7 0\n")
    assert asleep.machines_own(there) is time.monotonic


@pytest.mark.parametrize("offsets", ["", "monotonic\n", "monotonic x 0\n", "boottime 5 0\n"])
def test_offsets_that_cannot_be_read_shift_nothing(tmp_path: Path, offsets: str) -> None:
    """A kernel that tells them in another way leaves the clock as it is."""
    assert asleep.machines_own(procfs(tmp_path / "there", "time:[4026532177]", offsets)) is time.monotonic


def test_a_suspend_shows_in_the_other_clock_until_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look may see that there was one without telling it; of another clock nothing is known."""
    apart_s = [5.0]
    monkeypatch.setattr(asleep, "MONOTONIC_S", lambda: 100.0)
    monkeypatch.setattr(time, "clock_gettime", lambda _: 100.0 + apart_s[0])
    watch = Asleep(asleep.MONOTONIC_S)
    for apart_s[0], is_awake in ((5.03, True), (65.0, False)):
        boot_s, most_apart_s = watch.watch
        assert (boot_s() - 100.0 <= most_apart_s) is is_awake
    assert watch.since_s() == pytest.approx(60.0)
    boot_s, most_apart_s = watch.watch
    assert boot_s() - 100.0 <= most_apart_s
    boot_s, most_apart_s = Asleep(lambda: 7.0).watch
    assert boot_s() - 7.0 <= most_apart_s
