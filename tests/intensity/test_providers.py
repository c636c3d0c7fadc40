"""What is particular to each provider: its questions, its units, its regions and its refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.fixtures import grid_server
from tests.fixtures.grid_server import AnswerError, truth

from sootprint.core.errors import IntensityError
from sootprint.intensity import entsoe, mix

DAY = datetime(2023, 1, 1, tzinfo=UTC)
NOON = DAY.replace(hour=12)
LIVE = {"carbonintensity_gb": "GB", "energy_charts": "DE", "electricitymaps": "FR", "entsoe": "FR"}
LIVE |= {"eia": "US-CAL-CISO"}


def query(path):
    """Query of a path that was asked."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}


@pytest.mark.parametrize(("name", "zone"), LIVE.items())
def test_figures_are_those_of_the_grid(source, name, zone):
    """Each provider's hours are the server's, to what its format can carry."""
    found = source(name).between(zone, DAY, NOON)
    assert found[0].start == DAY
    assert found[-1].end == NOON
    assert [one.factor.value for one in found] == pytest.approx([truth(one.start) for one in found], abs=0.01)


def test_marginal_figures_are_converted_from_pounds(source):
    """100 g/kWh is 220.46 lb/MWh on the wire."""
    found = source("watttime").marginal_between("US-CA", DAY, DAY + timedelta(hours=1))
    assert len(found) == 12
    assert found[0].factor.value == pytest.approx(100.0)
    assert found[0].factor.method == "marginal, operating, location-based"


def test_marginal_token_is_asked_once_and_renewed(grid, source):
    """A token serves for 25 minutes."""
    one = source("watttime")
    one.marginal_between("US-CA", DAY, NOON)
    one.marginal_between("US-CA", DAY - timedelta(days=1), NOON)
    assert [path for path in grid.asked if path == "/login"] == ["/login"]
    grid.now += timedelta(minutes=26)
    one.marginal_between("US-CA", DAY - timedelta(days=3), NOON)
    assert grid.asked.count("/login") == 2


@pytest.mark.parametrize(
    "meta",
    [
        {"units": "kg_co2_per_mwh", "signal_type": "co2_moer"},
        {"units": "lbs_co2_per_mwh", "signal_type": "co2_aoer"},
    ],
)
def test_marginal_answer_in_another_unit_or_signal_is_refused(grid, source, meta):
    """Neither kilograms nor an average passes for the marginal rate in pounds."""
    grid.bend = lambda answer: answer if "token" in answer else {**answer, "meta": meta}
    with pytest.raises(IntensityError, match="lbs_co2_per_mwh of co2_moer was asked for"):
        source("watttime").marginal_between("US-CA", DAY, NOON)


def test_marginal_source_cannot_be_asked_for_averages(source):
    """There is no method by which a footprint could take its figures."""
    assert not hasattr(source("watttime"), "between")


@pytest.mark.parametrize("name", ["electricitymaps", "eia", "entsoe", "watttime"])
@pytest.mark.parametrize(
    "environ",
    [
        {},
        dict.fromkeys(
            (
                "ELECTRICITYMAPS_API_KEY",
                "EIA_API_KEY",
                "ENTSOE_API_KEY",
                "WATTTIME_PASSWORD",
                "WATTTIME_USER",
            ),
            "a-wrong-secret",
        ),
    ],
    ids=["none", "wrong"],
)
def test_missing_and_wrong_key_are_one_line_without_the_key(source, name, environ):
    """What is wrong is told, the key is not."""
    made = source(name, environ=environ)
    ask = getattr(made, "between", None) or made.marginal_between
    with pytest.raises(IntensityError) as caught:
        ask({"watttime": "US-CA", "eia": "US-CAL-CISO"}.get(name, "FR"), DAY, NOON)
    assert "a-wrong-secret" not in str(caught.value) + repr(caught.value.__cause__) + repr(
        caught.value.__context__
    )
    assert ("needs a" if not environ else "refuses") in str(caught.value)


def test_kept_answers_hold_no_key(source, tmp_path):
    """The files of the cache hold figures, licence and no secret, and are this user's alone."""
    for name, zone in LIVE.items():
        source(name).between(zone, DAY, NOON)
    source("watttime").marginal_between("US-CA", DAY, NOON)
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".json"]) == 6
    secrets = [*grid_server.KEYS.values(), grid_server.PASSWORD, grid_server.TOKEN]
    for path in files:
        assert path.stat().st_mode & 0o077 == 0, path
        assert not any(secret in path.read_text() for secret in secrets)


@pytest.mark.parametrize(
    ("zone", "stated", "path"),
    [
        ("GB", {}, "/intensity/2023-01-01T00:00Z/2023-01-01T12:00Z"),
        ("GB-SCT", {}, "/regional/intensity/2023-01-01T00:00Z/2023-01-01T12:00Z/regionid/16"),
        ("GB", {"GB": "RG10"}, "/regional/intensity/2023-01-01T00:00Z/2023-01-01T12:00Z/postcode/RG10"),
        ("gcp/europe-west2", {}, "/intensity/2023-01-01T00:00Z/2023-01-01T12:00Z"),
    ],
)
def test_gb_asks_the_nation_or_a_region(grid, source, zone, stated, path):
    """A region's half-hours are forecasts, for the provider has no measured ones."""
    found = source("carbonintensity_gb", zones=stated).between(zone, DAY, NOON)
    assert grid.asked == [path]
    assert all(one.forecast == path.startswith("/regional") for one in found)


def test_gb_region_as_a_list_is_read_alike(grid, source):
    """Some versions hold the region in a list."""
    grid.bend = lambda answer: {"data": [answer["data"]]}
    assert len(source("carbonintensity_gb").between("GB-SCT", DAY, NOON)) == 24


def test_gb_half_hour_without_actual_is_a_forecast(grid, source):
    """A past half-hour without an actual figure counts as its forecast, and says that it is one."""

    def without(answer):
        answer["data"][3]["intensity"]["actual"] = None
        return answer

    grid.bend = without
    found = source("carbonintensity_gb").between("GB", DAY, NOON)
    assert [one.forecast for one in found].index(True) == 3
    assert sum(one.forecast for one in found) == 1


@pytest.mark.parametrize(
    ("name", "zone", "words"),
    [
        ("carbonintensity_gb", "FR", "covers GB alone"),
        ("energy_charts", "US-CA", "countries of Europe"),
        ("energy_charts", "DE-BY", "has no DE-BY"),
        ("eia", "US-CA", "[grid.eia]"),
        ("entsoe", "US", "[grid.entsoe]"),
        ("electricitymaps", "WORLD", "state the zone"),
    ],
)
def test_zone_that_is_not_covered_is_not_asked(grid, source, name, zone, words):
    """The line says how to name it; no question leaves the machine."""
    with pytest.raises(IntensityError) as caught:
        source(name).between(zone, DAY, NOON)
    assert words in str(caught.value)
    assert grid.asked == []


def test_electricity_maps_asks_in_ten_days_and_for_the_stated_factors(grid, source):
    """Eleven days are two questions; direct factors are asked for and named."""
    found = source("electricitymaps", factors="direct").between("FR", DAY - timedelta(days=10), NOON)
    assert [query(path)["emissionFactorType"] for path in grid.asked] == ["direct", "direct"]
    assert found[0].factor.method == "average, direct, location-based"


def test_electricity_maps_answer_with_other_factors_is_refused(grid, source):
    """Life-cycle and direct never stand for one another."""

    def other(answer):
        return {**answer, "data": [{**one, "emissionFactorType": "direct"} for one in answer["data"]]}

    grid.bend = other
    with pytest.raises(IntensityError, match="direct factors where lifecycle were asked for"):
        source("electricitymaps").between("FR", DAY, NOON)


def test_electricity_maps_asks_for_a_forecast_only_where_time_goes_on(grid, source):
    """A plan without forecast is not troubled by a question about the past."""
    source("electricitymaps").between("FR", DAY, NOON)
    assert not any("forecast" in path for path in grid.asked)
    found = source("electricitymaps").between("FR", grid.now, grid.now + timedelta(hours=24))
    assert found[-1].forecast
    assert found[-1].end == grid.now + timedelta(hours=24)


def test_eia_reads_all_pages(grid, source, monkeypatch):
    """The rows of twelve hours and three fuels on pages of ten."""
    monkeypatch.setattr("sootprint.intensity.eia.PAGE", 10)
    assert len(source("eia").between("US-CAL-CISO", DAY, NOON)) == 12
    assert [query(path)["offset"] for path in grid.asked] == ["0", "10", "20", "30"]


def test_eia_in_another_unit_is_refused(grid, source):
    """Gigawatt-hours are not taken for megawatt-hours."""

    def bent(answer):
        rows = [{**row, "value-units": "gigawatthours"} for row in answer["response"]["data"]]
        return {"response": {"data": rows}}

    grid.bend = bent
    with pytest.raises(IntensityError, match="'gigawatthours', not megawatthours"):
        source("eia").between("US-CAL-CISO", DAY, NOON)


def test_hour_that_lacks_a_fuel_is_a_gap(grid, source):
    """Where the nuclear plants have not reported, gas alone is not the mix."""

    def late(answer):
        rows = answer["response"]["data"]
        told = [row for row in rows if (row["period"], row["fueltype"]) != ("2023-01-01T06", "NUC")]
        return {"response": {"data": told}}

    grid.bend = late
    found = source("eia").between("US-CAL-CISO", DAY, NOON)
    assert {one.start.hour for one in found} == set(range(12)) - {5}  # the hour that ends at 06


def test_mix_is_weighted_with_our_factors():
    """Half gas (490) and half nuclear (12) is 251; a mix of unknown fuels is a gap."""
    assert mix.intensity_g_per_kwh({"gas": 5.0, "nuclear": 5.0}) == pytest.approx(251.0)
    assert mix.intensity_g_per_kwh({"gas": 5.0, "unlisted": 5.0}) is None
    assert mix.intensity_g_per_kwh({"gas": 0.0}) is None
    assert mix.intensity_g_per_kwh({}) is None


@pytest.mark.parametrize("code", entsoe.AREAS.values())
def test_area_codes_have_their_check_letter(code):
    """Sixteen letters, the last of which follows from the others (EIC reference manual)."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
    total = sum(letters.index(letter) * (16 - place) for place, letter in enumerate(code[:15]))
    assert len(code) == 16
    assert code[15] == letters[36 - (total - 1) % 37]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html", "no XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares entities"),
        (b"<Acknowledgement_MarketDocument><Reason><text>No matching data found</text></Reason>"
         b"</Acknowledgement_MarketDocument>", "No matching data found"),
    ],
)  # fmt: skip
def test_entsoe_answer_without_figures_says_why(grid, source, body, words):
    """The provider's own words are passed on in one line."""
    grid.faults = [AnswerError(200, body)]
    with pytest.raises(IntensityError, match=words):
        source("entsoe").between("FR", DAY, NOON)


def test_entsoe_curve_of_changes_repeats_the_last_figure():
    """In a curve of type A03 a position that is left out has the value before it."""
    document = b"""<GL_MarketDocument><TimeSeries><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>
      <curveType>A03</curveType><MktPSRType><psrType>B14</psrType></MktPSRType><Period><timeInterval>
      <start>2023-01-01T00:00Z</start><end>2023-01-01T01:00Z</end></timeInterval><resolution>PT15M</resolution>
      <Point><position>1</position><quantity>5</quantity></Point></Period></TimeSeries></GL_MarketDocument>"""
    points = entsoe._points(entsoe._document(document))
    assert [(one.start.minute, one.value) for one in points] == [
        (0, 12.0),
        (15, 12.0),
        (30, 12.0),
        (45, 12.0),
    ]
