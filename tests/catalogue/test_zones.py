"""Zones: published numbers, fallbacks that are said, intervals, and methods that never meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.catalogue import tables, zones
from sootprint.core.errors import CatalogueError

LIFECYCLE = "average, life-cycle, location-based"
DIRECT = "average, direct, location-based"


@pytest.mark.parametrize(
    ("zone", "year", "expected"),
    [
        ("FR", 2022, 78.5),
        ("FR", 2023, 53.3),
        ("FR", 2024, 40.5),
        ("DE", 2022, 419.7),
        ("DE", 2023, 362.9),
        ("DE", 2024, 336.4),
        ("SE", 2023, 38.4),
        ("NO", 2022, 29.6),
        ("GB", 2023, 235.6),
        ("GB", 2024, 216.5),
    ],
)
def test_country_has_its_published_value(zone, year, expected):
    """Values of Our World in Data from Ember, as commonly printed, to 0.1 g/kWh."""
    assert zones.intensity(zone, year).factor.value == pytest.approx(expected, abs=0.051)


@pytest.mark.parametrize(
    ("zone", "year", "expected"),
    [
        ("PL", 2022, 732),
        ("PL", 2023, 651),
        ("US", 2022, 410),
        ("US", 2023, 393),
        ("CN", 2023, 583),
        ("IN", 2023, 713),
        ("ZA", 2023, 714),
        ("AU", 2023, 557),
        ("BR", 2022, 103),
        ("WORLD", 2023, 483),
    ],
)
def test_country_has_its_printed_value(zone, year, expected):
    """The same, printed without decimals."""
    assert zones.intensity(zone, year).factor.value == pytest.approx(expected, abs=0.51)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("US-WA", 120.92), ("US-VT", 23.7), ("CN-BJ", 555.4), ("CN-YN", 133.3), ("US", 349.67)],
)
def test_direct_value_is_the_published_one(zone, expected):
    """eGRID2023 and the Chinese factors of 2023, asked for by their method."""
    factor = zones.intensity(zone, 2023, method="direct").factor
    assert (factor.value, factor.method) == (expected, DIRECT)


def test_indian_state_is_scaled_to_the_level_of_the_country():
    """Ember gives 405.7 for Karnataka and 625.3 for all India; the country's table gives India 713.36."""
    assert zones.intensity("IN-KA", 2023).factor.value == pytest.approx(405.7 * 713.36 / 625.3, rel=1e-4)


def test_canadian_province_is_scaled_by_the_ratio_of_2020():
    """Derived 28.0 for Quebec in 2023; the provinces average 120 where the country's table gives 161.69 (2020)."""
    assert zones.intensity("CA-QC", 2023).factor.value == pytest.approx(28.0 * 161.69 / 120.0, rel=2e-3)


def test_zero_of_a_tiny_grid_is_missing():
    """Burundi prints 0 from 2000 to 2009: the nearest year with a figure counts, and the warning says so."""
    found = zones.intensity("BI", 2005)
    assert found.factor.value > 0
    assert any("BI has no figure of 2005" in warning for warning in found.warnings)


def test_namibia_is_a_country():
    """The code NA is no empty cell."""
    assert zones.intensity("NA", 2020).place.country == "NA"


def test_every_zone_is_answered_with_its_own_method():
    """No zone of the table is given a figure of another method than the one asked for."""
    for row in tables.all_rows("zones"):
        assert zones.intensity(row["zone"], 2023).factor.method == LIFECYCLE


def test_province_with_direct_figures_only_falls_back_to_its_country():
    """China's provinces have direct figures; the default is the country's life-cycle figure, and it is said."""
    found = zones.intensity("CN-BJ", 2023)
    assert (found.factor.key, found.factor.method) == ("CN", LIFECYCLE)
    assert found.warnings == ("CN-BJ has only direct figures: CN counts (life-cycle)",)
    assert (found.place.country, found.place.subdivision) == ("CN", "CN-BJ")


def test_direct_is_never_made_from_life_cycle():
    """Germany has no direct figure in the tables, so a question for it is refused."""
    with pytest.raises(CatalogueError, match="no direct intensity"):
        zones.intensity("DE", 2023, method="direct")


def test_methods_do_not_meet_in_a_ranking():
    """A list with both methods is refused; a list of one gives its method."""
    life, direct = (
        zones.intensity("US-WA", 2023).factor,
        zones.intensity("US-OR", 2023, method="direct").factor,
    )
    assert zones.require_one_method([life, zones.intensity("FR", 2020).factor]) == LIFECYCLE
    assert zones.require_one_method([]) is None
    with pytest.raises(CatalogueError, match="cannot be ranked or summed"):
        zones.require_one_method([life, direct])


def test_derived_value_below_the_direct_one_is_said():
    """Wyoming 2023: derived 677, published direct 832 (eGRID2023)."""
    warnings = zones.intensity("US-WY", 2023).warnings
    assert any("677 g/kWh" in warning and "832 g/kWh" in warning for warning in warnings)
    assert any("in 2023" in warning for warning in zones.intensity("US-WY", 2019).warnings)
    assert zones.intensity("US-WA", 2023).warnings == ()


def test_preliminary_year_is_said():
    """The state figures of 2025 are preliminary."""
    assert any("preliminary" in warning for warning in zones.intensity("US-CA", 2025).warnings)


def test_year_out_of_the_table_is_the_nearest_one():
    """A run of 2031 has the figure of the last year, wider by the distance."""
    latest, far = zones.intensity("FR"), zones.intensity("FR", 2031)
    assert (far.factor.value, far.factor.period) == (latest.factor.value, latest.factor.period)
    assert any("2031" in warning for warning in far.warnings)
    assert far.factor.high > latest.factor.high
    assert far.factor.low < latest.factor.low


def test_world_spans_the_grids_of_the_world():
    """Of the countries of a year, each counted once, nine tenths lie within the bounds."""
    found = zones.intensity("WORLD", 2023).factor
    grids = [
        float(row["intensity_g_per_kwh"])
        for row in tables.all_rows("intensity")
        if row["year"] == "2023" and len(row["zone"]) == 2 and row["method"] == "lifecycle"
    ]
    within = sum(found.low <= value <= found.high for value in grids)
    assert within / len(grids) == pytest.approx(0.9, abs=0.01)
    assert (found.low, found.high) == (38.42, 825.19)


@pytest.mark.parametrize("zone", ["FR", "DE", "US-WA", "CA-QC", "IN-KA", "aws/us-east-1", "PY"])
def test_interval_is_never_closer_than_ten_percent(zone):
    """Sources of national figures differ by 10 to 20 %."""
    factor = zones.intensity(zone, 2023).factor
    assert factor.low <= factor.value / 1.1
    assert factor.high >= factor.value * 1.1


def test_grid_of_wind_and_sun_has_the_wider_interval():
    """A day in Germany is further from its year than a day in Sweden or Poland."""
    width = {zone: zones.intensity(zone, 2023).factor for zone in ("DE", "FR")}
    assert width["DE"].high / width["DE"].value > width["FR"].high / width["FR"].value


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("fr", "FR"),
        ("France", "FR"),
        ("FRA", "FR"),
        (" united states ", "US"),
        ("USA", "US"),
        ("UK", "GB"),
        ("Côte d'Ivoire", "CI"),
        ("us-wa", "US-WA"),
        ("US_WA", "US-WA"),
        ("California", "US-CA"),
        ("Quebec", "CA-QC"),
        ("IN-TS", "IN-TG"),
        ("world", "WORLD"),
    ],
)
def test_name_is_understood(name, zone):
    """Codes in any case, names of countries and states, and the newer codes of Indian states."""
    assert zones.locate(name).chain[0] == zone


@pytest.mark.parametrize(
    ("name", "zone", "word"),
    [("Georgia", "GE", "US-GA"), ("Punjab", "IN-PB", "India"), ("Korea", "KR", "South Korea")],
)
def test_ambiguous_name_takes_the_default_and_says_so(name, zone, word):
    """Georgia is a country and a state: the country counts, and the warning names the other."""
    found = zones.intensity(name, 2023)
    assert found.factor.key == zone
    assert word in found.warnings[0]


@pytest.mark.parametrize(
    ("name", "country"),
    [("DE-BY", "DE"), ("US-CAL-CISO", "US"), ("NO2", "NO"), ("DK-DK1", "DK"), ("AU-NSW", "AU")],
)
def test_grid_zone_without_figure_falls_back_to_its_country(name, country):
    """Zones as other providers write them keep their name; the country's figure counts, and it is said."""
    found = zones.intensity(name, 2023)
    assert (found.factor.key, found.place.zone, found.place.country) == (country, name, country)
    assert f"{name} has no figure of its own: {country} counts (life-cycle)" in found.warnings


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Frnace", "FR (France)"),
        ("US-ZZ", "US-AZ (Arizona)"),
        ("aws/us-east-9", "aws/us-east-1 (Northern Virginia)"),
        ("gcp/paris", "gcp/europe-west9 (Paris)"),
        ("wolrd", "WORLD (World)"),
    ],
)
def test_unknown_zone_names_the_three_nearest(name, nearest):
    """The one line has the name as given and three known ones."""
    with pytest.raises(CatalogueError) as caught:
        zones.intensity(name, 2023)
    message = str(caught.value)
    assert repr(name) in message
    assert nearest in message
    assert message.partition("nearest are ")[2].count(",") == 2
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Deutschland", "DE"), ("España", "ES"), ("italia", "IT"), ("Schweiz", "CH"), ("Suisse", "CH"),
        ("Österreich", "AT"), ("Oesterreich", "AT"), ("中国", "CN"), ("日本", "JP"), ("한국", "KR"), ("भारत", "IN"),
        ("Россия", "RU"), ("Ελλάδα", "GR"), ("مصر", "EG"), ("Polska", "PL"), ("Holland", "NL"), ("UK", "GB"),
        ("U.S.A.", "US"), ("PRC", "CN"), ("CA", "CA"), ("DE", "DE"), ("IN", "IN"), ("GA", "GA"), ("AL", "AL"),
    ],
)  # fmt: skip
def test_country_is_read_in_its_own_language_and_never_as_a_state(name, zone):
    """Two letters are a country; its name may be its own, in its own writing."""
    assert zones.locate(name).place.zone == zone


def test_two_letters_of_a_state_are_said():
    """California is US-CA, for CA is Canada; New York's letters are no country's, and stand first in the hint."""
    assert zones.namesakes("ca") == ("US-CA (California)",)
    assert zones.namesakes("FR") == zones.namesakes("California") == ()
    with pytest.raises(CatalogueError, match=r"the nearest are US-NY \(New York\)"):
        zones.locate("NY")


def test_what_is_near_to_nothing_is_told_what_a_place_is():
    """No three names that have nothing to do with what was asked for."""
    with pytest.raises(CatalogueError, match=r"zone 'Atlantis' is in no table: name a country, a state or a"):
        zones.locate("Atlantis")
    with pytest.raises(CatalogueError, match=r"the nearest are DE \(Germany\)"):
        zones.locate("Deutchland")


@pytest.mark.parametrize(
    "name", ["\ud800", "", "  ", "?", "XX", "US-", "-", "/", "aws/", "\n", "FR\nDE", None, 3]
)
def test_nonsense_is_refused(name):
    """Nothing but a known name is a place."""
    with pytest.raises(CatalogueError):
        zones.intensity(name, 2023)


@given(st.text(max_size=20))
def test_any_text_is_a_place_or_one_line(name):
    """No text ends in an error of another class, or in two lines."""
    try:
        found = zones.intensity(name, 2023)
    except CatalogueError as err:
        assert len(str(err).splitlines()) == 1
    else:
        assert found.factor.low <= found.factor.value <= found.factor.high


@given(st.sampled_from(["FR", "DE", "US-TX", "BR", "WORLD", "gcp/us-central1"]), st.integers(1990, 2100))
def test_any_year_has_an_interval_around_a_value(zone, year):
    """Each year is answered with the nearest one."""
    factor = zones.intensity(zone, year).factor
    assert 0 < factor.low <= factor.value <= factor.high


def test_shares_of_a_grid_sum_to_one():
    """France 2023: nuclear about two thirds."""
    shares = zones.share_of("FR", 2023)
    assert sum(shares.values()) == pytest.approx(1.0, abs=0.002)
    assert 0.6 < shares["nuclear"] < 0.7
