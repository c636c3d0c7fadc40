"""Hardware x hours x place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint import Footprint, estimate
from sootprint.core.errors import CatalogueError, InputError
from sootprint.settings import Settings, load


def _settings_of(folder: Path, text: str) -> Settings:
    folder.joinpath("sootprint.toml").write_text(text, encoding="utf-8")
    return load({"SOOTPRINT_HOME": str(folder / "home")}, folder)


BARE = Settings(home=Path("none"), runtime_dir=Path("none"))


def test_survey_method_gives_the_survey_worked_examples() -> None:
    """300 W x 100 h x 500 g/kWh is 15 kg and at 100 g/kWh 3 kg (Counting Carbon, section 3)."""
    coal = estimate(power_w=300, hours=100, intensity=500, method="survey", settings=BARE)
    hydro = estimate(power_w=300, hours=100, intensity=100, method="survey", settings=BARE)
    assert (coal.emissions_kg.value, hydro.emissions_kg.value) == (15.0, 3.0)
    assert (coal.emissions_kg.low, coal.emissions_kg.high) == (15.0, 15.0)
    assert (coal.grade, coal.boundary, coal.emissions_kg.basis) == ("D", "accelerator", "claimed")


def test_device_hours_are_devices_times_wall_hours() -> None:
    """16 devices for 24 h are 384 device hours, as are 8 for 48 h."""
    wide = estimate(power_w=300, count=16, hours=24, intensity=500, settings=BARE)
    long = estimate(power_w=300, count=8, hours=48, intensity=500, settings=BARE)
    assert wide.device_hours.value == long.device_hours.value == 384.0
    assert wide.emissions_kg == long.emissions_kg
    assert (wide.duration_s, long.duration_s) == (86_400.0, 172_800.0)


def test_given_power_gets_nothing_added() -> None:
    """Of 300 W at the boundary for 100 h, exactly 30 kWh come, and the given region's PUE stays out."""
    made = estimate(power_w=300, hours=100, zone="aws/us-east-1", settings=BARE)
    assert made.energy_kwh.value == made.energy_kwh.low == made.energy_kwh.high == 30.0
    assert (made.pue.value, made.boundary) == (1.0, "node")
    assert [component.component for component in made.components] == ["accelerator"]


def test_given_power_takes_the_pue_that_is_asked_for() -> None:
    """30 kWh x 1.5 x 500 g/kWh are 22.5 kg at the facility."""
    made = estimate(power_w=300, hours=100, intensity=500, pue=1.5, settings=BARE)
    assert made.emissions_kg.value == pytest.approx(22.5)
    assert made.boundary == "facility"


def test_full_method_takes_power_fraction_and_host() -> None:
    """A V100 of 300 W, unknown work: 300 x 0.70 x 1.30 x 100 h = 27.3 kWh, with the two spreads in quadrature."""
    made = estimate(hardware="V100", hours=100, intensity=500, settings=BARE)
    assert made.energy_kwh.value == pytest.approx(27.3)
    spread = math.hypot(math.log(0.92 / 0.70), math.log(1.6 / 1.3))
    assert made.energy_kwh.high == pytest.approx(27.3 * math.exp(spread))
    assert [(one.component, round(one.energy_kwh.value, 6)) for one in made.components] == [
        ("accelerator", 21.0),
        ("node", 6.3),
    ]
    assert made.emissions_kg.basis == made.energy_kwh.basis == "modelled"


@pytest.mark.parametrize(
    ("work", "fraction"),
    [("llm-pretrain", 0.721), ("finetune", 0.721), ("vision", 0.721), ("inference", 0.26), ("unknown", 0.70)],
)
def test_kind_of_work_sets_the_power_fraction(work: str, fraction: float) -> None:
    """Each kind of work has its own mean share of the rated power; that of trainings is 0.644 + 0.077 at 1,000 h."""
    made = estimate(hardware="V100", hours=1000, intensity=1, work=work, settings=BARE)
    assert made.components[0].energy_kwh.value == pytest.approx(300.0 * fraction)


def test_share_of_a_training_grows_with_its_device_hours() -> None:
    """0.567 at 10 device hours, 0.875 at 100,000, of which 0.87 stays; small jobs are less sure than large ones."""
    small, large = (
        estimate(hardware="V100", count=count, hours=10, intensity=1, work="vision", settings=BARE)
        for count in (1, 10_000)
    )
    of = [next(one for one in made.factors if one.kind == "power_fraction") for made in (small, large)]
    assert [one.value for one in of] == [pytest.approx(0.567), pytest.approx(0.87)]
    assert of[0].high / of[0].low > of[1].high / of[1].low
    assert max(one.high for one in of) <= 1.0


def test_stated_utilisation_replaces_the_prior() -> None:
    """At a utilisation of 0.5, a V100 draws 150 W and its node 195 W."""
    made = estimate(hardware="V100", hours=1000, intensity=1, utilisation=0.5, settings=BARE)
    assert made.energy_kwh.value == pytest.approx(195.0)
    assert made.components[0].utilisation == 0.5


def test_utilisation_below_idle_power_is_remarked() -> None:
    """A device that does nothing still draws about 15 % of its rated power."""
    made = estimate(hardware="V100", hours=1, intensity=1, utilisation=0.05, settings=BARE)
    assert any("without work" in text for text in made.warnings)


def test_power_that_the_maker_measured_goes_before_the_rated_one() -> None:
    """Google states 220 W (123-262) for a TPU v3 at work; with the host that is 286 W."""
    made = estimate(hardware="TPU v3", hours=1000, intensity=1, settings=BARE)
    assert made.energy_kwh.value == pytest.approx(286.0)
    assert made.factors[0].kind == "mean_power"


def test_processor_has_a_wider_host() -> None:
    """An EPYC 7742 of 225 W: 225 x 0.70 x 1.60 = 252 W."""
    made = estimate(hardware="AMD EPYC 7742", hours=1000, intensity=1, settings=BARE)
    assert made.energy_kwh.value == pytest.approx(252.0)
    assert [component.component for component in made.components] == ["cpu", "node"]


def test_whole_system_holds_its_host() -> None:
    """The 23 kW of a wafer-scale system are those of the whole system."""
    made = estimate(hardware="Cerebras WSE-2 (CS-2 system)", hours=1, intensity=1, settings=BARE)
    assert made.energy_kwh.value == pytest.approx(23.0 * 0.70)
    assert (
        estimate(hardware="CS-2", power_w=20_000, hours=1, intensity=1, settings=BARE).energy_kwh.value
        == 20.0
    )


def test_survey_method_with_a_name_takes_the_rated_power() -> None:
    """A V100 for 100 h at 500 g/kWh is 15 kg, and the truth may be as low as 0.35 of it."""
    made = estimate(hardware="V100", hours=100, intensity=500, method="survey", settings=BARE)
    assert made.emissions_kg.value == pytest.approx(15.0)
    assert (made.emissions_kg.low, made.emissions_kg.high) == (pytest.approx(5.25), pytest.approx(15.0))
    assert any("not in these numbers" in text for text in made.warnings)


def test_unknown_pue_is_said_and_not_assumed() -> None:
    """Without a PUE the boundary is the node and a warning says what is missing."""
    made = estimate(hardware="V100", hours=1, zone="FR", settings=BARE)
    assert (made.boundary, made.pue.value) == ("node", 1.0)
    assert "pue" in made.unknown
    assert any(text.startswith("PUE unknown") for text in made.warnings)


def test_cloud_region_brings_its_pue() -> None:
    """AWS publishes 1.15 for us-east-1 in 2024."""
    made = estimate(hardware="V100", hours=1, zone="aws/us-east-1", year=2024, settings=BARE)
    assert (made.pue.value, made.boundary, made.place.zone) == (1.15, "facility", "aws/us-east-1")
    assert made.pue.low < made.pue.value < made.pue.high


def test_site_brings_its_zone_and_pue(tmp_path: Path) -> None:
    """The configured site stands for a zone and PUE that were not given."""
    own = _settings_of(tmp_path, 'site = "lab"\n[sites.lab]\nzone = "FR"\npue = 1.2\n')
    made = estimate(hardware="V100", hours=1, settings=own)
    assert (made.place.zone, made.place.source, made.pue.value) == ("FR", "site", 1.2)
    elsewhere = estimate(hardware="V100", hours=1, zone="DE", settings=own)
    assert (elsewhere.place.zone, elsewhere.pue.value) == ("DE", 1.0)


def test_device_of_the_settings_can_be_estimated(tmp_path: Path) -> None:
    """A device of 400 W that the user described: 400 x 0.70 x 1.30 = 364 W."""
    own = _settings_of(tmp_path, "[hardware.Prototype]\nrated_power_w = 400\n")
    made = estimate(hardware="prototype", hours=1000, intensity=1, settings=own)
    assert made.energy_kwh.value == pytest.approx(364.0)


def test_unknown_place_is_the_world_and_says_so() -> None:
    """Where no place is known, the interval spans the world's grids, and the first warning says so."""
    here = estimate(hardware="V100", hours=100, settings=BARE)
    france = estimate(hardware="V100", hours=100, zone="FR", settings=BARE)
    assert here.place.zone is None
    assert "place.zone" in here.unknown
    assert here.warnings[0].startswith("place unknown")
    assert "--zone" in here.warnings[0]
    assert _ratio(here) > 2.0 * _ratio(france)


def test_device_without_a_published_power_is_refused() -> None:
    """No rated power is published for TPU v5e, so there is nothing to multiply."""
    with pytest.raises(CatalogueError, match=r"TPU v5e.*--power-w"):
        estimate(hardware="TPU v5e", hours=1, settings=BARE)


def test_every_factor_states_its_source() -> None:
    """No constant enters a number without saying where it is from."""
    made = estimate(hardware="V100", hours=1, zone="aws/us-east-1", work="vision", settings=BARE)
    assert [factor.kind for factor in made.factors] == [
        "rated_power",
        "power_fraction",
        "host_overhead",
        "pue",
        "intensity",
    ]
    assert all(factor.source and factor.method for factor in made.factors)


def test_record_survives_json() -> None:
    """An estimate is a record like any other."""
    made = estimate(hardware="V100", hours=1, zone="FR", settings=BARE)
    assert Footprint.from_json(made.to_json()) == made


def test_hours_are_checked_against_the_work() -> None:
    """6 x 7e9 x 1e12 operations take 37,393 h of an A100 at its peak: 1,000 h on 8 are 467 % of it."""
    work = {"hardware": "A100", "params": 7e9, "tokens": 1e12, "intensity": 1, "settings": BARE}
    with pytest.raises(InputError, match=r"implies 467% of the peak rate"):
        estimate(hours=1000, count=8, **work)
    fitting = estimate(hours=12_000, count=8, **work)
    assert fitting.work.flops == pytest.approx(4.2e22)
    assert not any("imply" in text for text in fitting.warnings)
    assert any(
        "imply a utilisation of 2%" in text for text in estimate(hours=250_000, count=8, **work).warnings
    )


def test_idle_and_restarts_multiply() -> None:
    """20 % of idle energy and 10 % of repeated work make 1.32 of the energy."""
    plain = estimate(hardware="V100", hours=100, intensity=1, settings=BARE)
    more = estimate(hardware="V100", hours=100, intensity=1, idle=0.2, restarts=0.1, settings=BARE)
    assert more.energy_kwh.value == pytest.approx(1.32 * plain.energy_kwh.value)
    assert sum(one.energy_kwh.value for one in more.components) == pytest.approx(more.energy_kwh.value)
    with pytest.raises(InputError, match="idle is -1"):
        estimate(hardware="V100", hours=1, idle=-1, settings=BARE)


def test_tpu_without_a_measured_power_draws_half_of_its_rated_one() -> None:
    """A TPU v2 is rated 280 W: 280 x 0.53 x 1.30 = 193 W, where Patterson et al. (2021) measured 208-229 W."""
    made = estimate(hardware="TPU v2", hours=1000, intensity=1, work="llm-pretrain", settings=BARE)
    assert made.energy_kwh.value == pytest.approx(192.9, abs=0.1)
    assert made.energy_kwh.low < 208 < 229 < made.energy_kwh.high


def _ratio(made: Footprint) -> float:
    """High over low bound of the emissions."""
    return made.emissions_kg.high / made.emissions_kg.low


@given(
    hours=st.floats(0.001, 1e5),
    count=st.integers(1, 1000),
    intensity=st.floats(0.1, 1500),
    pue=st.floats(1.0, 2.5),
    utilisation=st.floats(0.01, 0.5),
    more=st.floats(1.0, 2.0),
)
def test_more_of_anything_never_emits_less(
    hours: float, count: int, intensity: float, pue: float, utilisation: float, more: float
) -> None:
    """Value and bounds rise with hours, devices, intensity, PUE and utilisation."""
    given = {"hours": hours, "count": count, "intensity": intensity, "pue": pue, "utilisation": utilisation}
    base = estimate(hardware="V100", settings=BARE, **given)
    for name, value in given.items():
        raised = math.ceil(count * more) if name == "count" else value * more
        after = estimate(hardware="V100", settings=BARE, **{**given, name: raised})
        for bound in ("value", "low", "high"):
            below, above = getattr(base.emissions_kg, bound), getattr(after.emissions_kg, bound)
            assert above >= below * (1.0 - 1e-9), (name, bound)


@given(hours=st.floats(0.01, 1e4), fraction=st.floats(0.2, 0.8))
def test_interval_never_narrows_when_something_is_left_out(hours: float, fraction: float) -> None:
    """Leaving out the utilisation, the PUE or the place never makes the interval narrower."""
    full = {"hours": hours, "utilisation": fraction, "pue": 1.2, "zone": "FR"}
    known = estimate(hardware="V100", settings=BARE, **full)
    for name in ("utilisation", "pue", "zone"):
        rest = {key: value for key, value in full.items() if key != name}
        assert _ratio(estimate(hardware="V100", settings=BARE, **rest)) >= _ratio(known) * (1.0 - 1e-9), name
