"""Keys: from the environment or a file with safe permissions, and never anywhere else."""

from __future__ import annotations

import pytest

from sootprint.core.errors import IntensityError
from sootprint.intensity.keys import key

SECRET = "correct-horse-battery"


def read(environ=(), **given):
    """Key as electricitymaps asks for it."""
    told = {"variable": None, "file": None, "usual": "EM_KEY", **given}
    return key("electricitymaps", dict(environ), **told)


def test_key_comes_from_the_usual_or_the_stated_variable():
    """The stated variable wins over the usual one."""
    assert read({"EM_KEY": SECRET}) == SECRET
    assert read({"EM_KEY": "x", "MINE": f" {SECRET}\n"}, variable="MINE") == SECRET


def test_key_of_a_file_that_nobody_else_may_read(tmp_path):
    """Mode 600 and 400 are safe."""
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    for mode in (0o600, 0o400):
        path.chmod(mode)
        assert read(file=str(path)) == SECRET


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_key_that_others_may_read_is_refused(tmp_path, mode):
    """The line has the command that mends it, and not the key."""
    path = tmp_path / "key"
    path.write_text(SECRET)
    path.chmod(mode)
    with pytest.raises(IntensityError, match=f"chmod 600 {path}") as caught:
        read(file=str(path))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds none"),
        ("two words", "letters that no key has"),
        ("a\nb", "letters"),
        ("é", "letters"),
        ("x" * 5000, "letters"),
    ],
)
def test_file_without_a_key_is_one_line(tmp_path, content, words):
    """An empty file, a page of text and a line break that would become a header are no keys."""
    path = tmp_path / "key"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(IntensityError, match=words):
        read(file=str(path))


def test_missing_file_folder_and_variable_are_one_line(tmp_path):
    """Each names what holds none."""
    for given, words in (
        ({"file": str(tmp_path / "none")}, "cannot be read: No such file"),
        ({"file": str(tmp_path)}, "is no file|Is a directory"),
        ({"variable": "MINE"}, "the variable MINE holds none"),
        ({}, "the variable EM_KEY holds none"),
    ):
        with pytest.raises(IntensityError, match=words):
            read(**given)
