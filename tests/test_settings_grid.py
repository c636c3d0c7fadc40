"""The table `[grid]`: which sources are asked, and that no key stands in it."""

from __future__ import annotations

import pytest

from sootprint import settings
from sootprint.core.errors import SettingsError


def loaded(home, text):
    """Settings of a user whose own file has a text."""
    (home / "sootprint.toml").write_text(text, encoding="utf-8")
    return settings.load({"SOOTPRINT_HOME": str(home)}, home / "elsewhere")


def test_nothing_is_asked_unless_stated(tmp_path):
    """Without `[grid]` there is no source."""
    assert settings.load({"SOOTPRINT_HOME": str(tmp_path)}, tmp_path).grid is None


def test_sources_and_their_providers_are_read(tmp_path):
    """Order, limit, marginal source, zones, key and factors."""
    found = loaded(
        tmp_path,
        """
        [grid]
        sources = ["electricitymaps", "energy_charts", "annual"]
        marginal = "watttime"
        limit = "5s"
        [grid.electricitymaps]
        key_file = "~/.config/em.key"
        factors = "direct"
        zones = { "US-CA" = "US-CAL-CISO" }
        [grid.watttime]
        user = "ada"
        """,
    ).grid
    assert found.sources == ("electricitymaps", "energy_charts", "annual")
    assert (found.marginal, found.limit_s) == ("watttime", 5.0)
    assert found.provider("electricitymaps").zones == {"US-CA": "US-CAL-CISO"}
    assert found.provider("electricitymaps").factors == "direct"
    assert found.provider("energy_charts").key_env is None
    assert str(found) == "electricitymaps, energy_charts, annual; marginal: watttime"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[grid]\nsources = ["watttime"]', "a marginal signal is no footprint's"),
        ('[grid]\nsources = ["co2signal"]', "must be of carbonintensity_gb"),
        ('[grid]\nsources = "annual"', "must be a list"),
        ('[grid]\nmarginal = "eia"', "must be one of watttime"),
        ('[grid]\nlimit = "1h"', 'from "1s" to "2m"'),
        ('[grid]\nsource = "annual"', "the nearest is sources"),
        ("[grid.co2signal]\nzones = {}", "co2signal is no source"),
        ('[grid.electricitymaps]\nkey_env = "A"\nkey_file = "b"', "either key_env or key_file"),
        ('[grid.electricitymaps]\nfactors = "marginal"', "must be one of lifecycle, direct"),
        ('[grid.eia]\nurl = "http://mirror.example.org"', "use https"),
        ('[grid.eia]\nurl = "http://127.0.0.1.example.org:8"', "use https"),
        ('[grid.eia]\nurl = "https://me:secret@example.org"', "without a password"),
        ('[grid.trace]\nfile = "a.csv"', "must have a file and its zone"),
        ('[grid.energy_charts]\nkey_env = "A"', "key_env is not a setting"),
        ("grid = 5", "must be a table"),
    ],
)
def test_wrong_entry_is_one_line(tmp_path, text, words):
    """The line names the key and the rule."""
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["key", "token", "password"])
def test_key_in_the_file_is_refused_and_not_repeated(tmp_path, name):
    """A file that is copied and shared holds no secret, and no message either."""
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, f'[grid.electricitymaps]\n{name} = "hush-hush"')
    assert "must not stand in a file" in str(caught.value)
    assert "hush-hush" not in str(caught.value)


def test_cloned_project_cannot_ask_with_your_key(tmp_path):
    """`[grid]` of a project's file is refused."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "sootprint.toml").write_text('[grid]\nsources = ["energy_charts"]', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"\[grid\] may stand only in your own"):
        settings.load({"SOOTPRINT_HOME": str(tmp_path / "home")}, project)


def test_password_in_the_address_of_a_source_is_not_told(tmp_path):
    """The line that refuses it has the address without it, and where a key belongs."""
    with pytest.raises(SettingsError, match="key_file") as caught:
        loaded(tmp_path, '[grid.eia]\nurl = "https://me:s3c/r3t@example.org"')
    assert "r3t" not in str(caught.value) and "s3c" not in str(caught.value)
