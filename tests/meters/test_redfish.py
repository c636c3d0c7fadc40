"""Redfish against a real HTTP and HTTPS server that speaks the documented JSON."""

import shutil

import pytest
from tests.fixtures.json_server import JsonServer, certificate

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import redfish
from sootprint.meters.background import Look
from sootprint.settings.wall import wall

ROOT = "/redfish/v1/Chassis"


def chassis(name, *, systems=1, **links):
    """A chassis of the schema Chassis 1.25."""
    return {
        "@odata.id": f"{ROOT}/{name}",
        "Links": {"ComputerSystems": [{"@odata.id": f"/redfish/v1/Systems/{n}"} for n in range(systems)]},
        **{link: {"@odata.id": f"{ROOT}/{name}/{link}"} for link in links},
    }


def collection(*names):
    """The collection of chassis."""
    return {"Members": [{"@odata.id": f"{ROOT}/{name}"} for name in names]}


def environment(power_w, energy_kwh=None):
    """EnvironmentMetrics 1.3."""
    return {
        "PowerWatts": {"Reading": power_w, "DataSourceUri": f"{ROOT}/1/Sensors/TotalPower"},
        "EnergykWh": None if energy_kwh is None else {"Reading": energy_kwh},
    }


def power(power_w, *, related=1):
    """Power 1.7: the node, and a part of it."""
    systems = [{"@odata.id": f"/redfish/v1/Systems/{n}"} for n in range(related)]
    return {
        "@odata.id": f"{ROOT}/1/Power",
        "PowerControl": [
            {"Name": "System Power Control", "PowerConsumedWatts": power_w, "RelatedItem": systems},
            {"Name": "CPU Power", "PowerConsumedWatts": 120},
        ],
    }


def service(documents, server_options=None, **given):
    """Look of a configured controller, and its server."""
    with JsonServer(documents, **(server_options or {})) as server:
        settings = wall({"redfish": {"address": server.address, **given}})
        environ = {"BMC_PASSWORD": "secret"}
        meter = redfish.discover(Machine(wall=settings, environ=environ))
        meter.look_once()
        if meter._problem:
            raise MeterError(meter._problem)
        return meter._look(), server


NEW = {
    ROOT: collection("1"),
    f"{ROOT}/1": chassis("1", EnvironmentMetrics=True, Power=True),
    f"{ROOT}/1/EnvironmentMetrics": environment(374.0, 2.5),
    f"{ROOT}/1/Power": power(370),
}
OLD = {ROOT: collection("1"), f"{ROOT}/1": chassis("1", Power=True), f"{ROOT}/1/Power": power(344)}


def test_new_services_tell_power_and_energy():
    """374 W, and 2.5 kWh = 9 MJ of the controller's own counter."""
    look, server = service(NEW)
    assert look == Look(power_w=374.0, energy_j=9e6)
    assert server.asked[-1] == f"{ROOT}/1/EnvironmentMetrics"


def test_old_services_tell_the_power_of_the_node():
    """The first entry; the processor below it is a part."""
    assert service(OLD)[0] == Look(power_w=344.0)


def test_later_looks_ask_once():
    """The resource is found at the first look."""
    _, server = service(OLD)
    assert server.asked == [ROOT, f"{ROOT}/1", f"{ROOT}/1/Power", f"{ROOT}/1/Power", f"{ROOT}/1/Power"]


def test_sensor_by_its_path():
    """Where neither resource exists: one sensor, in its own unit."""
    path = f"{ROOT}/1/Sensors/TotalPower"
    look, _ = service({path: {"Reading": 0.41, "ReadingUnits": "kW"}}, path=path)
    assert look == Look(power_w=410.0)
    look, _ = service({path: {"Reading": 3.0, "ReadingUnits": "kWh"}}, path=path)
    assert look == Look(energy_j=1.08e7)


def test_chassis_with_the_system_is_the_node():
    """A tray of accelerators tells a power, too, and holds no system."""
    documents = {
        **NEW,
        ROOT: collection("HGX_GPU_0", "1"),
        f"{ROOT}/HGX_GPU_0": chassis("HGX_GPU_0", systems=0, EnvironmentMetrics=True),
        f"{ROOT}/HGX_GPU_0/EnvironmentMetrics": environment(90.0),
    }
    assert service(documents)[0].power_w == 374.0


def test_two_candidates_are_refused_by_name():
    """Nothing is guessed; the setting chooses."""
    documents = {
        **OLD,
        ROOT: collection("1", "2"),
        f"{ROOT}/2": chassis("2", Power=True),
        f"{ROOT}/2/Power": power(100),
    }
    with pytest.raises(MeterError, match=r"several chassis tell a power \(1, 2\): name one"):
        service(documents)
    assert service(documents, chassis="2")[0].power_w == 100.0


def test_chassis_of_four_nodes_needs_the_divisor():
    """Refused until the number is stated; by links or by related items."""
    shared = {**OLD, f"{ROOT}/1": chassis("1", systems=4, Power=True)}
    with pytest.raises(MeterError, match="covers 4 systems: state it with nodes = 4"):
        service(shared)
    related = {**OLD, f"{ROOT}/1/Power": power(1400, related=4)}
    with pytest.raises(MeterError, match="covers 4 systems"):
        service(related)
    assert service(shared, nodes=4)[0].power_w == 344.0


def test_login_by_a_variable():
    """The right password gets in; a wrong one is said so, without being told."""
    options = {"login": "monitor:secret"}
    assert service(OLD, options, user="monitor", password_env="BMC_PASSWORD")[0].power_w == 344.0
    with pytest.raises(MeterError, match=r"refuses the user or the password \(401\)") as caught:
        service(OLD, options, user="other", password_env="BMC_PASSWORD")
    assert "secret" not in str(caught.value)


def test_password_of_a_file(tmp_path):
    """One line."""
    (tmp_path / "secret").write_text("secret\n")
    options = {"login": "monitor:secret"}
    look, _ = service(OLD, options, user="monitor", password_file=str(tmp_path / "secret"))
    assert look.power_w == 344.0


def test_missing_password_is_a_reason():
    """Before any connection."""
    settings = wall({"redfish": {"address": "https://bmc", "user": "x", "password_env": "NOT_THERE"}})
    with pytest.raises(MeterError, match=r"the variable NOT_THERE \(password_env\)"):
        redfish.discover(Machine(wall=settings, environ={}))


def test_certificates_are_checked(tmp_path):
    """A self-signed one is refused, trusted through its file, or accepted where checking was turned off."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine, which makes the certificate")
    files = certificate(tmp_path)
    options = {"certificate": files}
    with pytest.raises(MeterError, match="self-signed certificate"):
        service(OLD, options)
    assert service(OLD, options, ca_file=str(files[0]))[0].power_w == 344.0
    assert service(OLD, options, verify=False)[0].power_w == 344.0


def test_server_that_is_not_there():
    """A reason, in the background."""
    settings = wall({"redfish": {"address": "http://127.0.0.1:1"}})
    meter = redfish.discover(Machine(wall=settings))
    meter.wait(60.0)
    with pytest.raises(MeterError, match="cannot be asked: Connection refused"):
        meter.read()
    meter.close()


@pytest.mark.parametrize(
    "document", ["<html>", [1], {"PowerWatts": {"Reading": None}}, {"PowerWatts": "374"}]
)
def test_nonsense_is_a_reason(document):
    """No number, no reading."""
    with pytest.raises(MeterError, match="redfish: "):
        service({**NEW, f"{ROOT}/1/EnvironmentMetrics": document, f"{ROOT}/1/Power": {}})


def test_not_configured(tree):
    """No network call is made for whoever did not ask for one."""
    with pytest.raises(MeterError, match="none is looked for on the network"):
        redfish.discover(tree.machine())
