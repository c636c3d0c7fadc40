"""The shape check, on modules written here with known lengths."""

from __future__ import annotations

from pathlib import Path

import pytest

import shape


def findings(root: Path, name: str, source: str) -> list[str]:
    """Findings in a module of this source, written below the folder."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return shape.check(path, root=root)


def function(lines: int, *, docstring: int = 0) -> str:
    """A function of so many lines, its signature counted and its docstring not."""
    doc = ['    """Fact.', *[""] * (docstring - 2), '    """'] if docstring else []
    return "\n".join(["def f():", *doc, *["    a = 1"] * (lines - 1)]) + "\n"


def test_function_of_forty_lines_passes(tmp_path: Path) -> None:
    """Forty lines of signature and body are allowed, however long the docstring."""
    assert findings(tmp_path, "src/m.py", function(40)) == []
    assert findings(tmp_path, "src/m.py", function(40, docstring=12)) == []


def test_function_of_forty_one_lines_is_found(tmp_path: Path) -> None:
    """One line more is a finding that names the function and its length."""
    (finding,) = findings(tmp_path, "src/m.py", function(41, docstring=5))
    assert finding.startswith("src/m.py:1: f() has 41 lines")


def test_async_and_nested_functions_are_measured(tmp_path: Path) -> None:
    """A method or an inner function has the same bound as any other."""
    body = "class C:\n" + "".join("    " + line + "\n" for line in function(41).splitlines())
    assert "f() has 41 lines" in findings(tmp_path, "src/m.py", "async " + function(41))[0]
    assert "f() has 41 lines" in findings(tmp_path, "src/m.py", body)[0]


@pytest.mark.parametrize(("lines", "found"), [(400, 0), (401, 1)])
def test_module_length_is_bounded(tmp_path: Path, lines: int, found: int) -> None:
    """A module has at most 400 lines."""
    assert len(findings(tmp_path, "src/m.py", "a = 1\n" * lines)) == found


@pytest.mark.parametrize("caught", ["", " Exception", " BaseException as err", " (ValueError, Exception)"])
def test_broad_except_is_found_outside_the_sampling_loop(tmp_path: Path, caught: str) -> None:
    """Only the sampling loop may catch everything."""
    source = f"try:\n    a = 1\nexcept{caught}:\n    a = 2\n"
    (finding,) = findings(tmp_path, "src/sootprint/ledger.py", source)
    assert finding == "src/sootprint/ledger.py:3: broad except: catch the narrowest error"
    assert findings(tmp_path, "src/sootprint/tracker/sampler.py", source) == []


def test_narrow_except_passes(tmp_path: Path) -> None:
    """A named error is not broad."""
    assert findings(tmp_path, "src/m.py", "try:\n    a = 1\nexcept (OSError, ValueError):\n    a = 2\n") == []


def test_print_is_found_outside_the_command_line(tmp_path: Path) -> None:
    """Only the command line and the repository's own scripts print."""
    assert len(findings(tmp_path, "src/sootprint/report/text.py", "print('x')\n")) == 1
    assert findings(tmp_path, "src/sootprint/cli/show.py", "print('x')\n") == []


def test_exit_code_tells_of_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script fails where something was found, and prints one line for each."""
    assert shape.main(tmp_path) == 0
    findings(tmp_path, "src/m.py", function(41))
    findings(tmp_path, "tools/n.py", "a = 1\n" * 401)
    assert shape.main(tmp_path) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2
