"""Plugs and PDUs: answers as their makers document them, by HTTP and by file."""

import os

import pytest
from tests.fixtures.json_server import JsonServer

from sootprint.core.errors import MeterError
from sootprint.core.protocols import FakeClock, Machine
from sootprint.meters import plug, plug_meter
from sootprint.meters.background import Look
from sootprint.settings.wall import wall

SHELLY_1 = {
    "relays": [{"ison": True}],
    "meters": [{"power": 81.5, "is_valid": True, "total": 120}],
    "unixtime": 1767225600,
}
SHELLY_2 = {
    "id": 0,
    "output": True,
    "apower": 81.9,
    "voltage": 230.4,
    "aenergy": {"total": 2500.125, "by_minute": [1300.1, 1301.0, 1299.7], "minute_ts": 1767225600},
}
TASMOTA = {
    "StatusSNS": {"Time": "2026-01-01T00:00:00", "ENERGY": {"Total": 3.185, "Power": 84, "Voltage": 231}}
}


def look_of(document, path="/status", **given):
    """Look at a plug that answers a document."""
    with JsonServer({path: document}) as server:
        settings = wall({"plug": {"url": f"{server.address}{path}", **given}})
        return plug.discover(Machine(wall=settings, environ={}))._look()


def from_file(path, **given):
    """Meter of a file."""
    return plug.discover(Machine(wall=wall({"plug": {"file": str(path), **given}}), clock=FakeClock()))


@pytest.mark.parametrize(
    ("document", "path", "given", "expected"),
    [
        (
            SHELLY_1,
            "/status",
            {"power": "/meters/0/power", "energy": "/meters/0/total", "energy_unit": "Wmin"},
            Look(81.5, 7200.0),
        ),
        (
            SHELLY_2,
            "/rpc/Switch.GetStatus?id=0",
            {"power": "/apower", "energy": "/aenergy/total"},
            Look(81.9, 9000450.0),
        ),
        (
            TASMOTA,
            "/cm?cmnd=Status%208",
            {"power": "/StatusSNS/ENERGY/Power", "energy": "/StatusSNS/ENERGY/Total", "energy_unit": "kWh"},
            Look(84.0, 11466000.0),
        ),
        (
            "84150\n",
            "/webservices/homeautoswitch.lua?switchcmd=getswitchpower&ain=1&sid=2",
            {"power": "", "power_unit": "mW"},
            Look(84.15, None),
        ),
    ],
)
def test_answers_of_four_makers(document, path, given, expected):
    """Shelly of the first and second generation, Tasmota, and a FRITZ!Box that answers a bare number of mW."""
    look = look_of(document, path, **given)
    assert look.power_w == pytest.approx(expected.power_w)
    assert look.energy_j == pytest.approx(expected.energy_j)


def test_same_time_is_no_new_reading():
    """A plug that stopped measuring says the same time again: nothing is told."""
    with JsonServer({"/status": SHELLY_1}) as server:
        given = {"url": f"{server.address}/status", "power": "/meters/0/power", "time": "/unixtime"}
        meter = plug.discover(Machine(wall=wall({"plug": given}), environ={}))
        assert meter._look() == Look(power_w=81.5)
        assert meter._look() is None
        server.documents["/status"] = {**SHELLY_1, "unixtime": 1767225605}
        assert meter._look() == Look(power_w=81.5)


@pytest.mark.parametrize(
    ("text", "given", "power_w"),
    [
        ("81.5\n", {}, 81.5),
        ("time,watts\n10:00,81.5\n10:05,82.5\n", {"power": "1"}, 82.5),
        ("10:00;81,5\n", {"power": 1}, 81.5),
        ('{"power": 0.0825}', {"power": "/power", "power_unit": "kW"}, 82.5),
    ],
)
def test_files(tmp_path, text, given, power_w):
    """A number, the last line of a CSV, with a decimal comma, or JSON."""
    path = tmp_path / "plug"
    path.write_text(text)
    assert from_file(path, **given)._look() == Look(power_w=power_w)


def test_last_line_of_a_long_file(tmp_path):
    """Only its end is read."""
    path = tmp_path / "plug.csv"
    path.write_text("".join(f"{n},{n % 500}\n" for n in range(100_000)))
    assert from_file(path, power="1")._look() == Look(power_w=499.0)


def test_file_that_nobody_writes_is_no_new_reading(tmp_path):
    """Only a change of the file is one, even one that repeats the number."""
    path = tmp_path / "plug"
    path.write_text("81.5\n")
    meter = from_file(path)
    assert meter._look() == Look(power_w=81.5)
    assert meter._look() is None
    os.utime(path, ns=(1, 1))
    assert meter._look() == Look(power_w=81.5)


def test_decimal_comma_alone_is_not_guessed():
    """The text "82,5" may be two columns: 5 W would be read; it is refused."""
    with pytest.raises(MeterError, match="2 columns: name one"):
        plug_meter.at(plug_meter.content_of("82,5"), "")


@pytest.mark.parametrize(
    ("text", "given", "reason"),
    [
        ("", {}, "file is empty"),
        ("off", {}, "'off' is no power or energy"),
        ("-3", {}, "'-3' is no power"),
        ("nan", {}, "'nan' is no power"),
        ("1,2", {"power": "7"}, "nothing at '7'"),
        ('{"power": ', {"power": "/power"}, "no complete JSON"),
        ('{"power": true}', {"power": "/power"}, "'True' is no power"),
    ],
)
def test_nonsense_is_a_reason(tmp_path, text, given, reason):
    """No number, no reading."""
    path = tmp_path / "plug"
    path.write_text(text)
    with pytest.raises(MeterError, match=reason):
        from_file(path, **given)._look()


def test_missing_file_does_not_tell_its_path(tmp_path):
    """Reasons may enter the record, and paths do not."""
    with pytest.raises(MeterError, match="cannot be read: No such file") as caught:
        from_file(tmp_path / "secret-name")._look()
    assert "secret-name" not in str(caught.value)


def test_redirection_is_not_followed():
    """A plug that answers anything but 200 is not read."""
    with pytest.raises(MeterError, match="answers 404"):
        look_of(None, power="/power")


def test_not_configured(tree):
    """No network call is made for whoever did not ask for one."""
    with pytest.raises(MeterError, match="none is looked for on the network"):
        plug.discover(tree.machine())
