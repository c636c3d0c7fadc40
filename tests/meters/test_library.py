"""Libraries are looked for where the loader looks, before ctypes is loaded."""

from __future__ import annotations

import pytest

from sootprint.meters import library


def test_library_of_the_cache_is_loaded():
    """The C library is in every loader's reach and answers."""
    assert library.first(("libno-such-thing.so.9", "libc.so.6")).getpid() > 0


@pytest.mark.parametrize("variable", ["LD_LIBRARY_PATH", "LD_PRELOAD"])
def test_library_of_the_environment_may_be_there(variable, tmp_path, monkeypatch):
    """A file on LD_LIBRARY_PATH, or a name in LD_PRELOAD, is one to ask the loader for."""
    (tmp_path / "libodd.so.1").touch()
    assert not library.may_be_there("libodd.so.1")
    value = str(tmp_path) if variable == "LD_LIBRARY_PATH" else f"{tmp_path}/libodd.so.1"
    monkeypatch.setenv(variable, value)
    assert library.may_be_there("libodd.so.1")


def test_loader_without_a_cache_is_asked():
    """Where there is no cache to read, only the loader can tell."""
    assert library.may_be_there("libodd.so.1", cache="/nonexistent")


def test_path_is_there_or_not(tmp_path):
    """A whole path is looked at as it is."""
    (tmp_path / "lib.so").touch()
    assert library.may_be_there(str(tmp_path / "lib.so"))
    assert not library.may_be_there(str(tmp_path / "other.so"))


def test_file_that_is_no_library_is_none(tmp_path):
    """A file by the right name that cannot be loaded is as good as none."""
    (tmp_path / "lib.so").write_text("no library")
    assert library.first((str(tmp_path / "lib.so"),)) is None
