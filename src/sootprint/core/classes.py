"""Slotted, keyword-only dataclasses without the `dataclasses` module, which adds 1.5 MB and 6 ms to a bare program.

That module also compiles five functions for each class, another 1.3 MB for ours; here each is written once. To all
who ask, as `dataclasses.fields` and `replace`, pydantic or `inspect` do, the classes are those of the standard
library, made at that moment. Type checkers are given the standard library's own.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from dataclasses import asdict, dataclass, field, fields, replace
    from typing import Any, TypeVar

    T = TypeVar("T")

__all__ = ["MISSING", "Field", "asdict", "dataclass", "field", "fields", "held", "is_record", "replace"]
__all__ += ["Table", "late", "names", "several", "table"]

MISSING = type("Missing", (), {"__repr__": lambda self: "MISSING"})()


class Field:
    """What a class statement says of one field; the names are those of `dataclasses.Field`."""

    __slots__ = ("default", "default_factory", "metadata", "name", "type")

    def __init__(self, default: Any, default_factory: Any, metadata: Mapping[str, Any] | None) -> None:
        self.name = self.type = ""
        self.default, self.default_factory = default, default_factory
        self.metadata = {} if metadata is None else metadata

    def standard(self) -> Any:
        """The same for the standard library."""
        import dataclasses

        told = {"default": self.default, "default_factory": self.default_factory}
        given = {name: value for name, value in told.items() if value is not MISSING}
        return dataclasses.field(**given, metadata=self.metadata)


class _Made:
    """What the shared methods need to know of one class."""

    def __init__(self, specs: tuple[Field, ...], cls: type) -> None:
        self.specs = specs
        self.defaults = {one.name: one.default for one in specs if one.default is not MISSING}
        self.factories = [
            (one.name, one.default_factory) for one in specs if one.default_factory is not MISSING
        ]
        self.puts = [(one.name, vars(cls)[one.name].__set__) for one in specs]
        self.names = tuple(one.name for one in specs)
        self.held = attrgetter(*self.names)
        self.check = getattr(cls, "__post_init__", None)

    def filled(self, given: dict[str, Any]) -> dict[str, Any]:
        """What was given, with the defaults of the other fields."""
        held = self.defaults | given
        for name, factory in self.factories:
            if name not in given:
                held[name] = factory()
        return held


class _Standard:
    """An attribute of the standard library's twin of a class, which is made when somebody first asks."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: Any) -> Any:
        import dataclasses
        import inspect

        made = owner.__record__
        body = {one.name: one.standard() for one in made.specs}
        body |= {
            "__annotations__": {one.name: one.type for one in made.specs},
            "__module__": owner.__module__,
        }
        frozen = "__setattr__" in vars(owner)
        twin: Any = dataclasses.dataclass(kw_only=True, frozen=frozen)(type(owner.__name__, (), body))
        owner.__dataclass_fields__ = twin.__dataclass_fields__
        owner.__dataclass_params__ = twin.__dataclass_params__
        owner.__signature__ = inspect.signature(twin)
        return getattr(owner, self._name)


def _init(self: Any, /, **given: Any) -> None:
    made = self.__record__
    held = given if len(given) == len(made.puts) else made.filled(given)
    try:
        for name, put in made.puts:
            put(self, held[name])
    except KeyError:
        held = made.filled(given)
        if missing := [one.name for one in made.specs if one.name not in held]:
            raise TypeError(f"{type(self).__name__}() needs {', '.join(missing)}") from None
    if len(held) != len(made.puts):
        strange = sorted(held.keys() - {one.name for one in made.specs})
        raise TypeError(f"{type(self).__name__}() has no field {', '.join(strange)}")
    if made.check is not None:
        made.check(self)


def _repr(self: Any) -> str:
    held = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in self.__record__.specs)
    return f"{type(self).__qualname__}({held})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    held = self.__record__.held
    return held(self) == held(other)


def _hash(self: Any) -> int:
    return hash(self.__record__.held(self))


def _refuse(self: object, name: str, value: object = None) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"field {name!r} of a {type(self).__name__} cannot be changed: use replace")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in self.__record__.specs]


def _setstate(self: Any, state: list[Any]) -> None:
    for (_, put), value in zip(self.__record__.puts, state, strict=True):
        put(self, value)


_SHARED = {"__init__": _init, "__repr__": _repr, "__eq__": _eq, "__getstate__": _getstate}
_SHARED |= {"__setstate__": _setstate}
_FROZEN = {"__hash__": _hash, "__setattr__": _refuse, "__delattr__": _refuse}
_TOLD = ("__dataclass_fields__", "__dataclass_params__", "__signature__")


def _dataclass(*, frozen: bool = False, slots: bool = True, kw_only: bool = True) -> Callable[[type], type]:
    assert slots and kw_only, "no other dataclasses are made here"

    def made(cls: type) -> type:
        body = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        specs = []
        for name, kind in body.get("__annotations__", {}).items():
            given = body.pop(name, MISSING)
            spec = given if isinstance(given, Field) else Field(given, MISSING, None)
            spec.name, spec.type = name, kind
            specs.append(spec)
        shared = _SHARED | (_FROZEN if frozen else {"__hash__": None})
        body |= {name: method for name, method in shared.items() if body.get(name) is None}
        body |= {name: _Standard(name) for name in _TOLD}
        body |= {"__slots__": tuple(one.name for one in specs), "__match_args__": ()}
        finished = type(cls)(cls.__name__, cls.__bases__, body)
        finished.__record__ = _Made(tuple(specs), finished)  # type: ignore[attr-defined]
        return finished

    return made


def _field(*, default: Any = MISSING, default_factory: Any = MISSING, metadata: Any = None) -> Any:
    return Field(default, default_factory, metadata)


def _fields(record: Any) -> tuple[Field, ...]:
    specs: tuple[Field, ...] = record.__record__.specs
    return specs


def _replace(record: Any, /, **changes: Any) -> Any:
    names = [one.name for one in record.__record__.specs]
    return type(record)(**{name: getattr(record, name) for name in names} | changes)


def is_record(value: object) -> bool:
    """Whether a value is of a class that was made here."""
    return hasattr(value.__class__, "__record__")


def names(record: Any) -> tuple[str, ...]:
    """Names of the fields of a record, in order."""
    told: tuple[str, ...] = record.__record__.names
    return told


def held(record: Any) -> Iterable[tuple[str, Any]]:
    """Name and value of each field of a record."""
    made = record.__record__
    values = made.held(record)
    return zip(made.names, (values,) if len(made.names) == 1 else values, strict=True)


def several(record: type[T], rows: Iterable[Sequence[Any]]) -> list[T]:
    """Records of one class from the values of all their fields, in order; in half the time of one by one."""
    told: Any = record
    puts, check = [put for _, put in told.__record__.puts], told.__record__.check
    made = []
    for values in rows:
        one = object.__new__(record)
        for put, value in zip(puts, values, strict=True):
            put(one, value)
        if check is not None:
            check(one)
        made.append(one)
    return made


class Table:
    """Records of one class as the values of their fields, by row: they are made when somebody asks for them.

    Args:
        record: Their class.
        rows: Values of all fields of each, in order; they keep the rules of the class.
    """

    __slots__ = ("record", "rows")

    def __init__(self, record: type[Any], rows: Sequence[Sequence[Any]]) -> None:
        self.record, self.rows = record, rows


class _Late:
    """The slot of a field that may hold a table, whose records are made when the field is first looked at."""

    def __init__(self, slot: Any) -> None:
        self.slot = slot

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        value = self.slot.__get__(instance, owner)
        if value.__class__ is Table:
            value = tuple(several(value.record, value.rows))
            self.slot.__set__(instance, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        self.slot.__set__(instance, value)


def late(record: type, name: str) -> None:
    """Let a field of a class be given as a table; to all who look at it, it is a tuple of records."""
    setattr(record, name, _Late(vars(record)[name]))


def table(record: Any, name: str) -> Table | None:
    """Table that such a field of a record holds yet, or None where its records were made."""
    value = vars(type(record))[name].slot.__get__(record)
    return value if value.__class__ is Table else None


def _asdict(value: Any) -> Any:
    if is_record(value):
        return {one.name: _asdict(getattr(value, one.name)) for one in _fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_asdict, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(_asdict, value))
    if isinstance(value, dict):
        return {name: _asdict(item) for name, item in value.items()}
    return value


if not TYPE_CHECKING:
    dataclass, field, fields, replace, asdict = _dataclass, _field, _fields, _replace, _asdict
