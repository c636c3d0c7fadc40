"""The nomenclature: one name, one symbol and one unit for each quantity, and no quantity without them."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path

import reference
from sootprint.core import protocols, quantity, records

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "nomenclature.md"
ROWS = re.findall(
    r"^\| `(\w+)` \| (\S+) \| (\S+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)
UNITS = {name: unit for name, _, unit, _ in ROWS}
UNIT_BY_SUFFIX = {
    "_g_per_kwh": "gCO2e/kWh",
    "_kwh": "kWh",
    "_kg": "kgCO2e",
    "_gb": "GB",
    "_hours": "h",
    "_w": "W",
    "_j": "J",
    "_s": "s",
    "_l": "L",
}


def _suffix(name: str) -> str | None:
    return next((suffix for suffix in UNIT_BY_SUFFIX if name.endswith(suffix)), None)


def _fields() -> dict[str, str]:
    """Meaning of every field of the core's dataclasses, by name."""
    found: dict[str, str] = {}
    for module in (protocols, quantity, records):
        for one in vars(module).values():
            if isinstance(one, type) and dataclasses.is_dataclass(one):
                described = reference.arguments(one.__doc__ or "")
                for spec in dataclasses.fields(one):
                    doc = spec.metadata.get("doc") or described.get(spec.name, "")
                    found[spec.name] = doc or found.get(spec.name, "")
    return found


def test_table_is_read() -> None:
    """The page has rows, so that the other tests have something to say."""
    assert len(ROWS) > 30


def test_each_name_and_each_symbol_stands_once() -> None:
    """A second row for a name or a symbol would be a second meaning."""
    for column in (0, 1):
        assert [one for one, times in Counter(row[column] for row in ROWS).items() if times > 1] == []


def test_unit_at_the_end_of_a_name_is_the_unit_of_its_row() -> None:
    """`energy_j` is in joules and nothing else."""
    suffixes = {name: suffix for name in UNITS if (suffix := _suffix(name))}
    assert {name: UNITS[name] for name in suffixes} == {
        name: UNIT_BY_SUFFIX[suffix] for name, suffix in suffixes.items()
    }


def test_every_field_with_a_unit_is_in_the_table() -> None:
    """No record holds a physical quantity that the nomenclature does not name."""
    assert [name for name in _fields() if _suffix(name) and name not in UNITS] == []


def test_units_in_the_records_own_words_agree() -> None:
    """A field whose description names a unit in brackets has that unit in the table."""
    stated = {name: unit[1] for name, doc in _fields().items() if (unit := re.search(r"\[([^\]]+)\]", doc))}
    assert {"energy_kwh": "kWh", "pue": "1", "utilisation": "0-1"}.items() <= stated.items()
    assert {name: UNITS.get(name) for name in stated} == stated
