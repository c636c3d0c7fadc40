"""The tables of wall meters: what is taken, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint.core.errors import SettingsError
from sootprint.settings import Settings, load

PLUG = '[wall.plug]\nurl = "http://192.168.1.20/status"\npower = "/meters/0/power"\n'


@pytest.fixture
def own(tmp_path: Path):
    """Function that loads the user's own file with a text."""
    home = tmp_path / "home"
    home.mkdir()

    def read(text: str) -> Settings:
        (home / "sootprint.toml").write_text(text, encoding="utf-8")
        return load({"SOOTPRINT_HOME": str(home)}, tmp_path)

    return read


def test_wall_meters_are_read_by_name(own):
    """Values in the unit of their name; what is not stated has its default."""
    text = (
        f'{PLUG}energy = "/meters/0/total"\nenergy_unit = "Wmin"\naccuracy = "2%"\nnodes = 4\nperiod = "10s"\n'
        '[wall.redfish]\naddress = "https://bmc-17/"\nuser = "monitor"\npassword_env = "BMC"\n'
        "[wall.hwmon]\nuse = false\n"
    )
    settings = own(text)
    plug, redfish = settings.wall["plug"], settings.wall["redfish"]
    assert (plug.power, plug.power_unit, plug.energy_unit) == ("/meters/0/power", "W", "Wmin")
    assert (plug.accuracy, plug.nodes, plug.period_s) == (pytest.approx(0.02), 4, 10.0)
    assert (redfish.address, redfish.verify, redfish.nodes) == ("https://bmc-17", True, 1)
    assert settings.wall["hwmon"].use is False


def test_machine_is_told_of_them(own):
    """Meters get what the user stated, and where the calibrations lie."""
    settings = own(PLUG)
    machine = settings.machine()
    assert machine.wall == settings.wall
    assert machine.home == str(settings.home)


def test_file_of_a_plug_is_one_number_where_nothing_else_is_stated(own):
    """A script that writes watts into a file needs no pointer."""
    assert own('[wall.plug]\nfile = "/run/watts"').wall["plug"].power == ""


def test_project_may_not_open_connections(tmp_path):
    """A file that came with a project could send a password to its author."""
    (tmp_path / "sootprint.toml").write_text(PLUG, encoding="utf-8")
    with pytest.raises(SettingsError, match="may stand only in your own"):
        load({"SOOTPRINT_HOME": str(tmp_path / "home")}, tmp_path)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[wall.ups]", "ups is no meter of a whole node; they are plug, redfish"),
        ("[wall.plug]\nnodes = 1", "either a url or a file"),
        (PLUG + 'file = "/x"', "either a url or a file"),
        ('[wall.plug]\nurl = "http://x/"', "must say where its power or energy is"),
        (PLUG + 'power_unit = "VA"', "must be one of W, kW, mW"),
        (PLUG.replace("/meters/0/power", "meters"), "must be a JSON pointer"),
        (PLUG.replace("http", "ftp"), 'such as "http://192.168.1.20/status"'),
        (PLUG + "nodes = 0", "at least 1"),
        (PLUG + "nodes = 1.5", "at least 1"),
        (PLUG + "accuracy = 3", "at most 0.5"),
        (PLUG + 'period = "100ms"', 'at least "1s"'),
        (PLUG + 'password = "hunter2"', "use password_env"),
        (PLUG + 'adress = "x"', "adress is not a setting"),
        ("[wall.redfish]\nnodes = 1", "must have an address"),
        ('[wall.redfish]\naddress = "http://bmc"\nuser = "a"', "would send the password in the clear"),
        ('[wall.redfish]\naddress = "https://bmc"\npath = "/x"', "/redfish/v1/Chassis/1/Power"),
        ("[wall.ipmi]\nurl = 1", "wall.ipmi.url is not a setting"),
        ("wall = 3", "must be a table"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(own, text, rule):
    """The line names the key and the rule, and never a password."""
    with pytest.raises(SettingsError) as caught:
        own(text)
    assert "\n" not in str(caught.value)
    assert rule in str(caught.value), str(caught.value)
    assert "hunter2" not in str(caught.value)
