"""Carbon optimization of Azure: the portal's CSV of emission details, or the JSON of its reports.

The values are kilograms. Which scopes a report sums up, and whether scope 2 is location- or market-based, stands in
neither, so the sum is kept as stated and is in no total. The details of the portal do not tell their month.

Source:
    Microsoft, @azure/arm-carbonoptimization, CarbonEmissionData and its kinds of 2025-04-01 ("measured in kgCO2E").
    The head of the portal's CSV is as a user of it quotes it (2025).
"""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.core.errors import InputError
from sootprint.importers import statements
from sootprint.importers.base import Imported, Names, Row, names_in, nobody, number, text_of
from sootprint.importers.statements import Statement

NAME = "azure-carbon"
_LATEST = "latest_month_emissions_kgco2e"
_DATED = ("monthlysummarydata", "topitemsmonthlysummarydata")
_TREND = {"month", "totalemissions", "carbonintensity"}
_TOLD = "the report does not tell which scopes it sums up and by which method: kept as stated, in no total"
_NO_MONTH = "the export does not tell its month"


def is_head(line: str) -> bool:
    """Whether a line is the head of such a table.

    >>> is_head('"Subscription_Name","Subscription_Id","Latest_Month_Emissions_kgCO2E"')
    True
    """
    names = names_in(line)
    return _LATEST in names or names >= _TREND


def is_tree(start: str) -> bool:
    """Whether a text in JSON begins as such a report does."""
    return '"latestMonthEmissions"' in start and '"dataType"' in start


def read(text: str, name: str, names: Names = nobody) -> Imported:
    """Records of the sums in an export.

    Raises:
        InputError: It holds none, or states no unit.
    """
    start = text.lstrip()
    if start[:1] in ("{", "["):
        return statements.imported(NAME, name, statements.tree(text, name), _of_report, names)
    if names_in(start.partition("\n")[0]) >= _TREND:
        raise InputError(
            f"{name} is the portal's table of trends, which states no unit: give the JSON of "
            "`az carbon get-emission-report --monthly-summary`, or the table of details"
        )
    return statements.imported(NAME, name, _details(text, name), _of_detail, names)


def _details(text: str, name: str) -> Iterator[tuple[str, Row | str]]:
    return statements.table(text, name)


def _of_detail(row: Row, names: Names) -> Statement:
    stated_kg = number(row, _LATEST)
    if stated_kg is None:
        raise InputError("it states no emissions of the latest month")
    subscription = row.get("subscription_id", "")
    hidden = names("account", subscription) or subscription if subscription else ""
    named = {
        column.removesuffix("_name"): text
        for column, text in row.items()
        if column.endswith("_name") and text
    }
    return Statement(
        provider="azure",
        key=(hidden, *(f"{kind}={text}" for kind, text in sorted(named.items()))),
        start=None,
        project=named.get("subscription"),
        service=named.get("resource_type") or named.get("resource") or named.get("resource_group"),
        region=_region(row),
        stated_kg={"stated_kg": stated_kg},
        given={},
        warnings=(_TOLD, _NO_MONTH),
    )


def _of_report(row: Row, names: Names) -> Statement:
    stated_kg, kind = number(row, "latestmonthemissions"), row.get("datatype", "").lower()
    if stated_kg is None:
        raise InputError("it has no latestMonthEmissions: it is no report of emissions")
    dated = bool(row.get("date")) and kind.endswith(_DATED)
    subscription = row.get("subscriptionid", "")
    hidden = names("account", subscription) or subscription if subscription else ""
    category, item = row.get("categorytype", ""), row.get("itemname", "")
    is_account = category.lower() == "subscription"
    shown = (names("account", item) if is_account else item) if item else None
    return Statement(
        provider="azure",
        key=(kind, category, hidden, shown or item, row.get("resourcegroup", "")),
        start=statements.month(row, "date") if dated else None,
        project=shown if is_account else None,
        service=None if is_account or category.lower() == "location" else shown,
        region=shown if category.lower() == "location" else _region(row),
        stated_kg={"stated_kg": stated_kg},
        given={column: row[column] for column in ("datatype", "categorytype") if row.get(column)},
        warnings=(_TOLD,) if dated else (_TOLD, _NO_MONTH),
    )


def _region(row: Row) -> str | None:
    """Region by its code: the portal writes "West Europe" for westeurope."""
    text = text_of(row, "location") or text_of(row, "location_name")
    return text.replace(" ", "").lower() if text else None
