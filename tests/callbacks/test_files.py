"""Checkpoints on the disk: whole or not there, whatever is killed and when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sootprint.callbacks import files

KILLED = """
import os, signal, sys
from pathlib import Path
from sootprint.callbacks import files
def write(made):
    made.write_bytes(b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
files.written(Path(sys.argv[1]), write)
"""


def test_kill_in_the_middle_of_a_save_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """Kill -9 after half of the bytes: the last good one is untouched, and the next save goes through."""
    path = tmp_path / "deep" / "model.pt"
    files.written(path, lambda made: made.write_bytes(b"good"))
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60)
    assert done.returncode == -9
    assert path.read_bytes() == b"good"
    files.written(path, lambda made: made.write_bytes(b"better"))
    assert path.read_bytes() == b"better"
    assert list(path.parent.iterdir()) == [path]


def test_failed_save_leaves_the_last_checkpoint_and_no_rest(tmp_path: Path) -> None:
    """A full disk is told to the caller, and half a file is not left behind."""
    path = tmp_path / "model.pt"
    files.written(path, lambda made: made.write_bytes(b"good"))

    def full(made: Path) -> None:
        made.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        files.written(path, full)
    assert path.read_bytes() == b"good"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    """Sharded checkpoints are folders; between its two renames the old one is found under its other name."""
    path = tmp_path / "shards"
    assert files.present(path) is None

    def write(text: str) -> None:
        made = files.draft(path)
        (made / "rank").mkdir(parents=True)
        (made / "rank" / "0").write_text(text)
        files.placed(made, path)

    write("first")
    write("second")
    assert (path / "rank" / "0").read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]
    path.rename(tmp_path / "shards.old")  # as a kill between the renames leaves it
    assert files.present(path) == tmp_path / "shards.old"
    write("third")
    assert files.present(path) == path
    assert (path / "rank" / "0").read_text() == "third"
