"""Cloud regions, data centres and single factors."""

import pytest

from sootprint.catalogue import factors, regions, tables, zones
from sootprint.core.errors import CatalogueError

DIRECT = "average, direct, location-based"


def test_region_has_its_grid_and_the_providers_own_figure():
    """Google prints 16.3 g/kWh (operational) and 96 % carbon-free for europe-west9 in 2024; its grid is France's."""
    found = regions.region("gcp/europe-west9", 2024)
    assert (found.zone, found.name, found.cfe_share) == ("FR", "Paris", 0.96)
    assert found.own_intensity is not None
    assert (found.own_intensity.value, found.own_intensity.method) == (16.3, DIRECT)


def test_intensity_of_a_region_is_that_of_its_grid():
    """The life-cycle figure of the state counts; the provider's own is another method and only given on request."""
    found = zones.intensity("gcp/europe-west9", 2024)
    assert found.factor == zones.intensity("FR", 2024).factor
    assert found.warnings == ()
    assert (found.place.provider, found.place.region, found.place.country) == ("gcp", "europe-west9", "FR")
    assert zones.intensity("GCP/europe-west9", 2024, method="direct").factor.value == 16.3


def test_published_zero_is_no_figure():
    """Google printed 0 for Montreal in 2021: hydropower, rounded."""
    found = regions.region("gcp/northamerica-northeast1", 2021)
    assert found.own_intensity is None
    assert "published as 0" in found.warnings[0]


def test_every_region_has_a_life_cycle_intensity():
    """No region of the mapping leads nowhere."""
    for row in tables.all_rows("regions"):
        assert zones.intensity(row["region"], 2024).factor.method == "average, life-cycle, location-based"


def test_every_region_of_google_is_in_the_mapping():
    """Each figure of Google's belongs to a region that can be asked for."""
    known = {row["region"] for row in tables.all_rows("regions")}
    assert {row["region"] for row in tables.all_rows("region_intensity")} <= known


def test_region_without_published_pue_has_none():
    """A PUE is never assumed: Paris of AWS has none, Northern Virginia 1.15 in 2024."""
    assert regions.region("aws/eu-west-3").pue is None
    pue = regions.region("aws/us-east-1", 2024).pue
    assert pue is not None
    assert (pue.value, pue.period) == (1.15, "2024")
    assert 1.0 < pue.low < 1.15 < pue.high


def test_unknown_region_names_the_three_nearest():
    """A slip of the finger leads to the right one."""
    with pytest.raises(CatalogueError, match="aws/us-east-1"):
        regions.region("aws/us-est-1")


def test_unknown_site_has_the_average_of_the_industry():
    """Uptime Institute 2024: 1.56, and a site may be from 1.1 to 2.0."""
    pue = factors.pue("unknown", 2024)
    assert pue is not None
    assert (pue.value, pue.low, pue.high) == (1.56, 1.1, 2.0)
    assert factors.pue("nowhere") is None


def test_fleet_has_pue_and_water():
    """AWS 2024: PUE 1.15, 0.15 L/kWh."""
    pue, water = factors.pue("aws", 2024), factors.water("AWS", 2024)
    assert pue is not None
    assert water is not None
    assert (pue.value, water.value, water.unit) == (1.15, 0.15, "L/kWh")


def test_water_of_a_region_is_its_own():
    """The fleet's 0.18 L/kWh that was copied to regions is not a region's figure."""
    assert all(
        row["wue_l_per_kwh"] not in ("0.18", "0.19")
        for row in tables.all_rows("facilities")
        if row["place"].startswith("aws/")
    )


@pytest.mark.parametrize(
    ("fuel", "method", "expected"),
    [
        ("coal", "lifecycle", (820, 740, 910)),
        ("gas", "lifecycle", (490, 410, 650)),
        ("nuclear", "lifecycle", (12, 3.7, 110)),
        ("hydro", "lifecycle", (24, 1, 2200)),
        ("wind", "lifecycle", (11, 7, 56)),
        ("solar", "lifecycle", (48, 18, 180)),
        ("bio", "lifecycle", (230, 130, 420)),
        ("coal", "direct", (760, 670, 870)),
        ("oil", "lifecycle", (840, None, None)),
    ],
)
def test_fuel_has_the_median_and_range_of_its_reference(fuel, method, expected):
    """IPCC AR5 WGIII Annex III (2014), for oil IPCC SRREN (2011)."""
    factor = factors.emission_factor(fuel, method=method)
    assert (factor.value, factor.low, factor.high) == expected


def test_fuel_of_another_reference_on_request():
    """IPCC SRREN gives coal 1001."""
    assert factors.emission_factor("coal", source="ipcc-srren").value == 1001
    with pytest.raises(CatalogueError, match="ipcc-ar5"):
        factors.emission_factor("coal", method="direct", source="unece")


def test_making_a_card_has_its_spread():
    """NVIDIA's figure for eight cards is 1,312 kg, so 164 kg for one; published figures go from 120 to 350."""
    card = factors.embodied("h100-card")
    assert (card.value, card.low, card.high) == (164, 120, 350)
    assert factors.embodied("hgx-h100-board").value == 8 * 164
    assert factors.embodied_of_accelerator("NVIDIA H100 SXM5 80GB") == card
    assert factors.embodied_of_accelerator("NVIDIA T4") is None


@pytest.mark.parametrize(
    "ask", [lambda: factors.embodied("h200-card"), lambda: factors.emission_factor("coke")]
)
def test_unknown_factor_names_the_three_nearest(ask):
    """The line has three known names."""
    with pytest.raises(CatalogueError) as caught:
        ask()
    assert str(caught.value).partition("nearest are ")[2].count(",") == 2
