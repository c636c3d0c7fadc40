"""Locks between processes, and file systems that have none."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from sootprint.core.locks import taken


def test_lock_is_of_one_descriptor_at_a_time(tmp_path: Path) -> None:
    """And is given back when that is closed."""
    first, second = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    assert taken(first)
    assert not taken(second, 0.05)
    os.close(first)
    assert taken(second)
    os.close(second)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EBADF])
def test_file_system_without_locks_holds_up_nobody(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a Lustre that was mounted without them, on which a cluster's homes may lie."""

    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    with (tmp_path / "file").open("wb") as file:
        assert taken(file.fileno())


def test_other_faults_are_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken disk is not taken for a missing lock."""
    monkeypatch.setattr(fcntl, "flock", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "I/O")))
    with (tmp_path / "file").open("wb") as file, pytest.raises(OSError, match="I/O"):
        taken(file.fileno())
