"""Settings: who wins, what is refused, and in which words."""

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core.energy import counted
from sootprint.core.errors import InputError, SettingsError
from sootprint.exporters.address import address_of
from sootprint.settings import load
from sootprint.settings.rules import MOST_PERIOD_S, duration, period


@pytest.fixture
def folders(tmp_path):
    """A project below a home, with the environment that points there."""
    home, project = tmp_path / "home", tmp_path / "work" / "project"
    home.mkdir()
    (project / "deep").mkdir(parents=True)
    return home, project, {"SOOTPRINT_HOME": str(home)}


def write(folder: Path, text: str) -> None:
    """A settings file in a folder."""
    (folder / "sootprint.toml").write_text(text, encoding="utf-8")


def refusal(folders, text: str) -> str:
    """Message of the refusal of a project file."""
    _, project, env = folders
    write(project, text)
    with pytest.raises(SettingsError) as caught:
        load(env, project)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_files_everything_has_its_default(folders):
    """Nothing stated means nothing assumed: zone, PUE and project stay unknown."""
    home, project, env = folders
    settings = load(env, project)
    assert (settings.home, settings.zone, settings.pue, settings.project) == (home, None, None, None)
    assert (settings.period_s, settings.share, settings.quiet, settings.store_command) == (
        1.0,
        "node",
        False,
        False,
    )
    assert {entry.origin for entry in settings.describe() if entry.key != "home"} == {"default"}


def test_argument_wins_over_variable_over_project_over_user(folders):
    """Each stronger statement hides the weaker ones, one key at a time."""
    home, project, env = folders
    write(home, 'zone = "SE"\nproject = "users"\nyear = 2020\nperiod = "2s"')
    write(project, 'zone = "DE"\nproject = "projects"\nyear = 2021')
    env |= {"SOOTPRINT_ZONE": "FR", "SOOTPRINT_PROJECT": "variable"}
    settings = load(env, project / "deep", zone="US-WA", pue=None)
    assert (settings.zone, settings.project, settings.year, settings.period_s) == (
        "US-WA",
        "variable",
        2021,
        2.0,
    )
    origins = {entry.key: entry.origin for entry in settings.describe()}
    assert origins["zone"] == "argument"
    assert origins["project"] == "SOOTPRINT_PROJECT"
    assert (origins["year"], origins["period_s"]) == ("project file", "user file")
    assert origins["pue"] == "default"


@pytest.mark.parametrize(
    ("stated", "shown"), [("0,2", "0,2"), ([0, 2], "0,2"), ([], ""), ("GPU-8932f937", "GPU-8932f937")]
)
def test_accelerators_that_are_stated_are_all_that_the_meters_see(folders, monkeypatch, stated, shown):
    """In the driver's order, whatever the training itself may see; nothing else of its environment changes."""
    _, project, env = folders
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "1")
    seen = load(env, project, accelerators=stated).machine().environ
    assert (seen["CUDA_VISIBLE_DEVICES"], seen["ROCR_VISIBLE_DEVICES"]) == (shown, shown)
    assert (seen["CUDA_DEVICE_ORDER"], seen["PATH"]) == ("PCI_BUS_ID", os.environ["PATH"])
    assert "HIP_VISIBLE_DEVICES" not in seen
    assert load(env, project).machine().environ is os.environ


@pytest.mark.parametrize("stated", [7, ["a\nb"], {"0": 1}])
def test_accelerators_that_are_no_places_are_refused(folders, stated):
    """The line names the value and the rule."""
    _, project, env = folders
    with pytest.raises(SettingsError, match=r'^accelerators = .* must be places such as "0,2"'):
        load(env, project, accelerators=stated)


def test_nearest_project_file_counts(folders):
    """The walk upwards stops at the first file."""
    _, project, env = folders
    write(project, 'zone = "DE"\nyear = 2020')
    write(project / "deep", 'zone = "FR"')
    settings = load(env, project / "deep")
    assert (settings.zone, settings.year) == ("FR", None)


def test_tables_join_by_name(folders):
    """A site of the user and a site of the project are both known."""
    home, project, env = folders
    write(home, '[sites.lab]\nzone = "FR"\n[sites.desk]\nzone = "SE"')
    write(project, '[sites.lab]\nzone = "DE"')
    settings = load(env, project)
    assert {name: site.zone for name, site in settings.sites.items()} == {"lab": "DE", "desk": "SE"}


def test_site_has_its_pue_by_date(folders):
    """The entry that began last before the day holds; before the first one nothing is known."""
    _, project, env = folders
    write(
        project,
        """site = "lab"
        [sites.lab]
        zone = "FR"
        supply = [{kind = "solar", share = 0.1}]
        [[sites.lab.pue]]
        from = 2024-01-01
        value = 1.4
        low = 1.3
        high = 1.5
        [[sites.lab.pue]]
        from = "2022-01-01"
        value = 1.6""",
    )
    settings = load(env, project)
    assert settings.pue_on(date(2021, 12, 31)) is None
    assert settings.pue_on(date(2023, 5, 1)) == (1.6, None, None, "site lab")
    assert settings.pue_on(date(2024, 1, 1)) == (1.4, 1.3, 1.5, "site lab")
    assert settings.sites["lab"].supply[0]["kind"] == "solar"
    assert load(env, project, pue=1.2).pue_on(date(2024, 1, 1)) == (1.2, None, None, "argument")


def test_pue_of_a_site_is_that_of_its_own_place(folders):
    """A zone elsewhere that is stated more strongly takes the run out of the site; one beside the site does not."""
    _, project, env = folders
    table = '[sites.lab]\nzone = "DE"\npue = 1.9\n'
    write(project, f'site = "lab"\n{table}')
    day = date(2026, 1, 1)
    assert load(env, project).pue_on(day) == (1.9, None, None, "site lab")
    assert load(env, project, zone="DE").pue_on(day) == (1.9, None, None, "site lab")
    assert load(env, project, zone="aws/us-east-1").pue_on(day) is None
    assert load(env | {"SOOTPRINT_ZONE": "FR"}, project).pue_on(day) is None
    assert load(env, project, zone="FR", site="lab").pue_on(day) == (1.9, None, None, "site lab")
    write(project, f'site = "lab"\nzone = "FR"\n{table}')
    assert load(env, project).pue_on(day) == (1.9, None, None, "site lab")


def test_stronger_of_two_pues_counts(folders):
    """A general one of a file gives way to the site that the command line names, and to no weaker one."""
    _, project, env = folders
    table = '[sites.lab]\nzone = "DE"\npue = 1.9\n'
    write(project, f"pue = 1.5\n{table}")
    day = date(2026, 1, 1)
    assert load(env, project).pue_on(day) == (1.5, None, None, "project file")
    assert load(env, project, site="lab").pue_on(day) == (1.9, None, None, "site lab")
    assert load(env, project, site="lab", pue=1.1).pue_on(day) == (1.1, None, None, "argument")
    write(project, f'pue = 1.5\nsite = "lab"\n{table}')
    assert load(env, project).pue_on(day) == (1.5, None, None, "project file")


def test_places_come_the_strongest_first(folders):
    """An argument names the place before a variable does, a variable before a file."""
    _, project, env = folders
    write(
        project,
        'site = "lab"\n[sites.lab]\nzone = "FR"\n[clusters.big]\nsite = "lab"\n[clusters.far]\nzone = "IS"',
    )
    settings = load(env | {"SOOTPRINT_ZONE": "SE"}, project)
    assert [(place.zone, place.site) for place in settings.stated_places()] == [("SE", None), ("FR", "lab")]
    assert load(env | {"SOOTPRINT_ZONE": "SE"}, project, site="lab").stated_places()[0].zone == "FR"
    assert {name: place[:2] for name, place in settings.cluster_places().items()} == {
        "big": ("FR", "lab"),
        "far": ("IS", None),
    }


def test_hardware_of_the_user(folders):
    """A device of the user's own has its rated power and its other names."""
    _, project, env = folders
    write(project, '[hardware."Lab card"]\nkind = "gpu"\nrated_power_w = 310\naliases = ["LC-1"]')
    card = load(env, project).hardware["Lab card"]
    assert (card.rated_power_w, card.aliases, card.memory_gb) == (310.0, ("LC-1",), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('zoen = "FR"', ("sootprint.toml", "zoen", "nearest is zone")),
        ("pue = 0.8", ("pue = 0.8", "between 1 and 10")),
        ("pue = nan", ("pue = nan", "between 1 and 10")),
        ("pue = true", ("pue = True", "between 1 and 10")),
        ('period = "1 fortnight"', ("period = '1 fortnight'", '"500ms"')),
        ('period = "0s"', ("period", "10ms")),
        ('share = "half"', ("share = 'half'", '"node" or "process"')),
        ("quiet = 3", ("quiet = 3", "true or false")),
        ("budget_kg = -1", ("budget_kg = -1", "above 0")),
        ("year = 1066", ("year = 1066", "1990 to 2100")),
        ('hub = "ftp://x"', ("hub", "https://")),
        ('hub = "https://me:secret@hub.example.org"', ("hub", "without a password")),
        ('home = "/x"', ("home is not a setting",)),
        ("zone = ", ("sootprint.toml", "TOML")),
        ('site = "lab"', ("site = 'lab'", "[sites.lab]")),
        ('site = "lap"\n[sites.lab]\nzone = "FR"', ("nearest is lab",)),
        ("[sites.lab]\npue = 0.9", ("sites.lab.pue = 0.9", "between 1 and 10")),
        ("[sites.lab]\nzoen = 'FR'", ("sites.lab.zoen", "nearest is zone")),
        ("[[sites.lab.pue]]\nvalue = 1.4\nlow = 1.5", ("sites.lab.pue", "low at most value")),
        ("[[sites.lab.pue]]\nvalue = 1.4\nfrom = 'soon'", ("sites.lab.pue", "2024-01-01")),
        ("[hardware.X]\nrated_power_w = -3", ("hardware.X.rated_power_w = -3", "above 0")),
        ("[hardware.X]\nrated_power_w = 5000", ("hardware.X.rated_power_w = 5000", "at most 3000")),
        ("[hardware.X]\nkind = 'toaster'", ("hardware.X.kind", "gpu, tpu")),
        ("[clusters.jz]\n", ("clusters.jz", "either a site or a zone")),
        ("sites = 3", ("sites", "must be a table")),
    ],
)
def test_bad_file_is_refused_in_one_line(folders, text, words):
    """The line names the file, the key, the value and the rule."""
    message = refusal(folders, text)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("variables", "arguments", "words"),
    [
        ({"SOOTPRINT_PUE": "0.8"}, {}, ("SOOTPRINT_PUE = '0.8'", "between 1 and 10")),
        ({"SOOTPRINT_ZNOE": "FR"}, {}, ("SOOTPRINT_ZNOE", "nearest is SOOTPRINT_ZONE")),
        ({}, {"pue": float("inf")}, ("pue = inf", "between 1 and 10")),
        ({}, {"pue": 10.5}, ("pue = 10.5", "between 1 and 10")),
        ({}, {"year": 2101}, ("year = 2101", "1990 to 2100")),
        ({}, {"zoen": "FR"}, ("zoen is not a setting", "zone")),
        ({}, {"period": "x"}, ("period = 'x'", "500ms")),
        ({}, {"period": "61s"}, ("period = '61s'", "10ms to 1m", "wrap")),
        ({}, {"year": "2020.5"}, ("year", "1990")),
        ({}, {"pue": 10**400}, ("pue = 1000", "between 1 and 10")),
    ],
)
def test_bad_variable_or_argument_is_refused_in_one_line(folders, variables, arguments, words):
    """The line names the variable or the argument."""
    _, project, env = folders
    with pytest.raises(SettingsError) as caught:
        load(env | variables, project, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_empty_and_foreign_variables_are_left_alone(folders):
    """An empty variable states nothing, and other programs may use the prefix."""
    _, project, env = folders
    settings = load(
        env | {"SOOTPRINT_ZONE": "", "SOOTPRINT_STRICT": "1", "SOOTPRINT_PLUGIN_KEY": "x"}, project
    )
    assert settings.zone is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1.0), ("500ms", 0.5), ("5m", 300.0), ("5min", 300.0), ("0.25", 0.25), ("1h", 3600.0)],
)
def test_duration_reads_the_usual_units(text, seconds):
    """1 min is 60 s and 1 h is 3600 s."""
    assert duration(text) == pytest.approx(seconds)


def test_no_counter_wraps_within_the_longest_period():
    """A processor of AMD counts to 2^32 units of 2^-16 J; at 1 kW its energy over the longest period is known."""
    range_j, most_w = 2**32 / 2**16, 1000.0
    late_s = MOST_PERIOD_S + 5.0  # a tick that the machine held up
    spent = counted(40_000.0, 500.0, late_s, wraps_at_j=range_j, max_power_w=most_w)
    assert spent.energy_j == range_j - 39_500.0
    assert period("1m") == MOST_PERIOD_S


@given(st.floats(min_value=10, max_value=3_600_000))
def test_duration_agrees_between_units(milliseconds):
    """A time in milliseconds is a thousand times the same time in seconds."""
    assert duration(f"{milliseconds:.6f}ms") == pytest.approx(
        duration(f"{milliseconds / 1000:.9f}"), rel=1e-6
    )


@given(st.text(max_size=30))
def test_any_text_is_a_value_or_one_clear_line(text):
    """No text of a variable ends in an error of another class."""
    try:
        load(
            {"SOOTPRINT_HOME": "/nonexistent", "SOOTPRINT_PERIOD": text, "SOOTPRINT_PUE": text},
            Path("/nonexistent"),
        )
    except SettingsError as err:
        assert len(str(err).splitlines()) == 1


def test_runs_inside_a_command_learn_what_was_stated_for_it(tmp_path):
    """Arguments that hold for the parts of a run become variables; what files and variables say is known anyway."""
    (tmp_path / "sootprint.toml").write_text('project = "thesis"\n')
    env = {"SOOTPRINT_HOME": str(tmp_path), "SOOTPRINT_YEAR": "2024"}
    settings = load(env, tmp_path, zone="FR", pue=1.2, period="2s")
    assert settings.for_runs_inside() == {"SOOTPRINT_ZONE": "FR", "SOOTPRINT_PUE": "1.2"}


@pytest.mark.parametrize(
    "address",
    [
        "https://me:s3c/r3t@host",
        "https://me:12/r3t@host",
        "https://r3t@host",
        "https://me:s3c,'r3t@host",
        "https://hub.example.org/?token=r3t",
        "https://hub.example.org#r3t",
    ],
)
def test_address_of_a_hub_that_holds_a_secret_is_refused_without_it(folders, address):
    """Whatever cuts the address short; the line names where the token belongs, as does that of a command."""
    _, project, env = folders
    for taken in (lambda: load(env | {"SOOTPRINT_HUB": address}, project), lambda: address_of(address)):
        with pytest.raises((SettingsError, InputError), match="SOOTPRINT_HUB_TOKEN_FILE") as caught:
            taken()
        assert "r3t" not in str(caught.value) and "s3c" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["https://", "https://host:port", "https://:80", "https://host:", "http:///x"]
)
def test_address_of_a_hub_has_a_host_and_a_port_of_digits(folders, address):
    """What no program could reach is told before a run."""
    _, project, env = folders
    with pytest.raises(SettingsError, match="must be an address such as"):
        load(env, project, hub=address)


def test_addresses_that_programs_reach_are_taken(folders):
    """With a port, by number, with a path, and with the brackets of IPv6."""
    _, project, env = folders
    for address in (
        "http://127.0.0.1:8765",
        "https://[::1]:8443",
        "http://[::1]",
        "https://lab.example.org/hub",
    ):
        assert load(env, project, hub=f"{address}/").hub == address
