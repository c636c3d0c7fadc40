"""Small files of the kernel, whole and broken."""

import os

import pytest

from sootprint.meters import files


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"42\n", 42),
        (b"18446744073709551615", 2**64 - 1),
        (b"", None),
        (b"\n", None),
        (b"-1", None),
        (b"4.2", None),
        (b"1_000", None),
        (b"0x10", None),
        ("٤٢".encode(), None),
        (b"\xff\xfe", None),
        (b"9" * 4000, None),
    ],
)
def test_number_is_a_plain_whole_number_or_none(tmp_path, content, number):
    """Only ASCII digits of at most 64 bits are a number."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert files.number(str(path)) == number


def test_folder_pipe_and_absence_hold_nothing(tmp_path):
    """A folder, a pipe without a writer and a missing file answer None at once."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("", "pipe", "absent"):
        assert files.text(str(tmp_path / name)) is None
        assert files.number(str(tmp_path / name)) is None
    assert files.entries(str(tmp_path / "absent")) == []


def test_text_is_cut_at_the_limit(tmp_path):
    """No file makes the reader hold more than the limit."""
    path = tmp_path / "file"
    path.write_text("x" * 10_000)
    assert len(files.text(str(path), limit=100)) == 100


def test_replaced_file_is_read_as_it_is_now(tmp_path):
    """A file that was replaced by rename shows its new content."""
    path, new = tmp_path / "file", tmp_path / "new"
    path.write_text("1")
    assert files.number(str(path)) == 1
    new.write_text("2")
    new.rename(path)
    assert files.number(str(path)) == 2


def test_kept_number_is_read_as_it_is_now(tmp_path):
    """A file that is written over in place shows its new number at the next look."""
    path = tmp_path / "energy_uj"
    kept = files.KeptNumber(str(path))
    for number in (1, 22, 3):
        path.write_text(f"{number}\n")
        assert kept.now() == number


def test_kept_number_follows_a_file_that_is_replaced(tmp_path):
    """A file that another one was moved over is opened anew at the same look; one that is gone is None."""
    path, new = tmp_path / "energy_uj", tmp_path / "new"
    kept = files.KeptNumber(str(path))
    for number in (1, 22, 3):
        new.write_text(f"{number}\n")
        new.replace(path)
        assert kept.now() == number
    path.unlink()
    assert kept.now() is None


def test_kept_number_comes_back_after_its_file_was_away(tmp_path):
    """A file that is absent, unreadable or empty is None, and is opened anew once it holds a number."""
    path = tmp_path / "energy_uj"
    kept = files.KeptNumber(str(path))
    assert kept.now() is None
    path.write_text("")
    assert kept.now() is None
    path.unlink()
    path.write_text("7")
    assert kept.now() == 7


def test_kept_number_finds_its_file_again_when_the_program_takes_its_descriptor(tmp_path):
    """A program that becomes a daemon closes all files, and opens its own under the same numbers."""
    path, log = tmp_path / "energy_uj", tmp_path / "log"
    path.write_text("1")
    log.write_text("epoch 1")
    kept = files.KeptNumber(str(path))
    assert kept.now() == 1
    taken = kept.kept._file.number
    other = os.open(log, os.O_RDONLY)
    os.dup2(other, taken)
    path.write_text("2")
    assert kept.now() == 2
    os.close(other)
    os.close(taken)
