"""The flags, each on a row that breaks its rule and on one that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint import survey
from sootprint.survey import checks

HEAD = "run,hardware,devices,wall_hours,rated_power_w,country,year,intensity_year,intensity_g_per_kwh,pue,"
HEAD += "energy_given_kwh,energy_includes_pue,emissions_given_kg\n"
GOOD = "a,V100,2,100,250,France,2020,2020,60,1.2,50,no,3.0\n"


def raised(tmp_path: Path, *rows: str) -> dict[str, int]:
    """Flags that rows raise."""
    path = tmp_path / "t.csv"
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return {name: count for name, count in checks.counts(survey.flags(survey.load(path))).items() if count}


def test_a_good_row_raises_none(tmp_path: Path) -> None:
    """2 x 100 h x 250 W is 50 kWh, at 60 g 3.0 kg."""
    assert raised(tmp_path, GOOD) == {}


@pytest.mark.parametrize(
    ("old", "new", "flag"),
    [
        (",50,no,3.0", ",51.6,no,3.1", "energy-off"),
        (",50,no,3.0", ",50,no,3.2", "emissions-off"),
        (",50,no,3.0", ",,,8.0", "emissions-implausible"),
        (",250,", ",200,", "power-off"),
        (",60,1.2,50,no,3.0", ",130,1.2,50,no,6.5", "intensity-off"),
        (",2020,2020,", ",,2020,", "year-missing"),
        (",2020,2020,", ",2020,,", "intensity-year-missing"),
    ],
)
def test_each_rule_raises_its_flag(tmp_path: Path, old: str, new: str, flag: str) -> None:
    """One change, one flag; where the power is another one, the energy does not fit either."""
    assert old in GOOD
    assert set(raised(tmp_path, GOOD.replace(old, new, 1))) - {"energy-off"} == {flag} - {"energy-off"}
    assert flag in raised(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("basis", "flagged"), [("claimed", True), ("", True), ("modelled", False), ("sensor", False)]
)
def test_only_an_energy_that_claims_to_be_power_times_hours_must_be(
    tmp_path: Path, basis: str, flagged: bool
) -> None:
    """An estimate is of the load, mostly below the rated power; 0.91 of it is no slip of arithmetic."""
    path = tmp_path / "t.csv"
    path.write_text(
        f"{HEAD.strip()},energy_basis\n{GOOD.strip()},{basis}\n".replace(",50,no", ",45.5,no"), "utf-8"
    )
    assert ("energy-off" in set(survey.flags(survey.load(path)).get_column("flag"))) is flagged


@pytest.mark.parametrize(
    "row",
    [
        GOOD.replace(",50,no,3.0", ",51.4,no,3.08"),  # 2.8 % off
        GOOD.replace(",50,no,3.0", ",60,yes,3.6"),  # with its PUE of 1.2
        GOOD.replace(",50,no,3.0", ",50,no,3.6"),  # emissions with PUE, energy without
        GOOD.replace("V100", "V100 SXM2").replace(",250,", ",300,").replace(",50,no,3.0", ",60,no,3.6"),
    ],
)
def test_what_can_be_explained_raises_none(tmp_path: Path, row: str) -> None:
    """Rounding, a PUE that is said, and the other card of the family."""
    assert raised(tmp_path, row) == {}


def test_tiny_emissions_may_be_rounded(tmp_path: Path) -> None:
    """0.1 kg printed for 0.06 kg is rounding."""
    assert raised(tmp_path, "a,V100,2,2,250,France,2020,2020,60,1,1,no,0.1\n") == {}


def test_one_run_in_two_rows_is_said(tmp_path: Path) -> None:
    """And two runs that share hardware, hours, place and year may be one."""
    place = GOOD.replace("a,", "b,", 1)
    assert raised(tmp_path, GOOD, GOOD) == {"shared-run": 2}
    assert "perhaps-shared-run" not in raised(tmp_path, GOOD, place)  # the place is no more than a country


def test_twins_of_one_place_are_said(small: survey.Dataset) -> None:
    """The two language pairs of the small table: four P40 for 20 hours in Paris in 2017."""
    found = survey.flags(small)
    assert found.filter(flag="perhaps-shared-run")["row"].to_list() == [5, 6]


def test_a_power_below_every_device_is_flagged(small: survey.Dataset) -> None:
    """40 W for a P6000, which the catalogue does not have, is below all that it has."""
    assert survey.flags(small).filter(flag="power-off")["row"].to_list() == [7]


def test_each_flag_says_what_it_means(small: survey.Dataset) -> None:
    """In words, beside given and implied."""
    found = survey.flags(small)
    assert found["meaning"].null_count() == 0
    assert set(found["flag"]) <= set(checks.FLAGS)
