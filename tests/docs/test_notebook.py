"""The example notebook runs from its first cell to its last, as a reader runs it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples/survey.ipynb"


def last_value(source: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last expression, or None."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_every_cell_of_the_notebook_shows_something() -> None:
    """Tables have rows, charts can be drawn, and no output was committed."""
    from sootprint.charts import svg

    names: dict[str, Any] = {}
    cells = [
        cell
        for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    assert len(cells) > 6
    for cell in cells:
        assert cell["outputs"] == []
        shown = last_value("".join(cell["source"]), names)
        if hasattr(shown, "to_dict") and hasattr(shown, "properties"):
            assert "<path" in svg(shown)
        else:
            assert len(shown) > 0
