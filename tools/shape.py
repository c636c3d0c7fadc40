"""The shape check: modules and functions stay small, broad excepts and prints stay where they belong.

Run as `python tools/shape.py`; each finding is one line, and any finding fails the check.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
# Measuring must not stop a training whatever a device driver raises, so this one loop may catch everything.
BROAD_EXCEPT_ALLOWED = ("src/sootprint/tracker/sampler.py",)
PRINT_ALLOWED = ("src/sootprint/cli/", "tools/", "bench/", "examples/")
CHECKED = ("src", "tools", "bench", "examples")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(root: Path = Path()) -> int:
    """Exit code of the check over a repository: 0 without findings, else 1."""
    findings = [finding for path in _modules(root) for finding in check(path, root=root)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def check(path: Path, *, root: Path) -> list[str]:
    """Findings in one module, each as `path:line: what`."""
    name = path.relative_to(root).as_posix()
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source, filename=name)
    found = [*_long_module(source), *_long_functions(tree)]
    if name not in BROAD_EXCEPT_ALLOWED:
        found += _broad_excepts(tree)
    if not name.startswith(PRINT_ALLOWED):
        found += _prints(tree)
    return [f"{name}:{line}: {what}" for line, what in sorted(found)]


def function_length(function: Function) -> int:
    """Lines of signature and body, the docstring and the decorators left out [lines]."""
    last = function.end_lineno or function.lineno
    return last - function.lineno + 1 - _docstring_length(function)


def _modules(root: Path) -> Iterator[Path]:
    for folder in CHECKED:
        yield from sorted((root / folder).rglob("*.py"))


def _docstring_length(function: Function) -> int:
    first = function.body[0]
    if ast.get_docstring(function) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


def _long_module(source: str) -> Iterator[tuple[int, str]]:
    lines = len(source.splitlines())
    if lines > LONGEST_MODULE:
        yield 1, f"module of {lines} lines, at most {LONGEST_MODULE}: split it by what it does"


def _long_functions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, Function) and (lines := function_length(node)) > LONGEST_FUNCTION:
            yield node.lineno, f"{node.name}() has {lines} lines, at most {LONGEST_FUNCTION}: split it"


def _broad_excepts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            yield node.lineno, "broad except: catch the narrowest error"


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(one) for one in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"})


def _prints(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print outside the command line: return the text, or raise"


if __name__ == "__main__":
    sys.exit(main())
