"""Files that are written: whole or not at all, and refused before any work where they cannot be."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sootprint.core import files
from sootprint.core.errors import InputError, SootprintError

SMALL = 4096


@contextmanager
def full_disk() -> Iterator[None]:
    """A time in which no file of this process grows beyond a few kilobytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    """A disk that takes no more leaves the older file and no draft; the error is no wrong use."""
    path = tmp_path / "report.md"
    files.write(path, b"older")
    with full_disk(), pytest.raises(SootprintError, match="was not written") as caught:
        files.write(path, b"x" * 2 * SMALL)
    assert not isinstance(caught.value, InputError)
    assert [one.name for one in tmp_path.iterdir()] == ["report.md"]
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize("forces", [False, True])
def test_file_that_is_put_is_whole_and_for_whom_it_is_meant(tmp_path: Path, forces: bool) -> None:
    """Its mode is the stated one; a disk that takes no more leaves the older file and no draft."""
    path = tmp_path / "kept.json"
    files.put(path, b"older", mode=0o600, forces=forces)
    with full_disk(), pytest.raises(OSError):
        files.put(path, b"x" * 2 * SMALL, mode=0o600, forces=forces)
    assert [one.name for one in tmp_path.iterdir()] == ["kept.json"]
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"older", 0o600)


def test_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    """Also one that leads to no file yet."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    for text in (b"one", b"two"):
        files.write(files.writable(link), text)
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"two"


def test_open_file_of_this_process_is_written_in_place(tmp_path: Path) -> None:
    """A name such as /dev/stdout is no file to be replaced: what was written before stays."""
    with (tmp_path / "out").open("wb", buffering=0) as out:
        out.write(b"before ")
        files.write(files.writable(Path(f"/proc/self/fd/{out.fileno()}")), b"told")
    assert (tmp_path / "out").read_bytes() == b"before told"
    files.write(files.writable(Path("/dev/null")), b"nothing")


def test_what_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    """No folder, a folder in place of a file, a file in place of a folder; nothing is made by the question."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written: File name too long; name another file"):
        files.writable(tmp_path / ("x" * 300))
    for path in (tmp_path / "none" / "x.png", tmp_path / "file" / "x.png", tmp_path):
        with pytest.raises(InputError, match="cannot be written"):
            files.writable(path)
        with pytest.raises(InputError, match="cannot be written"):
            files.write(path, b"")
    for path in (tmp_path / "file", tmp_path / "file" / "below" / "more"):
        with pytest.raises(InputError, match="is a file; name a folder"):
            files.writable_folder(path)
    assert files.writable_folder(tmp_path / "new" / "below") == tmp_path / "new" / "below"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the test: root may write everywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    for look in (files.writable, files.writable_folder):
        with pytest.raises(InputError, match="Permission denied"):
            look(tmp_path / "new")
