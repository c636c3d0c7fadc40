"""Exports of cloud providers: tonnes and kilograms, methods and scopes apart, and no sum that holds runs twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sootprint import importers
from sootprint.cli import app
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.ledger.names import pseudonym

AWS = {
    "last_refresh_timestamp": "2026-02-20 00:00:00Z",
    "location": "Europe (Frankfurt)",
    "model_version": "v3.0.1",
    "payer_account_id": "111122223333",
    "product_code": "AmazonEC2",
    "region_code": "eu-central-1",
    "total_lbm_emissions_unit": "MTCO2e",
    "total_lbm_emissions_value": "0.5",
    "total_mbm_emissions_unit": "MTCO2e",
    "total_mbm_emissions_value": "0.21",
    "total_scope_1_emissions_unit": "MTCO2e",
    "total_scope_1_emissions_value": "0.01",
    "total_scope_2_lbm_emissions_unit": "MTCO2e",
    "total_scope_2_lbm_emissions_value": "0.29",
    "total_scope_2_mbm_emissions_unit": "MTCO2e",
    "total_scope_2_mbm_emissions_value": "0",
    "total_scope_3_lbm_emissions_unit": "MTCO2e",
    "total_scope_3_lbm_emissions_value": "0.2",
    "total_scope_3_mbm_emissions_unit": "MTCO2e",
    "total_scope_3_mbm_emissions_value": "0.2",
    "usage_account_id": "444455556666",
    "usage_period_end": "2026-01-31 23:59:59Z",
    "usage_period_start": "2026-01-01 00:00:00Z",
}
SCOPES = [name for name in AWS if "_scope_" in name]
GCP = {
    "usage_month": "2025-03-01",
    "billing_account_id": "007GD7-15C0E6-BDE6B3",
    "project": {"id": "my-project", "number": "802583874831"},
    "service": {"description": "Compute Engine", "id": "6F81-5844-456A"},
    "location": {"location": "europe-west9-a", "region": "europe-west9"},
    "carbon_model_version": 12,
    "carbon_footprint_kgCO2e": {
        "scope1": 10.0,
        "scope2": {"location_based": 400.0, "market_based": 105.8},
        "scope3": 90.0,
    },
    "carbon_footprint_total_kgCO2e": {"location_based": 500.0, "market_based": 205.8},
}
DETAILS = (
    '"Subscription_Name","Subscription_Id","Latest_Month_Emissions_kgCO2E","Previous_Month_Emissions_kgCO2E"\n'
    '"research","6690c42b-73e0-437c-92f6-0123456789ab","0.98","0.95"\n'
)
REPORT = {
    "value": [
        {
            "dataType": "MonthlySummaryData",
            "date": "2025-04-01",
            "latestMonthEmissions": 123.5,
            "carbonIntensity": 22.0,
        }
    ],
    "subscriptionAccessDecisionList": [],
}


def aws(*changes: dict[str, str], without: tuple[str, ...] | list[str] = ()) -> str:
    """A table of AWS, a row for each set of changes."""
    names = [name for name in AWS if name not in without]
    lines = [",".join({**AWS, **one}.get(name, "") for name in names) for one in changes or ({},)]
    return "\n".join((",".join(names), *lines)) + "\n"


def one(text: str, name: str = "carbon.csv") -> Footprint:
    """The only record of a text."""
    (record,) = importers.read(text, name=name).records
    return record


def kilograms(record: Footprint) -> tuple[float | None, float | None]:
    """Location- and market-based emissions of a record [kgCO2e]."""
    sums = (record.emissions_kg, record.market_based_kg)
    return tuple(None if told is None else round(told.value, 6) for told in sums)  # type: ignore[return-value]


def test_aws_in_tonnes_with_its_scopes_apart() -> None:
    """0.01 t + 0.29 t by place, 0.01 t + 0 by contract; scope 3 is in neither."""
    record = one(aws())
    assert kilograms(record) == (300.0, 10.0)
    assert (record.given["scope3_kg"], record.given["total_location_kg"]) == (200.0, 500.0)
    assert (record.boundary, record.grade, record.scope, record.energy_kwh) == (
        "facility",
        "E",
        "project_total",
        None,
    )
    assert (record.place.zone, record.started) == ("aws/eu-central-1", "2026-01-01T00:00:00Z")
    assert record.emissions_kg is not None
    assert record.emissions_kg.basis == "claimed"
    assert {"energy_kwh", "pue"} <= set(record.unknown)
    assert "444455556666" not in record.to_json()
    assert "111122223333" not in record.to_json()


def test_aws_totals_are_operational_until_the_model_holds_scope_3() -> None:
    """Without the columns of the scopes a total of version 2 is scopes 1 and 2; one of version 3 is refused."""
    assert kilograms(one(aws({"model_version": "v2.0.0"}, without=SCOPES))) == (500.0, 210.0)
    for version in ("v3.0.0", ""):
        with pytest.raises(InputError, match="total_scope_1_emissions_value"):
            one(aws({"model_version": version}, without=SCOPES))


def test_aws_by_market_alone_has_no_location_based_number() -> None:
    """The first version told the market-based total alone: it is not filed as location-based."""
    old = [*SCOPES, "total_lbm_emissions_value", "total_lbm_emissions_unit"]
    record = one(aws({"model_version": "v1.0.0"}, without=old))
    assert kilograms(record) == (None, 210.0)
    assert "emissions_kg" in record.unknown


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"total_scope_1_emissions_unit": "lbCO2e"}, "total_scope_1_emissions_unit is 'lbco2e'"),
        ({"total_lbm_emissions_value": "-1"}, "total_lbm_emissions_value is -1: it is at least 0"),
        ({"total_lbm_emissions_value": "0.5 t"}, "without a unit"),
        ({"usage_period_start": "January"}, "usage_period_start is 'January'"),
        ({"usage_period_start": ""}, "usage_period_start is ''"),
        ({name: "nan" for name in AWS if name.endswith("_value")}, "it states no emissions"),
    ],
)
def test_bad_row_is_told(changes: dict[str, str], why: str) -> None:
    """The line, the value and the rule; its neighbour is a record."""
    found = importers.read(aws(changes, {"region_code": "us-east-1"}), name="carbon.csv")
    assert len(found.records) == 1
    assert [(left.where, why in left.why) for left in found.left_out] == [("line 2", True)]


def test_kilograms_of_aws_are_kilograms() -> None:
    """The unit is what its column says."""
    assert kilograms(
        one(aws({"total_scope_1_emissions_unit": "kgCO2e", "total_scope_1_emissions_value": "10"}))
    ) == (
        300.0,
        10.0,
    )


def test_latest_model_of_a_month_counts() -> None:
    """A month that is stated by two versions of the model is one record, of the later; a copy is counted once."""
    later = {"model_version": "v3.1.0", "total_scope_1_emissions_value": "0.02"}
    for rows in (({}, later), (later, {})):
        found = importers.read(aws(*rows), name="carbon.csv")
        assert [kilograms(record) for record in found.records] == [(310.0, 20.0)]
        assert len(found.left_out) == 1
    assert len(importers.read(aws({}, {}), name="carbon.csv").records) == 1
    assert one(aws()).id == one(aws(later)).id
    assert one(aws()).id != one(aws({"usage_account_id": "999"})).id


def test_identity_has_the_pseudonym_of_an_account() -> None:
    """Nobody can try account numbers against the identity of a record without the key."""
    keyed = importers.read(
        aws(), name="x", names=lambda kind, name: pseudonym(b"k" * 32, kind, name)
    ).records[0]
    other = importers.read(
        aws(), name="x", names=lambda kind, name: pseudonym(b"l" * 32, kind, name)
    ).records[0]
    assert keyed.id != other.id
    assert keyed.project == pseudonym(b"k" * 32, "account", "444455556666")


def flat(row: dict[str, object], mark: str, before: str = "") -> dict[str, str]:
    """Cells of a nested row with the names joined."""
    made: dict[str, str] = {}
    for name, value in row.items():
        made |= (
            flat(value, mark, f"{before}{name}{mark}")
            if isinstance(value, dict)
            else {before + name: str(value)}
        )
    return made


@pytest.mark.parametrize("form", ["lines", "list", ".", "_"])
def test_gcp_in_kilograms_however_it_is_exported(form: str) -> None:
    """JSON a line, a JSON list, or a CSV with dots or underscores: one record with one identity."""
    if form in ("lines", "list"):
        text = json.dumps(GCP) + "\n" if form == "lines" else json.dumps([GCP])
    else:
        cells = flat(GCP, form)
        text = f"{','.join(cells)}\n{','.join(cells.values())}\n"
    record = one(text, "carbon.json")
    assert kilograms(record) == (410.0, 115.8)
    assert (record.given["scope3_kg"], record.project) == (90.0, "my-project")
    assert (record.place.zone, record.tags["service"]) == ("gcp/europe-west9", "Compute Engine")
    assert record.id == one(json.dumps(GCP), "carbon.json").id
    assert "007GD7" not in record.to_json()


def test_gcp_total_that_is_no_sum_is_told() -> None:
    """A total beside other scopes, and a total alone, which holds scope 3."""
    off = {**GCP, "carbon_footprint_total_kgCO2e": {"location_based": 5000.0}}
    assert any("add up to 500" in warning for warning in one(json.dumps(off), "c.json").warnings)
    alone = {name: value for name, value in GCP.items() if name != "carbon_footprint_kgCO2e"}
    with pytest.raises(InputError, match="a total alone holds scope 3"):
        one(json.dumps(alone), "c.json")


def test_azure_states_neither_scopes_nor_method() -> None:
    """Its sum is kept as stated and is in no total; the month is that of the report, or unknown."""
    details, report = one(DETAILS), one(json.dumps(REPORT), "report.json")
    for record, stated_kg, started in ((details, 0.98, None), (report, 123.5, "2025-04-01T00:00:00Z")):
        assert kilograms(record) == (None, None)
        assert (record.given["stated_kg"], record.started) == (stated_kg, started)
        assert any("which scopes" in warning for warning in record.warnings)
    assert details.project == "research"
    assert "6690c42b" not in details.to_json()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            '"Month","TotalEmissions","Scope1","Scope2","Scope3","CarbonIntensity"\n"May 2024",1,0,0,1,2\n',
            "no unit",
        ),
        (DETAILS.replace('"0.98"', '"-3"'), "latest_month_emissions_kgco2e is -3"),
        (DETAILS.replace('"0.98"', '"0,98"'), "with a decimal point"),
        (
            '{"value": [{"dataType": "MonthlySummaryData", "latestMonthEmissions": NaN}]}',
            "no latestMonthEmissions",
        ),
        ('{"value": [5, {"dataType": "x", "latestMonthEmissions": "x"}]}', "row 1: it is no object"),
        (json.dumps(GCP)[:-5], "it was cut off"),
        ('{"usage_month": "2025-03-01", "carbon_footprint_kgCO2e": ' + '{"a": ' * 50_000, "nested too deep"),
    ],
)
def test_bad_export_gets_one_line(text: str, why: str) -> None:
    """The line has the value and the rule."""
    with pytest.raises(InputError) as caught:
        importers.read(text, name="export")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(
    start=st.sampled_from([f"{','.join(AWS)}\n", DETAILS, json.dumps(GCP) + "\n", json.dumps(REPORT)[:40]]),
    rest=st.text(max_size=80),
)
def test_no_export_makes_a_reader_fail(start: str, rest: str) -> None:
    """Whatever the text: records, or one line."""
    try:
        assert importers.read(start + rest, name="x").records
    except InputError as err:
        assert str(err)


def test_sums_over_runs_hold_no_statement(tmp_path: Path) -> None:
    """A month of a provider holds runs: `summary` leaves it out, and --statements sums it by itself."""
    env = {"SOOTPRINT_HOME": str(tmp_path / "home")}
    (tmp_path / "aws.csv").write_text(aws({}, {"region_code": "us-east-1"}))
    (tmp_path / "azure.csv").write_text(DETAILS)
    (tmp_path / "runs.csv").write_text("name,energy_kwh,zone,year\nrun,10,FR,2024\n")
    files = [str(tmp_path / name) for name in ("aws.csv", "azure.csv", "runs.csv")]
    for _ in range(2):
        done = CliRunner().invoke(app, ["import", *files], env=env)
        assert (done.exit_code, done.stdout) == (0, "4 records in the ledger, 0 rows left out\n")
    assert (
        "3 statements of cloud providers are in no sum"
        in CliRunner().invoke(app, ["summary"], env=env).stderr
    )
    summed = json.loads(CliRunner().invoke(app, ["summary", "--json"], env=env).stdout)
    assert (summed["total"]["runs"], summed["total"]["energy_kwh"]["value"]) == (1, 10.0)
    asked = ["summary", "--statements", "--by", "tag:statement"]
    stated = json.loads(CliRunner().invoke(app, [*asked, "--json"], env=env).stdout)
    rows = {row["key"]: row for row in stated["rows"]}
    assert (rows["aws"]["location_based_kg"], rows["aws"]["market_based_kg"], rows["aws"]["scope3_kg"]) == (
        600,
        20,
        400,
    )
    assert (rows["azure"]["location_based_kg"], rows["azure"]["stated_kg"]) == (None, 0.98)
    assert rows["azure"]["without"]["location_based_kg"] == 1
    shown = CliRunner().invoke(app, asked, env=env).stdout
    assert "600 kg" in shown
    assert "no two columns are added up" in shown


def test_aws_without_its_units_says_what_they_are_taken_for() -> None:
    """Metric tons, as its table is documented; with the columns of units there is no such remark."""
    units = [name for name in AWS if name.endswith("_unit")]
    record = one(aws({}, without=units))
    assert record.emissions_kg == one(aws({})).emissions_kg
    assert any("its unit is not told" in warning for warning in record.warnings)
    assert not any("its unit is not told" in warning for warning in one(aws({})).warnings)


def test_columns_in_columns_without_end_get_one_line() -> None:
    """As deep as JSON can be read, and deeper than any export is."""
    for depth in (200, 900, 5_000, 100_000):
        deep = (
            '{"usage_month": "2025-03-01", "carbon_footprint_kgCO2e": '
            + '{"a": ' * depth
            + "1"
            + "}" * (depth + 1)
        )
        with pytest.raises(InputError) as caught:
            importers.read(deep, name="carbon.json", form="gcp-carbon")
        assert "\n" not in str(caught.value)
