"""The board: whole files of this boot, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint.tracker.board import BOARD, FACTS, Board
from sootprint.tracker.registration import boot_of


@pytest.fixture
def procfs(tmp_path: Path) -> Path:
    """A process tree with the identity of a boot."""
    boot = tmp_path / "proc" / "sys" / "kernel" / "random" / "boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("one\n", encoding="ascii")
    return tmp_path / "proc"


@pytest.fixture
def board(tmp_path: Path, procfs: Path) -> Board:
    """Files in a folder of their own."""
    (tmp_path / "reader").mkdir()
    return Board(tmp_path / "reader", str(procfs))


def test_board_holds_what_was_written_last(board: Board):
    """Each name is a file of its own."""
    board.write(BOARD, {"a": [1]})
    board.write(BOARD, {"a": [2]})
    board.write(FACTS, {"b": None})
    assert board.read(BOARD) == {"boot": "one", "a": [2], "lines": {}, "closed": {}}
    assert board.read(FACTS) == {"boot": "one", "b": None, "lines": {}, "closed": {}}


def test_run_reads_its_own_lines_alone(board: Board):
    """Those of the others are not even parsed."""
    board.write(BOARD, {"a": 1, "lines": {"x": [1], "xy": [2]}, "closed": {"x": [3], "y": [4]}})
    assert board.read(BOARD) == {
        "boot": "one",
        "a": 1,
        "lines": {"x": [1], "xy": [2]},
        "closed": {"x": [3], "y": [4]},
    }
    assert board.read(BOARD, run="x") == {"boot": "one", "a": 1, "lines": {"x": [1]}, "closed": {"x": [3]}}
    assert board.read(BOARD, run="z") == {"boot": "one", "a": 1, "lines": {}, "closed": {}}


def test_shorter_board_leaves_nothing_of_a_longer_one(board: Board):
    """The file is written in its place."""
    board.write(BOARD, {"a": "long" * 100})
    board.write(BOARD, {"a": 1})
    read = board.read(BOARD)
    assert read is not None
    assert read["a"] == 1


def test_half_written_board_is_none(board: Board, tmp_path: Path):
    """Its writer was killed in the middle; whoever reads on begins anew."""
    board.write(BOARD, {"a": 1})
    whole = (tmp_path / "reader" / BOARD).read_bytes()
    (tmp_path / "reader" / BOARD).write_bytes(whole[:-1])
    assert board.read(BOARD) is None
    (tmp_path / "reader" / BOARD).write_bytes(whole.replace(b'"a":1', b'"a":2'))
    assert board.read(BOARD) is None


def test_cleared_board_is_none(board: Board, tmp_path: Path):
    """Nothing is left behind, and clearing twice is as good as once."""
    board.write(BOARD, {})
    board.clear()
    board.clear()
    assert board.read(BOARD) is None
    assert list((tmp_path / "reader").iterdir()) == []


def test_board_of_another_boot_is_none(board: Board, tmp_path: Path, procfs: Path):
    """The monotonic clock began anew, and its times tell nothing."""
    board.write(BOARD, {"a": 1})
    (procfs / "sys/kernel/random/boot_id").write_text("two\n", encoding="ascii")
    boot_of.cache_clear()
    assert Board(tmp_path / "reader", str(procfs)).read(BOARD) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"boot": "on',
        b"[" * 100_000,
        b'{"boot": ["one"]}',
    ],
)
def test_file_that_is_no_board_is_none(data: bytes, board: Board, tmp_path: Path):
    """Cut, foreign, deep or empty: whoever reads begins anew."""
    (tmp_path / "reader" / BOARD).write_bytes(data)
    assert board.read(BOARD) is None


def test_folder_in_place_of_the_board_is_none(board: Board, tmp_path: Path):
    """It cannot be replaced either; the run that reads goes on."""
    (tmp_path / "reader" / BOARD).mkdir()
    assert board.read(BOARD) is None
    with pytest.raises(OSError, match="directory"):
        board.write(BOARD, {})
    board.clear()
