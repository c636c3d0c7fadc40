"""Figures in the text format of Prometheus, written and read.

Source:
    Prometheus, Exposition formats, text format 0.0.4 (2025).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')
_ESCAPE = re.compile(r"\\(.)")


class Family(NamedTuple):
    """Figures of one name.

    Args:
        name: Its name.
        kind: counter or gauge.
        help: What it is, in one line.
        samples: Labels and value of each figure.
    """

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[Labels, float]]


def exposition(families: Iterable[Family]) -> str:
    r"""Text of the figures.

    >>> print(exposition([Family("runs", "gauge", "Runs.", [((("user", 'a"b'),), 2.0)])]), end="")
    # HELP runs Runs.
    # TYPE runs gauge
    runs{user="a\"b"} 2.0
    """
    lines = []
    for family in families:
        lines += [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
        lines += [f"{family.name}{_braced(labels)} {value!r}" for labels, value in family.samples]
    return "".join(f"{line}\n" for line in lines)


def samples(text: str) -> Iterator[tuple[str, Labels, float]]:
    r"""Name, labels and value of each figure of a text that `exposition` wrote.

    Raises:
        ValueError: A line is none of such a text.

    >>> list(samples('runs{user="a\\"b"} 2.0\n'))
    [('runs', (('user', 'a"b'),), 2.0)]
    """
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found = _SAMPLE.fullmatch(line)
            if found is None:
                raise ValueError(f"{line!r:.60} is no figure")
            name, inner, value = found.groups()
            yield name, tuple(_pairs(inner or "")), float(value)


def _pairs(inner: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(inner):
        pair = _PAIR.match(inner, position)
        if pair is None:
            raise ValueError(f"{inner!r:.60} has no labels that can be read")
        yield pair[1], _plain(pair[2])
        position = pair.end()


def _braced(labels: Labels) -> str:
    inner = ",".join(f'{name}="{_quoted(value)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _plain(quoted: str) -> str:
    return _ESCAPE.sub(lambda one: "\n" if one[1] == "n" else one[1], quoted)
