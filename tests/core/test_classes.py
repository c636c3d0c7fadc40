"""Our dataclasses behave as those of the standard library, and are those to whoever asks."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys

import pytest

from sootprint.core import classes, protocols, records
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Gap, Interval, Place

ID = "018bcfe5-6800-7000-8000-000000000000"
PATHS = f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}\n"
CODE = """
import sys
import sootprint.core.records, sootprint.settings, sootprint.tracker.assemble, sootprint.tracker.session
print(*sorted({"dataclasses", "inspect", "ast", "datetime", "typing"} & set(sys.modules)))
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The fields of a `Place`, as the standard library makes them."""

    zone: str | None = None
    country: str | None = None
    subdivision: str | None = None
    provider: str | None = None
    region: str | None = None
    source: str | None = None


def test_equality_hash_and_text_are_those_of_the_standard_library():
    """The same as it makes for the same fields; another class is never equal."""
    assert repr(Place(zone="FR")) == repr(Standard(zone="FR")).replace("Standard", "Place")
    assert hash(Place(zone="FR")) == hash(Standard(zone="FR"))
    assert Place(zone="FR") == Place(zone="FR") != Place(zone="DE")
    assert Place(zone="FR") != Standard(zone="FR")
    assert len({Place(), Place(), Gap(component="cpu", start="", end="", reason="")}) == 2


def test_records_copy_replace_and_travel():
    """A replaced field, a copy and a pickle are what they say, and each is checked anew where it is made anew."""
    one = Factor(kind="pue", key="FR", value=1.2)
    assert classes.replace(one, value=1.3) == dataclasses.replace(one, value=1.3) != one
    assert pickle.loads(pickle.dumps(one)) == copy.copy(one) == copy.deepcopy(one) == one
    with pytest.raises(records.RecordError, match="not a finite"):
        classes.replace(Quantity(value=1.0), value=float("nan"))


def test_several_records_are_as_made_one_by_one():
    """Records of rows equal those of named values, and a row that breaks a rule is refused as there."""
    rows = [("2026", "2027", "cpu", 1.5), ("2027", "2028", "cpu", 2)]
    by_name = [dict(zip(("start", "end", "component", "energy_j"), row, strict=True)) for row in rows]
    assert classes.several(Interval, rows) == [Interval(**one) for one in by_name]
    with pytest.raises(records.RecordError, match="at least 0"):
        classes.several(Interval, [("2026", "2027", "cpu", -1.0)])
    with pytest.raises(ValueError):
        classes.several(Interval, [("2026", "2027", "cpu")])


def test_a_table_is_the_records_of_its_rows_to_all_who_look():
    """They are made at the first look: equal, hashed, copied and written as if they had been given."""
    rows = [("2026", "2027", "cpu", 1.5), ("2027", "2028", 'caf\u00e9 "', 1e-07)]
    given = records.Footprint(id=ID, intervals=tuple(classes.several(Interval, rows)))

    def late() -> records.Footprint:
        return records.Footprint(id=ID, intervals=classes.Table(Interval, rows))

    one = late()
    assert one.to_json() == given.to_json()
    assert classes.table(one, "intervals") is not None  # nobody has looked at them yet
    assert one.intervals == given.intervals and classes.table(one, "intervals") is None
    assert late() == given and repr(late()) == repr(given)
    assert classes.replace(late(), name="x") == dataclasses.replace(given, name="x")
    assert pickle.loads(pickle.dumps(late())) == copy.deepcopy(late()) == given
    assert classes.asdict(late()) == classes.asdict(given)


def test_a_field_cannot_be_changed_added_or_deleted():
    """As of a frozen class of the standard library."""
    one = Place(zone="FR")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.zone = "DE"
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.town = "Paris"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.zone
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize(
    ("given", "message"),
    [({}, "needs start, end"), ({"town": 1}, "needs"), ({"full": 1}, "has no field town")],
)
def test_wrong_arguments_are_named(given, message):
    """What is missing, and what is no field."""
    if "full" in given:
        given = {"start": "", "end": "", "component": "cpu", "energy_j": 1.0, "town": 1}
    with pytest.raises(TypeError, match=message):
        Interval(**given)


def test_factories_make_a_value_for_each():
    """Two states never share a list."""
    first, other = (records.Footprint(id=ID) for _ in range(2))
    assert first.tags == {} and first.tags is not other.tags


def test_whoever_asks_finds_a_standard_dataclass():
    """Fields with types, defaults and metadata, the signature, and whether it is frozen."""
    assert dataclasses.is_dataclass(Interval)
    listed = {one.name: one for one in dataclasses.fields(Interval)}
    assert list(listed) == list(Interval.__annotations__)
    assert listed["energy_j"].type == "float" and listed["energy_j"].metadata["minimum"] == 0
    assert listed["energy_j"].default is dataclasses.MISSING and listed["energy_j"].kw_only
    assert Interval.__dataclass_params__.frozen
    assert list(inspect.signature(Interval).parameters) == list(listed)
    one = Interval(start="a", end="b", component="cpu", energy_j=1.0)
    assert dataclasses.asdict(one) == classes.asdict(one)


def test_every_class_of_the_core_has_all_its_fields():
    """None is left out, and each default is the one that the class states."""
    for module in (protocols, records):
        for one in [kind for kind in vars(module).values() if isinstance(kind, type)]:
            if dataclasses.is_dataclass(one):
                ours, theirs = classes.fields(one), dataclasses.fields(one)
                assert [spec.name for spec in ours] == [spec.name for spec in theirs]


def test_what_measures_does_without_the_large_modules():
    """`dataclasses` with `inspect` and `ast`, `datetime` and `typing` are 2.5 MB of a bare program."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", PATHS + CODE], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
