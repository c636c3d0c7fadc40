"""What goes with a job: whole or not at all, whatever breaks off."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sootprint.core.errors import InputError
from sootprint.engines import carry, shell
from sootprint.engines.shell import UnreachableError


@pytest.fixture
def ends(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of two places, of which the first has a checkpoint."""
    source, target = tmp_path / "a place", tmp_path / "another's"
    (source / "out" / "ck").mkdir(parents=True)
    (source / "out" / "ck" / "weights").write_bytes(b"w" * 3_000_000)
    (source / "state.json").write_text("{}")
    return source, target


def carried(paths: list[str], ends: tuple[Path, Path], plan: str = "p") -> int:
    """Bytes that were carried between two folders of this machine."""
    return carry.carried(paths, source=(None, str(ends[0])), target=(None, str(ends[1])), plan=plan)


def test_named_paths_arrive_and_replace_what_was_there(ends) -> None:
    """Folders whole, without what lay in them before; what is not named, or not there, is left alone."""
    source, target = ends
    (target / "out" / "ck").mkdir(parents=True)
    (target / "out" / "ck" / "stale").write_text("old")
    (target / "kept").write_text("mine")
    size = carried(["out/ck", "state.json", "not there"], ends)
    assert 3_000_000 < size < 3_100_000
    assert [path.name for path in (target / "out" / "ck").iterdir()] == ["weights"]
    assert (target / "out" / "ck" / "weights").stat().st_size == 3_000_000
    assert (target / "state.json").read_text() == "{}"
    assert (target / "kept").read_text() == "mine"
    assert not list(target.glob(".sootprint*"))
    assert (source / "out" / "ck" / "weights").exists()


def test_copy_that_breaks_off_leaves_what_was_there(ends, monkeypatch) -> None:
    """Its source dies in the middle of the archive: nothing is replaced, and the next copy is whole."""
    source, target = ends
    (target / "out" / "ck").mkdir(parents=True)
    (target / "out" / "ck" / "weights").write_text("old")
    command = carry.command

    def breaking(place, script):
        return command(place, f"{{ {script}; }} | head -c 1000000; exit 1" if "tar -cf" in script else script)

    monkeypatch.setattr(carry, "command", breaking)
    with pytest.raises(UnreachableError, match="a copy has failed"):
        carried(["out"], ends)
    assert (target / "out" / "ck" / "weights").read_text() == "old"
    monkeypatch.undo()
    carried(["out"], ends)
    assert (target / "out" / "ck" / "weights").stat().st_size == 3_000_000
    assert source.exists()


def test_two_plans_that_carry_to_one_folder_at_once_lose_nothing(ends, monkeypatch) -> None:
    """The second copy begins when what the first has sent has arrived, and before that is put in its place."""
    target, answer = ends[1], carry.answer
    ends[0].joinpath("other").write_text("theirs")

    def meanwhile(*given, **how):
        monkeypatch.setattr(carry, "answer", answer)
        carried(["other"], ends, plan="q")
        return answer(*given, **how)

    monkeypatch.setattr(carry, "answer", meanwhile)
    carried(["out"], ends)
    assert (target / "out" / "ck" / "weights").stat().st_size == 3_000_000
    assert (target / "other").read_text() == "theirs"
    assert not list(target.glob(".sootprint*"))


def test_copy_whose_files_are_gone_before_they_are_in_place_is_an_error(ends, monkeypatch) -> None:
    """What lay there before is whole, and nobody is told that it was replaced."""
    target, answer = ends[1], carry.answer
    target.mkdir()
    (target / "state.json").write_text("old")

    def cleared(*given, **how):
        shutil.rmtree(next(target.glob(".sootprint*")))
        return answer(*given, **how)

    monkeypatch.setattr(carry, "answer", cleared)
    with pytest.raises(UnreachableError, match="cannot be put in its place"):
        carried(["state.json"], ends)
    assert (target / "state.json").read_text() == "old"


def test_what_a_killed_driver_began_does_not_disturb_the_next_copy(ends, monkeypatch) -> None:
    """On another machine it goes on for a while: its clearing up, at the end, is of its own folder."""
    target = ends[1]
    settled, answer = [], carry.answer
    monkeypatch.setattr(
        carry, "answer", lambda place, script, **how: settled.append(script) or shell.Answer(0, "", "")
    )
    carried(["out"], ends)
    monkeypatch.setattr(
        carry, "answer", lambda *given, **how: answer(None, settled[0]) and answer(*given, **how)
    )
    carried(["out"], ends)
    assert (target / "out" / "ck" / "weights").stat().st_size == 3_000_000
    assert not list(target.glob(".sootprint*"))


def test_place_that_is_full_or_gone_is_an_error(ends, tmp_path) -> None:
    """The sink ends early, or the source is not there."""
    with pytest.raises(UnreachableError):
        carried(["out"], (ends[0], Path("/proc/nowhere")))
    with pytest.raises(UnreachableError, match="a copy has failed"):
        carried(["out"], (tmp_path / "nothing", ends[1]))


def test_full_disk_keeps_what_was_there(ends, monkeypatch) -> None:
    """A disk of 1 MiB takes no checkpoint of 3 MB; the one that lies there is whole, and nothing is left.

    Where no file system may be mounted, a limit on the size of files stands for the full disk.
    """
    disk, command = ends[1], carry.command
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    is_mounted = os.geteuid() == 0 and not subprocess.run(mount, check=False, capture_output=True).returncode

    def limited(place, script):
        return command(place, f"ulimit -f 1000; {script}" if "tar -C" in script else script)

    if not is_mounted:
        monkeypatch.setattr(carry, "command", limited)
    try:
        (disk / "out" / "ck").mkdir(parents=True)
        (disk / "out" / "ck" / "weights").write_text("old")
        with pytest.raises(UnreachableError, match="a copy has failed"):
            carried(["out"], ends)
        assert (disk / "out" / "ck" / "weights").read_text() == "old"
        assert not list(disk.glob(".sootprint*"))
    finally:
        if is_mounted:
            subprocess.run(["umount", str(disk)], check=True)


def test_copy_that_does_not_move_is_given_up(monkeypatch) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(shell, "SILENT_S", 0.2)
    with pytest.raises(UnreachableError, match="has not moved"):
        shell.piped(["sleep", "60"], ["cat"])
    with pytest.raises(UnreachableError, match="has not answered"):
        shell.answer(None, "sleep 60", limit_s=0.2)


@pytest.mark.parametrize("path", ["/etc", "../other", "a/../../b", "", "."])
def test_path_beyond_the_working_directory_is_refused(path) -> None:
    """A target's answer must not reach the user's other files."""
    with pytest.raises(InputError, match="below the working directory"):
        carry.checked([path])


def test_paths_are_kept_as_they_are_meant() -> None:
    """A trailing slash says nothing."""
    assert carry.checked(["out/", "./state.json"]) == ("out", "state.json")
