"""The examples in the documents, found in the Markdown and run one after the other.

A page's blocks share one folder. A python block runs in a Python process of its own; in a console block the
lines after `$ ` run in bash, and the other lines show what it prints. A comment on the line before a block
changes that: `<!-- file: NAME -->` writes the block to that file, `<!-- not-run: WHY -->` leaves it out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 180
LANGUAGES = ("python", "console")
_FENCE = re.compile(r"^```(\w*)\s*$")
_ORDER = re.compile(r"^<!-- (file|not-run): (.+?) -->$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One fenced block, and what its page says is to be done with it."""

    line: int
    language: str
    text: str
    file: str | None = None
    not_run: str | None = None


class ExampleError(Exception):
    """An example did not run as its page says."""


def examples(markdown: str) -> list[Example]:
    """The python and console blocks of a page, in order."""
    return [block for block in _blocks(markdown) if block.language in LANGUAGES or block.file]


def commands(example: Example) -> list[str]:
    """The commands of a console block; a line that ends in a backslash goes on in the next."""
    found: list[str] = []
    continues = False
    for line in example.text.splitlines():
        if continues:
            found[-1] += "\n" + line.removeprefix("> ")
        elif line.startswith("$ "):
            found.append(line[2:])
        continues = bool(found) and line.endswith("\\") and (continues or line.startswith("$ "))
    return found


def run(example: Example, *, folder: Path) -> None:
    """Do what the page says with one block, in a folder.

    Raises:
        ExampleError: The block failed or took too long; the message holds what it printed.
    """
    if example.not_run:
        return
    if example.file:
        folder.joinpath(example.file).write_text(example.text, encoding="utf-8")
    elif example.language == "python":
        _call([sys.executable, "-c", example.text], example=example, folder=folder)
    else:
        script = "\n".join(commands(example))
        if "sudo " in script:
            raise ExampleError(
                f"line {example.line}: a command with sudo is never run: mark the block not-run"
            )
        _call(["bash", "-euo", "pipefail", "-c", script], example=example, folder=folder)


def _blocks(markdown: str) -> Iterator[Example]:
    lines = markdown.splitlines()
    position = 0
    while position < len(lines):
        opening = _FENCE.match(lines[position])
        if opening is None:
            position += 1
            continue
        end = lines.index("```", position + 1)
        orders = dict(_orders_above(lines, position))
        yield Example(
            line=position + 1,
            language=opening[1],
            text="\n".join(lines[position + 1 : end]) + "\n",
            file=orders.get("file"),
            not_run=orders.get("not-run"),
        )
        position = end + 1


def _orders_above(lines: list[str], position: int) -> Iterator[tuple[str, str]]:
    while position > 0 and (order := _ORDER.match(lines[position - 1])):
        yield order[1], order[2]
        position -= 1


def _call(command: list[str], *, example: Example, folder: Path) -> None:
    # The environment's own programs come first, so that `sootprint` and `python` are the ones under test.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as err:
        raise ExampleError(f"line {example.line}: took longer than {LIMIT_S} s") from err
    if done.returncode != 0:
        raise ExampleError(f"line {example.line}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
