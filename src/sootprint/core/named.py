"""Tuples with named fields, without the `typing` module, which a bare program has not loaded: 0.5 MB and some ms.

Type checkers are given `typing.NamedTuple` in its place, of which this is what we use.
"""

from __future__ import annotations

from collections import namedtuple

_OWN = frozenset({"__module__", "__qualname__", "__annotations__", "__classcell__"})


class _Making(type):
    """Makes the tuple of a class statement's fields, with its methods."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
        if not bases:
            return super().__new__(cls, name, bases, body)
        fields = body.get("__annotations__", {})
        assert isinstance(fields, dict)
        defaults = [body[field] for field in fields if field in body]
        made = namedtuple(name, fields, defaults=defaults, module=str(body["__module__"]))  # type: ignore[misc]
        made.__annotations__ = fields
        for key, value in body.items():
            if key not in _OWN and key not in fields:
                setattr(made, key, value)
        return made


class NamedTuple(metaclass=_Making):
    """Base of a class whose annotated names are the fields of a tuple.

    >>> class Point(NamedTuple):
    ...     x: float
    ...     y: float = 2.0
    >>> Point(1.0)
    Point(x=1.0, y=2.0)
    """
