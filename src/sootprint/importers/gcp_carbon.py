"""Google Cloud Carbon Footprint, as its BigQuery table is exported: JSON of one row a line, or a CSV with its columns.

All values are kilograms of CO2e. A CSV cannot hold columns in columns: there the names are joined by a dot or an
underscore, as in carbon_footprint_kgCO2e_scope1.

Source:
    Google Cloud, "Carbon Footprint export data schema" (2026).
"""

from __future__ import annotations

from sootprint.core.errors import InputError
from sootprint.importers import statements
from sootprint.importers.base import Imported, Names, Row, names_in, nobody, number, text_of
from sootprint.importers.statements import Statement

NAME = "gcp-carbon"
_TOP = "carbon_footprint_kgco2e"
_COLUMNS = {
    "scope1_kg": f"{_TOP}_scope1",
    "scope2_location_kg": f"{_TOP}_scope2_location_based",
    "scope2_market_kg": f"{_TOP}_scope2_market_based",
    "scope3_kg": f"{_TOP}_scope3",
}
_TOTALS = {
    "total_location_kg": "carbon_footprint_total_kgco2e_location_based",
    "total_market_kg": "carbon_footprint_total_kgco2e_market_based",
}
_KEY = (
    "project_number",
    "project_id",
    "service_id",
    "service_description",
    "location_location",
    "location_region",
)
_ACCOUNT = "billing_account_id"
_NEAR = 1.001


def is_head(line: str) -> bool:
    """Whether a line is the head of such a table.

    >>> is_head("usage_month,carbon_footprint_kgCO2e.scope1"), is_head("usage_month,energy_kwh")
    (True, False)
    """
    names = {_plain(name) for name in names_in(line)}
    return "usage_month" in names and bool(names & {*_COLUMNS.values(), *_TOTALS.values()})


def is_tree(start: str) -> bool:
    """Whether a text in JSON begins as such rows do."""
    return '"usage_month"' in start and (
        '"carbon_footprint_kgCO2e' in start or '"carbon_footprint_total' in start
    )


def read(text: str, name: str, names: Names = nobody) -> Imported:
    """Records of the months in an export.

    Raises:
        InputError: It holds none.
    """
    is_json = text.lstrip()[:1] in ("{", "[")
    listed = statements.tree(text, name) if is_json else statements.table(text, name)
    return statements.imported(NAME, name, listed, _statement, names)


def _statement(row: Row, names: Names) -> Statement:
    row = {_plain(column): text for column, text in row.items()}
    stated = statements.amounts(row, _COLUMNS, kg_per=1.0)
    totals = statements.amounts(row, _TOTALS, kg_per=1.0)
    if "scope1_kg" not in stated:
        raise InputError(
            "it has no carbon_footprint_kgCO2e.scope1: a total alone holds scope 3, so export the scopes, too"
        )
    account = row.get(_ACCOUNT, "")
    hidden = names("account", account) or account if account else ""
    version = number(row, "carbon_model_version")
    return Statement(
        provider="gcp",
        key=(hidden, *(row.get(column, "") for column in _KEY)),
        start=statements.month(row, "usage_month"),
        project=text_of(row, "project_id"),
        service=text_of(row, "service_description") or text_of(row, "service_id"),
        region=text_of(row, "location_region") or text_of(row, "location_location"),
        stated_kg=stated,
        rank=(version or 0.0,),
        given=totals | ({} if version is None else {"carbon_model_version": version}),
        warnings=tuple(_sums(stated, totals)),
    )


def _sums(stated: dict[str, float], totals: dict[str, float]) -> list[str]:
    """Remarks where a total is not the sum of its scopes."""
    said = []
    for total, scope2 in (
        ("total_location_kg", "scope2_location_kg"),
        ("total_market_kg", "scope2_market_kg"),
    ):
        parts = [stated.get(name) for name in ("scope1_kg", scope2, "scope3_kg")]
        summed = sum(part for part in parts if part is not None)
        if (
            total in totals
            and None not in parts
            and abs(totals[total] - summed) > (_NEAR - 1.0) * max(summed, 1e-9)
        ):
            said.append(f"{total} is {totals[total]:.6g} and the scopes add up to {summed:.6g}")
    return said


def _plain(column: str) -> str:
    return column.lower().replace(".", "_")
