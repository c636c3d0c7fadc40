"""Carbon emissions of AWS (Customer Carbon Footprint Tool), as Data Exports writes its table CARBON_EMISSIONS to a CSV.

Its unit stands in columns of its own and is metric tons. Until version 3 of its model the totals are scopes 1 and 2;
from there on they hold scope 3, so that the columns of the scopes are needed to tell what is operational.

Source:
    AWS Data Exports User Guide, "Carbon emissions columns" (2025), and the table's default query of 2026 with the
    columns of the scopes.
"""

from __future__ import annotations

import re

from sootprint.core.errors import InputError
from sootprint.importers import statements
from sootprint.importers.base import Imported, Names, Row, instant, names_in, nobody, number, text_of
from sootprint.importers.statements import Statement

NAME = "aws-ccft"
_COLUMNS = {
    "scope1_kg": "total_scope_1_emissions",
    "scope2_location_kg": "total_scope_2_lbm_emissions",
    "scope2_market_kg": "total_scope_2_mbm_emissions",
    "scope3_kg": "total_scope_3_lbm_emissions",
    "scope3_market_kg": "total_scope_3_mbm_emissions",
}
_TOTALS = {"location": "total_lbm_emissions", "market": "total_mbm_emissions"}
_VERSION = re.compile(r"v?(\d{1,3})(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?")
_WITH_SCOPE_3 = 3  # first version of the model whose totals hold scope 3
_UNITLESS = "its unit is not told: taken for metric tons, which AWS states for this table"
_KEY = ("payer_account_id", "usage_account_id", "product_code", "region_code", "location")


def is_head(line: str) -> bool:
    """Whether a line is the head of such a table.

    >>> is_head("usage_account_id,total_mbm_emissions_value"), is_head("name,hours")
    (True, False)
    """
    names = names_in(line)
    return any(f"{one}_value" in names for one in (*_TOTALS.values(), *_COLUMNS.values()))


def read(text: str, name: str, names: Names = nobody) -> Imported:
    """Records of the months in a table.

    Raises:
        InputError: It holds none.
    """
    return statements.imported(NAME, name, statements.table(text, name), _statement, names)


def _statement(row: Row, names: Names) -> Statement:
    stated = {name: kg for name, column in _COLUMNS.items() if (kg := _kg(row, column)) is not None}
    totals = {name: kg for name, column in _TOTALS.items() if (kg := _kg(row, column)) is not None}
    if not stated and not totals:
        raise InputError("it states no emissions: its values are empty")
    version = _version(row)
    whole = version is not None and version[0] >= _WITH_SCOPE_3
    if not stated and (whole or version is None):
        raise InputError(
            "its total holds scope 3, or does not tell: export the columns total_scope_1_emissions_value, "
            "total_scope_2_lbm_emissions_value, total_scope_2_mbm_emissions_value and model_version, too"
        )
    account = text_of(row, "usage_account_id")
    unitless = any(
        row.get(f"{column}_value") and not row.get(f"{column}_unit")
        for column in (*_COLUMNS.values(), *_TOTALS.values())
    )
    hidden = {column: names("account", row[column]) or row[column] for column in _KEY[:2] if row.get(column)}
    return Statement(
        provider="aws",
        key=tuple(hidden.get(column) or row.get(column, "") for column in _KEY),
        start=statements.month(row, "usage_period_start"),
        end=instant(row.get("usage_period_end", "").removesuffix(" UTC")),
        project=names("account", account) if account else None,
        service=text_of(row, "product_code"),
        region=text_of(row, "region_code"),
        stated_kg=stated,
        total_location_kg=None if whole else totals.get("location"),
        total_market_kg=None if whole else totals.get("market"),
        rank=(version or (0, 0, 0), row.get("last_refresh_timestamp", "")),
        given={f"total_{name}_kg": kg for name, kg in totals.items()}
        | {column: row[column] for column in ("model_version", "location") if row.get(column)},
        warnings=(_UNITLESS,) if unitless else (),
    )


def _kg(row: Row, column: str) -> float | None:
    """Emissions of a value and its unit [kgCO2e]."""
    value = number(row, f"{column}_value")
    if value is None:
        return None
    unit = row.get(f"{column}_unit", "").lower() or "mtco2e"
    if unit not in statements.KG_PER:
        raise InputError(f"{column}_unit is {unit!r:.40}: known are MTCO2e, tCO2e, kgCO2e and gCO2e")
    return value * statements.KG_PER[unit]


def _version(row: Row) -> tuple[int, int, int] | None:
    found = _VERSION.fullmatch(row.get("model_version", "").strip().lower())
    return None if found is None else (int(found[1]), int(found[2] or 0), int(found[3] or 0))
